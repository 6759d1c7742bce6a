/*
 * test_family.c: the malloc family against C17, POSIX and glibc, one function after the other.
 */
#include "hakmem.h"
#include "support.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t align, size_t size);

/* Sizes too large are made at run time, so that the compiler does not refuse them. */
static volatile size_t huge = SIZE_MAX;

/* Assertions of Check cost a system call each: loops over bytes and sizes make one of many. */
static bool all_bytes(const char *p, size_t n, int value)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != (char)value)
            return false;
    return true;
}

static bool is_sequence(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != (unsigned char)(i * 31 + 7))
            return false;
    return true;
}

START_TEST(test_malloc_zero_is_unique)
{
    void *a = malloc(0), *b = malloc(0);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_ne(a, b);
    free(a);
    free(b);
}
END_TEST

START_TEST(test_malloc_too_large)
{
    size_t sizes[] = {huge, huge / 2 + 1, huge / 2 - 4096, huge - 4096};
    for (size_t i = 0; i < 4; i++) {
        errno = 0;
        ck_assert_ptr_null(malloc(sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
    }
}
END_TEST

/* Every size from 0 to 4 MiB: usable, aligned, and really there. */
START_TEST(test_malloc_every_size)
{
    for (size_t n = 0; n <= 4u << 20; n++) {
        unsigned char *p = malloc(n);
        if (!p || malloc_usable_size(p) < n || (uintptr_t)p % (n >= 16 ? 16 : 8) != 0)
            ck_abort_msg("size %zu: %p", n, (void *)p);
        if (n > 0) {
            p[0] = 1;
            p[n - 1] = 2;
        }
        free(p);
    }
}
END_TEST

START_TEST(test_usable_size_is_usable)
{
    ck_assert_uint_eq(malloc_usable_size(NULL), 0);
    for (size_t n = 1; n < 3u << 20; n = n * 5 / 4 + 1) {
        char *p = malloc(n), *q = malloc(n);
        size_t usable = malloc_usable_size(p);
        memset(q, 0x55, malloc_usable_size(q));
        memset(p, 0xAA, usable);
        ck_assert(all_bytes(q, n, 0x55));
        free(p);
        free(q);
    }
}
END_TEST

START_TEST(test_calloc_zeroes_and_checks)
{
    for (size_t n = 1; n < 3u << 20; n = n * 3 / 2 + 1) {
        char *dirty = malloc(n);
        memset(dirty, 0xFF, malloc_usable_size(dirty));
        free(dirty);
        char *p = calloc(n, 1);
        ck_assert_ptr_nonnull(p);
        ck_assert(all_bytes(p, n, 0));
        free(p);
    }
    errno = 0;
    ck_assert_ptr_null(calloc(huge / 2, 3));
    ck_assert_int_eq(errno, ENOMEM);
    void *p = calloc(0, 10);
    ck_assert_ptr_nonnull(p);
    free(p);
}
END_TEST

static long resident_pages(void)
{
    long pages = -1;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*d %ld", &pages) != 1)
        pages = -1;
    if (f)
        fclose(f);
    return pages;
}

/* Large zeroed blocks cost no memory before they are written, but are zero when used again. */
START_TEST(test_calloc_of_fresh_pages)
{
    enum { COUNT = 64 };
    char *blocks[COUNT];
    for (int round = 0; round < 3; round++) {
        long before = resident_pages();
        for (int i = 0; i < COUNT; i++)
            blocks[i] = calloc(1, 1 << 20);
        if (round == 0)
            ck_assert_int_lt(resident_pages() - before, 1000);
        for (int i = 0; i < COUNT; i++) {
            ck_assert(all_bytes(blocks[i], 1 << 20, 0));
            memset(blocks[i], 0xEE, 1 << 20);
        }
        for (int i = 0; i < COUNT; i++)
            free(blocks[i]);
        for (int i = 0; i < COUNT / 2; i++)
            free(memset(malloc(1 << 20), 0xDD, 1 << 20));
    }
}
END_TEST

START_TEST(test_realloc_keeps_contents)
{
    static const size_t sizes[] = {1,     8,       9,       100,     1024,    1025,  1,
                                   40000, 39000,   70000,   3 << 20, 5 << 20, 12345, 24,
                                   65536, 2 << 20, 1 << 20, 4097,    4096};
    unsigned char *p = realloc(NULL, 1);
    size_t have = 1;
    p[0] = 7;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t n = sizes[k];
        p = realloc(p, n);
        ck_assert_ptr_nonnull(p);
        ck_assert(is_sequence(p, n < have ? n : have));
        for (size_t i = 0; i < n; i++)
            p[i] = (unsigned char)(i * 31 + 7);
        have = n;
    }
    errno = 0;
    ck_assert_ptr_null(realloc(p, huge / 2 + 1));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_eq(p[1], 38);
    ck_assert_ptr_null(realloc(launder(p), 0));
}
END_TEST

START_TEST(test_reallocarray)
{
    errno = 0;
    ck_assert_ptr_null(reallocarray(NULL, huge / 2, 4));
    ck_assert_int_eq(errno, ENOMEM);
    int *p = reallocarray(NULL, 10, sizeof *p);
    ck_assert_ptr_nonnull(p);
    p[9] = 42;
    p = reallocarray(p, 100000, sizeof *p);
    ck_assert_int_eq(p[9], 42);
    free(p);
}
END_TEST

START_TEST(test_free_keeps_errno)
{
    void *big = malloc(3 << 20), *small = malloc(10);
    errno = 1234;
    free(big);
    free(small);
    free(NULL);
    ck_assert_int_eq(errno, 1234);
    free_sized(malloc(10), 10);
    free_aligned_sized(aligned_alloc(64, 128), 64, 128);
}
END_TEST

/* Every power of two to 4 MiB with sizes around it. */
START_TEST(test_alignments)
{
    for (size_t align = 1; align <= 4u << 20; align *= 2)
        for (size_t n = 1; n <= 8u << 20; n = n * 3 + 1) {
            char *p = aligned_alloc(align, n), *q = memalign(align, n);
            ck_assert_ptr_nonnull(p);
            ck_assert_ptr_nonnull(q);
            ck_assert_uint_eq((uintptr_t)p % align, 0);
            ck_assert_uint_eq((uintptr_t)q % align, 0);
            ck_assert_uint_ge(malloc_usable_size(p), n);
            p[0] = p[n - 1] = q[0] = q[n - 1] = 3;
            q = realloc(q, n + 1000);
            ck_assert_int_eq(q[n - 1], 3);
            free(p);
            free(q);
        }
}
END_TEST

START_TEST(test_alignment_errors)
{
    void *p = &p;
    errno = 77;
    ck_assert_int_eq(posix_memalign(&p, 0, 8), EINVAL);
    ck_assert_int_eq(posix_memalign(&p, 4, 8), EINVAL);
    ck_assert_int_eq(posix_memalign(&p, 24, 8), EINVAL);
    ck_assert_int_eq(posix_memalign(&p, 16, huge / 2 + 1), ENOMEM);
    ck_assert_int_eq(posix_memalign(&p, 1u << 20, huge / 2 - 4096), ENOMEM);
    ck_assert_ptr_eq(p, &p);
    ck_assert_int_eq(errno, 77);
    ck_assert_int_eq(posix_memalign(&p, 8, 0), 0);
    free(p);
    volatile size_t bad = 48;
    errno = 0;
    ck_assert_ptr_null(aligned_alloc(bad, 96));
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_ptr_null(aligned_alloc(64, huge / 2 + 1));
    ck_assert_int_eq(errno, ENOMEM);
    errno = 0;
    ck_assert_ptr_null(memalign(huge / 2 + 2, 8));
    ck_assert_int_eq(errno, EINVAL);
    p = memalign(bad, 8);
    ck_assert_uint_eq((uintptr_t)p % 64, 0);
    free(p);
}
END_TEST

START_TEST(test_page_functions)
{
    char *p = valloc(10), *q = pvalloc(10), *z = pvalloc(0);
    ck_assert_uint_eq((uintptr_t)p % 4096, 0);
    ck_assert_uint_eq((uintptr_t)q % 4096, 0);
    ck_assert_uint_ge(malloc_usable_size(q), 4096);
    ck_assert_uint_ge(malloc_usable_size(z), 4096);
    errno = 0;
    ck_assert_ptr_null(pvalloc(huge - 100));
    ck_assert_int_eq(errno, ENOMEM);
    free(p);
    free(q);
    free(z);
}
END_TEST

/* Made before main, given back after it: by then nothing may be missing. */
static char *early;

static __attribute__((constructor(102))) void allocate_early(void)
{
    early = malloc(3000);
    if (early)
        memset(early, 0x5A, 3000);
}

static __attribute__((destructor(102))) void free_late(void)
{
    free(early);
    free(malloc(100));
}

START_TEST(test_constructors)
{
    ck_assert_ptr_nonnull(early);
    ck_assert(all_bytes(early, 3000, 0x5A));
}
END_TEST

/* The figures move with what the program holds. */
START_TEST(test_mallinfo)
{
    struct mallinfo2 before = mallinfo2();
    void *small = malloc(100000), *big = malloc(10 << 20);
    struct mallinfo2 after = mallinfo2();
    ck_assert_uint_ge(after.uordblks, before.uordblks);
    ck_assert_uint_ge(after.hblks, before.hblks + 1);
    ck_assert_uint_ge(after.hblkhd, before.hblkhd + (10 << 20));
    free(small);
    free(big);
    ck_assert_uint_eq(mallinfo2().hblks, before.hblks);
    ck_assert_int_eq(malloc_trim(0), 1);
}
END_TEST

START_TEST(test_own_names)
{
    void *p = hak_malloc(100);
    ck_assert_uint_ge(hak_usable_size(p), 100);
    p = realloc(p, 200);
    hak_free(p);
    p = hak_calloc(3, 5);
    free(p);
    ck_assert_uint_gt(strlen(hak_version()), 0);
}
END_TEST

Suite *suite_family(void)
{
    Suite *s = suite_create("family");
    TCase *t = tcase_create("family");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_malloc_zero_is_unique);
    tcase_add_test(t, test_malloc_too_large);
    tcase_add_test(t, test_malloc_every_size);
    tcase_add_test(t, test_usable_size_is_usable);
    tcase_add_test(t, test_calloc_zeroes_and_checks);
    tcase_add_test(t, test_calloc_of_fresh_pages);
    tcase_add_test(t, test_realloc_keeps_contents);
    tcase_add_test(t, test_reallocarray);
    tcase_add_test(t, test_free_keeps_errno);
    tcase_add_test(t, test_alignments);
    tcase_add_test(t, test_alignment_errors);
    tcase_add_test(t, test_page_functions);
    tcase_add_test(t, test_constructors);
    tcase_add_test(t, test_mallinfo);
    tcase_add_test(t, test_own_names);
    suite_add_tcase(s, t);
    return s;
}
