/*
 * test_attacks.c: small programs that free wrongly in the ways attackers use; every one must be
 * ended with a message. Kinds, sizes, tiers, threads and delays.
 */
#include "support.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const size_t sizes[] = {8,    16,   24,    64,    120,    512,     1024,
                               1032, 4096, 40000, 70000, 500000, 1900000, 3000000};
enum { SIZES = sizeof sizes / sizeof *sizes };
static size_t size;

static char *get(void)
{
    return launder(malloc(size));
}

static void put(void *p)
{
    free(launder(p));
}

/* --- freed twice ---------------------------------------------------------------------------- */

static void at_once(void)
{
    char *p = get();
    put(p);
    put(p);
}

/* More frees of the same class lie between than any cache of a thread holds. */
static void after_many(void)
{
    enum { MANY = 300 };
    char *p = get(), *others[MANY];
    for (int i = 0; i < MANY; i++)
        others[i] = get();
    put(p);
    for (int i = 0; i < MANY; i++)
        put(others[i]);
    put(p);
}

static void after_other_sizes(void)
{
    char *p = get();
    put(p);
    for (size_t n = 1; n < 100000; n = n * 5 / 4 + 1)
        if (malloc_usable_size(launder(p)) != 0)
            put(malloc(n));
    put(p);
}

/* Between the frees the kernel got back what could go. */
static void after_trim(void)
{
    char *p = get();
    put(p);
    malloc_trim(0);
    put(p);
}

static void through_realloc(void)
{
    char *p = get();
    put(p);
    put(realloc(launder(p), size * 2));
}

static void realloc_zero(void)
{
    char *p = get();
    if (realloc(launder(p), 0))
        return;
    put(p);
}

static void moved_by_realloc(void)
{
    char *p = get(), *fence = get();
    char *q = realloc(launder(p), size * 8 + 100);
    if (q == p)
        abort();
    put(fence);
    put(p);
}

static void after_calloc(void)
{
    char *p = launder(calloc(1, size));
    put(p);
    put(p);
}

static void aligned(void)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, size) != 0)
        return;
    put(p);
    put(p);
}

static void *put_in_thread(void *p)
{
    put(p);
    return NULL;
}

static void in_thread(void *p)
{
    pthread_t t;
    pthread_create(&t, NULL, put_in_thread, p);
    pthread_join(t, NULL);
}

static void second_in_thread(void)
{
    char *p = get();
    put(p);
    in_thread(p);
}

static void first_in_thread(void)
{
    char *p = get();
    in_thread(p);
    put(p);
}

static void both_in_threads(void)
{
    char *p = get();
    in_thread(p);
    in_thread(p);
}

static void a_b_a(void)
{
    char *a = get(), *b = get();
    put(a);
    put(b);
    put(a);
}

/* --- never a block -------------------------------------------------------------------------- */

/* Of smaller blocks the place 16 bytes off is another block, perhaps one in use. */
static void in_the_middle(void)
{
    char *p = get();
    put(p + (size < 64 ? 4 : malloc_usable_size(p) / 32 * 16));
}

static void before_the_block(void)
{
    put(get() - (size < 64 ? 4 : 16));
}

static void one_byte_in(void)
{
    put(get() + 1);
}

static void never_given(void)
{
    char *p = get();
    put(p + malloc_usable_size(p) * 200);
}

static void of_the_stack(void)
{
    char local[256];
    put(memset(local + 32, 0, 16));
}

static void made_up_chunk(void)
{
    static uint64_t fake[64] __attribute__((aligned(64)));
    fake[1] = 0x41;
    fake[9] = 0x41;
    put(&fake[2]);
}

static void of_the_environment(void)
{
    put(getenv("PATH"));
}

/* --- written after it was freed ------------------------------------------------------------- */

static void used_after_free(void)
{
    char *blocks[4];
    for (int i = 0; i < 4; i++)
        blocks[i] = get();
    for (int i = 0; i < 4; i++)
        put(blocks[i]);
    for (int i = 0; i < 4; i++)
        memset(blocks[i], 0x41, 8);
    for (int i = 0; i < 8; i++)
        get();
}

static void poisoned_link(void)
{
    static char target[64] __attribute__((aligned(16)));
    char *a = get(), *b = get();
    put(a);
    put(b);
    *(void **)(void *)b = target;
    for (int i = 0; i < 8; i++)
        if (get() == target)
            return;
}

