/*
 * What of a workload is judged beside its time: the kernel's share and ACE failures, which gate
 * with it, and everything else that was sampled in pairs, which is only shown where it stands out.
 */
#include "collector/ingest_internal.h"

#include "analysis/checks.h"
#include "analysis/counter.h"
#include "common/json.h"
#include "common/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Between these the interval of a metric that is only shown lies: 99 %. */
#define SHOWN_CRITICAL 2.576

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

static double figure_of(const json_t *workload, const char *arm, const char *metric)
{
    size_t i;
    json_t *m;
    json_array_foreach (json_object_get(workload, "measurements"), i, m) {
        if (strcmp(hp_json_string(m, "arm", ""), arm) == 0 &&
            strcmp(hp_json_string(m, "metric", ""), metric) == 0)
            return hp_json_number(m, "value", NAN);
    }
    return NAN;
}

static struct ingest_metric *add(struct ingest_workload *w, const char *metric)
{
    if (w->n_metrics == INGEST_METRICS)
        return NULL;
    struct ingest_metric *m = &w->metrics[w->n_metrics++];
    *m = (struct ingest_metric){.name = metric, .p = NAN};
    return m;
}

static void set_counted(struct ingest_metric *m, const struct an_counted *c, size_t n)
{
    m->gates = true;
    m->outcome = c->outcome;
    m->base = c->base;
    m->head = c->head;
    m->estimate = c->head - c->base;
    /* Rounding must not put the estimate outside its own bounds. */
    m->low = fmin(c->low, m->estimate);
    m->high = fmax(c->high, m->estimate);
    m->n = n;
}

/* The times in user and kernel mode of one arm as samples; false where they were not recorded. */
static bool share_of(const json_t *workload, const char *arm, struct an_samples *out)
{
    double user[INGEST_PAIRS], kernel[INGEST_PAIRS];
    const json_t *users = set_of(workload, arm, "user_cpu");
    const json_t *kernels = set_of(workload, arm, "system_cpu");
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (users, i, value) {
        const json_t *other = json_array_get(kernels, i);
        if (n == INGEST_PAIRS || !json_is_number(value) || !json_is_number(other))
            continue;
        user[n] = json_number_value(value);
        kernel[n++] = json_number_value(other);
    }
    return an_share_samples(user, kernel, n, out);
}

static void gate_share(struct ingest_workload *w, double critical)
{
    struct an_samples base, head;
    struct an_counted counted;
    if (!share_of(w->json, "base", &base) || !share_of(w->json, "head", &head) ||
        !an_kernel_share(base, head, critical, &counted))
        return;
    struct ingest_metric *m = add(w, "kernel_share");
    if (m)
        set_counted(m, &counted, (size_t)(base.all < head.all ? base.all : head.all));
}

/* One long execution an arm, with the same seed: exact where one thread runs. With threads the
 * number varies, and one execution cannot tell by how much: it is told and does not gate. */
static void gate_failures(struct ingest_workload *w, bool threads)
{
    double base = figure_of(w->json, "base", "ace_failures");
    double head = figure_of(w->json, "head", "ace_failures");
    struct an_counted counted;
    if (threads || !(base >= 0 && head >= 0 && base < 0x1p53 && head < 0x1p53))
        return;
    const uint64_t b = (uint64_t)base, h = (uint64_t)head;
    if (!an_counter_exact(&b, &h, NULL, 1, AN_LOWER, &counted))
        return;
    struct ingest_metric *m = add(w, "ace_failures");
    if (m)
        set_counted(m, &counted, 1);
}

/* ln(head/base) of the pairs that have both, their values positive. */
static size_t ratios(const json_t *workload, const char *metric, double *ratio, uint32_t *layout)
{
    const json_t *base = set_of(workload, "base", metric);
    const json_t *head = set_of(workload, "head", metric);
    const json_t *layouts = json_object_get(json_object_get(workload, "pairs"), "layout");
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (head, i, value) {
        double h = json_number_value(value), b = json_number_value(json_array_get(base, i));
        if (n == INGEST_PAIRS || !(h > 0 && b > 0))
            continue;
        layout[n] = (uint32_t)json_integer_value(json_array_get(layouts, i));
        ratio[n++] = log(h / b);
    }
    return n;
}

static void show(struct ingest_workload *w, const char *name, enum an_better better, bool layouts)
{
    double ratio[INGEST_PAIRS];
    uint32_t layout[INGEST_PAIRS];
    struct an_estimate e;
    size_t n = ratios(w->json, name, ratio, layout);
    if (n < 32 || !an_estimate_pairs(ratio, layouts ? layout : NULL, n, SHOWN_CRITICAL, 0, &e) ||
        !isfinite(e.low) || !isfinite(e.high))
        return;
    struct ingest_metric *m = add(w, name);
    if (!m)
        return;
    m->is_log = true;
    m->estimate = e.estimate;
    m->low = e.low;
    m->high = e.high;
    m->z = e.z;
    m->n = e.n;
    m->p = erfc(fabs(e.z) / sqrt(2));
    m->outcome = an_judge(&e, better, log1p(AN_MARGIN));
}

/* Everything that was sampled in pairs and does not gate. */
static void show_others(struct ingest_workload *w, bool layouts)
{
    for (const struct hp_metric *m = hp_metrics; m->name; m++) {
        bool gate = strcmp(m->name, HP_METRIC_PRIMARY) == 0;
        if (m->sampled && !gate && m->better != HP_BETTER_NEITHER)
            show(w, m->name, m->better == HP_BETTER_HIGHER ? AN_HIGHER : AN_LOWER, layouts);
    }
}

void ingest_gate(struct ingest_workload *w, bool threads, double critical)
{
    struct an_outcome counted[INGEST_METRICS];
    bool layouts = hp_json_number(json_object_get(w->json, "plan"), "layout_sd", 0) <= 0;
    gate_share(w, critical);
    gate_failures(w, threads);
    for (size_t i = 0; i < w->n_metrics; i++)
        counted[i] = w->metrics[i].outcome;
    w->outcome = an_gate(w->timed, counted, w->n_metrics, &w->decided_by);
    show_others(w, layouts);
}

bool ingest_adjust(struct ingest_run *run, struct hp_error *err)
{
    double *p = calloc(run->n * INGEST_METRICS + 1, sizeof *p);
    size_t n = 0, at = 0;
    if (!p)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    for (size_t w = 0; w < run->n; w++)
        for (size_t i = 0; i < run->workloads[w].n_metrics; i++)
            if (!run->workloads[w].metrics[i].gates)
                p[n++] = run->workloads[w].metrics[i].p;
    bool ok = n == 0 || an_benjamini_hochberg(p, n, p);
    for (size_t w = 0; ok && w < run->n; w++)
        for (size_t i = 0; i < run->workloads[w].n_metrics; i++)
            if (!run->workloads[w].metrics[i].gates)
                run->workloads[w].metrics[i].p = p[at++];
    free(p);
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}
