/*
 * The one table of metrics: what each is called on the wire, in the database and on the page, its
 * unit, and which way is better. Metrics with the prefix "counter:" (the library's own counters),
 * "perf:" (perf stat) and "syscall:" (system calls by kind) are open sets and have no row; they
 * explain and never gate.
 */
#ifndef HP_COMMON_METRICS_H
#define HP_COMMON_METRICS_H

#include <stdbool.h>
#include <stddef.h>

enum hp_better { HP_BETTER_HIGHER, HP_BETTER_LOWER, HP_BETTER_NEITHER };

struct hp_metric {
    const char *name;
    const char *unit;
    enum hp_better better;
    bool sampled; /* one value a process execution; otherwise one figure a run */
    const char *text;
};

/* Ended by a row whose name is NULL. */
extern const struct hp_metric hp_metrics[];

/* The metric that decides: operations per CPU-second of the steady part. */
#define HP_METRIC_PRIMARY "throughput"

/* The row of a metric, NULL for the open sets and unknown names. */
const struct hp_metric *hp_metric_find(const char *name);

const char *hp_better_name(enum hp_better better);

#endif
