/*
 * What one workload of a result document comes to: its time, and what is judged beside it.
 * Pure: nothing but the document is looked at.
 */
#ifndef HP_CLI_HERE_JUDGE_H
#define HP_CLI_HERE_JUDGE_H

#include "common/judging/beside.h"
#include "common/judging/shipped.h"

struct here_workload {
    const json_t *json;
    bool estimated; /* false: it failed, or there was no base */
    struct an_estimate time;
    struct hp_shipped shipped;
    struct an_outcome outcome;                    /* of all that gates */
    size_t decided_by;                            /* index of the metric that decided */
    struct hp_judged metrics[1 + HP_BESIDE_MOST]; /* the time first; base and head of each: its
                                                    median or sum, NAN unknown */
    size_t n_metrics;
};

/* `critical`: bound of z that the run was decided at; `threads`: more than one. */
void here_judge(const json_t *workload, bool threads, double critical, struct here_workload *out);

/* Adjusts the chances of the metrics that do not gate, over all workloads of the run. */
void here_adjust(struct here_workload *workloads, size_t n);

#endif
