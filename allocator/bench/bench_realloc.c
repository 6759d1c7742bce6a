/*
 * bench_realloc: buffers that grow.
 *
 * Many buffers grow side by side, each from 16 bytes by a random eighth to a half of itself until
 * it passes max_size; then it is freed and begins again. One realloc is one operation; the byte at
 * the end of the buffer is written and the one before the growth is compared.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITERATIONS, WORKING_SET, SEED, MAX_SIZE };

static struct bench_arg args[] = {
    [ITERATIONS] = {"iterations", 100000, 1, UINT64_C(1) << 48, "operations to do"},
    [WORKING_SET] = {"working_set", 100, 1, UINT64_C(1) << 24, "buffers"},
    [SEED] = {"seed", 42, 1, UINT32_MAX, "start of the random sequence"},
    [MAX_SIZE] = {"max_size", 1 << 20, 16, UINT64_C(1) << 40, "a larger buffer begins again"},
    {0},
};
static struct bench_options options = {
    .program = "bench_realloc",
    .summary = "Grows buffers by realloc, one thread.",
    .args = args,
};

struct buffer {
    char *p;
    size_t size;
};
static struct buffer *buffers;

static uint32_t run(uint32_t random, uint64_t from, uint64_t to)
{
    for (uint64_t it = from; it < to; it++) {
        uint32_t r = bench_xorshift32(&random);
        struct buffer *b = &buffers[r % args[WORKING_SET].value];
        if (b->size > args[MAX_SIZE].value) {
            free(b->p);
            *b = (struct buffer){NULL, 0};
        }
        size_t size = b->size ? b->size + b->size / (2 + (r >> 24) % 7) + 1 : 16;
        char *p = realloc(b->p, size);
        if (!p)
            bench_no_memory(&options, it, size);
        if (b->size && p[b->size - 1] != 42) {
            fprintf(stderr, "bench_realloc: contents lost at iteration %" PRIu64 "\n", it);
            exit(1);
        }
        p[size - 1] = 42;
        *b = (struct buffer){p, size};
    }
    return random;
}

int main(int argc, char **argv)
{
    bench_parse(&options, argc, argv);
    uint64_t iterations = args[ITERATIONS].value, ws = args[WORKING_SET].value;
    uint64_t warm = bench_warm_iterations(ws);
    warm = warm < iterations ? warm : iterations;
    buffers = bench_map(ws * sizeof *buffers);

    struct bench_report report = {.threads = 1, .operations = iterations};
    struct bench_time start = bench_now();
    report.startup_cpu_s = start.cpu_s;
    uint32_t random = run((uint32_t)args[SEED].value, 0, warm);
    report.warm = bench_since(start, warm);
    struct bench_time middle = bench_now();
    run(random, warm, iterations);
    report.steady = bench_since(middle, iterations - warm);
    for (uint64_t i = 0; i < ws; i++)
        free(buffers[i].p);
    report.total = bench_since(start, iterations);

    bench_write_json(&options, &report);
    printf("Throughput = %.0f ops/s [iter=%" PRIu64 " ws=%" PRIu64 "] time=%.3fs\n",
           (double)iterations / report.total.wall_s, iterations, ws, report.total.wall_s);
    return 0;
}
