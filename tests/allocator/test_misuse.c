/*
 * test_misuse.c: programs that free wrongly are ended, with a message that names what they did.
 */
#include "support.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

/* Sizes of every tier, and of several classes in each. */
static const size_t sizes[] = {1,    8,    16,    24,    100,    500,           1024,
                               1025, 4096, 33792, 70000, 300000, (2 << 20) - 1, 5 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void twice(void *size)
{
    void *p = malloc(*(const size_t *)size);
    free(launder(p));
    free(launder(p));
}

static void twice_with_another_between(void *size)
{
    void *a = malloc(*(const size_t *)size), *b = malloc(*(const size_t *)size);
    free(launder(a));
    free(launder(b));
    free(launder(a));
}

static void inside(void *size)
{
    char *p = malloc(*(const size_t *)size);
    free(launder(p + (*(const size_t *)size > 16 ? 16 : 1)));
}

static void misaligned(void *size)
{
    char *p = malloc(*(const size_t *)size);
    free(launder(p + 1));
}

START_TEST(test_double_free)
{
    void *size = (void *)(uintptr_t)&sizes[_i];
    struct outcome *o = run_child(twice, size);
    /* A mapping that was given back is not known any more. */
    ck_assert(aborted_with(o, sizes[_i] > 2 << 20 ? "free(): " : "free(): "));
    ck_assert(aborted_with(run_child(twice_with_another_between, size), "free(): "));
}
END_TEST

START_TEST(test_interior)
{
    void *size = (void *)(uintptr_t)&sizes[_i];
    ck_assert(aborted_with(run_child(inside, size), "free(): invalid pointer"));
    ck_assert(aborted_with(run_child(misaligned, size), "free(): invalid pointer"));
}
END_TEST

static void free_stack(void *unused)
{
    (void)unused;
    char local[64];
    free(launder(local + 16));
}

static void free_static(void *unused)
{
    (void)unused;
    static char data[64];
    free(launder(data));
}

static void free_code(void *unused)
{
    (void)unused;
    free(launder((void *)(uintptr_t)free_code));
}

static void free_wild(void *address)
{
    free(launder(address));
}

static void realloc_wild(void *address)
{
    free(realloc(launder(address), 10));
}

static void usable_wild(void *address)
{
    malloc_usable_size(launder(address));
}

static void realloc_freed(void *unused)
{
    (void)unused;
    void *p = malloc(100);
    free(launder(p));
    free(realloc(launder(p), 200));
}

START_TEST(test_foreign)
{
    ck_assert(aborted_with(run_child(free_stack, NULL), "free(): invalid pointer"));
    ck_assert(aborted_with(run_child(free_static, NULL), "free(): invalid pointer"));
    ck_assert(aborted_with(run_child(free_code, NULL), "free(): invalid pointer"));
    static const uintptr_t wild[] = {1,        8,          4096,         0x10000,
                                     0x200000, 0xdeadbee0, 0x7fffffff00, UINTPTR_MAX - 15};
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
        void *p = (void *)wild[i];
        ck_assert(aborted_with(run_child(free_wild, p), "free(): invalid pointer"));
        ck_assert(aborted_with(run_child(realloc_wild, p), "realloc(): invalid pointer"));
        ck_assert(aborted_with(run_child(usable_wild, p), "malloc_usable_size(): invalid"));
    }
    ck_assert(aborted_with(run_child(realloc_freed, NULL), "realloc(): "));
}
END_TEST

Suite *suite_misuse(void)
{
    Suite *s = suite_create("misuse");
    TCase *t = tcase_create("misuse");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_double_free, 0, SIZES);
    tcase_add_loop_test(t, test_interior, 0, SIZES);
    tcase_add_test(t, test_foreign);
    suite_add_tcase(s, t);
    return s;
}
