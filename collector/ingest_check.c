/* What a schema cannot say: numbers that must agree with one another, and with the job. */
#include "collector/ingest_internal.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/metrics.h"
#include "common/wire.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LAYOUTS 64

static const char *text(const json_t *object, const char *key)
{
    return hp_json_string(object, key, "");
}

/* A place in the document, while it is walked through. */
struct place {
    char path[200];
};

static struct place place(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct place place(const char *format, ...)
{
    struct place p;
    va_list args;
    va_start(args, format);
    vsnprintf(p.path, sizeof p.path, format, args);
    va_end(args);
    return p;
}

static bool invalid(struct hp_error *err, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool invalid(struct hp_error *err, struct place at, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    hp_fail(err, HP_INVALID, "%s", message);
    return hp_error_path(err, "%s", at.path);
}

/* Seconds since 1970 of a time that has the right form; false where there is no such time. */
static bool parse_time(const char *value, double *out)
{
    struct tm tm = {0}, again;
    const char *rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest || (*rest != 'Z' && *rest != '.'))
        return false;
    int day = tm.tm_mday;
    time_t t = timegm(&tm);
    if (!gmtime_r(&t, &again) || again.tm_mday != day)
        return false;
    *out = (double)t + (*rest == '.' ? strtod(rest, NULL) : 0);
    return true;
}

static bool check_times(const json_t *result, struct hp_error *err)
{
    double started, finished;
    if (!parse_time(text(result, "started"), &started))
        return invalid(err, place("/started"), "there is no such time");
    if (!parse_time(text(result, "finished"), &finished))
        return invalid(err, place("/finished"), "there is no such time");
    if (finished < started)
        return invalid(err, place("/finished"), "the run ended before it started");
    return true;
}

/* The index of the element whose `key` is `value`, -1 for none. */
static int find_named(const json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
        if (strcmp(text(item, key), value) == 0)
            return (int)i;
    return -1;
}

static bool check_failure(const json_t *object, const char *failed_when, struct place at,
                          struct hp_error *err)
{
    bool failed = strcmp(text(object, "status"), failed_when) == 0;
    bool told = json_is_object(json_object_get(object, "failure"));
    if (failed && !told)
        return invalid(err, at, "it failed, but does not say why");
    if (!failed && told)
        return invalid(err, at, "it did not fail, but names a failure");
    return true;
}

static bool check_arms(const json_t *result, struct hp_error *err)
{
    const json_t *arms = json_object_get(result, "arms");
    size_t i;
    json_t *arm;
    json_array_foreach (arms, i, arm)
        if (find_named(arms, "name", text(arm, "name")) != (int)i)
            return invalid(err, place("/arms/%zu/name", i), "the arm is there twice");
    if (strcmp(text(result, "status"), "failed") != 0 && find_named(arms, "name", "head") < 0)
        return invalid(err, place("/arms"), "there is no arm `head`");
    if (strcmp(text(result, "status"), "identical") != 0)
        return true;
    const json_t *head = json_array_get(arms, (size_t)find_named(arms, "name", "head"));
    int base = find_named(arms, "name", "base");
    const char *code = text(head, "code_hash");
    if (base < 0 || !code[0] ||
        strcmp(code, text(json_array_get(arms, (size_t)base), "code_hash")) != 0)
        return invalid(err, place("/status"), "the arms are not the same code");
    return true;
}

static bool known_metric(const char *name)
{
    return hp_metric_find(name) || strncmp(name, "counter:", 8) == 0 ||
           strncmp(name, "perf:", 5) == 0 || strncmp(name, "syscall:", 8) == 0;
}

static bool same_series(const json_t *a, const json_t *b)
{
    return strcmp(text(a, "arm"), text(b, "arm")) == 0 &&
           strcmp(text(a, "metric"), text(b, "metric")) == 0;
}

static bool is_there_before(const json_t *list, size_t before, const json_t *item)
{
    for (size_t i = 0; i < before; i++)
        if (same_series(json_array_get(list, i), item))
            return true;
    return false;
}

/* One sample set: its arm is there, its metric known, every value possible, as many as pairs. */
static bool check_sample_set(const json_t *result, const json_t *workload, const json_t *set,
                             struct place at, struct hp_error *err)
{
    const json_t *pairs = json_object_get(workload, "pairs");
    const json_t *values = json_object_get(set, "values");
    const char *arm = text(set, "arm"), *metric = text(set, "metric");
    if (find_named(json_object_get(result, "arms"), "name", arm) < 0)
        return invalid(err, place("%s/arm", at.path), "the run has no arm `%s`", arm);
    if (!known_metric(metric))
        return invalid(err, place("%s/metric", at.path), "no such metric");
    bool paired = strcmp(arm, text(pairs, "first")) == 0 || strcmp(arm, text(pairs, "second")) == 0;
    bool measured = strcmp(text(workload, "status"), "measured") == 0;
    if (paired && measured && json_array_size(values) != (size_t)hp_json_int(pairs, "count", 0))
        return invalid(err, place("%s/values", at.path), "%zu values for %lld pairs",
                       json_array_size(values), (long long)hp_json_int(pairs, "count", 0));
    bool primary = strcmp(metric, hp_primary_metric(workload)->name) == 0;
    size_t i;
    json_t *value;
    json_array_foreach (values, i, value) {
        double x = json_number_value(value);
        if (json_is_null(value) ? primary && paired && measured
                                : !isfinite(x) || x < 0 || (primary && x <= 0))
            return invalid(err, place("%s/values/%zu", at.path, i), "not a possible value of %s",
                           metric);
    }
    return true;
}

static bool check_samples(const json_t *result, const json_t *workload, size_t w,
                          struct hp_error *err)
{
    const json_t *sets = json_object_get(workload, "samples");
    size_t i;
    json_t *set;
    json_array_foreach (sets, i, set) {
        struct place at = place("/workloads/%zu/samples/%zu", w, i);
        if (is_there_before(sets, i, set))
            return invalid(err, at, "the arm's metric is there twice");
        if (!check_sample_set(result, workload, set, at, err))
            return false;
    }
    return true;
}

static bool check_measurements(const json_t *result, const json_t *workload, size_t w,
                               struct hp_error *err)
{
    const json_t *list = json_object_get(workload, "measurements");
    const json_t *sets = json_object_get(workload, "samples");
    size_t i;
    json_t *m;
    json_array_foreach (list, i, m) {
        struct place at = place("/workloads/%zu/measurements/%zu", w, i);
        const json_t *value = json_object_get(m, "value");
        if (is_there_before(list, i, m) || is_there_before(sets, json_array_size(sets), m))
            return invalid(err, at, "the arm's metric is there twice");
        if (find_named(json_object_get(result, "arms"), "name", text(m, "arm")) < 0)
            return invalid(err, place("%s/arm", at.path), "the run has no such arm");
        if (!known_metric(text(m, "metric")))
            return invalid(err, place("%s/metric", at.path), "no such metric");
        if (json_is_null(value) != json_is_string(json_object_get(m, "missing")))
            return invalid(err, place("%s/missing", at.path),
                           "a reason is needed exactly where there is no value");
        if (json_is_number(value) && !isfinite(json_number_value(value)))
            return invalid(err, place("%s/value", at.path), "not a finite number");
    }
    return true;
}

static bool check_pairs(const json_t *workload, size_t w, struct hp_error *err)
{
    static const char *const lists[] = {"seed", "first_ran", "layout"};
    const json_t *pairs = json_object_get(workload, "pairs");
    int64_t count = hp_json_int(pairs, "count", 0);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t n = json_array_size(json_object_get(pairs, lists[i]));
        if (n != (size_t)count)
            return invalid(err, place("/workloads/%zu/pairs/%s", w, lists[i]),
                           "%zu values for %lld pairs", n, (long long)count);
    }
    if (count > hp_json_int(json_object_get(workload, "plan"), "max_pairs", 0))
        return invalid(err, place("/workloads/%zu/pairs/count", w), "more pairs than planned");
    if (strcmp(text(pairs, "first"), text(pairs, "second")) == 0)
        return invalid(err, place("/workloads/%zu/pairs/second", w),
                       "an arm is not compared with itself");
    return true;
}

