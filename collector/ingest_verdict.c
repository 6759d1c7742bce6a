/* The verdicts, from the samples and by the same code that the runner used. */
#include "collector/ingest_internal.h"

#include "common/json.h"
#include "common/metrics.h"
#include "common/wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAIRS HP_PAIRS_MOST
#define MOST_LOOKS 8
/* Compilers may order floating point alike but not the same. */
#define SAME_RELATIVE 1e-6
#define SAME_ABSOLUTE 1e-9

static bool is_same(double a, double b)
{
    return fabs(a - b) <= SAME_ABSOLUTE + SAME_RELATIVE * fabs(b);
}

/* Whether the runner's decision is the one of the samples. It has none where the interval has no
 * end, for JSON has no infinity. */
static bool agrees(const json_t *told, const struct an_decision *found, size_t pairs)
{
    const struct an_estimate *e = &found->estimate;
    if (e->n != pairs)
        return false;
    if (json_is_null(told))
        return !isfinite(e->low) || !isfinite(e->high);
    const char *size = an_size_name(found->size);
    return strcmp(hp_json_string(told, "verdict", ""), an_verdict_name(found->verdict)) == 0 &&
           strcmp(hp_json_string(told, "size", ""), size ? size : "") == 0 &&
           (size_t)hp_json_int(told, "pairs", 0) == pairs &&
           is_same(hp_json_number(told, "estimate", NAN), e->estimate) &&
           is_same(hp_json_number(told, "low", NAN), e->low) &&
           is_same(hp_json_number(told, "high", NAN), e->high);
}

/* The rules of the job; looks and *only have to outlive them. */
static struct an_plan rules_of(const json_t *asked, const json_t *plan, uint32_t looks[MOST_LOOKS],
                               uint32_t *only)
{
    struct an_plan rules =
        an_plan_standard(hp_json_number(plan, "margin", 0), hp_json_number(plan, "layout_sd", 0));
    size_t n = 0, i;
    json_t *look;
    json_array_foreach (json_object_get(asked, "looks"), i, look) {
        if (n < MOST_LOOKS)
            looks[n++] = (uint32_t)json_integer_value(look);
    }
    if (n > 0) {
        rules.looks = looks;
        rules.n_looks = n;
    }
    rules.critical = hp_json_number(asked, "critical", rules.critical);
    an_plan_limit(&rules, (uint32_t)hp_json_int(plan, "max_pairs", MAX_PAIRS), only);
    return rules;
}

/* The decision of one measured workload; arrays are of the caller, MAX_PAIRS long. */
static bool decide(const json_t *workload, const json_t *asked, double *ratio, uint32_t *layout,
                   struct an_decision *out, struct hp_error *err)
{
    const json_t *pairs = json_object_get(workload, "pairs");
    const json_t *plan = json_object_get(workload, "plan");
    const json_t *layouts = json_object_get(pairs, "layout");
    const struct hp_metric *metric = hp_primary_metric(workload); /* checked to be one */
    const json_t *first =
        hp_sample_values(workload, hp_json_string(pairs, "first", ""), metric->name);
    const json_t *second =
        hp_sample_values(workload, hp_json_string(pairs, "second", ""), metric->name);
    enum an_better better = metric->better == HP_BETTER_LOWER ? AN_LOWER : AN_HIGHER;
    size_t n = json_array_size(first);
    for (size_t i = 0; i < n; i++) {
        ratio[i] = log(json_number_value(json_array_get(first, i)) /
                       json_number_value(json_array_get(second, i)));
        layout[i] = (uint32_t)json_integer_value(json_array_get(layouts, i));
    }
    /* Pairs of one layout are one witness; as shipped, all pairs share the one layout that there
     * is, and the interval is widened instead. */
    double layout_sd = hp_json_number(plan, "layout_sd", 0);
    uint32_t looks[MOST_LOOKS], only;
    struct an_plan rules = rules_of(asked, plan, looks, &only);
    if (an_decide_run(ratio, layout_sd > 0 ? NULL : layout, n, better, &rules, out))
        return true;
    hp_fail(err, HP_INVALID, "the samples cannot be judged");
    return hp_error_path(err, "/workloads");
}

static json_int_t threads_of(const json_t *suite, const char *workload)
{
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(suite, "workloads"), i, w) {
        if (strcmp(hp_json_string(w, "name", ""), workload) == 0)
            return hp_json_int(w, "threads", 1);
    }
    return 1;
}

