/*
 * test_delays.c: double frees whose second free comes late, from another thread or process, or
 * after the block was written to or changed hands; every one must be ended with a message.
 */
#include "support.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t align, size_t size);

/* Tiny, Mid, Large and Big; the table says how many of these a case is meant for. */
static const size_t sizes[] = {16, 100, 1000, 1032, 20000, 40000, 8, 70000, 600000, 3000000};
enum { SIZES = sizeof sizes / sizeof *sizes, TO_MID = 6, TO_EIGHT = 7, TO_LARGE = 9 };
static size_t size;

static char *get(void)
{
    return launder(malloc(size));
}

static void put(void *p)
{
    free(launder(p));
}

static void put_new(size_t n)
{
    put(malloc(n));
}

/* --- threads --------------------------------------------------------------------------------- */

static void in_thread(void *(*body)(void *), void *arg)
{
    pthread_t t;
    pthread_create(&t, NULL, body, arg);
    pthread_join(t, NULL);
}

static void *twice(void *p)
{
    put(p);
    put(p);
    return NULL;
}

static void twice_in_a_thread(void)
{
    in_thread(twice, get());
}

/* Enough frees that p goes from the thread's lists to the backend. */
static void many_pairs(void)
{
    enum { MANY = 400 };
    static char *blocks[MANY];
    size_t n = size > 100000 ? 12 : MANY;
    for (size_t i = 0; i < n; i++)
        blocks[i] = get();
    for (size_t i = 0; i < n; i++)
        put(blocks[i]);
}

static void *put_then_many(void *p)
{
    char *others[100];
    size_t n = size > 100000 ? 3 : 100;
    for (size_t i = 0; i < n; i++)
        others[i] = get();
    put(p);
    for (size_t i = 0; i < n; i++)
        put(others[i]);
    return NULL;
}

static void remote_batch(void)
{
    char *p = get();
    in_thread(put_then_many, p);
    put(p);
}

static void remote_batch_twice(void)
{
    char *p = get();
    in_thread(put_then_many, p);
    in_thread(put_then_many, p);
}

static pthread_barrier_t meet;

static void *put_and_stay(void *p)
{
    put(p);
    pthread_barrier_wait(&meet);
    for (;;)
        pause();
    return NULL;
}

/* The first thread lives and has the block in its own list. */
static void by_a_living_thread(void)
{
    pthread_t t;
    char *p = get();
    pthread_barrier_init(&meet, NULL, 2);
    pthread_create(&t, NULL, put_and_stay, p);
    pthread_barrier_wait(&meet);
    put(p);
}

static void by_two_living_threads(void)
{
    pthread_t t;
    char *p = get();
    pthread_barrier_init(&meet, NULL, 2);
    pthread_create(&t, NULL, put_and_stay, p);
    pthread_barrier_wait(&meet);
    pthread_create(&t, NULL, put_and_stay, p);
    pthread_barrier_wait(&meet);
}

static void *allocate_for_others(void *out)
{
    *(char **)out = get();
    return NULL;
}

/* Allocated by a thread that ended. */
static void of_a_dead_thread(void)
{
    char *p = NULL;
    in_thread(allocate_for_others, &p);
    put(p);
    put(p);
}

static pthread_key_t key;

static void *set_key(void *p)
{
    pthread_setspecific(key, p);
    return NULL;
}

static void in_a_key_destructor(void)
{
    char *p = get();
    pthread_key_create(&key, free);
    put(p);
    in_thread(set_key, p);
}

/* --- processes, signals, the end ------------------------------------------------------------- */