/* The pairs as shipped: as many of everything, and only beside layouts. */
static bool check_shipped(const json_t *workload, size_t w, struct hp_error *err)
{
    static const char *const lists[] = {"first_ran", "first", "second"};
    const json_t *shipped = json_object_get(workload, "shipped");
    size_t n = json_array_size(json_object_get(shipped, "seed"));
    if (!json_is_object(shipped))
        return true;
    if (hp_json_number(json_object_get(workload, "plan"), "layout_sd", 0) > 0)
        return invalid(err, place("/workloads/%zu/shipped", w), "all pairs were as shipped");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (json_array_size(json_object_get(shipped, lists[i])) != n)
            return invalid(err, place("/workloads/%zu/shipped/%s", w, lists[i]),
                           "%zu values for %zu pairs",
                           json_array_size(json_object_get(shipped, lists[i])), n);
    return true;
}

/* A measured workload has what its verdict is computed from. */
static bool check_measured(const json_t *workload, size_t w, struct hp_error *err)
{
    const json_t *pairs = json_object_get(workload, "pairs");
    const json_t *sets = json_object_get(workload, "samples");
    const char *verdict = text(json_object_get(workload, "decision"), "verdict");
    if (strcmp(verdict, "identical") == 0 || strcmp(verdict, "failed") == 0)
        return invalid(err, place("/workloads/%zu/decision/verdict", w), "samples cannot say `%s`",
                       verdict);
    if (strcmp(text(workload, "status"), "measured") != 0)
        return true;
    if (hp_json_int(pairs, "count", 0) < 1)
        return invalid(err, place("/workloads/%zu/pairs/count", w), "measured, but without pairs");
    for (int i = 0; i < 2; i++) {
        const char *arm = text(pairs, i ? "second" : "first");
        const char *metric = hp_primary_metric(workload)->name;
        HP_JSON json_t *wanted = json_pack("{s:s, s:s}", "arm", arm, "metric", metric);
        if (!is_there_before(sets, json_array_size(sets), wanted))
            return invalid(err, place("/workloads/%zu/samples", w), "no %s of arm `%s`", metric,
                           arm);
    }
    return true;
}

