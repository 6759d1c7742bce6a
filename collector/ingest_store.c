/* Writing a run: the document is cut into the parts that each statement takes as JSON. */
#include "collector/ingest_internal.h"

#include "analysis/median.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "common/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES 1536
#define CONFIDENCE 0.95

static bool no_memory(struct hp_error *err)
{
    return hp_fail(err, HP_SYSTEM, "out of memory");
}

/* Runs FILE with the repository, the run and JSON texts as parameters; NULL texts end the list. */
static bool run_json(struct db_conn *conn, const char *file, const struct ingest_run *run,
                     const char *third, const json_t *fourth, struct hp_error *err)
{
    HP_FREE char *text = hp_json_text(fourth);
    if (!text)
        return no_memory(err);
    return db_run(
        conn, file,
        DB_PARAMS(run->claim.repository, hp_json_string(run->result, "run", ""), third, text), NULL,
        err);
}

/* --- names ------------------------------------------------------------------------------------ */

static void add_metric(json_t *known, const char *name)
{
    if (json_object_get(known, name))
        return;
    const struct hp_metric *m = hp_metric_find(name);
    json_object_set_new(
        known, name,
        json_pack("{s:s, s:s, s:s, s:s}", "name", name, "unit", m ? m->unit : "count", "better",
                  hp_better_name(m ? m->better : HP_BETTER_NEITHER), "text", m ? m->text : ""));
}

/* Every metric of the run as an array; an object in between, so that each comes once. */
static json_t *metric_list(const struct ingest_run *run)
{
    static const char *const lists[] = {"samples", "measurements"};
    HP_JSON json_t *known = json_object();
    add_metric(known, HP_METRIC_PRIMARY);
    add_metric(known, "kernel_share");
    for (size_t w = 0; w < run->n; w++) {
        add_metric(known, run->workloads[w].metric->name);
        for (size_t l = 0; l < 2; l++) {
            size_t i;
            json_t *item;
            json_array_foreach (json_object_get(run->workloads[w].json, lists[l]), i, item) {
                add_metric(known, hp_json_string(item, "metric", ""));
            }
        }
    }
    json_t *list = json_array();
    const char *name;
    json_t *metric;
    json_object_foreach (known, name, metric) {
        json_array_append(list, metric);
    }
    return list;
}

static json_t *workload_list(const struct ingest_run *run)
{
    json_t *list = json_array();
    for (size_t i = 0; i < run->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", run->workloads[i].name, "hash",
                                              run->workloads[i].hash));
    return list;
}

static const json_t *configuration_of(const struct ingest_workload *w, const char *arm)
{
    const json_t *options = json_object_get(json_object_get(w->json, "configuration"), arm);
    return json_is_object(options) ? options : NULL;
}

static bool configuration_list(const struct ingest_run *run, json_t *list, struct hp_error *err)
{
    for (size_t i = 0; i < 2 * run->n; i++) {
        char hash[HP_HASH_TEXT];
        const json_t *options = configuration_of(&run->workloads[i / 2], i % 2 ? "base" : "head");
        if (!options)
            continue;
        if (!hp_hash_json(options, hash, err))
            return false;
        json_array_append_new(list,
                              json_pack("{s:s, s:O}", "hash", hash, "options", (json_t *)options));
    }
    return true;
}

static bool store_names(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err)
{
    HP_JSON json_t *workloads = workload_list(run);
    HP_JSON json_t *metrics = metric_list(run);
    HP_JSON json_t *configurations = json_array();
    if (!configuration_list(run, configurations, err))
        return false;
    HP_FREE char *workload_text = hp_json_text(workloads);
    HP_FREE char *metric_text = hp_json_text(metrics);
    HP_FREE char *machine_text = hp_json_text(json_object_get(run->result, "machine"));
    HP_FREE char *configuration_text = hp_json_text(configurations);
    if (!workload_text || !metric_text || !machine_text || !configuration_text)
        return no_memory(err);
    return db_run(conn, "ingest_names.sql",
                  DB_PARAMS(run->claim.repository, workload_text, metric_text, machine_text,
                            configuration_text),
                  NULL, err);
}

/* --- the run and its workloads ---------------------------------------------------------------- */

static json_t *found_json(const struct ingest_run *run)
{
    const struct ingest_claim *c = &run->claim;
    const struct ingest_workload *w =
        run->decided_by >= 0 ? &run->workloads[run->decided_by] : NULL;
    const char *status = run->voided[0] ? "failed" : hp_json_string(run->result, "status", "");
    json_t *failure = json_null();
    if (run->voided[0])
        failure = json_pack("{s:s, s:n, s:s, s:n}", "stage", "validity", "arm", "message",
                            run->voided, "log");
    return json_pack("{s:s, s:s, s:s?, s:b, s:s, s:s?, s:s?, s:o, s:s?, s:s?}", "kind", c->kind,
                     "head", c->head, "base", c->base[0] ? c->base : NULL, "against_parent",
                     c->against_parent, "status", status, "verdict",
                     run->compared ? an_verdict_name(run->outcome.verdict) : NULL, "size",
                     run->compared ? an_size_name(run->outcome.size) : NULL, "failure", failure,
                     "workload_name", w ? w->name : NULL, "workload_hash", w ? w->hash : NULL);
}

