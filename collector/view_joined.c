/*
 * Two revisions that no run put side by side: joined through the reference that takes part in every
 * run of an epoch (the suite's, or else the control), or along the parents between them, whichever
 * is tighter, with the error of all parts carried along. Pure but for the one statement that
 * fetches the parts.
 */
#include "collector/view_internal.h"

#include "analysis/chain.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/telling/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The critical value of the intervals of a run, and of those of medians, which hold 95 %. */
#define RUN_CRITICAL 3.70
#define MEDIAN_CRITICAL 1.959964

/* What joins the two for one workload. */
struct joint {
    const char *way; /* "reference" or "parents"; NULL: nothing does */
    struct an_estimate estimate;
    double margin; /* log ratio */
    size_t steps;  /* of "parents" */
    const char
        *bridge; /* of "reference": the commit that joins the epochs; NULL: it is one epoch */
};

static const char *text(const json_t *object, const char *key)
{
    return hp_json_string(object, key, "");
}

/* --- along the parents --------------------------------------------------------------------------
 */

/* The step of one commit, downwards on the base's side; false where it was not measured. */
static bool read_step(const json_t *step, const char *workload, struct an_estimate *out,
                      double *margin)
{
    const json_t *w = json_object_get(json_object_get(step, "workloads"), workload);
    double sign = hp_json_number(step, "sign", 1);
    if (hp_json_bool(step, "same", false)) {
        *out = (struct an_estimate){.n = SIZE_MAX};
        return true;
    }
    if (!w)
        return false;
    double low = hp_json_number(w, "low", -INFINITY), high = hp_json_number(w, "high", INFINITY);
    *margin = hp_json_number(w, "margin", AN_MARGIN);
    *out = (struct an_estimate){.n = (size_t)hp_json_int(w, "pairs", 0),
                                .estimate = sign * hp_json_number(w, "estimate", NAN),
                                .low = sign > 0 ? low : -high,
                                .high = sign > 0 ? high : -low};
    return true;
}

static bool along_parents(const json_t *found, const char *workload, struct joint *out)
{
    const json_t *steps = json_object_get(found, "steps");
    size_t n = json_array_size(steps), i;
    double margin = AN_MARGIN;
    const json_t *step;
    if (!hp_json_bool(found, "met", false) || n == 0)
        return false;
    HP_FREE struct an_estimate *part = calloc(n, sizeof *part);
    bool ok = part != NULL;
    json_array_foreach (steps, i, step) {
        ok = ok && read_step(step, workload, &part[i], &margin);
    }
    if (!ok || !an_chain(part, n, RUN_CRITICAL, &out->estimate) || !isfinite(out->estimate.low) ||
        !isfinite(out->estimate.high))
        return false;
    out->way = "parents";
    out->margin = log1p(margin);
    out->steps = n;
    return true;
}

/* --- through the reference ----------------------------------------------------------------------
 */

/* One side against the reference, its interval at the critical value of runs; what a build owes to
 * its code layout is added where the layouts were not averaged over. */
static struct an_estimate against_reference(const json_t *point)
{
    double half = hp_json_number(point, "half", NAN) * RUN_CRITICAL / MEDIAN_CRITICAL;
    double layout = hp_json_number(point, "layout_sd", 0) * RUN_CRITICAL;
    double ratio = hp_json_number(point, "ratio", NAN), all = sqrt(half * half + layout * layout);
    return (struct an_estimate){.n = (size_t)hp_json_int(point, "n", 0),
                                .estimate = ratio,
                                .low = ratio - all,
                                .high = ratio + all};
}

static bool is_point(const json_t *point, const char *side, const char *workload)
{
    return strcmp(text(point, "side"), side) == 0 && strcmp(text(point, "workload"), workload) == 0;
}

/* Only within an epoch, and of one definition of the workload, is the reference the same. */
static bool share_reference(const json_t *a, const json_t *b)
{
    return hp_json_int(a, "epoch", -1) == hp_json_int(b, "epoch", -2) &&
           hp_json_int(a, "id", -1) == hp_json_int(b, "id", -2) &&
           strcmp(text(a, "reference"), text(b, "reference")) == 0;
}

static bool through_reference(const json_t *found, const char *workload, struct joint *out)
{
    const json_t *points = json_object_get(found, "points"), *b, *h;
    size_t i, k;
    out->way = NULL;
    json_array_foreach (points, i, b) {
        if (!is_point(b, "base", workload))
            continue;
        json_array_foreach (points, k, h) {
            struct an_estimate base = against_reference(b), head = against_reference(h), joined;
            if (!is_point(h, "head", workload) || !share_reference(b, h) ||
                !an_through_reference(&base, &head, RUN_CRITICAL, &joined))
                continue;
            if (out->way && an_tighter(&out->estimate, &joined) == &out->estimate)
                continue;
            *out = (struct joint){.way = "reference",
                                  .estimate = joined,
                                  .margin = log1p(hp_json_number(h, "margin", AN_MARGIN))};
        }
    }
    return out->way != NULL;
}