static void child_again(void)
{
    char *p = get();
    put(p);
    pid_t pid = fork();
    if (pid == 0) {
        put(p);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        abort();
}

static void child_twice(void)
{
    char *p = get();
    pid_t pid = fork();
    if (pid == 0)
        twice(p);
    int status;
    waitpid(pid, &status, 0);
    put(p);
    if (WIFSIGNALED(status))
        abort();
}

/* The child of a process whose other thread has the block in its list. */
static void child_of_threads(void)
{
    pthread_t t;
    char *p = get();
    pthread_barrier_init(&meet, NULL, 2);
    pthread_create(&t, NULL, put_and_stay, p);
    pthread_barrier_wait(&meet);
    pid_t pid = fork();
    if (pid == 0) {
        malloc_trim(0);
        put(p);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        abort();
}

static char *held;

static void put_held(void)
{
    put(held);
}

static void at_exit(void)
{
    held = get();
    atexit(put_held);
    put(held);
    exit(0);
}

static void put_in_handler(int signal)
{
    (void)signal;
    put(held);
}

static void in_a_handler(void)
{
    held = get();
    signal(SIGUSR1, put_in_handler);
    raise(SIGUSR1);
    put(held);
}

/* --- delays ---------------------------------------------------------------------------------- */

/* Other sizes come and go, some of them stay. */
static void after_thousands(void)
{
    uint32_t x = 7;
    char *p = get();
    put(p);
    for (int i = 0; i < 5000; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        size_t n = 1 + x % 60000;
        if (n + n / 2 < size || n > size + size / 2)
            put_new(n);
    }
    put(p);
}

/* Everything of the class is freed, some of it twice as many as a slab holds. */
static void after_its_slab_was_empty(void)
{
    enum { MANY = 9000 };
    static char *blocks[MANY];
    size_t n = size > 100000 ? 40 : size > 2000 ? 600 : MANY;
    for (size_t i = 0; i < n; i++)
        blocks[i] = get();
    for (size_t i = 0; i < n; i++)
        put(blocks[i]);
    put(blocks[n / 2]);
}

static void after_its_superslab_was_unmapped(void)
{
    enum { MANY = 400000 };
    static char *blocks[MANY];
    size_t n = ((size_t)96 << 20) / (size < 300 ? 300 : size);
    for (size_t i = 0; i < n; i++)
        blocks[i] = get();
    for (size_t i = 0; i < n; i++)
        put(blocks[i]);
    malloc_trim(0);
    put(blocks[n / 2]);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

/* Its memory serves another class now; a block that begins where one of those does is in use. */
static void after_its_slab_serves_others(void)
{
    enum { MANY = 3000 };
    static char *blocks[MANY], *others[MANY];
    size_t n = size > 100000 ? 20 : size > 2000 ? 300 : MANY, k = 0;
    for (size_t i = 0; i < n; i++)
        blocks[i] = get();
    for (size_t i = 0; i < n; i++)
        put(blocks[i]);
    malloc_trim(0);
    size_t other = size < 1024 ? size + size / 2 + 50 : size + size / 2 + 9000;
    for (size_t i = 0; i < n; i++)
        others[i] = launder(malloc(other));
    qsort(others, n, sizeof *others, by_address);
    while (bsearch(&blocks[k], others, n, sizeof *others, by_address))
        k++;
    put(blocks[k]);
}

static void handed_out_between(void)
{
    char *p = get();
    put(p);
    char *q = get();
    if (q != p)
        put(p);
    put(q);
    put(p);
}

static void round_the_list(void)
{
    char *blocks[60];
    int n = size > 100000 ? 2 : 60;
    for (int i = 0; i < n; i++)
        blocks[i] = get();
    for (int i = 0; i < n; i++)
        put(blocks[i]);
    put(blocks[0]);
}

static void after_flushes(void)
{
    char *p = get();
    put(p);
    for (int i = 0; i < 5; i++)
        many_pairs();
    put(p);
}

/* --- what else frees ------------------------------------------------------------------------- */

static void realloc_zero_twice(void)
{
    char *p = get();
    if (!realloc(launder(p), 0))
        put(realloc(launder(p), 0));
}

static void moved_long_ago(void)
{
    char *p = get(), *fence = get();
    char *q = realloc(launder(p), size * 8 + 100);
    if (q == p)
        abort();
    for (int i = 0; i < 500; i++)
        put_new((size_t)i * 7 + size * 2 + 600);
    put(fence);
    put(p);
}

static void shrunk_in_place(void)
{
    char *p = get();
    char *q = realloc(launder(p), size - size / 8);
    put(q);
    put(p);
}

static void reallocarray_of_freed(void)
{
    char *p = get();
    put(p);
    put(reallocarray(launder(p), 3, size));
}

static void usable_size_of_freed(void)
{
    char *p = get();
    put(p);
    put_new(malloc_usable_size(launder(p)));
}

static void sized(void)
{
    char *p = get();
    free_sized(launder(p), size);
    free_sized(launder(p), size);
}

static void aligned_sized(void)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);
    free_aligned_sized(launder(p), 64, size);
    free_aligned_sized(launder(p), 64, size);
}

static void page_aligned(void)
{
    void *p = memalign(4096, size);
    put(p);
    put_new(size);
    put(p);
}

static void megabyte_aligned(void)
{
    void *p = memalign(1 << 20, size);
    put(p);
    put_new(3);
    put(p);
}

static void duplicate(void)
{
    char text[4096];
    memset(text, 'x', sizeof text);
    text[size < sizeof text ? size - 1 : sizeof text - 1] = '\0';
    char *p = launder(strdup(text));
    put(p);
    put_new(5);
    put(p);
}

static void size_too_large(void)
{
    char *p = get();
    free_sized(launder(p), malloc_usable_size(launder(p)) + 1);
}

static void size_too_small(void)
{
    char *p = launder(malloc(size * 4 + 8192));
    free_sized(launder(p), size / 4 + 1);
}

static void alignment_wrong(void)
{
    char *p = get();
    free_aligned_sized(launder(p), (size_t)1 << 40, size);
}

/* --- written to between the frees ------------------------------------------------------------ */

static void first_word_written(void)
{
    char *p = get();
    put(p);
    memset(launder(p), 0x41, 8);
    put(p);
}

static void second_word_written(void)
{
    char *p = get();
    put(p);
    memset(launder(p + 8), 0x41, 8);
    put(p);
}

static void all_written(void)
{
    char *p = get();
    put(p);
    memset(launder(p), 0x41, size);
    put(p);
}

static void written_and_others_freed(void)
{
    char *p = get(), *a = get(), *b = get();
    put(p);
    put(a);
    put(b);
    memset(launder(p), 0x41, 8);
    put(p);
}

static void key_written_and_others_freed(void)
{
    char *p = get(), *a = get(), *b = get();
    put(p);
    put(a);
    put(b);
    memset(launder(p + 8), 0, 8);
    put(p);
}

/* Nothing tells of it when it is freed again; the list does, at the latest at the end. */
static void all_written_and_others_freed(void)
{
    char *p = get(), *a = get();
    put(p);
    put(a);
    memset(launder(p), 0x41, size);
    put(p);
    exit(0);
}

static void all_written_then_allocated(void)
{
    char *p = get(), *a = get();
    put(p);
    put(a);
    memset(launder(p), 0x41, size);
    put(p);
    for (int i = 0; i < 8; i++)
        memset(get(), 0x42, size);
}

static void word_written_after_flush(void)
{
    char *p = get();
    put(p);
    many_pairs();
    memset(launder(p), 0x41, 8);
    put(p);
}

static void *write_twice(void *p)
{
    put(p);
    memset(launder(p), 0x41, 8);
    put(p);
    return NULL;
}

static void written_in_a_thread(void)
{
    in_thread(write_twice, get());
}

static const struct {
    const char *name;
    void (*run)(void);
    int count; /* of `sizes` that it is meant for */
    const char *says;
} cases[] = {
    {"twice in a thread", twice_in_a_thread, SIZES, "free(): "},
    {"remote batch", remote_batch, SIZES, "free(): "},
    {"remote batch twice", remote_batch_twice, SIZES, "free(): "},
    {"by a living thread", by_a_living_thread, SIZES, "free(): double free"},
    {"by two living threads", by_two_living_threads, SIZES, "free(): double free"},
    {"of a dead thread", of_a_dead_thread, SIZES, "free(): double free"},
    {"in a key destructor", in_a_key_destructor, SIZES, "free(): double free"},
    {"child again", child_again, SIZES, "free(): double free"},
    {"child twice", child_twice, SIZES, "free(): double free"},
    {"child of threads", child_of_threads, SIZES, "free(): "},
    {"at exit", at_exit, SIZES, "free(): double free"},
    {"in a handler", in_a_handler, SIZES, "free(): double free"},
    {"after thousands", after_thousands, SIZES, "free(): "},
    {"after its slab was empty", after_its_slab_was_empty, SIZES, "free(): "},
    {"after its SuperSlab was unmapped", after_its_superslab_was_unmapped, TO_LARGE, "free(): "},
    {"after its slab serves others", after_its_slab_serves_others, TO_LARGE, "free(): "},
    {"handed out between", handed_out_between, SIZES, "free(): double free"},
    {"round the list", round_the_list, SIZES, "free(): "},
    {"after flushes", after_flushes, SIZES, "free(): "},
    {"realloc zero twice", realloc_zero_twice, SIZES, "realloc(): double free"},
    {"moved long ago", moved_long_ago, TO_EIGHT, "free(): "},
    {"shrunk in place", shrunk_in_place, SIZES, "free(): double free"},
    {"reallocarray of freed", reallocarray_of_freed, SIZES, "realloc(): "},
    {"usable size of freed", usable_size_of_freed, SIZES, "malloc_usable_size(): "},
    {"sized", sized, SIZES, "free_sized(): "},
    {"aligned sized", aligned_sized, SIZES, "free_aligned_sized(): "},
    {"page aligned", page_aligned, SIZES, "free(): double free"},
    {"megabyte aligned", megabyte_aligned, SIZES, "free(): "},
    {"duplicate", duplicate, TO_EIGHT, "free(): double free"},
    {"size too large", size_too_large, SIZES, "free_sized(): wrong size"},
    {"size too small", size_too_small, SIZES, "free_sized(): wrong size"},
    {"alignment wrong", alignment_wrong, SIZES, "free_aligned_sized(): wrong alignment"},
    {"first word written", first_word_written, TO_LARGE, "free(): double free"},
    {"second word written", second_word_written, TO_MID, "free(): double free"},
    {"all written", all_written, TO_LARGE, "free(): double free"},
    {"written and others freed", written_and_others_freed, TO_MID, "free(): double free"},
    {"key written and others freed", key_written_and_others_freed, TO_MID, "free(): double free"},
    {"all written and others freed", all_written_and_others_freed, TO_EIGHT, "hakmem: "},
    {"all written then allocated", all_written_then_allocated, TO_EIGHT, "hakmem: "},
    {"word written after flush", word_written_after_flush, TO_MID, "free(): "},
    {"written in a thread", written_in_a_thread, TO_LARGE, "free(): double free"},
};
enum { CASES = sizeof cases / sizeof *cases };

static void launch(void *run)
{
    void (*body)(void);
    memcpy(&body, run, sizeof body);
    body();
}

START_TEST(test_delay)
{
    for (int i = 0; i < cases[_i].count; i++) {
        size = sizes[i];
        struct outcome *o = run_child(launch, (void *)(uintptr_t)&cases[_i].run);
        ck_assert_msg(aborted_with(o, cases[_i].says), "%s, %zu bytes", cases[_i].name, size);
    }
}
END_TEST

Suite *suite_delays(void)
{
    Suite *s = suite_create("delays");
    TCase *t = tcase_create("delays");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, test_delay, 0, CASES);
    suite_add_tcase(s, t);
    return s;
}
