#include "common/judging/beside.h"

#include "analysis/checks.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Between these the interval of a metric that is only shown lies: 99 %. */
#define SHOWN_CRITICAL 2.576
/* Fewer pairs than this show nothing. */
#define SHOWN_PAIRS 32
#define WAITS "voluntary_switches"

const struct hp_metric *hp_primary_metric(const json_t *workload)
{
    const struct hp_metric *row = hp_metric_find(
        hp_json_string(json_object_get(workload, "plan"), "metric", HP_METRIC_PRIMARY));
    return row && row->sampled ? row : NULL;
}

const struct hp_metric *hp_suite_metric(const json_t *workload)
{
    const struct hp_metric *row =
        hp_metric_find(hp_json_string(workload, "metric", HP_METRIC_PRIMARY));
    return row ? row : hp_metric_find(HP_METRIC_PRIMARY);
}

const json_t *hp_sample_values(const json_t *workload, const char *arm, const char *metric)
{
    size_t i;
    json_t *set;
    json_array_foreach (json_object_get(workload, "samples"), i, set) {
        if (strcmp(hp_json_string(set, "arm", ""), arm) == 0 &&
            strcmp(hp_json_string(set, "metric", ""), metric) == 0)
            return json_object_get(set, "values");
    }
    return NULL;
}

double hp_figure(const json_t *workload, const char *arm, const char *metric)
{
    size_t i;
    json_t *m;
    json_array_foreach (json_object_get(workload, "measurements"), i, m) {
        if (strcmp(hp_json_string(m, "arm", ""), arm) == 0 &&
            strcmp(hp_json_string(m, "metric", ""), metric) == 0)
            return hp_json_number(m, "value", NAN);
    }
    return (double)NAN;
}

/* The list that is filled. */
struct list {
    struct hp_judged *metrics;
    size_t n;
};

static struct hp_judged *add(struct list *l, const char *metric)
{
    if (l->n == HP_BESIDE_MOST)
        return NULL;
    struct hp_judged *m = &l->metrics[l->n++];
    *m = (struct hp_judged){.name = metric, .base = NAN, .head = NAN, .p = NAN};
    return m;
}

static void set_counted(struct hp_judged *m, const struct an_counted *c, size_t n)
{
    m->gates = m->excusable = true;
    m->outcome = c->outcome;
    m->base = c->base;
    m->head = c->head;
    m->estimate = c->head - c->base;
    /* Rounding must not put the estimate outside its own bounds. */
    m->low = fmin(c->low, m->estimate);
    m->high = fmax(c->high, m->estimate);
    m->n = n;
}

/* Whether both arms tell the modes of their steady part; else whole processes are compared. */
static bool knows_steady_modes(const json_t *workload)
{
    return hp_sample_values(workload, "base", "steady_user_cpu") &&
           hp_sample_values(workload, "base", "steady_system_cpu") &&
           hp_sample_values(workload, "head", "steady_user_cpu") &&
           hp_sample_values(workload, "head", "steady_system_cpu");
}

/* The times in user and kernel mode of one arm as samples; false where they were not recorded. */
static bool share_of(const json_t *workload, const char *arm, struct an_samples *out)
{
    double user[HP_PAIRS_MOST], kernel[HP_PAIRS_MOST];
    bool steady = knows_steady_modes(workload);
    const json_t *users = hp_sample_values(workload, arm, steady ? "steady_user_cpu" : "user_cpu");
    const json_t *kernels =
        hp_sample_values(workload, arm, steady ? "steady_system_cpu" : "system_cpu");
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (users, i, value) {
        const json_t *other = json_array_get(kernels, i);
        if (n == HP_PAIRS_MOST || !json_is_number(value) || !json_is_number(other))
            continue;
        user[n] = json_number_value(value);
        kernel[n++] = json_number_value(other);
    }
    return an_share_samples(user, kernel, n, out);
}

static void gate_share(struct list *l, const json_t *workload, double critical)
{
    struct an_samples base, head;
    struct an_counted counted;
    if (!share_of(workload, "base", &base) || !share_of(workload, "head", &head) ||
        !an_kernel_share(base, head, critical, &counted))
        return;
    struct hp_judged *m = add(l, "kernel_share");
    if (m)
        set_counted(m, &counted, (size_t)(base.all < head.all ? base.all : head.all));
}

/* One long execution an arm, with the same seed: exact where one thread runs. With threads the
 * number varies, and one execution cannot tell by how much: it is told and does not gate. */
static void gate_failures(struct list *l, const json_t *workload, bool threads)
{
    double base = hp_figure(workload, "base", "ace_failures");
    double head = hp_figure(workload, "head", "ace_failures");
    struct an_counted counted;
    if (threads || !(base >= 0 && head >= 0 && base < 0x1p53 && head < 0x1p53))
        return;
    const uint64_t b = (uint64_t)base, h = (uint64_t)head;
    if (!an_counter_exact(&b, &h, NULL, 1, AN_LOWER, &counted))
        return;
    struct hp_judged *m = add(l, "ace_failures");
    if (m)
        set_counted(m, &counted, 1);
}

/* The pairs of which both arms have a value, none negative; how many. */
static size_t pairs_of(const json_t *workload, const char *metric, double *base, double *head,
                       uint32_t *layout)
{
    const json_t *bases = hp_sample_values(workload, "base", metric);
    const json_t *heads = hp_sample_values(workload, "head", metric);
    const json_t *layouts = json_object_get(json_object_get(workload, "pairs"), "layout");
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (heads, i, value) {
        const json_t *other = json_array_get(bases, i);
        double h = json_number_value(value), b = json_number_value(other);
        if (n == HP_PAIRS_MOST || !json_is_number(value) || !json_is_number(other) ||
            !(h >= 0 && b >= 0))
            continue;
        layout[n] = (uint32_t)json_integer_value(json_array_get(layouts, i));
        base[n] = b;
        head[n++] = h;
    }
    return n;
}