/* Only into blocks that are free: what lies behind the last one of a SuperSlab may be no memory. */
static void overflow_into_free(void)
{
    enum { MANY = 64 };
    char *blocks[MANY];
    for (int i = 0; i < MANY; i++)
        blocks[i] = get();
    for (int i = 0; i < MANY; i += 2)
        put(blocks[i]);
    size_t block = malloc_usable_size(blocks[1]);
    for (int i = 1; i < MANY; i += 2)
        for (int k = 0; k < MANY; k += 2)
            if (blocks[k] == blocks[i] + block)
                memset(blocks[i], 0x42, block + 8);
    for (int i = 0; i < MANY; i++)
        get();
}

static const struct {
    const char *name;
    void (*run)(void);
    size_t max; /* sizes above mean nothing here */
    const char *says;
} attacks[] = {
    {"at once", at_once, SIZE_MAX, "double free"},
    {"after many", after_many, 4096, "hakmem: "},
    {"after other sizes", after_other_sizes, 2000000, "hakmem: "},
    {"after trim", after_trim, SIZE_MAX, "free(): "},
    {"through realloc", through_realloc, SIZE_MAX, "realloc(): "},
    {"realloc zero", realloc_zero, SIZE_MAX, "free(): double free"},
    {"moved by realloc", moved_by_realloc, 500000, "free(): double free"},
    {"after calloc", after_calloc, SIZE_MAX, "free(): double free"},
    {"aligned", aligned, SIZE_MAX, "free(): double free"},
    {"second in thread", second_in_thread, SIZE_MAX, "free(): double free"},
    {"first in thread", first_in_thread, SIZE_MAX, "free(): "},
    {"both in threads", both_in_threads, SIZE_MAX, "free(): "},
    {"a b a", a_b_a, SIZE_MAX, "free(): double free"},
    {"in the middle", in_the_middle, SIZE_MAX, "free(): invalid pointer"},
    {"before the block", before_the_block, SIZE_MAX, "free(): "},
    {"one byte in", one_byte_in, SIZE_MAX, "free(): invalid pointer"},
    {"never given", never_given, SIZE_MAX, "free(): invalid pointer"},
    {"of the stack", of_the_stack, 8, "free(): invalid pointer"},
    {"made up chunk", made_up_chunk, 8, "free(): invalid pointer"},
    {"of the environment", of_the_environment, 8, "free(): invalid pointer"},
    {"used after free", used_after_free, 40000, "was written to after it was freed"},
    {"poisoned link", poisoned_link, 40000, "was written to after it was freed"},
    {"overflow into free", overflow_into_free, 4096, "was written to after it was freed"},
};
enum { ATTACKS = sizeof attacks / sizeof *attacks };

static void launch(void *run)
{
    void (*body)(void);
    memcpy(&body, run, sizeof body);
    body();
}

START_TEST(test_attack)
{
    for (int i = 0; i < SIZES; i++) {
        size = sizes[i];
        if (size > attacks[_i].max)
            continue;
        struct outcome *o = run_child(launch, (void *)(uintptr_t)&attacks[_i].run);
        ck_assert_msg(aborted_with(o, attacks[_i].says), "%s, %zu bytes", attacks[_i].name, size);
    }
}
END_TEST

/* A damaged list is given up, when the program is told to go on, and the blocks in use stay. */
START_TEST(test_going_on)
{
    struct outcome *o =
        run_shell("HAKMEM_ABORT_ON_CORRUPTION=0 '%s' --probe damage 64", self_path());
    ck_assert(exited_with(o, 0));
    ck_assert(strstr(o->text, "[TLS_SLL_HDR_RESET] cls=4 base=0x"));
    ck_assert(strstr(o->text, " count=0\n"));
    ck_assert(strstr(o->text, "went on\n"));
}
END_TEST

/* A program that ends by our message may still allocate in its handler of the signal. */
START_TEST(test_handler_allocates)
{
    static const char *const handled[] = {"8", "64", "1000", "5000"};
    struct outcome *o = run_shell("'%s' --probe handler %s", self_path(), handled[_i]);
    ck_assert(exited_with(o, 0));
    ck_assert(strstr(o->text, "was written to after it was freed"));
    ck_assert(strstr(o->text, "handler done\n"));
}
END_TEST

Suite *suite_attacks(void)
{
    Suite *s = suite_create("attacks");
    TCase *t = tcase_create("attacks");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_attack, 0, ATTACKS);
    tcase_add_test(t, test_going_on);
    tcase_add_loop_test(t, test_handler_allocates, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
