#include "analysis/verdict.h"

#include <math.h>
#include <string.h>

static const uint32_t standard_looks[] = {64, 128, 256, 512, 1024, 1536};
static const uint32_t confirm_looks[] = {AN_CONFIRM_PAIRS};

struct an_plan an_plan_standard(double margin, double layout_sd)
{
    return (struct an_plan){
        .critical = 3.70,
        .margin = log1p(margin),
        .layout_sd = layout_sd,
        .looks = standard_looks,
        .n_looks = sizeof standard_looks / sizeof *standard_looks,
        .early_below = 512,
        .futility_z = 2.0,
        .detectable_enough = log1p(0.003),
    };
}

struct an_plan an_plan_confirm(double margin, double layout_sd)
{
    struct an_plan plan = an_plan_standard(margin, layout_sd);
    plan.looks = confirm_looks;
    plan.n_looks = 1;
    return plan;
}

void an_plan_limit(struct an_plan *plan, uint32_t max_pairs, uint32_t *only)
{
    while (plan->n_looks > 1 && plan->looks[plan->n_looks - 1] > max_pairs)
        plan->n_looks--;
    if (plan->n_looks == 1 && plan->looks[0] > max_pairs) {
        *only = max_pairs;
        plan->looks = only;
    }
}

static bool plan_is_valid(const struct an_plan *plan)
{
    if (!(isfinite(plan->margin) && plan->margin > 0) || plan->n_looks == 0 || plan->looks[0] == 0)
        return false;
    for (size_t i = 1; i < plan->n_looks; i++)
        if (plan->looks[i] <= plan->looks[i - 1])
            return false;
    return true;
}

static bool within_margin(const struct an_estimate *e, double margin)
{
    return e->low >= -margin && e->high <= margin;
}

static bool excludes_zero(const struct an_estimate *e)
{
    return e->low > 0 || e->high < 0;
}

static bool beyond_margin(const struct an_estimate *e, double margin)
{
    return e->low >= margin || e->high <= -margin;
}

struct an_outcome an_judge(const struct an_estimate *estimate, enum an_better better, double margin)
{
    if (!excludes_zero(estimate)) {
        bool within = within_margin(estimate, margin);
        return (struct an_outcome){within ? AN_EQUIVALENT : AN_INCONCLUSIVE, AN_SIZE_NONE};
    }
    bool good = (estimate->low > 0) == (better == AN_HIGHER);
    /* Small has to be proven; in doubt a change is relevant. */
    bool small = estimate->low > -margin && estimate->high < margin;
    return (struct an_outcome){good ? AN_IMPROVED : AN_REGRESSED, small ? AN_SMALL : AN_RELEVANT};
}

static bool may_stop(const struct an_estimate *e, const struct an_plan *plan)
{
    if (e->n >= plan->looks[plan->n_looks - 1])
        return true;
    if (e->n < plan->early_below)
        return beyond_margin(e, plan->margin);
    if (excludes_zero(e) || plan->critical * plan->layout_sd > plan->margin)
        return true;
    return within_margin(e, plan->margin) &&
           (fabs(e->z) < plan->futility_z || e->detectable <= plan->detectable_enough);
}

/* The last look that n pairs have reached; 0 below the first. */
static size_t look_reached(const struct an_plan *plan, size_t n)
{
    size_t look = 0;
    for (size_t i = 0; i < plan->n_looks && plan->looks[i] <= n; i++)
        look = plan->looks[i];
    return look;
}

bool an_decide(const double *log_ratio, const uint32_t *cluster, size_t n, enum an_better better,
               const struct an_plan *plan, struct an_decision *out)
{
    if (!plan_is_valid(plan))
        return false;
    struct an_decision d = {.verdict = AN_INCONCLUSIVE};
    size_t look = look_reached(plan, n);
    if (!an_estimate_pairs(log_ratio, cluster, look ? look : n, plan->critical, plan->layout_sd,
                           &d.estimate))
        return false;
    if (look) {
        struct an_outcome outcome = an_judge(&d.estimate, better, plan->margin);
        d.verdict = outcome.verdict;
        d.size = outcome.size;
        d.stop = may_stop(&d.estimate, plan);
    }
    *out = d;
    return true;
}

