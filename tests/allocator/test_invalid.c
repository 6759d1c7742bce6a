/*
 * test_invalid.c: pointers that never were, or never were the beginning of, a block in use: freed,
 * reallocated, or asked for their size; every one must be ended with a message.
 */
#include "support.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const size_t sizes[] = {8, 16, 100, 1000, 1032, 20000, 70000, 600000, 3000000};
enum { SIZES = sizeof sizes / sizeof *sizes, ONE = 1 };
static size_t size;

static char *get(void)
{
    return launder(malloc(size));
}

/* --- off a block ------------------------------------------------------------------------------ */

static void *eight_on(void)
{
    return size == 8 ? get() + 4 : get() + 8;
}

/* Of 16 bytes that is the next block, never handed out. */
static void *sixteen_on(void)
{
    return size == 8 ? get() + 2 : get() + 16;
}

static void *half_way(void)
{
    return get() + size / 2;
}

static void *last_byte(void)
{
    return get() + malloc_usable_size(get()) - 1;
}

static void *eight_before(void)
{
    return size == 8 ? get() - 4 : get() - 8;
}

static void *sixteen_before(void)
{
    return size <= 16 ? get() - 4 : get() - 16;
}

static void *page_on(void)
{
    return get() + PAGE + (size < PAGE ? 4 : 0);
}

static void *page_before(void)
{
    return get() - PAGE - (size < PAGE ? 4 : 0);
}

/* Where the block ends, or a byte before where another one begins there. */
static void *past_the_end(void)
{
    char *p = get();
    return p + size - (malloc_usable_size(p) == size && size < 3000000);
}

static void *aligned_and_off(void)
{
    char *p = memalign(256, size);
    return p + 16 - (size < 16 ? 8 : 0) + (size == 16 ? 1 : 0);
}

static void *low_byte_gone(void)
{
    return (void *)(((uintptr_t)get() & ~(uintptr_t)0xFFFF) | 4);
}

static void *high_bit_set(void)
{
    return (void *)((uintptr_t)get() | (uintptr_t)1 << 63);
}

static void *high_half_gone(void)
{
    return (void *)((uintptr_t)get() & UINT32_MAX);
}

/* --- never a block ---------------------------------------------------------------------------- */

static void *one(void)
{
    return (void *)1;
}

static void *sixteen(void)
{
    return (void *)16;
}

static void *a_hundred(void)
{
    return (void *)100;
}

static void *second_page(void)
{
    return (void *)PAGE;
}

static void *minus_one(void)
{
    return (void *)UINTPTR_MAX;
}

static void *not_canonical(void)
{
    return (void *)0x4141414141414140;
}

static void *of_the_kernel(void)
{
    return (void *)0xFFFF888000000000;
}

static void *top_of_user_space(void)
{
    return (void *)0x7FFFFFFFF000;
}

static void *stack(void)
{
    static char *volatile kept;
    char local[64];
    kept = local;
    return kept;
}

static void *first_global(void)
{
    static char global[4096];
    return global;
}

static void *global_middle(void)
{
    static char global[4096];
    return global + 2048;
}

static void *literal(void)
{
    return (void *)(uintptr_t) "a string literal, long enough";
}

static void *function(void)
{
    return (void *)(uintptr_t)function;
}

static void *of_libc(void)
{
    return stdout;
}

static void *error_number(void)
{
    static __thread int local;
    return &local;
}

static void *environment(void)
{
    return getenv("PATH");
}

static void *program_break(void)
{
    return sbrk(PAGE);
}

static void *vdso(void)
{
    return (void *)getauxval(AT_SYSINFO_EHDR);
}

static char *map(size_t bytes)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *own_mapping(void)
{
    return map(1 << 20);
}

static void *own_mapping_middle(void)
{
    return map(1 << 20) + 12345 * 16;
}

static void *own_large_mapping(void)
{
    return map((size_t)64 << 20) + ((size_t)2 << 20);
}

static void *no_access(void)
{
    char *p = map(1 << 20);
    mprotect(p, 1 << 20, PROT_NONE);
    return p;
}

