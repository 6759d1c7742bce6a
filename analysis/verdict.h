/*
 * From an estimate to a verdict: what the pairs of one workload and metric allow to say at each
 * look, when to stop, and what the workloads of a commit come to together. The runner calls
 * an_decide at each look to know when to stop; the collector calls an_decide_run on the same
 * samples and must come to the same. Pure functions: the caller owns every array, nothing is kept
 * between calls, any thread may call.
 */
#ifndef AN_VERDICT_H
#define AN_VERDICT_H

#include "analysis/estimate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A change counts from here unless the workload says otherwise: a fraction, 1 %. */
#define AN_MARGIN 0.01
/* A relevant regression is confirmed by a fresh run of so many pairs, one look, at this |z|. */
#define AN_CONFIRM_PAIRS 512
#define AN_CONFIRM_Z 2.33

/* Which way a metric is good: operations per second, or seconds per operation. */
enum an_better { AN_HIGHER, AN_LOWER };

enum an_verdict {
    AN_IDENTICAL,    /* the same artifact; never returned by an_decide */
    AN_EQUIVALENT,   /* the interval holds 0 and lies within the margin */
    AN_IMPROVED,     /* the interval lies on the good side of 0 */
    AN_REGRESSED,    /* the interval lies on the bad side of 0 */
    AN_INCONCLUSIVE, /* anything else */
    AN_FAILED        /* build, run or validity failed; never returned by an_decide */
};

/* Of improved and regressed; NONE for the others. Small only where the interval proves it. */
enum an_size { AN_SIZE_NONE, AN_SMALL, AN_RELEVANT };

/* The rules of a run. looks[n_looks] ascends strictly and outlives every use of the plan. */
struct an_plan {
    double critical;       /* c of the interval at every look */
    double margin;         /* log ratio > 0, the same to both sides */
    double layout_sd;      /* see an_estimate_pairs */
    const uint32_t *looks; /* numbers of pairs at which the run may stop */
    size_t n_looks;
    uint32_t early_below;     /* before so many pairs stop only for a proven relevant change */
    double futility_z;        /* equivalence may be called with |z| below this ... */
    double detectable_enough; /* ... or with a detectable effect (log ratio) up to this */
};

struct an_decision {
    enum an_verdict verdict; /* what holds if the run ends here; valid at any stop */
    enum an_size size;
    bool stop; /* further pairs are not needed, not allowed, or cannot help */
    struct an_estimate estimate;
};

/* The worst of several, see an_rollup. */
struct an_outcome {
    enum an_verdict verdict;
    enum an_size size;
};

/*
 * The standard plan: looks at 64, 128, 256, 512, 1024 and 1536 pairs, c = 3.70, early_below 512,
 * futility_z 2.0, detectable_enough ln(1.003). The two-sided error over all looks is 0.0011 for an
 * ideal normal statistic; simulated, 0.0010 unclustered and 0.0007 with 64 layouts.
 * margin is a fraction (0.01 for 1 %) and becomes ln(1 + margin) to both sides, so that swapping
 * the arms mirrors the verdict; downwards that is 0.99 % for 1 %, the stricter of the two readings.
 * A margin that is not finite and positive gives a plan that an_decide refuses.
 */
struct an_plan an_plan_standard(double margin, double layout_sd);

/* The plan of a confirming run: the standard one with a single look at AN_CONFIRM_PAIRS. */
struct an_plan an_plan_confirm(double margin, double layout_sd);

/*
 * The plan of a run that may take no more than max_pairs: looks beyond are left out, and where all
 * of them are, the one look is at max_pairs, kept in *only, which then has to outlive the plan.
 * Runner and collector both limit the same plan to the max_pairs that the result tells.
 */
void an_plan_limit(struct an_plan *plan, uint32_t max_pairs, uint32_t *only);

/*
 * What an estimate says, whatever it was made of: the table in measurement.md. margin is a log
 * ratio. A small size has to be proven by the whole interval.
 */