bool an_decide_run(const double *log_ratio, const uint32_t *cluster, size_t n,
                   enum an_better better, const struct an_plan *plan, struct an_decision *out)
{
    if (!plan_is_valid(plan))
        return false;
    for (size_t i = 0; i < plan->n_looks && plan->looks[i] <= n; i++) {
        struct an_decision d;
        if (!an_decide(log_ratio, cluster, plan->looks[i], better, plan, &d))
            return false;
        if (d.stop) {
            *out = d;
            return true;
        }
    }
    return an_decide(log_ratio, cluster, n, better, plan, out);
}

bool an_confirms(const struct an_estimate *first, const struct an_estimate *fresh)
{
    if (first->estimate < 0)
        return fresh->z <= -AN_CONFIRM_Z;
    return first->estimate > 0 && fresh->z >= AN_CONFIRM_Z;
}

bool an_layout_suspect(const struct an_estimate *shipped, const struct an_estimate *over_layouts,
                       double margin)
{
    return beyond_margin(shipped, margin) && fabs(over_layouts->estimate) < margin;
}

/* From best to worst. */
static int badness(struct an_outcome o)
{
    switch (o.verdict) {
    case AN_IDENTICAL:
        return 0;
    case AN_EQUIVALENT:
        return 1;
    case AN_IMPROVED:
        return o.size == AN_RELEVANT ? 3 : 2;
    case AN_REGRESSED:
        return o.size == AN_SMALL ? 4 : 6;
    case AN_INCONCLUSIVE:
        return 5;
    case AN_FAILED:
        break;
    }
    return 7;
}

bool an_rollup(const struct an_outcome *outcome, size_t n, struct an_outcome *out)
{
    if (n == 0)
        return false;
    struct an_outcome worst = outcome[0];
    for (size_t i = 1; i < n; i++)
        if (badness(outcome[i]) > badness(worst))
            worst = outcome[i];
    *out = worst;
    return true;
}

struct an_outcome an_gate(struct an_outcome timed, const struct an_counted_gate *counted, size_t n,
                          int *decided_by)
{
    struct an_outcome worst = timed;
    *decided_by = -1;
    for (size_t i = 0; i < n; i++) {
        struct an_outcome c = counted[i].outcome;
        bool proven = c.verdict == AN_REGRESSED || c.verdict == AN_IMPROVED;
        bool excused = counted[i].excusable && timed.verdict == AN_IMPROVED;
        excused = excused && c.verdict == AN_REGRESSED;
        /* What is known to be good does not hide that the time is not known. */
        if (!proven || c.size != AN_RELEVANT || excused || badness(c) <= badness(worst))
            continue;
        worst = c;
        *decided_by = (int)i;
    }
    return worst;
}

int an_exit_code(struct an_outcome outcome, bool strict)
{
    switch (outcome.verdict) {
    case AN_IDENTICAL:
    case AN_EQUIVALENT:
    case AN_IMPROVED:
        return 0;
    case AN_REGRESSED:
        return outcome.size == AN_SMALL && !strict ? 0 : 1;
    case AN_INCONCLUSIVE:
    case AN_FAILED:
        break;
    }
    return 3;
}

static const char *const verdict_names[] = {
    [AN_IDENTICAL] = "identical", [AN_EQUIVALENT] = "equivalent",     [AN_IMPROVED] = "improved",
    [AN_REGRESSED] = "regressed", [AN_INCONCLUSIVE] = "inconclusive", [AN_FAILED] = "failed",
};

const char *an_verdict_name(enum an_verdict verdict)
{
    size_t i = (size_t)verdict;
    /* An unknown number can only come from damaged data: not a verdict one could act on. */
    return i < sizeof verdict_names / sizeof *verdict_names ? verdict_names[i] : "failed";
}

const char *an_size_name(enum an_size size)
{
    switch (size) {
    case AN_SMALL:
        return "small";
    case AN_RELEVANT:
        return "relevant";
    case AN_SIZE_NONE:
        break;
    }
    return NULL;
}

bool an_verdict_parse(const char *name, enum an_verdict *out)
{
    if (!name)
        return false;
    for (size_t i = 0; i < sizeof verdict_names / sizeof *verdict_names; i++) {
        if (strcmp(name, verdict_names[i]) == 0) {
            *out = (enum an_verdict)i;
            return true;
        }
    }
    return false;
}
