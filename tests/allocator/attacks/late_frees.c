/*
 * late_frees.c: between the two frees of a block much happens: other calls, other threads, time.
 */
#include "attack.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t few(size_t n)
{
    return n > 100000 ? 12 : n > 4000 ? 200 : 3000;
}

static void pairs(size_t n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(malloc(n));
}

static void after_other_sizes(size_t n)
{
    char *p = malloc(n);
    free(p);
    for (size_t i = 0; i < 2000; i++)
        pairs(n * 4 + 300 + i % 50 * 16, 1);
    free(p);
}

static void after_a_while(size_t n)
{
    char *p = malloc(n);
    free(p);
    usleep(20000);
    free(p);
}

static void after_a_flush(size_t n)
{
    size_t count = few(n);
    char **all = calloc(count, sizeof *all), *p = malloc(n);
    for (size_t i = 0; i < count; i++)
        all[i] = malloc(n);
    free(p);
    for (size_t i = 0; i < count; i++)
        free(all[i]);
    free(p);
}

static void middle_of_a_flush(size_t n)
{
    size_t count = few(n);
    char **all = calloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = malloc(n);
    for (size_t i = 0; i < count; i++)
        free(all[i]);
    free(all[count / 2]);
}

/* Every other block is freed, all of them are meant to be. */
static void every_other(size_t n)
{
    size_t count = few(n);
    char **all = calloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = malloc(n);
    for (size_t i = 0; i < count; i += 2)
        free(all[i]);
    for (size_t i = 0; i < count; i++)
        free(all[i]);
}

static void after_trim(size_t n)
{
    char *p = malloc(n), *q = malloc(n);
    free(p);
    free(q);
    malloc_trim(0);
    free(p);
}

static void after_a_peak(size_t n)
{
    size_t count = ((size_t)100 << 20) / (n + 100);
    char **all = calloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = malloc(n);
    for (size_t i = 0; i < count; i++)
        free(all[i]);
    free(all[count / 3]);
}

static void after_a_peak_and_trim(size_t n)
{
    size_t count = ((size_t)100 << 20) / (n + 100);
    char **all = calloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = malloc(n);
    for (size_t i = 0; i < count; i++)
        free(all[i]);
    malloc_trim(0);
    free(all[count / 3]);
}

/* Taken again, freed twice by two names. */
static void by_two_names(size_t n)
{
    char *a = malloc(n);
    free(a);
    char *b = malloc(n);
    free(a);
    free(b);
    free(a);
}

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void *free_among_others(void *p)
{
    size_t n = malloc_usable_size(p);
    pthread_mutex_lock(&turn);
    pairs(n, 20);
    free(p);
    pairs(n * 3 + 100, 20);
    pthread_mutex_unlock(&turn);
    return NULL;
}

static void by_a_living_thread(size_t n)
{
    char *p = malloc(n);
    pthread_t t;
    pthread_create(&t, NULL, free_among_others, p);
    usleep(20000);
    pthread_mutex_lock(&turn);
    free(p);
    pthread_mutex_unlock(&turn);
    pthread_join(t, NULL);
    free(p);
}

struct handed {
    char *p;
    size_t n;
};

static void *allocate_and_free(void *arg)
{
    struct handed *h = arg;
    h->p = malloc(h->n);
    char *other = malloc(h->n);
    free(h->p);
    free(other);
    return NULL;
}

static void of_a_dead_thread(size_t n)
{
    struct handed h = {NULL, n};
    in_thread(allocate_and_free, &h);
    free(h.p);
}

static void *allocate_only(void *arg)
{
    struct handed *h = arg;
    h->p = malloc(h->n);
    return NULL;
}

static void made_by_a_dead_thread(size_t n)
{
    struct handed h = {NULL, n};
    in_thread(allocate_only, &h);
    free(h.p);
    in_thread(free_it, h.p);
}

static pthread_barrier_t start;

static void *free_at_start(void *p)
{
    pthread_barrier_wait(&start);
    free(p);
    return NULL;
}

/* Two threads free one block at the same moment, a thousand times. */
static void at_the_same_time(size_t n)
{
    pthread_barrier_init(&start, NULL, 2);
    for (int i = 0; i < 1000; i++) {
        char *p = malloc(n);
        pthread_t a, b;
        pthread_create(&a, NULL, free_at_start, p);
        pthread_create(&b, NULL, free_at_start, p);
        pthread_join(a, NULL);
        pthread_join(b, NULL);
    }
}

static pthread_key_t key;

static void *set_and_free(void *p)
{
    pthread_setspecific(key, p);
    free(p);
    return NULL;
}

static void in_a_key_destructor(size_t n)
{
    pthread_key_create(&key, free);
    in_thread(set_and_free, malloc(n));
}

static void *volatile kept;

static void free_kept(void)
{
    free(kept);
}

static void at_exit(size_t n)
{
    kept = malloc(n);
    atexit(free_kept);
    free(kept);
    exit(0);
}

static void on_signal(int number)
{
    (void)number;
    free(kept);
}

static void in_a_handler(size_t n)
{
    kept = malloc(n);
    signal(SIGUSR2, on_signal);
    free(kept);
    raise(SIGUSR2);
}

/* The freed block is used on, as a text, a number, a structure, before it is freed again. */
static void used_as_text(size_t n)
{
    char *p = malloc(n);
    free(p);
    memset(p, 'A', n);
    free(p);
}

static void used_as_number(size_t n)
{
    char *p = malloc(n), *q = malloc(n);
    free(p);
    free(q);
    *(uint64_t *)(void *)p = 42;
    free(p);
}

static void cleared(size_t n)
{
    char *p = malloc(n);
    free(p);
    memset(p, 0, n);
    free(p);
}

static void counted_down(size_t n)
{
    char *p = malloc(n), *q = malloc(n);
    *(int *)(void *)p = 2;
    free(p);
    free(q);
    --*(int *)(void *)p;
    free(p);
}

const struct attack late_frees[] = {{"late-after-other-sizes", after_other_sizes, SMALL},
                                    {"late-after-a-while", after_a_while, EVERY},
                                    {"late-after-a-flush", after_a_flush, EVERY},
                                    {"late-middle-of-a-flush", middle_of_a_flush, EVERY},
                                    {"late-every-other", every_other, EVERY},
                                    {"late-after-trim", after_trim, EVERY},
                                    {"late-after-a-peak", after_a_peak, EVERY},
                                    {"late-after-a-peak-and-trim", after_a_peak_and_trim, EVERY},
                                    {"late-by-two-names", by_two_names, EVERY},
                                    {"late-by-a-living-thread", by_a_living_thread, EVERY},
                                    {"late-of-a-dead-thread", of_a_dead_thread, EVERY},
                                    {"late-made-by-a-dead-thread", made_by_a_dead_thread, EVERY},
                                    {"late-at-the-same-time", at_the_same_time, EVERY},
                                    {"late-in-a-key-destructor", in_a_key_destructor, EVERY},
                                    {"late-at-exit", at_exit, EVERY},
                                    {"late-in-a-handler", in_a_handler, EVERY},
                                    {"late-used-as-text", used_as_text, SMALL},
                                    {"late-used-as-number", used_as_number, SMALL},
                                    {"late-cleared", cleared, SMALL},
                                    {"late-counted-down", counted_down, SMALL},
                                    {NULL, NULL, ONE}};