static void *unmapped(void)
{
    char *p = map(1 << 20);
    munmap(p, 1 << 20);
    return p;
}

static void *give_local(void *out)
{
    char local[64];
    *(char **)out = launder(local);
    return NULL;
}

static void *stack_of_a_thread(void)
{
    pthread_t t;
    void *p = NULL;
    pthread_create(&t, NULL, give_local, &p);
    pthread_join(t, NULL);
    return p;
}

/* What a heap exploit writes: a size field before, and one behind. */
static void *made_up_chunk(void)
{
    static uint64_t fake[256] __attribute__((aligned(64)));
    fake[1] = 0x71;
    fake[15] = 0x71;
    return &fake[2];
}

static void *large_made_up_chunk(void)
{
    char *p = map(1 << 20);
    ((uint64_t *)(void *)p)[1] = 0x21002;
    return p + 16;
}

static const struct {
    const char *name;
    void *(*make)(void);
    int count; /* of `sizes` that it is meant for */
} cases[] = {
    {"8 on", eight_on, SIZES},
    {"16 on", sixteen_on, SIZES},
    {"half way", half_way, SIZES},
    {"last byte", last_byte, SIZES},
    {"8 before", eight_before, SIZES},
    {"16 before", sixteen_before, SIZES},
    {"page on", page_on, SIZES},
    {"page before", page_before, SIZES},
    {"past the end", past_the_end, SIZES},
    {"aligned and off", aligned_and_off, SIZES},
    {"low bytes gone", low_byte_gone, SIZES},
    {"high bit set", high_bit_set, SIZES},
    {"high half gone", high_half_gone, SIZES},
    {"1", one, ONE},
    {"16", sixteen, ONE},
    {"100", a_hundred, ONE},
    {"second page", second_page, ONE},
    {"-1", minus_one, ONE},
    {"not canonical", not_canonical, ONE},
    {"of the kernel", of_the_kernel, ONE},
    {"top of user space", top_of_user_space, ONE},
    {"stack", stack, ONE},
    {"global", first_global, ONE},
    {"global, middle", global_middle, ONE},
    {"literal", literal, ONE},
    {"function", function, ONE},
    {"of libc", of_libc, ONE},
    {"thread-local", error_number, ONE},
    {"environment", environment, ONE},
    {"program break", program_break, ONE},
    {"vdso", vdso, ONE},
    {"own mapping", own_mapping, ONE},
    {"own mapping, middle", own_mapping_middle, ONE},
    {"own large mapping", own_large_mapping, ONE},
    {"no access", no_access, ONE},
    {"unmapped", unmapped, ONE},
    {"stack of a thread", stack_of_a_thread, ONE},
    {"made up chunk", made_up_chunk, ONE},
    {"large made up chunk", large_made_up_chunk, ONE},
};
enum { CASES = sizeof cases / sizeof *cases };

static int now;

static void by_free(void *unused)
{
    (void)unused;
    free(launder(cases[now].make()));
}

static void by_realloc(void *unused)
{
    (void)unused;
    free(realloc(launder(cases[now].make()), 50));
}

static void by_usable_size(void *unused)
{
    (void)unused;
    free(malloc(malloc_usable_size(launder(cases[now].make()))));
}

START_TEST(test_invalid)
{
    static const struct {
        void (*run)(void *);
        const char *says;
    } calls[] = {{by_free, "free(): "},
                 {by_realloc, "realloc(): "},
                 {by_usable_size, "malloc_usable_size(): "}};
    now = _i;
    for (int i = 0; i < cases[_i].count; i++)
        for (int k = 0; k < 3; k++) {
            size = sizes[i];
            ck_assert_msg(aborted_with(run_child(calls[k].run, NULL), calls[k].says),
                          "%s, %zu bytes", cases[_i].name, size);
        }
}
END_TEST

Suite *suite_invalid(void)
{
    Suite *s = suite_create("invalid");
    TCase *t = tcase_create("invalid");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, test_invalid, 0, CASES);
    suite_add_tcase(s, t);
    return s;
}