static bool check_workloads(const json_t *result, struct hp_error *err)
{
    const json_t *workloads = json_object_get(result, "workloads");
    bool run_measured = strcmp(text(result, "status"), "measured") == 0;
    size_t w;
    json_t *workload;
    json_array_foreach (workloads, w, workload) {
        if (find_named(workloads, "name", text(workload, "name")) != (int)w)
            return invalid(err, place("/workloads/%zu/name", w), "the workload is there twice");
        if (!run_measured && strcmp(text(workload, "status"), "measured") == 0)
            return invalid(err, place("/workloads/%zu/status", w),
                           "measured in a run that was not");
        if (!hp_primary_metric(workload))
            return invalid(err, place("/workloads/%zu/plan/metric", w), "cannot decide");
        if (!check_failure(workload, "failed", place("/workloads/%zu/failure", w), err) ||
            !check_pairs(workload, w, err) || !check_samples(result, workload, w, err) ||
            !check_measured(workload, w, err) || !check_shipped(workload, w, err) ||
            !check_measurements(result, workload, w, err) ||
            !ingest_check_passes(result, workload, w, err))
            return false;
    }
    if (run_measured && json_array_size(workloads) == 0)
        return invalid(err, place("/workloads"), "measured, but without workloads");
    return true;
}

static bool check_machine(const json_t *result, struct hp_error *err)
{
    const json_t *machine = json_object_get(result, "machine");
    char hash[HP_HASH_TEXT];
    if (!hp_hash_json(json_object_get(machine, "facts"), hash, err))
        return false;
    if (strcmp(hash, text(machine, "fingerprint")) != 0)
        return invalid(err, place("/machine/fingerprint"), "not the hash of the facts");
    return true;
}

bool ingest_check_document(const json_t *result, struct hp_error *err)
{
    return check_failure(result, "failed", place("/failure"), err) && check_times(result, err) &&
           check_machine(result, err) && check_arms(result, err) && check_workloads(result, err) &&
           ingest_check_coverage(json_object_get(result, "coverage"), "/coverage", err);
}

/* Without widening the layouts must have been varied: all of them in turn, as the suite asks. */
static bool check_layouts(const json_t *workload, size_t w, const json_t *suite,
                          struct hp_error *err)
{
    double sd = hp_json_number(json_object_get(workload, "plan"), "layout_sd", 0);
    size_t i;
    json_t *layout;
    if (sd >= AN_LAYOUT_SD)
        return true;
    if (sd > 0 || !json_object_get(json_object_get(suite, "recipe"), "layouts"))
        return invalid(err, place("/workloads/%zu/plan/layout_sd", w),
                       "without layouts it is at least %g", AN_LAYOUT_SD);
    json_array_foreach (json_object_get(json_object_get(workload, "pairs"), "layout"), i, layout)
        if (json_integer_value(layout) != (json_int_t)(i % LAYOUTS))
            return invalid(err, place("/workloads/%zu/pairs/layout/%zu", w, i),
                           "pairs go through the %d layouts in turn", LAYOUTS);
    return true;
}

/* The workload as the suite has it: same hash, same margin, no more pairs. */
static bool check_against_suite(const json_t *workload, size_t w, const json_t *suite,
                                struct hp_error *err)
{
    const json_t *known = json_object_get(suite, "workloads");
    const json_t *plan = json_object_get(workload, "plan");
    int i = find_named(known, "name", text(workload, "name"));
    if (i < 0)
        return invalid(err, place("/workloads/%zu/name", w), "the suite has no such workload");
    const json_t *rule = json_array_get(known, (size_t)i);
    char hash[HP_HASH_TEXT];
    if (!hp_workload_hash(suite, rule, hash, err))
        return false;
    if (strcmp(hash, text(workload, "hash")) != 0)
        return invalid(err, place("/workloads/%zu/hash", w), "not the suite's workload");
    double margin = hp_json_number(rule, "margin", AN_MARGIN);
    if (fabs(hp_json_number(plan, "margin", 0) - margin) > 1e-12)
        return invalid(err, place("/workloads/%zu/plan/margin", w), "the suite's margin is %g",
                       margin);
    const char *metric = hp_json_string(rule, "metric", HP_METRIC_PRIMARY);
    if (strcmp(hp_primary_metric(workload)->name, metric) != 0)
        return invalid(err, place("/workloads/%zu/plan/metric", w), "the suite decides by %s",
                       metric);
    if (hp_json_int(plan, "max_pairs", 0) > hp_json_int(rule, "max_pairs", 1536))
        return invalid(err, place("/workloads/%zu/plan/max_pairs", w), "the suite allows fewer");
    return check_layouts(workload, w, suite, err);
}