/* The tightest of what joins point `to` to a side within its epoch. */
static bool to_side(const json_t *points, const char *side, const char *workload, const json_t *to,
                    struct an_estimate *out)
{
    struct an_estimate there = against_reference(to), joined;
    bool any = false;
    size_t i;
    const json_t *p;
    json_array_foreach (points, i, p) {
        struct an_estimate here = against_reference(p);
        bool base = strcmp(side, "base") == 0;
        if (!is_point(p, side, workload) || !share_reference(p, to) ||
            !an_through_reference(base ? &here : &there, base ? &there : &here, RUN_CRITICAL,
                                  &joined) ||
            (any && an_tighter(out, &joined) == out))
            continue;
        *out = joined;
        any = true;
    }
    return any;
}

/* From the base to a commit that was measured in its epoch, and from the same commit, measured once
 * more in the head's epoch, to the head. */
static bool over_a_bridge(const json_t *found, const char *workload, struct joint *out)
{
    const json_t *points = json_object_get(found, "points"), *b, *h;
    struct an_estimate part[2], joined;
    size_t i, k;
    out->way = NULL;
    json_array_foreach (points, i, b) {
        if (!is_point(b, "bridge", workload) || !to_side(points, "base", workload, b, &part[0]))
            continue;
        json_array_foreach (points, k, h) {
            if (!is_point(h, "bridge", workload) || strcmp(text(b, "sha"), text(h, "sha")) != 0 ||
                hp_json_int(b, "epoch", -1) == hp_json_int(h, "epoch", -1) ||
                !to_side(points, "head", workload, h, &part[1]) ||
                !an_chain(part, 2, RUN_CRITICAL, &joined) ||
                (out->way && an_tighter(&out->estimate, &joined) == &out->estimate))
                continue;
            *out = (struct joint){.way = "reference",
                                  .estimate = joined,
                                  .margin = log1p(hp_json_number(h, "margin", AN_MARGIN)),
                                  .bridge = text(h, "sha")};
        }
    }
    return out->way != NULL;
}

static bool join(const json_t *found, const char *workload, struct joint *out)
{
    struct joint reference = {0}, parents = {0};
    bool a = through_reference(found, workload, &reference) ||
             over_a_bridge(found, workload, &reference);
    bool b = along_parents(found, workload, &parents);
    if (!a && !b)
        return false;
    *out = !a || (b && an_tighter(&parents.estimate, &reference.estimate) == &parents.estimate)
               ? parents
               : reference;
    return true;
}

/* --- the document -------------------------------------------------------------------------------
 */

static json_t *value_of(const json_t *found, const char *workload, const char *metric,
                        const char *side)
{
    size_t i;
    json_t *v;
    json_array_foreach (json_object_get(found, "values"), i, v) {
        if (strcmp(text(v, "workload"), workload) == 0 && strcmp(text(v, "metric"), metric) == 0 &&
            strcmp(text(v, "side"), side) == 0)
            return json_incref(json_object_get(v, "median"));
    }
    return json_null();
}

static json_t *both_values(const json_t *found, const char *workload, const char *metric)
{
    return json_pack("{s:o, s:o}", "base", value_of(found, workload, metric, "base"), "head",
                     value_of(found, workload, metric, "head"));
}

/* {"metric", "unit", "better"} of what decides a workload. */
static const json_t *metric_of(const json_t *found, const char *workload)
{
    return json_object_get(json_object_get(found, "metrics"), workload);
}

static json_t *workload_json(const json_t *found, const char *name, const struct joint *j,
                             struct an_outcome outcome)
{
    const struct an_estimate *e = &j->estimate;
    const json_t *decides = metric_of(found, name);
    const char *metric_name = text(decides, "metric");
    json_t *how = json_pack("{s:s, s:b}", "way", j->way, "tight", an_is_tight(e, j->margin));
    if (j->bridge)
        json_object_set_new(how, "bridge", json_sprintf("%.7s", j->bridge));
    if (strcmp(j->way, "parents") == 0)
        json_object_set_new(how, "commits", json_integer((json_int_t)j->steps));
    json_t *metric = json_pack(
        "{s:s, s:O, s:O, s:s, s:s?, s:o, s:o, s:f, s:f, s:f, s:b, s:b, s:b}", "metric", metric_name,
        "unit", json_object_get(decides, "unit"), "better", json_object_get(decides, "better"),
        "verdict", an_verdict_name(outcome.verdict), "size", an_size_name(outcome.size),
        "base_value", value_of(found, name, metric_name, "base"), "head_value",
        value_of(found, name, metric_name, "head"), "change", expm1(e->estimate), "low",
        expm1(e->low), "high", expm1(e->high), "gates", true, "decides", true, "stands_out",
        outcome.verdict == AN_REGRESSED || outcome.verdict == AN_IMPROVED);
    json_t *w = json_copy(metric);
    json_object_del(w, "gates");
    json_object_del(w, "decides");
    json_object_del(w, "stands_out");
    json_t *rest = json_pack(
        "{s:s, s:o, s:f, s:n, s:o, s:o, s:n, s:[o], s:[], s:[], s:[], s:n, s:n, s:[], s:o}",
        "workload", name, "pairs", e->n == SIZE_MAX ? json_null() : json_integer((json_int_t)e->n),
        "detectable", expm1(e->detectable), "reason", "kernel_share",
        both_values(found, name, "kernel_share"), "ace_failures",
        both_values(found, name, "ace_failures"), "instructions", "metrics", metric, "counters",
        "syscalls", "profile", "coverage", "shipped", "configuration", "how", how);
    json_object_update(w, rest);
    json_decref(rest);
    return w;
}

