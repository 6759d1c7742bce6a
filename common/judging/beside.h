/*
 * What of a workload is judged beside its primary metric, the time: the kernel's share, ACE
 * failures and, with threads, waiting, which gate with it, and everything else that was sampled in
 * pairs, which is only shown where it stands out. One computation for the collector and for runs
 * that no collector has seen. Pure: nothing but the result document (common/wire) is looked at.
 */
#ifndef HP_JUDGING_BESIDE_H
#define HP_JUDGING_BESIDE_H

#include "analysis/counter.h"
#include "common/metrics.h"

#include <jansson.h>

/* Most pairs of a run, and most metrics that are judged beside the time. */
#define HP_PAIRS_MOST 1536
#define HP_BESIDE_MOST 16

/* The metric that decides a workload: `metric` of its plan, the time (throughput) where it names
 * none. NULL where it names one that has no value in every process. */
const struct hp_metric *hp_primary_metric(const json_t *workload);
/* The same of a workload of a suite, for one that was not executed; the time where its metric is
 * not known. */
const struct hp_metric *hp_suite_metric(const json_t *workload);

/* What one metric comes to. */
struct hp_judged {
    const char *name; /* static, or of the metric table */
    bool gates;
    bool excusable; /* as in an_counted_gate */
    bool is_log;    /* estimate, low and high are log ratios; else differences head - base */
    struct an_outcome outcome;
    double base, head; /* of a difference; else NAN */
    double estimate, low, high, z;
    double p; /* of one that does not gate: its chance, after hp_judged_adjust adjusted; else NAN */
    size_t n;
};

/* Fills out, HP_BESIDE_MOST long, and returns how many: first those that gate. `workload`: of a
 * result document; `threads`: it has more than one; `critical`: bound of z that the run was decided
 * at. */
size_t hp_judge_beside(const json_t *workload, bool threads, double critical,
                       struct hp_judged *out);

/* Adjusts the chances of n metrics that do not gate, those of all workloads of a run, by Benjamini
 * and Hochberg. False without memory; nothing is changed then. */
bool hp_judged_adjust(struct hp_judged *const *shown, size_t n);

/* The values of an arm's samples, NULL where there are none; the document's own. */
const json_t *hp_sample_values(const json_t *workload, const char *arm, const char *metric);

/* ln(head/base) of the pairs that have both, their values positive, and the layout of each; the
 * arrays are HP_PAIRS_MOST long. Returns how many. */
size_t hp_pair_ratios(const json_t *workload, const char *metric, double *ratio, uint32_t *layout);

/* The value of a measurement of an arm; NAN where it has none. */
double hp_figure(const json_t *workload, const char *arm, const char *metric);

#endif
