/*
 * bench ITERATIONS WORKING_SET SEED --json FILE: allocates and frees blocks of random sizes, and
 * writes what it took as the runner wants it (common/wire/README.md).
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t state;

static uint32_t next(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *slots[65536];

static void run(long from, long to, uint32_t slot_count)
{
    for (; from < to; from++) {
        uint32_t r = next();
        char **slot = &slots[r % slot_count];
        if (*slot) {
            free(*slot);
            *slot = NULL;
        } else {
            *slot = malloc(16 + (r & 0x1ff));
            if (!*slot)
                exit(1);
            **slot = 1;
        }
    }
}

static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    long iterations = atol(argv[1]), warm = iterations < 50000 ? iterations : 50000;
    uint32_t slot_count = (uint32_t)atol(argv[2]) % 65536;
    state = (uint32_t)atol(argv[3]);
    const char *file = argc > 5 && strcmp(argv[4], "--json") == 0 ? argv[5] : "/dev/stdout";
    double startup = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
    run(0, warm, slot_count);
    double middle = now(CLOCK_PROCESS_CPUTIME_ID);
    run(warm, iterations, slot_count);
    double end = now(CLOCK_PROCESS_CPUTIME_ID), took = now(CLOCK_MONOTONIC) - wall;
    FILE *f = fopen(file, "w");
    if (!f)
        return 1;
    fprintf(f,
            "{\"operations\":%ld,\"wall_s\":%.9f,\"cpu_s\":%.9f,\"startup_cpu_s\":%.9f,"
            "\"warm\":{\"operations\":%ld,\"cpu_s\":%.9f},",
            iterations, took, end - startup, startup, warm, middle - startup);
    if (iterations > warm)
        fprintf(f, "\"steady\":{\"operations\":%ld,\"cpu_s\":%.9f},", iterations - warm,
                end - middle);
    else
        fputs("\"steady\":null,", f);
    fprintf(f, "\"peak_rss_kib\":%ld}\n", peak_kib());
    return fclose(f) == 0 ? 0 : 1;
}