static bool decide_workload(struct ingest_run *run, struct ingest_workload *w, double *ratio,
                            uint32_t *layout, struct hp_error *err)
{
    const json_t *told = json_object_get(w->json, "decision");
    size_t pairs = json_array_size(hp_sample_values(w->json, "head", w->metric->name));
    if (strcmp(hp_json_string(w->json, "status", ""), "failed") == 0) {
        w->compared = true;
        w->outcome = w->timed = (struct an_outcome){AN_FAILED, AN_SIZE_NONE};
        w->decided_by = -1;
        snprintf(w->reason, sizeof w->reason, "%s",
                 hp_json_string(json_object_get(w->json, "failure"), "message", ""));
        return true;
    }
    if (!run->claim.base[0])
        return true;
    struct an_decision found;
    if (!decide(w->json, run->claim.plan, ratio, layout, &found, err))
        return false;
    w->compared = true;
    w->estimated = true;
    w->estimate = found.estimate;
    w->timed = (struct an_outcome){found.verdict, found.size};
    double critical = hp_json_number(run->claim.plan, "critical", an_plan_standard(1, 0).critical);
    w->shipped = hp_judge_shipped(w->json, &found.estimate, critical);
    ingest_gate(w, threads_of(run->claim.suite, w->name) > 1, critical);
    if (!agrees(told, &found, pairs) && !run->voided[0])
        snprintf(run->voided, sizeof run->voided,
                 "the runner decided `%s` after %lld pairs of %s, but its %zu samples say `%s` "
                 "after %zu",
                 hp_json_string(told, "verdict", "nothing"),
                 (long long)hp_json_int(told, "pairs", 0), w->name, pairs,
                 an_verdict_name(found.verdict), found.estimate.n);
    return true;
}

/* Every workload of the suite, where the artifacts were the same and nothing was executed. */
static bool list_suite(struct ingest_run *run, struct hp_error *err)
{
    const json_t *suite = run->claim.suite;
    const json_t *list = json_object_get(suite, "workloads");
    for (size_t i = 0; i < run->n; i++) {
        const json_t *workload = json_array_get(list, i);
        if (!hp_workload_hash(suite, workload, run->hashes[i], err))
            return false;
        run->workloads[i] = (struct ingest_workload){.name = hp_json_string(workload, "name", ""),
                                                     .hash = run->hashes[i],
                                                     .metric = hp_suite_metric(workload),
                                                     .compared = true,
                                                     .decided_by = -1,
                                                     .timed = {AN_IDENTICAL, AN_SIZE_NONE},
                                                     .outcome = {AN_IDENTICAL, AN_SIZE_NONE}};
    }
    return true;
}

static bool list_result(struct ingest_run *run, struct hp_error *err)
{
    double *ratio = calloc(MAX_PAIRS, sizeof *ratio);
    uint32_t *layout = calloc(MAX_PAIRS, sizeof *layout);
    bool ok = ratio && layout;
    if (!ok)
        hp_fail(err, HP_SYSTEM, "out of memory");
    for (size_t i = 0; ok && i < run->n; i++) {
        struct ingest_workload *w = &run->workloads[i];
        w->json = json_array_get(json_object_get(run->result, "workloads"), i);
        w->name = hp_json_string(w->json, "name", "");
        w->hash = hp_json_string(w->json, "hash", "");
        w->metric = hp_primary_metric(w->json); /* checked to be one */
        ok = decide_workload(run, w, ratio, layout, err);
    }
    free(ratio);
    free(layout);
    return ok;
}

/* A void run says nothing about any workload. */
static void make_void(struct ingest_run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        run->workloads[i].outcome = run->workloads[i].timed =
            (struct an_outcome){AN_FAILED, AN_SIZE_NONE};
        run->workloads[i].n_metrics = 0;
        run->workloads[i].decided_by = -1;
        snprintf(run->workloads[i].reason, sizeof run->workloads[i].reason, "%s", run->voided);
    }
}

/* The verdict of all, and which workload it came from: of several, the largest change. */
static bool roll_up(struct ingest_run *run, struct hp_error *err)
{
    struct an_outcome *all = calloc(run->n + 1, sizeof *all);
    size_t n = 0;
    if (!all)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    for (size_t i = 0; i < run->n; i++)
        if (run->workloads[i].compared)
            all[n++] = run->workloads[i].outcome;
    run->compared = an_rollup(all, n, &run->outcome);
    free(all);
    double largest = -1;
    for (size_t i = 0; run->compared && i < run->n; i++) {
        const struct ingest_workload *w = &run->workloads[i];
        double change = w->estimated ? fabs(w->estimate.estimate) : 0;
        if (w->compared && w->outcome.verdict == run->outcome.verdict &&
            w->outcome.size == run->outcome.size && change > largest) {
            largest = change;
            run->decided_by = (int)i;
        }
    }
    return true;
}

bool ingest_decide(struct ingest_run *run, struct hp_error *err)
{
    const char *status = hp_json_string(run->result, "status", "");
    bool identical = strcmp(status, "identical") == 0;
    const json_t *list = json_object_get(identical ? run->claim.suite : run->result, "workloads");
    run->n = json_array_size(list);
    run->decided_by = -1;
    run->workloads = calloc(run->n + 1, sizeof *run->workloads);
    run->hashes = calloc(run->n + 1, sizeof *run->hashes);
    if (!run->workloads || !run->hashes)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (identical ? !list_suite(run, err) : !list_result(run, err))
        return false;
    if (run->voided[0])
        make_void(run);
    if (!ingest_adjust(run, err))
        return false;
    if (!roll_up(run, err))
        return false;
    if (strcmp(status, "failed") == 0 || run->voided[0]) {
        run->compared = true;
        run->outcome = (struct an_outcome){AN_FAILED, AN_SIZE_NONE};
    }
    return true;
}

void ingest_run_clear(struct ingest_run *run)
{
    json_decref(run->claim.suite);
    json_decref(run->claim.plan);
    free(run->workloads);
    free(run->hashes);
    *run = (struct ingest_run){0};
}
