/*
 * What one workload of a result document comes to: its time, and what gates beside it, as the
 * collector judges them. Pure: nothing but the document is looked at.
 */
#ifndef HP_CLI_HERE_JUDGE_H
#define HP_CLI_HERE_JUDGE_H

#include "analysis/counter.h"

#include <jansson.h>

#define HERE_METRICS 16
#define HERE_PAIRS 1536

/* One metric of a workload. */
struct here_metric {
    const char *name; /* static */
    bool gates;
    bool is_log; /* estimate, low and high are log ratios; else differences head - base */
    struct an_outcome outcome;
    double base, head; /* median or sum of each arm; NAN unknown */
    double estimate, low, high;
    double p; /* of one that does not gate: its chance; else NAN */
};

struct here_workload {
    const json_t *json;
    bool estimated; /* false: it failed, or there was no base */
    struct an_estimate time;
    struct an_outcome outcome;                /* of all that gates */
    size_t decided_by;                        /* index of the metric that decided */
    struct here_metric metrics[HERE_METRICS]; /* the time first */
    size_t n_metrics;
};

/* `critical`: bound of z that the run was decided at; `threads`: more than one. */
void here_judge(const json_t *workload, bool threads, double critical, struct here_workload *out);

/* Adjusts the chances of the metrics that do not gate, over all workloads of the run. */
void here_adjust(struct here_workload *workloads, size_t n);

/* The value of a measurement of an arm; NAN where it has none. */
double here_figure(const json_t *workload, const char *arm, const char *metric);

#endif