struct an_outcome an_judge(const struct an_estimate *estimate, enum an_better better,
                           double margin);

/*
 * What the first n pairs say. Arguments as in an_estimate_pairs; log_ratio keeps its sign
 * ln(head/base) whatever `better` is, which only decides what is called improved.
 * Only looks count: n between two looks is treated as the lower one (estimate.n tells), n above the
 * last as the last. Below the first look: inconclusive, no stop, the estimate of what is there.
 * stop is true
 *   - before early_below: if the interval lies beyond the margin (high <= -m or low >= m);
 *   - from early_below on: if 0 is excluded; or if the interval lies within the margin and
 *     (|z| < futility_z or detectable <= detectable_enough); or if critical x layout_sd > margin,
 *     for then the widening alone makes equivalence unreachable and more pairs cannot help;
 *   - at the last look, always.
 * False, and nothing written, as for an_estimate_pairs, or for a plan without looks, with looks
 * that do not ascend from 1 or more, or with a margin that is not finite and positive.
 */
AN_CHECKED bool an_decide(const double *log_ratio, const uint32_t *cluster, size_t n,
                          enum an_better better, const struct an_plan *plan,
                          struct an_decision *out);

/*
 * The decision of a whole run: an_decide at each look up to n, the first that says stop, else the
 * last reached. A run is honest if out->estimate.n is the number of its pairs. Errors as an_decide.
 */
AN_CHECKED bool an_decide_run(const double *log_ratio, const uint32_t *cluster, size_t n,
                              enum an_better better, const struct an_plan *plan,
                              struct an_decision *out);

/*
 * Whether a fresh run (new layout seeds, AN_CONFIRM_PAIRS pairs, one look) confirms `first`:
 * the same direction and |z| >= AN_CONFIRM_Z.
 */
bool an_confirms(const struct an_estimate *first, const struct an_estimate *fresh);

/*
 * Whether only the code layout moved: the as-shipped build alone is proven to have changed by
 * margin (log ratio) or more, while the estimate over the layouts stays below it.
 */
bool an_layout_suspect(const struct an_estimate *shipped, const struct an_estimate *over_layouts,
                       double margin);

/*
 * The worst of outcome[n]: failed, regressed relevant, inconclusive, regressed small, improved
 * (relevant before small), equivalent, identical. A regression without a size counts as relevant.
 * False, and *out unwritten, when n is 0: nothing measured is not a verdict.
 */
AN_CHECKED bool an_rollup(const struct an_outcome *outcome, size_t n, struct an_outcome *out);

/*
 * A counted metric that gates beside the time. `excusable`: a regression of it is not blamed on a
 * commit whose time improved (less user time alone raises the kernel's share). Waiting is not: CPU
 * time falls where threads no longer get into each other's way because they sleep.
 */
struct an_counted_gate {
    struct an_outcome outcome;
    bool excusable;
};

/*
 * What a workload comes to whose time and counted metrics gate together. A counted metric counts
 * where it is proven and relevant: it never makes a workload inconclusive. Of equals the time
 * decides. *decided_by: index into counted, -1 for the time.
 */
struct an_outcome an_gate(struct an_outcome timed, const struct an_counted_gate *counted, size_t n,
                          int *decided_by);

/*
 * The exit code of `hakperf compare`: 1 for a relevant regression (with strict, a small one too),
 * 3 for inconclusive and failed, 0 for the others.
 */
int an_exit_code(struct an_outcome outcome, bool strict);

/* "identical", "equivalent", "improved", "regressed", "inconclusive", "failed"; never NULL. */
const char *an_verdict_name(enum an_verdict verdict);

/* "small", "relevant"; NULL for AN_SIZE_NONE, as it is null in JSON. */
const char *an_size_name(enum an_size size);

/* The inverse of an_verdict_name. False, and *out unwritten, for NULL or any other word. */
bool an_verdict_parse(const char *name, enum an_verdict *out);

#endif
