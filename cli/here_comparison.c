#include "cli/here_comparison.h"

#include "cli/here_differences.h"
#include "cli/here_judge.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/judging/beside.h"
#include "common/metrics.h"
#include "common/telling/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STANDS_OUT 0.05

static const char *text(const json_t *object, const char *key)
{
    return hp_json_string(object, key, "");
}

static json_t *both(double base, double head)
{
    return json_pack("{s:o, s:o}", "base", hp_json_real(base), "head", hp_json_real(head));
}

static json_t *size_json(enum an_size size)
{
    const char *name = an_size_name(size);
    return name ? json_string(name) : json_null();
}

/* --- workloads -----------------------------------------------------------------------------------
 */

/* Log ratios become fractions; differences are told against the base. Null where base is 0. */
static json_t *fraction(const struct hp_judged *m, double value)
{
    if (m->base == 0)
        return json_null();
    return hp_json_real(m->is_log ? expm1(value) : value / m->base);
}

static json_t *metric_json(const struct hp_judged *m)
{
    const struct hp_metric *row = hp_metric_find(m->name);
    bool changed = m->outcome.verdict == AN_REGRESSED || m->outcome.verdict == AN_IMPROVED;
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "metric",
                     m->name, "unit", row->unit, "better", hp_better_name(row->better), "verdict",
                     an_verdict_name(m->outcome.verdict), "size", size_json(m->outcome.size),
                     "base_value", hp_json_real(m->base), "head_value", hp_json_real(m->head),
                     "change", fraction(m, m->estimate), "low", fraction(m, m->low), "high",
                     fraction(m, m->high), "gates", m->gates, "stands_out",
                     m->gates ? changed : m->p <= STANDS_OUT);
}

static json_t *metrics(const struct here_workload *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->n_metrics; i++) {
        json_t *one = metric_json(&w->metrics[i]);
        json_object_set_new(one, "decides", json_boolean(i == w->decided_by));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *instructions(const json_t *workload)
{
    double base = hp_figure(workload, "base", "instructions_per_op");
    double head = hp_figure(workload, "head", "instructions_per_op");
    return isfinite(base) || isfinite(head) ? both(base, head) : json_null();
}

static json_t *figures(const char *metric, const json_t *workload)
{
    return both(hp_figure(workload, "base", metric), hp_figure(workload, "head", metric));
}

/* A workload of which nothing is known but its verdict. */
static json_t *bare_workload(const char *name, const struct hp_metric *row, enum an_verdict verdict,
                             const char *reason)
{
    return json_pack(
        "{s:s, s:s, s:n, s:s, s:s, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:s?, s:o, s:o, s:n, "
        "s:[], s:[], s:[], s:[], s:n, s:n, s:[]}",
        "workload", name, "verdict", an_verdict_name(verdict), "size", "metric", row->name, "unit",
        row->unit, "better", hp_better_name(row->better), "base_value", "head_value", "change",
        "low", "high", "pairs", "detectable", "reason", reason, "kernel_share", both(NAN, NAN),
        "ace_failures", both(NAN, NAN), "instructions", "metrics", "counters", "syscalls",
        "profile", "coverage", "shipped", "configuration");
}

static json_t *shipped_json(const struct hp_shipped *s)
{
    if (!s->known)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:I, s:b}", "change", expm1(s->estimate.estimate), "low",
                     expm1(s->estimate.low), "high", expm1(s->estimate.high), "pairs",
                     (json_int_t)s->estimate.n, "layout_suspect", s->suspect);
}

