/* What the untimed passes of a run found out: coverage, profiles, memory over time. */
#include "collector/ingest_internal.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

static bool invalid(struct hp_error *err, const char *path, const char *message)
{
    hp_fail(err, HP_INVALID, "%s", message);
    return hp_error_path(err, "%s", path);
}

/* --- sense ------------------------------------------------------------------------------------ */

static bool same_function(const json_t *a, const json_t *b)
{
    return hp_json_int(a, "line", 0) == hp_json_int(b, "line", -1) &&
           strcmp(hp_json_string(a, "name", ""), hp_json_string(b, "name", "")) == 0 &&
           strcmp(hp_json_string(a, "file", ""), hp_json_string(b, "file", "")) == 0;
}

static bool check_functions(const json_t *functions, const char *path, struct hp_error *err)
{
    size_t i, k;
    json_t *f;
    json_array_foreach (functions, i, f) {
        if (!hp_json_bool(f, "executed", false) && hp_json_int(f, "calls", 0) > 0)
            return invalid(err, path, "a function that was called was executed");
        for (k = 0; k < i; k++)
            if (same_function(json_array_get(functions, k), f))
                return invalid(err, path, "a function is there twice");
    }
    return true;
}

bool ingest_check_coverage(const json_t *coverage, const char *path, struct hp_error *err)
{
    const json_t *lines = json_object_get(coverage, "lines");
    const json_t *functions = json_object_get(coverage, "functions");
    if (!json_is_object(coverage))
        return true;
    if (json_is_object(lines) == json_is_string(json_object_get(coverage, "missing")))
        return invalid(err, path, "a reason is needed exactly where nothing is known");
    if (!json_is_object(lines) && json_array_size(functions) > 0)
        return invalid(err, path, "functions, though nothing is known");
    int64_t code = hp_json_int(lines, "code", 0);
    if (code > hp_json_int(lines, "changed", 0) || hp_json_int(lines, "executed", 0) > code)
        return invalid(err, path, "more lines executed than code, or more code than changed");
    return check_functions(functions, path, err);
}

static bool has_arm(const json_t *result, const char *name)
{
    size_t i;
    json_t *arm;
    json_array_foreach (json_object_get(result, "arms"), i, arm) {
        if (strcmp(hp_json_string(arm, "name", ""), name) == 0)
            return true;
    }
    return false;
}

/* Every item has an arm of the run, none has it twice, and a reason stands where there is nothing.
 */
static bool check_arms_of(const json_t *result, const json_t *list, const char *what,
                          const char *path, struct hp_error *err)
{
    size_t i, k;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *arm = hp_json_string(item, "arm", "");
        const json_t *value = json_object_get(item, what);
        bool nothing = json_is_array(value) ? json_array_size(value) == 0 : json_is_null(value);
        if (!has_arm(result, arm))
            return invalid(err, path, "the run has no such arm");
        for (k = 0; k < i; k++)
            if (strcmp(hp_json_string(json_array_get(list, k), "arm", ""), arm) == 0)
                return invalid(err, path, "the arm is there twice");
        if (nothing != json_is_string(json_object_get(item, "missing")))
            return invalid(err, path, "a reason is needed exactly where there is nothing");
    }
    return true;
}

bool ingest_check_passes(const json_t *result, const json_t *workload, size_t w,
                         struct hp_error *err)
{
    char path[3][64];
    const json_t *rss = json_object_get(workload, "rss");
    size_t i;
    json_t *item;
    snprintf(path[0], sizeof path[0], "/workloads/%zu/coverage", w);
    snprintf(path[1], sizeof path[1], "/workloads/%zu/profiles", w);
    snprintf(path[2], sizeof path[2], "/workloads/%zu/rss", w);
    json_array_foreach (rss, i, item) {
        if (json_array_size(json_object_get(item, "seconds")) !=
            json_array_size(json_object_get(item, "kib")))
            return invalid(err, path[2], "as many times as values are needed");
    }
    return ingest_check_coverage(json_object_get(workload, "coverage"), path[0], err) &&
           check_arms_of(result, json_object_get(workload, "profiles"), "folded", path[1], err) &&
           check_arms_of(result, rss, "kib", path[2], err);
}

/* --- storing ---------------------------------------------------------------------------------- */

static void add_coverage(json_t *list, const char *name, const char *hash, const json_t *coverage)
{
    if (json_is_object(coverage))
        json_array_append_new(list, json_pack("{s:s?, s:s?, s:O}", "name", name, "hash", hash,
                                              "coverage", (json_t *)coverage));
}

/* Copies of the items, each with the workload that it belongs to. */
static void add_items(json_t *list, const struct ingest_workload *w, const char *key)
{
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(w->json, key), i, item) {
        json_t *copy = json_copy(item);
        json_object_set_new(copy, "name", json_string(w->name));
        json_object_set_new(copy, "hash", json_string(w->hash));
        json_array_append_new(list, copy);
    }
}

bool ingest_store_passes(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err)
{
    HP_JSON json_t *coverage = json_array();
    HP_JSON json_t *profiles = json_array();
    HP_JSON json_t *rss = json_array();
    const char *id = hp_json_string(run->result, "run", "");
    add_coverage(coverage, NULL, NULL, json_object_get(run->result, "coverage"));
    for (size_t i = 0; i < run->n; i++) {
        const struct ingest_workload *w = &run->workloads[i];
        add_coverage(coverage, w->name, w->hash, json_object_get(w->json, "coverage"));
        add_items(profiles, w, "profiles");
        add_items(rss, w, "rss");
    }
    HP_FREE char *coverage_text = hp_json_text(coverage);
    HP_FREE char *profile_text = hp_json_text(profiles);
    HP_FREE char *rss_text = hp_json_text(rss);
    if (!coverage_text || !profile_text || !rss_text)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return (json_array_size(coverage) == 0 ||
            db_run(conn, "ingest_coverage.sql", DB_PARAMS(run->claim.repository, id, coverage_text),
                   NULL, err)) &&
           (json_array_size(profiles) + json_array_size(rss) == 0 ||
            db_run(conn, "ingest_profiles.sql",
                   DB_PARAMS(run->claim.repository, id, profile_text, rss_text), NULL, err));
}