/* All workloads that any part speaks of, as keys. */
static json_t *names_of(const json_t *found)
{
    json_t *names = json_object(), *part;
    size_t i;
    const char *name;
    json_t *value;
    json_array_foreach (json_object_get(found, "points"), i, part)
        json_object_set_new(names, text(part, "workload"), json_true());
    json_array_foreach (json_object_get(found, "steps"), i, part)
        json_object_foreach (json_object_get(part, "workloads"), name, value)
            json_object_set_new(names, name, json_true());
    return names;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The workloads that are joined, in order; their outcomes into `outcome`. */
static json_t *workloads_json(const json_t *found, const json_t *names, struct an_outcome *outcome,
                              bool *tight)
{
    json_t *list = json_array(), *value;
    const char **sorted = calloc(json_object_size(names) + 1, sizeof *sorted), *name;
    size_t n = 0, all = 0;
    if (!sorted)
        return list;
    json_object_foreach ((json_t *)names, name, value)
        sorted[all++] = name;
    qsort(sorted, all, sizeof *sorted, by_name);
    for (size_t i = 0; i < all; i++) {
        struct joint j;
        if (!join(found, sorted[i], &j))
            continue;
        outcome[n] =
            an_judge(&j.estimate,
                     strcmp(text(metric_of(found, sorted[i]), "better"), "lower") == 0 ? AN_LOWER
                                                                                       : AN_HIGHER,
                     j.margin);
        *tight = *tight && an_is_tight(&j.estimate, j.margin);
        json_array_append_new(list, workload_json(found, sorted[i], &j, outcome[n++]));
    }
    free(sorted);
    return list;
}

/* What joins them is wider than what the workloads ask about: measure. */
static json_t *offer(const json_t *found, bool tight)
{
    const char *base = text(json_object_get(found, "base"), "sha");
    const char *head = text(json_object_get(found, "head"), "sha");
    return tight ? json_null() : json_sprintf("hakperf compare --measure %.12s %.12s", base, head);
}

/* *out stays NULL where nothing joins the two. */
static bool document(const json_t *found, json_t **out, struct hp_error *err)
{
    bool tight = true;
    struct an_outcome all;
    HP_JSON json_t *names = names_of(found);
    HP_FREE struct an_outcome *outcome = calloc(json_object_size(names) + 1, sizeof *outcome);
    HP_JSON json_t *list = outcome ? workloads_json(found, names, outcome, &tight) : NULL;
    if (json_array_size(list) == 0 || !an_rollup(outcome, json_array_size(list), &all))
        return true;
    json_t *comparison = json_pack(
        "{s:s, s:s?, s:n, s:O, s:O, s:n, s:n, s:n, s:O, s:n, s:n, s:[], s:o, s:n, s:s, s:o}",
        "verdict", an_verdict_name(all.verdict), "size", an_size_name(all.size), "confirmation",
        "base", json_object_get(found, "base"), "head", json_object_get(found, "head"), "run",
        "reason", "coverage", "workloads", list, "machine", "sandbox", "warnings", "reproduce",
        json_sprintf("hakperf compare --measure %.12s %.12s",
                     text(json_object_get(found, "base"), "sha"),
                     text(json_object_get(found, "head"), "sha")),
        "measured", "how", "joined", "measure", offer(found, tight));
    if (!comparison || !sentence_add(comparison, err)) {
        json_decref(comparison);
        return hp_fail(err, HP_SYSTEM, "out of memory");
    }
    *out = comparison;
    return true;
}

bool view_joined(struct db_conn *conn, const char *repository, const char *base, const char *head,
                 json_t **out, struct hp_error *err)
{
    HP_JSON json_t *found = NULL;
    *out = NULL;
    return db_json(conn, "view_joined.sql", DB_PARAMS(repository, base, head), &found, err) &&
           (!found || document(found, out, err));
}
