#include "cli/here_judge.h"

#include "analysis/median.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t numbers(const json_t *list, double *out)
{
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (list, i, value) {
        if (n < HP_PAIRS_MOST && json_is_number(value))
            out[n++] = json_number_value(value);
    }
    return n;
}

static double median_of(const json_t *workload, const char *arm, const char *metric)
{
    double value[HP_PAIRS_MOST], median;
    size_t n = numbers(hp_sample_values(workload, arm, metric), value);
    return n > 0 && an_median(value, n, &median) ? median : (double)NAN;
}

/* The runner's own decision of the time, which the samples gave it by the same code. */
static bool read_time(struct here_workload *w, double critical)
{
    const json_t *decision = json_object_get(w->json, "decision");
    const char *size = hp_json_string(decision, "size", "");
    struct hp_judged *m = &w->metrics[0];
    w->n_metrics = 1;
    const struct hp_metric *primary = hp_primary_metric(w->json);
    *m = (struct hp_judged){
        .name = primary ? primary->name : HP_METRIC_PRIMARY, .base = NAN, .head = NAN, .p = NAN};
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
    double ratio[HP_PAIRS_MOST],
        sd = hp_json_number(json_object_get(w->json, "plan"), "layout_sd", 0);
    uint32_t layout[HP_PAIRS_MOST];
    size_t n = hp_pair_ratios(w->json, m->name, ratio, layout);
    return an_estimate_pairs(ratio, sd > 0 ? NULL : layout, n, critical, sd, &w->time);
}

void here_judge(const json_t *workload, bool threads, double critical, struct here_workload *out)
{
    struct an_counted_gate gates[HP_BESIDE_MOST];
    size_t n_gates = 0;
    int decided = -1;
    *out = (struct here_workload){.json = workload, .outcome = {AN_FAILED, AN_SIZE_NONE}};
    if (!read_time(out, critical))
        return;
    out->estimated = true;
    out->shipped = hp_judge_shipped(workload, &out->time, critical);
    out->n_metrics += hp_judge_beside(workload, threads, critical, &out->metrics[1]);
    for (size_t i = 1; i < out->n_metrics; i++) {
        struct hp_judged *m = &out->metrics[i];
        if (m->gates)
            gates[n_gates++] = (struct an_counted_gate){m->outcome, m->excusable};
        if (m->is_log) {
            m->base = median_of(workload, "base", m->name);
            m->head = median_of(workload, "head", m->name);
        }
    }
    out->outcome = an_gate(out->metrics[0].outcome, gates, n_gates, &decided);
    out->decided_by = decided < 0 ? 0 : (size_t)decided + 1;
}

void here_adjust(struct here_workload *workloads, size_t n)
{
    HP_FREE struct hp_judged **shown = calloc(n * HP_BESIDE_MOST + 1, sizeof(struct hp_judged *));
    size_t count = 0;
    for (size_t w = 0; shown && w < n; w++)
        for (size_t i = 0; i < workloads[w].n_metrics; i++)
            if (!workloads[w].metrics[i].gates)
                shown[count++] = &workloads[w].metrics[i];
    if (shown)
        hp_judged_adjust(shown, count);
}