/* Whether a job that asks for `only` (NULL: all) asks for that workload. */
static bool is_asked(const json_t *only, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach (only, i, item) {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return only == NULL;
}

static bool check_suite(const json_t *result, const struct ingest_claim *claim,
                        struct hp_error *err)
{
    const json_t *workloads = json_object_get(result, "workloads");
    size_t w;
    json_t *item;
    json_array_foreach (workloads, w, item) {
        const json_t *pairs = json_object_get(item, "pairs");
        const char *second = claim->base[0] ? "base" : "control";
        if (!check_against_suite(item, w, claim->suite, err))
            return false;
        if (strcmp(text(pairs, "first"), "head") != 0)
            return invalid(err, place("/workloads/%zu/pairs/first", w), "must be `head`");
        if (strcmp(text(pairs, "second"), second) != 0)
            return invalid(err, place("/workloads/%zu/pairs/second", w), "must be `%s`", second);
    }
    if (strcmp(text(result, "status"), "measured") != 0)
        return true;
    const json_t *only = json_object_get(claim->plan, "workloads");
    json_array_foreach (json_object_get(claim->suite, "workloads"), w, item)
        if (is_asked(only, text(item, "name")) &&
            find_named(workloads, "name", text(item, "name")) < 0)
            return invalid(err, place("/workloads"), "workload `%s` of the suite is missing",
                           text(item, "name"));
    return true;
}

static bool check_arm_shas(const json_t *result, const struct ingest_claim *claim,
                           struct hp_error *err)
{
    size_t i;
    json_t *arm;
    json_array_foreach (json_object_get(result, "arms"), i, arm) {
        const char *name = text(arm, "name");
        if (strcmp(name, "reference") == 0) {
            /* Which commit: the epoch's key, for the suite may be applied anew meanwhile. */
            if (!text(arm, "sha")[0] || !json_object_get(claim->suite, "reference"))
                return invalid(err, place("/arms/%zu/sha", i), "the suite names no reference");
            continue;
        }
        const char *wanted = strcmp(name, "head") == 0   ? claim->head
                             : strcmp(name, "base") == 0 ? claim->base
                                                         : "";
        if (strcmp(text(arm, "sha"), wanted) != 0)
            return invalid(err, place("/arms/%zu/sha", i), "the job's %s is %s", name,
                           wanted[0] ? wanted : "no commit");
    }
    return true;
}

static bool check_fence(const json_t *result, const struct ingest_claim *claim,
                        struct hp_error *err)
{
    int64_t fence = hp_json_int(result, "fence", 0);
    if (fence > claim->fence)
        return invalid(err, place("/fence"), "job %s was never claimed with this fence",
                       claim->job);
    if (fence < claim->fence) {
        hp_fail(err, HP_CONFLICT, "job %s was claimed anew: fence %lld is over, %lld holds",
                claim->job, (long long)fence, (long long)claim->fence);
        return hp_error_hint(err, "The lease ended before the result arrived; discard it.");
    }
    if (strcmp(text(result, "run"), claim->run) != 0)
        return invalid(err, place("/run"), "the claim of job %s announced another run", claim->job);
    if (claim->ended)
        return hp_fail(err, HP_CONFLICT, "job %s is done already", claim->job);
    if (hp_json_int(result, "attempt", 0) != claim->attempt)
        return invalid(err, place("/attempt"), "the claim was attempt %lld",
                       (long long)claim->attempt);
    return true;
}

bool ingest_check_claim(const json_t *result, const struct ingest_claim *claim,
                        struct hp_error *err)
{
    if (strcmp(text(result, "repository"), claim->name) != 0)
        return invalid(err, place("/repository"), "job %s belongs to another repository",
                       claim->job);
    if (!check_fence(result, claim, err))
        return false;
    if (strcmp(text(result, "suite_hash"), claim->suite_hash) != 0)
        return invalid(err, place("/suite_hash"), "job %s was given with another suite",
                       claim->job);
    return check_arm_shas(result, claim, err) && check_suite(result, claim, err);
}
