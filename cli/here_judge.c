#include "cli/here_judge.h"

#include "analysis/checks.h"
#include "analysis/median.h"
#include "common/json.h"
#include "common/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Between these the interval of a metric that is only shown lies: 99 %. */
#define SHOWN_CRITICAL 2.576
#define SHOWN_PAIRS 32

static const json_t *set_of(const json_t *workload, const char *arm, const char *metric)
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

double here_figure(const json_t *workload, const char *arm, const char *metric)
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

static size_t numbers(const json_t *list, double *out)
{
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (list, i, value) {
        if (n < HERE_PAIRS && json_is_number(value))
            out[n++] = json_number_value(value);
    }
    return n;
}

static double median_of(const json_t *workload, const char *arm, const char *metric)
{
    double value[HERE_PAIRS], median;
    size_t n = numbers(set_of(workload, arm, metric), value);
    return n > 0 && an_median(value, n, &median) ? median : (double)NAN;
}

/* ln(head/base) of the pairs that have both, their values positive. */
static size_t ratios(const json_t *workload, const char *metric, double *ratio, uint32_t *layout)
{
    const json_t *base = set_of(workload, "base", metric);
    const json_t *layouts = json_object_get(json_object_get(workload, "pairs"), "layout");
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (set_of(workload, "head", metric), i, value) {
        double h = json_number_value(value), b = json_number_value(json_array_get(base, i));
        if (n == HERE_PAIRS || !(h > 0 && b > 0))
            continue;
        layout[n] = (uint32_t)json_integer_value(json_array_get(layouts, i));
        ratio[n++] = log(h / b);
    }
    return n;
}

static struct here_metric *add(struct here_workload *w, const char *name)
{
    if (w->n_metrics == HERE_METRICS)
        return NULL;
    struct here_metric *m = &w->metrics[w->n_metrics++];
    *m = (struct here_metric){.name = name, .base = NAN, .head = NAN, .p = NAN};
    return m;
}

static void add_counted(struct here_workload *w, const char *name, const struct an_counted *c)
{
    struct here_metric *m = add(w, name);
    if (!m)
        return;
    m->gates = true;
    m->outcome = c->outcome;
    m->base = c->base;
    m->head = c->head;
    m->estimate = c->head - c->base;
    m->low = fmin(c->low, m->estimate);
    m->high = fmax(c->high, m->estimate);
}

static bool share_of(const json_t *workload, const char *arm, struct an_samples *out)
{
    double user[HERE_PAIRS], kernel[HERE_PAIRS];
    size_t n = numbers(set_of(workload, arm, "user_cpu"), user);
    return n == numbers(set_of(workload, arm, "system_cpu"), kernel) &&
           an_share_samples(user, kernel, n, out);
}

static void gate_share(struct here_workload *w, double critical)
{
    struct an_samples base, head;
    struct an_counted counted;
    if (share_of(w->json, "base", &base) && share_of(w->json, "head", &head) &&
        an_kernel_share(base, head, critical, &counted))
        add_counted(w, "kernel_share", &counted);
}

/* One long execution an arm with the same seed: exact where one thread runs. */
static void gate_failures(struct here_workload *w)
{
    double base = here_figure(w->json, "base", "ace_failures");
    double head = here_figure(w->json, "head", "ace_failures");
    struct an_counted counted;
    if (!(base >= 0 && head >= 0 && base < 0x1p53 && head < 0x1p53))
        return;
    const uint64_t b = (uint64_t)base, h = (uint64_t)head;
    if (an_counter_exact(&b, &h, NULL, 1, AN_LOWER, &counted))
        add_counted(w, "ace_failures", &counted);
}

