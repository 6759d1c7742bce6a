/*
 * bench.h: what the benchmark programs share: arguments, clocks, memory figures and the report.
 *
 * Nothing here uses the allocator while a timed region runs: tables are mapped, and the report is
 * written afterwards. One thread calls; the programs make their own threads.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_MAX_ARGS = 8 };

/* One positional argument: in order, each optional. */
struct bench_arg {
    const char *name;
    uint64_t value; /* the default, then what was given */
    uint64_t min, max;
    const char *help;
};

struct bench_options {
    const char *program;    /* such as "bench_random_mixed" */
    const char *summary;    /* one sentence for --help */
    struct bench_arg *args; /* ends with a NULL name */
    bool *independent_size; /* NULL where --independent-size means nothing */
    const char *json;       /* FILE of --json, or NULL */
};

/* Reads the command line into o. Prints --help and exits 0; on a bad argument explains it on
 * stderr and exits 2. */
void bench_parse(struct bench_options *o, int argc, char **argv);

/*
 * CPU time by mode, as the kernel's clock tick found the process: a sample a tick (4 ms at 250 Hz),
 * so that a short stretch reads some ticks more or fewer, and only the sum over many processes
 * tells. getrusage is no help here: it divides the CPU time by all ticks since the process began,
 * of which a short process has few, and those of its start. Negative: not known.
 */
struct bench_modes {
    double user_s, system_s;
};

/* Operations and times of one stretch of the run, in seconds. */
struct bench_part {
    uint64_t operations;
    double cpu_s, wall_s;
    struct bench_modes modes;
};

struct bench_time {
    double cpu_s, wall_s;
    struct bench_modes modes;
};
/* CPU time of the process (all threads, user and system) and monotonic wall time, now. */
struct bench_time bench_now(void);
/* The stretch from `from` to now. */
struct bench_part bench_since(struct bench_time from, uint64_t operations);

/* A further field of the report: an integer, or a double where `real` says so. */
struct bench_field {
    const char *name;
    uint64_t integer;
    double number;
    bool real;
};

struct bench_report {
    unsigned threads;
    uint64_t operations;
    double startup_cpu_s;
    struct bench_part total, warm, steady; /* steady.operations 0: there was none */
    const struct bench_field *fields;      /* the program's own; ends with a NULL name */
};
/* Writes the report to the file of --json, if one was named. Exits 1 when it cannot. Every block
 * was freed before, and nothing trimmed: what is resident now is what the allocator retains, and
 * the program itself. */
void bench_write_json(const struct bench_options *o, const struct bench_report *r);

/* `size` zeroed bytes from the kernel, never from the allocator; exits 1 without memory. */
void *bench_map(size_t size);
/* High-water mark of resident memory of this process in KiB (VmHWM); 0 when unknown. */
uint64_t bench_peak_rss_kib(void);
/* Says that malloc returned NULL, for which iteration and size, and exits 1. */
_Noreturn void bench_no_memory(const struct bench_options *o, uint64_t iteration, size_t size);

/* Marsaglia's xorshift32 (13, 17, 5); the state must not be 0. */
static inline uint32_t bench_xorshift32(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Iterations until every class of sizes and every cache has been through its start. */
static inline uint64_t bench_warm_iterations(uint64_t working_set)
{
    return working_set * 12 > 50000 ? working_set * 12 : 50000;
}

#endif