/* *stored gets the time under which the samples are kept; the caller frees it. */
static bool store_run(struct db_conn *conn, const struct ingest_run *run, char **stored,
                      struct hp_error *err)
{
    HP_JSON json_t *document = json_copy((json_t *)run->result);
    HP_JSON json_t *found = found_json(run);
    json_object_del(document, "workloads");
    /* A JSON null would not count as absent in SQL. */
    if (json_is_null(json_object_get(document, "failure")))
        json_object_del(document, "failure");
    if (json_is_null(json_object_get(found, "failure")))
        json_object_del(found, "failure");
    HP_FREE char *document_text = hp_json_text(document);
    HP_FREE char *found_text = hp_json_text(found);
    if (!document_text || !found_text)
        return no_memory(err);
    DB_RESULT PGresult *result = db_query(
        conn, "ingest_run.sql", DB_PARAMS(run->claim.repository, document_text, found_text), err);
    if (!result)
        return false;
    *stored = strdup(db_text(result, 0, 0));
    return *stored || no_memory(err);
}

/* What of a workload goes into run_workload: all but its figures. */
static bool executed_json(const struct ingest_workload *w, json_t *list, struct hp_error *err)
{
    char head[HP_HASH_TEXT] = "", base[HP_HASH_TEXT] = "";
    const json_t *head_options = configuration_of(w, "head");
    const json_t *base_options = configuration_of(w, "base");
    if ((head_options && !hp_hash_json(head_options, head, err)) ||
        (base_options && !hp_hash_json(base_options, base, err)))
        return false;
    json_t *item = json_pack(
        "{s:s, s:s, s:s, s:O, s:O, s:O, s:s?, s:s?}", "name", w->name, "hash", w->hash, "metric",
        w->metric->name, "status", json_object_get(w->json, "status"), "plan",
        json_object_get(w->json, "plan"), "pairs", json_object_get(w->json, "pairs"),
        "head_configuration", head[0] ? head : NULL, "base_configuration", base[0] ? base : NULL);
    json_t *failure = json_object_get(w->json, "failure");
    if (json_is_object(failure))
        json_object_set(item, "failure", failure);
    json_t *validity = json_object_get(w->json, "validity");
    if (json_is_object(validity))
        json_object_set(item, "validity", validity);
    if (w->shipped.known)
        json_object_set_new(
            item, "shipped",
            json_pack("{s:I, s:f, s:f, s:f, s:b}", "pairs", (json_int_t)w->shipped.estimate.n,
                      "estimate", w->shipped.estimate.estimate, "low", w->shipped.estimate.low,
                      "high", w->shipped.estimate.high, "suspect", w->shipped.suspect));
    return json_array_append_new(list, item) == 0 || no_memory(err);
}

static json_t *compared_json(const struct ingest_workload *w)
{
    const struct an_estimate *e = &w->estimate;
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s?, s:s?, s:I, s:o, s:o, s:o, s:o, "
                     "s:o}",
                     "name", w->name, "hash", w->hash, "metric", w->metric->name, "scale", "log",
                     "gates", true, "decides", w->decided_by < 0, "verdict",
                     an_verdict_name(w->timed.verdict), "size", an_size_name(w->timed.size),
                     "reason", w->reason[0] ? w->reason : NULL, "pairs",
                     (json_int_t)(w->estimated ? e->n : 0), "estimate",
                     hp_json_real(w->estimated ? e->estimate : (double)NAN), "low",
                     hp_json_real(w->estimated ? e->low : (double)NAN), "high",
                     hp_json_real(w->estimated ? e->high : (double)NAN), "z",
                     hp_json_real(w->estimated ? e->z : (double)NAN), "detectable",
                     hp_json_real(w->estimated ? e->detectable : (double)NAN));
}

/* A metric beside the time. */
static json_t *metric_json(const struct ingest_workload *w, size_t i)
{
    const struct hp_judged *m = &w->metrics[i];
    json_t *item = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s?, s:I, s:o, s:o, s:o, s:o}", "name", w->name,
        "hash", w->hash, "metric", m->name, "scale", m->is_log ? "log" : "difference", "gates",
        m->gates, "decides", w->decided_by == (int)i, "verdict",
        an_verdict_name(m->outcome.verdict), "size", an_size_name(m->outcome.size), "pairs",
        (json_int_t)m->n, "estimate", hp_json_real(m->estimate), "low", hp_json_real(m->low),
        "high", hp_json_real(m->high), "adjusted", hp_json_real(m->p));
    if (item && !m->is_log) {
        json_object_set_new(item, "base_value", hp_json_real(m->base));
        json_object_set_new(item, "head_value", hp_json_real(m->head));
    }
    return item;
}

