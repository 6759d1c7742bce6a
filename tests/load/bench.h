/* What the parts of the benchmark share: threads that ask, their latencies, and the table. */
#ifndef HP_TESTS_BENCH_H
#define HP_TESTS_BENCH_H

#include "tests/load/load.h"

struct bench_times {
    double *value; /* seconds, n of them; sorted by bench_quantile */
    size_t n, room;
};
void bench_time_add(struct bench_times *times, double seconds);
void bench_times_join(struct bench_times *into, struct bench_times *from);
/* The q-quantile in milliseconds, NaN where there is none. */
double bench_quantile_ms(struct bench_times *times, double q);

/* A line of the table: what, the goal in words, the figure, and whether it is reached. */
void bench_row(const char *what, const char *goal, bool reached, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How many goals were missed. */
int bench_missed(void);

/* Runs `threads` threads of `work` with the argument and their number, and waits for all. */
void bench_threads(int threads, void (*work)(void *argument, int number), void *argument);

/* A GET of that path; dies where the answer is no success. Its time in seconds. */
double bench_get(struct hp_http *http, const char *path);

void bench_ingest(struct world *world, const struct bench_options *o);
void bench_runners(struct world *world, const struct bench_options *o);
void bench_connections(struct world *world, const struct bench_options *o);
void bench_readers(struct world *world, const struct bench_options *o);

#endif
