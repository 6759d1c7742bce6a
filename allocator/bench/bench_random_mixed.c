/*
 * bench_random_mixed: random sizes in a working set of slots, one thread.
 *
 * Each iteration draws r by xorshift32 and looks at slot r % working_set: a block there is freed,
 * an empty slot gets malloc(16 + (r & 0x3FF)), clamped to [min_size, max_size], and its first and
 * last byte are written. One iteration is one operation. At the end the slots are drained, inside
 * the timed region. With a power-of-two working set of 1024 or more the low bits of r choose both
 * slot and size, so one slot always has one size; --independent-size draws the size elsewhere.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITERATIONS, WORKING_SET, SEED, MIN_SIZE, MAX_SIZE };

static struct bench_arg args[] = {
    [ITERATIONS] = {"iterations", 10000000, 1, UINT64_C(1) << 48, "operations to do"},
    [WORKING_SET] = {"working_set", 8192, 1, UINT64_C(1) << 28, "slots that hold a block or none"},
    [SEED] = {"seed", 42, 1, UINT32_MAX, "start of the random sequence"},
    [MIN_SIZE] = {"min_size", 16, 1, UINT64_C(1) << 40, "smaller sizes become this"},
    [MAX_SIZE] = {"max_size", 1039, 1, UINT64_C(1) << 40, "larger sizes become this"},
    {0},
};
static bool independent_size;
static struct bench_options options = {
    .program = "bench_random_mixed",
    .summary = "Allocates and frees blocks of random sizes from 16 to 1039 bytes, one thread.",
    .args = args,
    .independent_size = &independent_size,
};

struct state {
    char **slots;
    uint32_t slot_count, random, size_random;
    size_t min, max;
};

static inline size_t clamp(const struct state *s, size_t size)
{
    size = size < s->min ? s->min : size;
    return size > s->max ? s->max : size;
}

/* Iterations [from, to). `independent` is a constant in each caller, so that it costs nothing. */
static inline __attribute__((always_inline)) void run(struct state *s, uint64_t from, uint64_t to,
                                                      bool independent)
{
    uint32_t random = s->random;
    for (uint64_t it = from; it < to; it++) {
        uint32_t r = bench_xorshift32(&random);
        char **slot = &s->slots[r % s->slot_count];
        if (*slot) {
            free(*slot);
            *slot = NULL;
            continue;
        }
        uint32_t from_r = independent ? bench_xorshift32(&s->size_random) : r;
        size_t size = clamp(s, 16 + (from_r & 0x3FF));
        char *p = malloc(size);
        if (!p)
            bench_no_memory(&options, it, size);
        p[0] = (char)r;
        p[size - 1] = (char)r;
        *slot = p;
    }
    s->random = random;
}

static __attribute__((noinline)) void run_same(struct state *s, uint64_t from, uint64_t to)
{
    run(s, from, to, false);
}

static __attribute__((noinline)) void run_independent(struct state *s, uint64_t from, uint64_t to)
{
    run(s, from, to, true);
}

static void drain(struct state *s)
{
    for (uint32_t i = 0; i < s->slot_count; i++)
        free(s->slots[i]);
}

int main(int argc, char **argv)
{
    bench_parse(&options, argc, argv);
    if (args[MIN_SIZE].value > args[MAX_SIZE].value) {
        fprintf(stderr, "bench_random_mixed: min_size %" PRIu64 " is above max_size %" PRIu64 "\n",
                args[MIN_SIZE].value, args[MAX_SIZE].value);
        return 2;
    }
    uint64_t iterations = args[ITERATIONS].value, ws = args[WORKING_SET].value;
    struct state s = {
        .slots = bench_map(ws * sizeof(char *)),
        .slot_count = (uint32_t)ws,
        .random = (uint32_t)args[SEED].value,
        .size_random =
            (uint32_t)(args[SEED].value ^ 0x9E3779B9u ? args[SEED].value ^ 0x9E3779B9u : 1),
        .min = args[MIN_SIZE].value,
        .max = args[MAX_SIZE].value,
    };
    void (*go)(struct state *, uint64_t, uint64_t) = independent_size ? run_independent : run_same;
    uint64_t warm = bench_warm_iterations(ws);
    warm = warm < iterations ? warm : iterations;

    struct bench_report report = {.threads = 1, .operations = iterations};
    struct bench_time start = bench_now();
    report.startup_cpu_s = start.cpu_s;
    go(&s, 0, warm);
    report.warm = bench_since(start, warm);
    struct bench_time middle = bench_now();
    go(&s, warm, iterations);
    report.steady = bench_since(middle, iterations - warm);
    drain(&s);
    report.total = bench_since(start, iterations);

    bench_write_json(&options, &report);
    printf("Throughput = %.0f ops/s [iter=%" PRIu64 " ws=%" PRIu64 "] time=%.3fs\n",
           (double)iterations / report.total.wall_s, iterations, ws, report.total.wall_s);
    return 0;
}
