/*
 * bench_ace: drives ACE to each cause of failure, and measures what the fall to the next tier
 * costs.
 *
 * One round allocates `blocks` blocks of one size, writes their ends, and frees them. Which cause
 * it meets is chosen from outside, as always with this allocator, by the environment:
 *   Threshold   HAKMEM_WMAX_MID=1.01                        (33 KiB has no class that close)
 *   Exhaustion  HAKMEM_ACE_POOL_CAP=1                       (all but one block)
 *   MapFail     ulimit -v, or HAKMEM_OS_FAIL_FROM           (the kernel refuses)
 * A NULL from malloc is counted, not fatal: under a memory limit it is the right answer.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITERATIONS, BLOCKS, SIZE };

static struct bench_arg args[] = {
    [ITERATIONS] = {"iterations", 1000, 1, UINT64_C(1) << 32, "rounds"},
    [BLOCKS] = {"working_set", 100, 1, UINT64_C(1) << 20, "blocks of a round"},
    [SIZE] = {"size", 33 << 10, 1, UINT64_C(1) << 40, "bytes of a block"},
    {0},
};
static struct bench_options options = {
    .program = "bench_ace",
    .summary = "Allocates many blocks of one size at a time; see HAKMEM_ACE_TRACE.",
    .args = args,
};

int main(int argc, char **argv)
{
    bench_parse(&options, argc, argv);
    uint64_t rounds = args[ITERATIONS].value, count = args[BLOCKS].value, refused = 0;
    size_t size = args[SIZE].value;
    char **blocks = bench_map(count * sizeof *blocks);
    struct bench_report report = {.threads = 1, .operations = 2 * rounds * count};
    struct bench_time start = bench_now();
    report.startup_cpu_s = start.cpu_s;
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < count; i++) {
            blocks[i] = malloc(size);
            if (blocks[i])
                blocks[i][0] = blocks[i][size - 1] = 1;
            else
                refused++;
        }
        for (uint64_t i = 0; i < count; i++)
            free(blocks[i]);
    }
    report.total = bench_since(start, report.operations);
    const struct bench_field fields[] = {{"refused", refused, 0, false}, {0}};
    report.fields = fields;
    bench_write_json(&options, &report);
    printf("refused: %" PRIu64 " of %" PRIu64 " requests\n", refused, rounds * count);
    printf("Throughput = %.0f ops/s [iter=%" PRIu64 " ws=%" PRIu64 "] time=%.3fs\n",
           (double)report.operations / report.total.wall_s, rounds, count, report.total.wall_s);
    return 0;
}
