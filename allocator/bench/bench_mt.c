/*
 * bench_mt: threads with a share of frees that another thread does.
 *
 * Each thread runs the loop of bench_random_mixed over slots of its own. When a block is to be
 * freed, a draw decides by remote_percent whether it goes into the ring of the next thread, which
 * frees what it finds there before each iteration. A full ring means the block is freed at home:
 * the percentage really reached is reported.
 */
#include "threads.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITERATIONS, WORKING_SET, SEED, THREADS, REMOTE, MIN_SIZE, MAX_SIZE };
enum { RING = 16384 };

static struct bench_arg args[] = {
    [ITERATIONS] = {"iterations", 5000000, 1, UINT64_C(1) << 48, "operations of each thread"},
    [WORKING_SET] = {"working_set", 1000, 1, UINT64_C(1) << 24, "slots of each thread"},
    [SEED] = {"seed", 42, 1, UINT32_MAX, "start of the random sequences"},
    [THREADS] = {"threads", 2, 1, BENCH_MAX_THREADS, "threads"},
    [REMOTE] = {"remote_percent", 20, 0, 100, "frees handed to the next thread, in percent"},
    [MIN_SIZE] = {"min_size", 16, 1, UINT64_C(1) << 32, "smaller sizes become this"},
    [MAX_SIZE] = {"max_size", 1039, 1, UINT64_C(1) << 32, "larger sizes become this"},
    {0},
};
static struct bench_options options = {
    .program = "bench_mt",
    .summary = "Threads that allocate and free, some of it for each other.",
    .args = args,
};

/* One writer, the thread before; one reader, the owner. */
struct worker {
    _Alignas(64) atomic_uint written;
    _Alignas(64) atomic_uint read;
    char *ring[RING];
    char **slots;
    uint64_t remote, local;
};
static struct worker *workers;

static inline bool hand_over(struct worker *to, char *p)
{
    unsigned at = atomic_load_explicit(&to->written, memory_order_relaxed);
    if (at - atomic_load_explicit(&to->read, memory_order_acquire) == RING)
        return false;
    to->ring[at % RING] = p;
    atomic_store_explicit(&to->written, at + 1, memory_order_release);
    return true;
}

static inline void take_in(struct worker *w)
{
    unsigned at = atomic_load_explicit(&w->read, memory_order_relaxed);
    unsigned end = atomic_load_explicit(&w->written, memory_order_acquire);
    for (; at != end; at++)
        free(w->ring[at % RING]);
    atomic_store_explicit(&w->read, at, memory_order_release);
}

static size_t size_of(uint32_t r)
{
    size_t size = 16 + (r & 0x3FF);
    size = size < args[MIN_SIZE].value ? args[MIN_SIZE].value : size;
    return size > args[MAX_SIZE].value ? args[MAX_SIZE].value : size;
}

static void work(unsigned index)
{
    struct worker *w = &workers[index];
    struct worker *neighbour = &workers[(index + 1) % args[THREADS].value];
    uint32_t random = (uint32_t)args[SEED].value + index * 2654435761u;
    random = random ? random : 1;
    uint32_t slot_count = (uint32_t)args[WORKING_SET].value, percent = (uint32_t)args[REMOTE].value;
    for (uint64_t it = 0; it < args[ITERATIONS].value; it++) {
        if ((it & 15) == 0)
            take_in(w);
        uint32_t r = bench_xorshift32(&random);
        char **slot = &w->slots[r % slot_count];
        if (*slot) {
            if ((r >> 16) % 100 < percent && neighbour != w && hand_over(neighbour, *slot)) {
                w->remote++;
            } else {
                free(*slot);
                w->local++;
            }
            *slot = NULL;
            continue;
        }
        size_t size = size_of(r);
        char *p = malloc(size);
        if (!p)
            bench_no_memory(&options, it, size);
        p[0] = p[size - 1] = (char)r;
        *slot = p;
    }
}

int main(int argc, char **argv)
{
    bench_parse(&options, argc, argv);
    unsigned threads = (unsigned)args[THREADS].value;
    uint64_t operations = args[ITERATIONS].value * threads;
    workers = bench_map(threads * sizeof *workers);
    for (unsigned i = 0; i < threads; i++)
        workers[i].slots = bench_map(args[WORKING_SET].value * sizeof(char *));
    struct bench_report report = {.threads = threads, .operations = operations};
    int futex = bench_futex_open();
    report.startup_cpu_s = bench_now().cpu_s;
    uint64_t switches = bench_voluntary_switches();
    report.total = bench_run_threads(threads, work);
    report.total.operations = operations;
    uint64_t waits = bench_voluntary_switches() - switches, remote = 0, local = 0;
    for (unsigned i = 0; i < threads; i++) {
        remote += workers[i].remote;
        local += workers[i].local;
        take_in(&workers[i]);
        for (uint64_t k = 0; k < args[WORKING_SET].value; k++)
            free(workers[i].slots[k]);
    }
    double reached = remote + local ? 100.0 * (double)remote / (double)(remote + local) : 0;
    const struct bench_field fields[] = {
        {"remote_percent_reached", 0, reached, true},
        {"voluntary_switches_per_op", 0, (double)waits / (double)operations, true},
        {futex < 0 ? NULL : "futex_calls_per_op", 0,
         (double)bench_futex_calls(futex) / (double)operations, true},
        {0}};
    report.fields = fields;
    bench_write_json(&options, &report);
    printf("remote frees: %.1f %% reached of %" PRIu64 " %%\n", reached, args[REMOTE].value);
    printf("Throughput = %.0f ops/s [iter=%" PRIu64 " ws=%" PRIu64 " threads=%u] time=%.3fs\n",
           (double)operations / report.total.wall_s, args[ITERATIONS].value,
           args[WORKING_SET].value, threads, report.total.wall_s);
    return 0;
}