static json_t *workload_json(const struct here_workload *w)
{
    const json_t *failure = json_object_get(w->json, "failure");
    const struct hp_metric *metric = hp_primary_metric(w->json);
    json_t *out =
        bare_workload(text(w->json, "name"), metric ? metric : hp_metric_find(HP_METRIC_PRIMARY),
                      w->outcome.verdict, hp_json_string(failure, "message", NULL));
    if (!w->estimated)
        return out;
    HP_JSON json_t *decisive = metric_json(&w->metrics[w->decided_by]);
    json_object_del(decisive, "gates");
    json_object_del(decisive, "stands_out");
    json_object_update(out, decisive);
    HP_JSON json_t *more =
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pairs",
                  (json_int_t)w->time.n, "detectable", hp_json_real(expm1(w->time.detectable)),
                  "kernel_share", figures("kernel_share", w->json), "ace_failures",
                  figures("ace_failures", w->json), "instructions", instructions(w->json),
                  "metrics", metrics(w), "counters", here_differing(w->json, "counter:"),
                  "syscalls", here_differing(w->json, "syscall:"), "profile", here_profile(w->json),
                  "coverage", here_coverage(json_object_get(w->json, "coverage")), "configuration",
                  here_configuration(w->json));
    json_object_update(out, more);
    json_object_set_new(out, "shipped", shipped_json(&w->shipped));
    return out;
}

/* --- the run -------------------------------------------------------------------------------------
 */

/* Everything judged; the caller frees *out. Returns how many. */
static size_t judge_all(const struct here_run *run, const json_t *result, double critical,
                        struct here_workload **out)
{
    const json_t *list = json_object_get(result, "workloads"), *workload, *known;
    size_t n = json_array_size(list), i, k;
    *out = calloc(n + 1, sizeof **out);
    if (!*out)
        return 0;
    json_array_foreach (list, i, workload) {
        bool threads = false;
        json_array_foreach (json_object_get(run->suite, "workloads"), k, known) {
            if (strcmp(text(known, "name"), text(workload, "name")) == 0)
                threads = hp_json_int(known, "threads", 1) > 1;
        }
        here_judge(workload, threads, critical, &(*out)[i]);
    }
    here_adjust(*out, n);
    return n;
}

static bool is_relevant(struct an_outcome outcome)
{
    return outcome.verdict == AN_REGRESSED && outcome.size == AN_RELEVANT;
}

/* Whose own metric shows a relevant regression most clearly; NULL: none does. */
static const struct here_workload *clearest_of(const struct here_workload *all, size_t n)
{
    const struct here_workload *clearest = NULL;
    for (size_t i = 0; i < n; i++)
        if (is_relevant(all[i].metrics[0].outcome) &&
            (!clearest || fabs(all[i].time.z) > fabs(clearest->time.z)))
            clearest = &all[i];
    return clearest;
}

json_t *here_rounds(const struct here_run *run)
{
    HP_FREE struct here_workload *all = NULL;
    size_t n = judge_all(run, run->result, run->critical, &all);
    const struct here_workload *clearest = clearest_of(all, n);
    json_t *rounds = json_array(), *rest = json_array();
    if (clearest)
        json_array_append_new(rounds, json_pack("[s]", text(clearest->json, "name")));
    for (size_t i = 0; i < n; i++)
        if (is_relevant(all[i].outcome) && &all[i] != clearest)
            json_array_append_new(rest, json_string(text(all[i].json, "name")));
    if (json_array_size(rest) > 0)
        json_array_append(rounds, rest);
    json_decref(rest);
    return rounds;
}

/* Whether the fresh look found again what decided a workload. */
static bool found_again(const struct here_workload *first, const struct here_workload *fresh)
{
    const struct hp_judged *m = &first->metrics[first->decided_by];
    if (first->decided_by == 0)
        return an_confirms(&first->time, &fresh->time);
    for (size_t i = 0; i < fresh->n_metrics; i++)
        if (strcmp(fresh->metrics[i].name, m->name) == 0)
            return fresh->metrics[i].outcome.verdict == AN_REGRESSED;
    return false;
}

/* "confirmed", "refuted" or "unanswered"; NULL where nothing had to be confirmed. */
static const char *confirmation(const struct here_run *run, const struct here_workload *all,
                                size_t n)
{
    HP_FREE struct here_workload *fresh = NULL;
    bool any = false, found = false, needed = false;
    for (size_t i = 0; i < n; i++)
        needed = needed || is_relevant(all[i].outcome);
    if (!needed)
        return NULL;
    size_t m = run->fresh ? judge_all(run, run->fresh, run->fresh_critical, &fresh) : 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++) {
            if (!is_relevant(all[i].outcome) || !fresh[k].estimated ||
                strcmp(text(all[i].json, "name"), text(fresh[k].json, "name")) != 0)
                continue;
            any = true;
            found = found || found_again(&all[i], &fresh[k]);
        }
    return !any ? "unanswered" : found ? "confirmed" : "refuted";
}

