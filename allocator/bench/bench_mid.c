/*
 * bench_mid: log-uniform sizes in a working set of slots, one thread.
 *
 * As bench_random_mixed, but the size is drawn log-uniformly from [min_size, max_size]: each
 * doubling is as likely as any other. The default is 2 to 32 KiB; 2048 2097152 drives every class
 * of ACE. The first and last byte of each block, and one in each 4 KiB, are written.
 */
#include "bench.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITERATIONS, WORKING_SET, SEED, MIN_SIZE, MAX_SIZE };

static struct bench_arg args[] = {
    [ITERATIONS] = {"iterations", 2000000, 1, UINT64_C(1) << 48, "operations to do"},
    [WORKING_SET] = {"working_set", 1000, 1, UINT64_C(1) << 24, "slots that hold a block or none"},
    [SEED] = {"seed", 42, 1, UINT32_MAX, "start of the random sequence"},
    [MIN_SIZE] = {"min_size", 2048, 1, UINT64_C(1) << 32, "smallest size"},
    [MAX_SIZE] = {"max_size", 32768, 1, UINT64_C(1) << 32, "largest size"},
    {0},
};
static struct bench_options options = {
    .program = "bench_mid",
    .summary = "Allocates and frees blocks of log-uniform sizes, one thread.",
    .args = args,
};

/* Sizes are drawn from a table, so that the logarithm is not measured. */
enum { SIZES = 4096 };
static uint32_t sizes[SIZES];
static char **slots;

static void make_sizes(void)
{
    double low = log((double)args[MIN_SIZE].value), high = log((double)args[MAX_SIZE].value + 1);
    for (unsigned i = 0; i < SIZES; i++)
        sizes[i] = (uint32_t)exp(low + (high - low) * (i + 0.5) / SIZES);
}

static void touch(char *p, size_t size)
{
    for (size_t i = 0; i < size; i += 4096)
        p[i] = 1;
    p[size - 1] = 1;
}

static uint32_t run(uint32_t random, uint64_t from, uint64_t to)
{
    uint32_t slot_count = (uint32_t)args[WORKING_SET].value;
    for (uint64_t it = from; it < to; it++) {
        uint32_t r = bench_xorshift32(&random);
        char **slot = &slots[(r >> 12) % slot_count];
        if (*slot) {
            free(*slot);
            *slot = NULL;
            continue;
        }
        size_t size = sizes[r % SIZES];
        if (!(*slot = malloc(size)))
            bench_no_memory(&options, it, size);
        touch(*slot, size);
    }
    return random;
}

int main(int argc, char **argv)
{
    bench_parse(&options, argc, argv);
    if (args[MIN_SIZE].value > args[MAX_SIZE].value || args[MAX_SIZE].value > UINT32_MAX) {
        fprintf(stderr, "bench_mid: min_size must not be above max_size\n");
        return 2;
    }
    uint64_t iterations = args[ITERATIONS].value, ws = args[WORKING_SET].value;
    uint64_t warm = bench_warm_iterations(ws);
    warm = warm < iterations ? warm : iterations;
    slots = bench_map(ws * sizeof *slots);
    make_sizes();

    struct bench_report report = {.threads = 1, .operations = iterations};
    struct bench_time start = bench_now();
    report.startup_cpu_s = start.cpu_s;
    uint32_t random = run((uint32_t)args[SEED].value, 0, warm);
    report.warm = bench_since(start, warm);
    struct bench_time middle = bench_now();
    run(random, warm, iterations);
    report.steady = bench_since(middle, iterations - warm);
    for (uint64_t i = 0; i < ws; i++)
        free(slots[i]);
    report.total = bench_since(start, iterations);

    bench_write_json(&options, &report);
    printf("Throughput = %.0f ops/s [iter=%" PRIu64 " ws=%" PRIu64 "] time=%.3fs\n",
           (double)iterations / report.total.wall_s, iterations, ws, report.total.wall_s);
    return 0;
}