static void show(struct here_workload *w, const struct hp_metric *row, bool layouts)
{
    double ratio[HERE_PAIRS];
    uint32_t layout[HERE_PAIRS];
    struct an_estimate e;
    size_t n = ratios(w->json, row->name, ratio, layout);
    if (n < SHOWN_PAIRS ||
        !an_estimate_pairs(ratio, layouts ? layout : NULL, n, SHOWN_CRITICAL, 0, &e) ||
        !isfinite(e.low) || !isfinite(e.high))
        return;
    struct here_metric *m = add(w, row->name);
    if (!m)
        return;
    m->is_log = true;
    m->base = median_of(w->json, "base", row->name);
    m->head = median_of(w->json, "head", row->name);
    m->estimate = e.estimate;
    m->low = e.low;
    m->high = e.high;
    m->p = erfc(fabs(e.z) / sqrt(2));
    m->outcome =
        an_judge(&e, row->better == HP_BETTER_HIGHER ? AN_HIGHER : AN_LOWER, log1p(AN_MARGIN));
}

/* The runner's own decision of the time, which the samples gave it by the same code. */
static bool read_time(struct here_workload *w, double critical)
{
    const json_t *decision = json_object_get(w->json, "decision");
    const char *size = hp_json_string(decision, "size", "");
    struct here_metric *m = add(w, HP_METRIC_PRIMARY);
    if (!json_is_object(decision) ||
        !an_verdict_parse(hp_json_string(decision, "verdict", ""), &m->outcome.verdict))
        return false;
    m->outcome.size = strcmp(size, "small") == 0      ? AN_SMALL
                      : strcmp(size, "relevant") == 0 ? AN_RELEVANT
                                                      : AN_SIZE_NONE;
    m->gates = m->is_log = true;
    m->base = median_of(w->json, "base", m->name);
    m->head = median_of(w->json, "head", m->name);
    m->estimate = hp_json_number(decision, "estimate", 0);
    m->low = hp_json_number(decision, "low", 0);
    m->high = hp_json_number(decision, "high", 0);
    double ratio[HERE_PAIRS], sd = hp_json_number(json_object_get(w->json, "plan"), "layout_sd", 0);
    uint32_t layout[HERE_PAIRS];
    size_t n = ratios(w->json, m->name, ratio, layout);
    return an_estimate_pairs(ratio, sd > 0 ? NULL : layout, n, critical, sd, &w->time);
}

void here_judge(const json_t *workload, bool threads, double critical, struct here_workload *out)
{
    struct an_outcome counted[HERE_METRICS];
    int decided = -1;
    bool layouts = hp_json_number(json_object_get(workload, "plan"), "layout_sd", 0) <= 0;
    *out = (struct here_workload){.json = workload, .outcome = {AN_FAILED, AN_SIZE_NONE}};
    if (!read_time(out, critical))
        return;
    out->estimated = true;
    gate_share(out, critical);
    if (!threads)
        gate_failures(out);
    for (size_t i = 1; i < out->n_metrics; i++)
        counted[i - 1] = out->metrics[i].outcome;
    out->outcome = an_gate(out->metrics[0].outcome, counted, out->n_metrics - 1, &decided);
    out->decided_by = decided < 0 ? 0 : (size_t)decided + 1;
    for (const struct hp_metric *m = hp_metrics; m->name; m++)
        if (m->sampled && m->better != HP_BETTER_NEITHER && strcmp(m->name, HP_METRIC_PRIMARY) != 0)
            show(out, m, layouts);
}

void here_adjust(struct here_workload *workloads, size_t n)
{
    double *p = calloc(n * HERE_METRICS + 1, sizeof *p);
    size_t count = 0, at = 0;
    for (size_t w = 0; p && w < n; w++)
        for (size_t i = 0; i < workloads[w].n_metrics; i++)
            if (!workloads[w].metrics[i].gates)
                p[count++] = workloads[w].metrics[i].p;
    bool ok = p && count > 0 && an_benjamini_hochberg(p, count, p);
    for (size_t w = 0; ok && w < n; w++)
        for (size_t i = 0; i < workloads[w].n_metrics; i++)
            if (!workloads[w].metrics[i].gates)
                workloads[w].metrics[i].p = p[at++];
    free(p);
}