bool here_confirmed(const struct here_run *run)
{
    HP_FREE struct here_workload *all = NULL;
    size_t n = judge_all(run, run->result, run->critical, &all);
    const char *answer = confirmation(run, all, n);
    return answer && strcmp(answer, "confirmed") == 0;
}

static struct an_outcome roll_up(const struct here_workload *all, size_t n)
{
    struct an_outcome worst = {AN_FAILED, AN_SIZE_NONE};
    struct an_outcome *each = calloc(n + 1, sizeof *each);
    for (size_t i = 0; each && i < n; i++)
        each[i] = all[i].outcome;
    bool known = each && an_rollup(each, n, &worst);
    free(each);
    return known ? worst : (struct an_outcome){AN_FAILED, AN_SIZE_NONE};
}

static json_t *commit(const json_t *result, const char *arm, const char *subject)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(result, "arms"), i, one) {
        const char *sha = hp_json_string(one, "sha", NULL);
        if (strcmp(text(one, "name"), arm) == 0 && sha)
            return json_pack("{s:s, s:o, s:o}", "sha", sha, "short", json_sprintf("%.7s", sha),
                             "subject", hp_json_bytes(subject, strlen(subject)));
    }
    return json_null();
}

static json_t *workloads(const struct here_run *run, const struct here_workload *all, size_t n,
                         bool identical)
{
    json_t *list = json_array(), *workload;
    size_t i;
    for (i = 0; i < n; i++)
        json_array_append_new(list, workload_json(&all[i]));
    json_array_foreach (json_object_get(run->suite, "workloads"), i, workload) {
        if (identical)
            json_array_append_new(list,
                                  bare_workload(text(workload, "name"), hp_suite_metric(workload),
                                                AN_IDENTICAL, NULL));
    }
    return list;
}

json_t *here_comparison(const struct here_run *run, struct hp_error *err)
{
    const json_t *result = run->result;
    HP_FREE struct here_workload *all = NULL;
    size_t n = judge_all(run, result, run->critical, &all);
    bool identical = strcmp(text(result, "status"), "identical") == 0;
    const char *confirmed = confirmation(run, all, n);
    struct an_outcome outcome =
        identical ? (struct an_outcome){AN_IDENTICAL, AN_SIZE_NONE} : roll_up(all, n);
    if (confirmed && strcmp(confirmed, "refuted") == 0)
        outcome = (struct an_outcome){AN_INCONCLUSIVE, AN_SIZE_NONE};
    json_t *out = json_pack(
        "{s:s, s:o, s:s?, s:o, s:o, s:O, s:s?, s:o, s:o, s:O, s:O, s:O, s:O, s:O, s:s, s:n}",
        "verdict", an_verdict_name(outcome.verdict), "size", size_json(outcome.size),
        "confirmation", confirmed, "base", commit(result, "base", run->base_subject), "head",
        commit(result, "head", run->head_subject), "run", json_object_get(result, "run"), "reason",
        hp_json_string(json_object_get(result, "failure"), "message", NULL), "coverage",
        here_coverage(json_object_get(result, "coverage")), "workloads",
        workloads(run, all, n, identical), "machine", json_object_get(result, "machine"), "sandbox",
        json_object_get(result, "sandbox"), "warnings", json_object_get(result, "warnings"),
        "reproduce", json_object_get(result, "reproduce"), "measured",
        json_object_get(result, "finished"), "how", "measured", "measure");
    if (out && sentence_add(out, err))
        return out;
    json_decref(out);
    if (err->code == HP_OK)
        hp_fail(err, HP_SYSTEM, "out of memory");
    return NULL;
}
