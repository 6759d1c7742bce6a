/*
 * bench_larson: a server whose requests outlive the thread that made them.
 *
 * After Larson and Krishnan ("Memory allocation for long-running server applications", 1998): each
 * thread replaces random blocks of an array; then it ends and a new thread takes the array over,
 * blocks and all, so that most blocks are freed by a thread that did not allocate them.
 */
#include "threads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITERATIONS, WORKING_SET, SEED, THREADS, GENERATIONS, MIN_SIZE, MAX_SIZE };

static struct bench_arg args[] = {
    [ITERATIONS] = {"iterations", 200000, 1, UINT64_C(1) << 40, "replacements of each thread"},
    [WORKING_SET] = {"working_set", 1000, 1, UINT64_C(1) << 24, "blocks of each array"},
    [SEED] = {"seed", 42, 1, UINT32_MAX, "start of the random sequences"},
    [THREADS] = {"threads", 2, 1, BENCH_MAX_THREADS, "threads at a time"},
    [GENERATIONS] = {"generations", 20, 1, 1000000, "threads that follow each other on an array"},
    [MIN_SIZE] = {"min_size", 8, 1, UINT64_C(1) << 31, "smallest size"},
    [MAX_SIZE] = {"max_size", 1000, 1, UINT64_C(1) << 31, "largest size"},
    {0},
};
static struct bench_options options = {
    .program = "bench_larson",
    .summary = "Threads that end and leave their blocks to the next.",
    .args = args,
};

static char **arrays[BENCH_MAX_THREADS];
static uint32_t states[BENCH_MAX_THREADS];

static void work(unsigned index)
{
    char **blocks = arrays[index];
    uint32_t random = states[index], slot_count = (uint32_t)args[WORKING_SET].value;
    uint32_t spread = (uint32_t)(args[MAX_SIZE].value - args[MIN_SIZE].value + 1);
    for (uint64_t it = 0; it < args[ITERATIONS].value; it++) {
        char **slot = &blocks[bench_xorshift32(&random) % slot_count];
        free(*slot);
        size_t size = args[MIN_SIZE].value + bench_xorshift32(&random) % spread;
        if (!(*slot = malloc(size)))
            bench_no_memory(&options, it, size);
        (*slot)[0] = (*slot)[size - 1] = 1;
    }
    states[index] = random;
}

int main(int argc, char **argv)
{
    bench_parse(&options, argc, argv);
    if (args[MIN_SIZE].value > args[MAX_SIZE].value) {
        fprintf(stderr, "bench_larson: min_size must not be above max_size\n");
        return 2;
    }
    unsigned threads = (unsigned)args[THREADS].value;
    for (unsigned i = 0; i < threads; i++) {
        arrays[i] = bench_map(args[WORKING_SET].value * sizeof(char *));
        states[i] = (uint32_t)args[SEED].value + i * 2654435761u;
        states[i] = states[i] ? states[i] : 1;
    }
    uint64_t operations = 2 * args[ITERATIONS].value * args[GENERATIONS].value * threads;
    struct bench_report report = {.threads = threads, .operations = operations};
    int futex = bench_futex_open();
    struct bench_time start = bench_now();
    report.startup_cpu_s = start.cpu_s;
    uint64_t switches = bench_voluntary_switches();
    for (uint64_t g = 0; g < args[GENERATIONS].value; g++)
        bench_run_threads(threads, work);
    report.total = bench_since(start, operations);
    const struct bench_field fields[] = {
        {"voluntary_switches_per_op", 0,
         (double)(bench_voluntary_switches() - switches) / (double)operations, true},
        {futex < 0 ? NULL : "futex_calls_per_op", 0,
         (double)bench_futex_calls(futex) / (double)operations, true},
        {0}};
    report.fields = fields;
    for (unsigned i = 0; i < threads; i++)
        for (uint64_t k = 0; k < args[WORKING_SET].value; k++)
            free(arrays[i][k]);
    bench_write_json(&options, &report);
    printf("Throughput = %.0f ops/s [iter=%" PRIu64 " ws=%" PRIu64 " threads=%u] time=%.3fs\n",
           (double)operations / report.total.wall_s, args[ITERATIONS].value,
           args[WORKING_SET].value, threads, report.total.wall_s);
    return 0;
}