static bool store_workloads(struct db_conn *conn, const struct ingest_run *run,
                            struct hp_error *err)
{
    HP_JSON json_t *executed = json_array();
    HP_JSON json_t *compared = json_array();
    for (size_t i = 0; i < run->n; i++) {
        const struct ingest_workload *w = &run->workloads[i];
        if (w->json && !executed_json(w, executed, err))
            return false;
        if (w->compared)
            json_array_append_new(compared, compared_json(w));
        for (size_t m = 0; w->compared && m < w->n_metrics; m++)
            json_array_append_new(compared, metric_json(w, m));
    }
    HP_FREE char *executed_text = hp_json_text(executed);
    if (!executed_text)
        return no_memory(err);
    return run_json(conn, "ingest_workloads.sql", run, executed_text, compared, err);
}

/* --- figures ---------------------------------------------------------------------------------- */

/* The samples as an array literal of PostgreSQL: {1,NULL,2.5}. */
static char *array_literal(const json_t *values)
{
    struct hp_buffer out = {0};
    bool ok = hp_buffer_append(&out, "{", 1);
    size_t i;
    json_t *value;
    json_array_foreach (values, i, value) {
        const char *comma = i ? "," : "";
        ok = ok && (json_is_null(value)
                        ? hp_buffer_printf(&out, "%sNULL", comma)
                        : hp_buffer_printf(&out, "%s%.17g", comma, json_number_value(value)));
    }
    if (ok && hp_buffer_append(&out, "}", 1))
        return out.data;
    hp_buffer_clear(&out);
    return NULL;
}

static json_t *figure(const struct ingest_workload *w, const json_t *item)
{
    return json_pack("{s:s, s:s, s:O, s:O}", "name", w->name, "hash", w->hash, "arm",
                     json_object_get(item, "arm"), "m", json_object_get(item, "metric"));
}

/* A sample set as its median and interval, and the samples themselves. */
static bool add_sample_set(const struct ingest_workload *w, const json_t *set, json_t *list,
                           struct hp_error *err)
{
    double value[MAX_SAMPLES], median = NAN, low = NAN, high = NAN;
    size_t n = 0, i;
    json_t *v;
    const json_t *values = json_object_get(set, "values");
    json_array_foreach (values, i, v) {
        if (json_is_number(v) && n < MAX_SAMPLES)
            value[n++] = json_number_value(v);
    }
    bool have = n > 0 && an_median(value, n, &median);
    if (have && (!an_median_interval(value, n, CONFIDENCE, &low, &high) || !isfinite(low)))
        low = high = NAN;
    HP_FREE char *literal = array_literal(values);
    json_t *item = figure(w, set);
    if (!literal || !item)
        return no_memory(err);
    json_object_set_new(item, "n", json_integer((json_int_t)n));
    json_object_set_new(item, "median", hp_json_real(median));
    json_object_set_new(item, "low", hp_json_real(low));
    json_object_set_new(item, "high", hp_json_real(high));
    if (!have)
        json_object_set_new(item, "missing", json_string("no execution gave a value"));
    json_object_set_new(item, "samples", json_string(literal));
    return json_array_append_new(list, item) == 0 || no_memory(err);
}

static bool add_measurement(const struct ingest_workload *w, const json_t *m, json_t *list,
                            struct hp_error *err)
{
    json_t *item = figure(w, m);
    if (!item)
        return no_memory(err);
    json_object_set(item, "n", json_object_get(m, "n"));
    json_object_set(item, "median", json_object_get(m, "value"));
    json_object_set(item, "missing", json_object_get(m, "missing"));
    return json_array_append_new(list, item) == 0 || no_memory(err);
}

static bool store_figures(struct db_conn *conn, const struct ingest_run *run, const char *stored,
                          struct hp_error *err)
{
    HP_JSON json_t *list = json_array();
    for (size_t w = 0; w < run->n; w++) {
        size_t i;
        json_t *item;
        json_array_foreach (json_object_get(run->workloads[w].json, "samples"), i, item) {
            if (!add_sample_set(&run->workloads[w], item, list, err))
                return false;
        }
        json_array_foreach (json_object_get(run->workloads[w].json, "measurements"), i, item) {
            if (!add_measurement(&run->workloads[w], item, list, err))
                return false;
        }
    }
    return json_array_size(list) == 0 ||
           run_json(conn, "ingest_figures.sql", run, stored, list, err);
}

bool ingest_store(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err)
{
    HP_FREE char *stored = NULL;
    return store_names(conn, run, err) && store_run(conn, run, &stored, err) &&
           store_workloads(conn, run, err) && store_figures(conn, run, stored, err) &&
           ingest_store_passes(conn, run, err);
}