size_t hp_pair_ratios(const json_t *workload, const char *metric, double *ratio, uint32_t *layout)
{
    double base[HP_PAIRS_MOST], head[HP_PAIRS_MOST];
    size_t all = pairs_of(workload, metric, base, head, layout), n = 0;
    for (size_t i = 0; i < all; i++) {
        if (!(head[i] > 0 && base[i] > 0))
            continue;
        layout[n] = layout[i];
        ratio[n++] = log(head[i] / base[i]);
    }
    return n;
}

/* How often threads waited in the pairs that tell both; how many pairs. */
static size_t waits_of(const json_t *workload, uint64_t *base, uint64_t *head, uint32_t *layout)
{
    double b[HP_PAIRS_MOST], h[HP_PAIRS_MOST];
    size_t n = pairs_of(workload, WAITS, b, h, layout);
    for (size_t i = 0; i < n; i++) {
        base[i] = (uint64_t)fmin(b[i], 0x1p53);
        head[i] = (uint64_t)fmin(h[i], 0x1p53);
    }
    return n;
}

/* Whether the clock agrees that more, or less, is waited: time goes by, whatever the CPUs do. */
static bool clock_agrees(const json_t *workload, bool more, bool layouts)
{
    double ratio[HP_PAIRS_MOST];
    uint32_t layout[HP_PAIRS_MOST];
    struct an_estimate e;
    size_t n = hp_pair_ratios(workload, "wall", ratio, layout);
    if (n < SHOWN_PAIRS ||
        !an_estimate_pairs(ratio, layouts ? layout : NULL, n, SHOWN_CRITICAL, 0, &e))
        return false;
    double margin = log1p(AN_MARGIN);
    return more ? e.low > 0 && e.estimate >= margin : e.high < 0 && e.estimate <= -margin;
}

/* Threads that wait for each other use no CPU time meanwhile. That they wait more often is proven
 * by the pairs, and matters where the work takes longer by the clock too. */
static bool gate_waits(struct list *l, const json_t *workload, bool layouts, double critical)
{
    uint64_t base[HP_PAIRS_MOST], head[HP_PAIRS_MOST];
    uint32_t layout[HP_PAIRS_MOST];
    struct an_counted counted;
    size_t n = waits_of(workload, base, head, layout);
    if (n < SHOWN_PAIRS || !an_counter_paired(base, head, layouts ? layout : NULL, n, critical,
                                              AN_MARGIN, AN_LOWER, &counted))
        return false;
    bool more = counted.outcome.verdict == AN_REGRESSED;
    if (!more && counted.outcome.verdict != AN_IMPROVED)
        return false;
    struct hp_judged *m = add(l, WAITS);
    if (!m)
        return false;
    set_counted(m, &counted, n);
    m->excusable = false;
    if (!clock_agrees(workload, more, layouts))
        m->outcome.size = AN_SMALL;
    return true;
}

static void show(struct list *l, const json_t *workload, const struct hp_metric *row, bool layouts)
{
    double ratio[HP_PAIRS_MOST];
    uint32_t layout[HP_PAIRS_MOST];
    struct an_estimate e;
    size_t n = hp_pair_ratios(workload, row->name, ratio, layout);
    if (n < SHOWN_PAIRS ||
        !an_estimate_pairs(ratio, layouts ? layout : NULL, n, SHOWN_CRITICAL, 0, &e) ||
        !isfinite(e.low) || !isfinite(e.high))
        return;
    struct hp_judged *m = add(l, row->name);
    if (!m)
        return;
    m->is_log = true;
    m->estimate = e.estimate;
    m->low = e.low;
    m->high = e.high;
    m->z = e.z;
    m->n = e.n;
    m->p = erfc(fabs(e.z) / sqrt(2));
    m->outcome =
        an_judge(&e, row->better == HP_BETTER_HIGHER ? AN_HIGHER : AN_LOWER, log1p(AN_MARGIN));
}

size_t hp_judge_beside(const json_t *workload, bool threads, double critical, struct hp_judged *out)
{
    struct list l = {out, 0};
    bool layouts = hp_json_number(json_object_get(workload, "plan"), "layout_sd", 0) <= 0;
    const struct hp_metric *primary = hp_primary_metric(workload);
    gate_share(&l, workload, critical);
    gate_failures(&l, workload, threads);
    bool waits = threads && gate_waits(&l, workload, layouts, critical);
    for (const struct hp_metric *row = hp_metrics; row->name; row++)
        if (row->sampled && row->better != HP_BETTER_NEITHER && row != primary &&
            !(waits && strcmp(row->name, WAITS) == 0))
            show(&l, workload, row, layouts);
    return l.n;
}

bool hp_judged_adjust(struct hp_judged *const *shown, size_t n)
{
    HP_FREE double *p = calloc(n + 1, sizeof *p);
    for (size_t i = 0; p && i < n; i++)
        p[i] = shown[i]->p;
    if (!p || (n > 0 && !an_benjamini_hochberg(p, n, p)))
        return false;
    for (size_t i = 0; i < n; i++)
        shown[i]->p = p[i];
    return true;
}
