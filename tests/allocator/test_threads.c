/*
 * test_threads.c: blocks that change threads, threads that end, and fork while others allocate.
 */
#include "shadow.h"
#include "support.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING = 256, PASSED = 60000 };

/* One producer, one consumer. */
struct ring {
    _Atomic(unsigned char *) slots[RING];
};

static void *produce(void *arg)
{
    struct ring *r = arg;
    for (unsigned i = 0; i < PASSED; i++) {
        size_t size = 1 + i * 37 % 3000;
        unsigned char *p = malloc(size + 8);
        memcpy(p, &size, sizeof size);
        memset(p + 8, (int)(size & 0xFF), size);
        while (atomic_load(&r->slots[i % RING]))
            sched_yield();
        atomic_store(&r->slots[i % RING], p);
    }
    return NULL;
}

static void *consume(void *arg)
{
    struct ring *r = arg;
    for (unsigned i = 0; i < PASSED; i++) {
        unsigned char *p;
        while (!(p = atomic_exchange(&r->slots[i % RING], NULL)))
            sched_yield();
        size_t size;
        memcpy(&size, p, sizeof size);
        for (size_t k = 0; k < size; k++)
            if (p[8 + k] != (unsigned char)size)
                abort();
        free(p);
    }
    return NULL;
}

START_TEST(test_remote_frees)
{
    static struct ring ring;
    pthread_t a, b;
    pthread_create(&a, NULL, produce, &ring);
    pthread_create(&b, NULL, consume, &ring);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}
END_TEST

static void *leave_blocks(void *out)
{
    char **blocks = out;
    for (size_t i = 0; i < 100; i++) {
        blocks[i] = malloc(i * 13 + 1);
        memset(blocks[i], (int)i, i * 13 + 1);
        free(malloc(i * 100));
    }
    return NULL;
}

/* What a thread left when it ended stays valid, and is freed by another. */
START_TEST(test_thread_exits)
{
    char *blocks[100];
    for (int round = 0; round < 100; round++) {
        pthread_t t;
        ck_assert_int_eq(pthread_create(&t, NULL, leave_blocks, blocks), 0);
        pthread_join(t, NULL);
        for (size_t i = 0; i < 100; i++) {
            ck_assert_int_eq(blocks[i][i * 13], (char)i);
            free(blocks[i]);
        }
    }
}
END_TEST

static pthread_key_t late_key;

static void late_destructor(void *block)
{
    static __thread int rounds;
    free(block);
    void *p = malloc(500);
    free(malloc(3000));
    if (++rounds < 3)
        pthread_setspecific(late_key, p);
    else
        free(p);
}

static void *set_late_key(void *unused)
{
    pthread_setspecific(late_key, malloc(100));
    return unused;
}

/* Thread-specific destructors allocate and free, in every round that POSIX gives them. */
START_TEST(test_tls_destructors)
{
    ck_assert_int_eq(pthread_key_create(&late_key, late_destructor), 0);
    for (int i = 0; i < 200; i++) {
        pthread_t t;
        pthread_create(&t, NULL, set_late_key, NULL);
        pthread_join(t, NULL);
    }
}
END_TEST

static atomic_bool stop_load;

static void *load(void *seed)
{
    while (!atomic_load(&stop_load))
        shadow_run((uint32_t)(uintptr_t)seed, 2000, 100, 5000);
    return NULL;
}

/* Children of fork must be able to allocate whatever other threads were doing. */
START_TEST(test_fork_under_load)
{
    pthread_t threads[2];
    atomic_store(&stop_load, false);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, load, (void *)(i + 5));
    for (int round = 0; round < 40; round++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            alarm(20);
            shadow_run(99, 3000, 100, 100000);
            _exit(0);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
    }
    atomic_store(&stop_load, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/* --- what other threads keep when a process forks -------------------------------------------- */

enum { KEPT = 40, KEPT_SIZES = 4 };
static const size_t kept_sizes[KEPT_SIZES] = {8, 100, 5000, 100000};
static char *kept[KEPT_SIZES][KEPT];

static void *keep_and_end(void *unused)
{
    for (int k = 0; k < KEPT_SIZES; k++) {
        for (int i = 0; i < KEPT; i++)
            kept[k][i] = malloc(kept_sizes[k]);
        for (int i = 0; i < KEPT; i++)
            free(kept[k][i]);
    }
    return unused;
}

/* A thread that keeps blocks in its lists and stays. */
static void *keep_blocks(void *barrier)
{
    keep_and_end(NULL);
    pthread_barrier_wait(barrier);
    for (;;)
        pause();
    return NULL;
}

static void start_keeper(void)
{
    static pthread_barrier_t barrier;
    pthread_t t;
    pthread_barrier_init(&barrier, NULL, 2);
    ck_assert_int_eq(pthread_create(&t, NULL, keep_blocks, &barrier), 0);
    pthread_barrier_wait(&barrier);
}

/* How many of the blocks kept of a size come back among the next ones. */
static int found_again(int k)
{
    enum { MANY = 20000 };
    int found = 0;
    for (int n = 0; n < MANY && found < KEPT; n++) {
        char *p = malloc(kept_sizes[k]);
        for (int i = 0; i < KEPT; i++)
            found += kept[k][i] == p;
    }
    return found;
}

/* A child has the memory of threads that it does not have, and uses it. */
START_TEST(test_child_adopts)
{
    start_keeper();
    for (int k = 0; k < KEPT_SIZES; k++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            _exit(found_again(k));
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(status == KEPT << 8, "status %#x of %zu bytes", status, kept_sizes[k]);
    }
}
END_TEST

/* What a thread kept when it ended serves the others. */
START_TEST(test_dead_thread_is_adopted)
{
    pthread_t t;
    pthread_create(&t, NULL, keep_and_end, NULL);
    pthread_join(t, NULL);
    for (int k = 0; k < KEPT_SIZES; k++)
        ck_assert_msg(found_again(k) == KEPT, "%zu bytes", kept_sizes[k]);
}
END_TEST

/* Each child starts a thread and forks the next child while it lives: what is in use stays. */
static int generation(int left, size_t at_first)
{
    start_keeper();
    size_t in_use = mallinfo2().uordblks;
    if (left == 0)
        return in_use > at_first + (1 << 20);
    pid_t pid = fork();
    if (pid == 0)
        _exit(generation(left - 1, at_first ? at_first : in_use));
    int status;
    return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
}

START_TEST(test_many_forks)
{
    ck_assert_int_eq(generation(50, 0), 0);
}
END_TEST

/* A thread may be anywhere in the allocator when its process forks: what the child takes over is
 * whole, and never taken twice. */
START_TEST(test_child_adopts_under_load)
{
    pthread_t threads[3];
    atomic_store(&stop_load, false);
    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, load, (void *)(i + 50));
    for (int round = 0; round < 60; round++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            alarm(60);
            shadow_run((uint32_t)round + 1, 2000, 1500, 5000);
            malloc_trim(0);
            shadow_run((uint32_t)round + 1, 500, 500, 100);
            _exit(0);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
    }
    atomic_store(&stop_load, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

Suite *suite_threads(void)
{
    Suite *s = suite_create("threads");
    TCase *t = tcase_create("threads");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_remote_frees);
    tcase_add_test(t, test_thread_exits);
    tcase_add_test(t, test_tls_destructors);
    tcase_add_test(t, test_fork_under_load);
    tcase_add_test(t, test_child_adopts);
    tcase_add_test(t, test_dead_thread_is_adopted);
    tcase_add_test(t, test_many_forks);
    tcase_add_test(t, test_child_adopts_under_load);
    suite_add_tcase(s, t);
    return s;
}
