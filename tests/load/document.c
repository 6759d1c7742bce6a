/* Documents as six workloads of a real run give them: some 400 rows. */
#include "tests/load/load.h"

#include "analysis/verdict.h"
#include "common/json.h"
#include "common/wire.h"

#include <math.h>
#include <string.h>

enum { COUNTERS = 13 };

static json_t *read_example(const char *name)
{
    struct hp_error err;
    HP_FREE char *path = hp_format("common/wire/examples/%s", name);
    json_t *document = hp_json_read_file(path, 1 << 20, &err);
    if (!document)
        die("%s", err.message);
    return document;
}

json_t *document_suite(void)
{
    HP_JSON json_t *job = read_example("job-v1.json");
    json_t *suite = json_deep_copy(json_object_get(job, "suite"));
    json_t *list = json_object_get(suite, "workloads");
    json_object_set_new(suite, "name", json_string("load"));
    json_object_set_new(json_object_get(suite, "repository"), "name", json_string("load"));
    for (int i = 1; i < LOAD_WORKLOADS; i++) {
        json_t *workload = json_deep_copy(json_array_get(list, 0));
        json_object_set_new(workload, "name", json_sprintf("random_mixed/%d", 8192 << i));
        json_object_set_new(workload, "iterations", json_integer(400000 + i));
        json_array_append_new(list, workload);
    }
    return suite;
}

/* The golden workload under another name, with as many counters as the library has. */
static json_t *make_workload(const json_t *golden, const json_t *suite, size_t i)
{
    struct hp_error err;
    char hash[65];
    const json_t *rule = json_array_get(json_object_get(suite, "workloads"), i);
    json_t *workload = json_deep_copy(golden);
    json_t *figures = json_object_get(workload, "measurements");
    if (!hp_workload_hash(suite, rule, hash, &err))
        die("%s", err.message);
    json_object_set(workload, "name", json_object_get(rule, "name"));
    json_object_set_new(workload, "hash", json_string(hash));
    while (json_array_size(figures) > LOAD_FIGURES - LOAD_SAMPLE_SETS - 2 * COUNTERS)
        json_array_remove(figures, json_array_size(figures) - 1);
    for (int c = 0; c < 2 * COUNTERS; c++)
        json_array_append_new(figures,
                              json_pack("{s:s, s:o, s:i, s:i, s:n}", "arm", c % 2 ? "base" : "head",
                                        "metric", json_sprintf("counter:load.%d", c / 2), "value",
                                        1000 + c, "n", 64, "missing"));
    return workload;
}

/* Head and base change places: what was slower is faster, by as much. */
static void turn_round(json_t *workload)
{
    json_t *sets = json_object_get(workload, "samples"), *set, *arms[2] = {NULL};
    json_t *decision = json_object_get(workload, "decision");
    size_t i;
    json_array_foreach (sets, i, set) {
        const char *arm = hp_json_string(set, "arm", "");
        if (strcmp(hp_json_string(set, "metric", ""), "throughput") == 0 &&
            strcmp(arm, "control") != 0)
            arms[strcmp(arm, "base") == 0] = set;
    }
    HP_JSON json_t *head = json_incref(json_object_get(arms[0], "values"));
    json_object_set(arms[0], "values", json_object_get(arms[1], "values"));
    json_object_set(arms[1], "values", head);
    double low = hp_json_number(decision, "low", 0), high = hp_json_number(decision, "high", 0);
    json_object_set_new(decision, "verdict", json_string("improved"));
    json_object_set_new(decision, "estimate", json_real(-hp_json_number(decision, "estimate", 0)));
    json_object_set_new(decision, "low", json_real(-high));
    json_object_set_new(decision, "high", json_real(-low));
}

static json_t *make_template(const json_t *suite, bool improved)
{
    json_t *result = read_example("result-v1.json");
    HP_JSON json_t *golden =
        json_deep_copy(json_array_get(json_object_get(result, "workloads"), 0));
    json_t *list = json_array();
    if (improved)
        turn_round(golden);
    for (size_t i = 0; i < LOAD_WORKLOADS; i++)
        json_array_append_new(list, make_workload(golden, suite, i));
    json_object_set_new(result, "workloads", list);
    return result;
}

static void set_tag(json_t *result, int64_t tag)
{
    size_t w, i;
    json_t *workload, *figure;
    json_array_foreach (json_object_get(result, "workloads"), w, workload) {
        json_array_foreach (json_object_get(workload, "measurements"), i, figure) {
            if (strcmp(hp_json_string(figure, "metric", ""), "kernel_share") == 0)
                json_object_set_new(figure, "value", json_real((double)tag / 1e9));
        }
    }
}

/* A job that is sampled otherwise ends at its first look, which its documents reach with the pairs
 * that they have. */
static void decide_as_asked(json_t *result, double critical)
{
    size_t w, i;
    json_t *workload, *set;
    json_array_foreach (json_object_get(result, "workloads"), w, workload) {
        double ratio[1536];
        const json_t *values[2] = {NULL};
        json_array_foreach (json_object_get(workload, "samples"), i, set) {
            const char *arm = hp_json_string(set, "arm", "");
            if (strcmp(hp_json_string(set, "metric", ""), "throughput") == 0 &&
                strcmp(arm, "control") != 0)
                values[strcmp(arm, "base") == 0] = json_object_get(set, "values");
        }
        uint32_t n = (uint32_t)json_array_size(values[0]);
        for (i = 0; i < n; i++)
            ratio[i] = log(json_number_value(json_array_get(values[0], i)) /
                           json_number_value(json_array_get(values[1], i)));
        json_t *plan = json_object_get(workload, "plan");
        struct an_plan rules = an_plan_standard(hp_json_number(plan, "margin", 0),
                                                hp_json_number(plan, "layout_sd", 0));
        struct an_decision d;
        rules.critical = critical;
        rules.looks = &n;
        rules.n_looks = 1;
        if (!an_decide(ratio, NULL, n, AN_HIGHER, &rules, &d))
            die("the golden samples cannot be decided");
        json_object_set_new(plan, "max_pairs", json_integer(n));
        json_object_set_new(workload, "decision",
                            json_pack("{s:s, s:s?, s:i, s:f, s:f, s:f}", "verdict",
                                      an_verdict_name(d.verdict), "size", an_size_name(d.size),
                                      "pairs", (int)n, "estimate", d.estimate.estimate, "low",
                                      d.estimate.low, "high", d.estimate.high));
    }
}

char *document_text(const json_t *job, const char *runner, int64_t tag, bool improved, size_t *size)
{
    static _Thread_local json_t *templates[2][2];
    double critical = hp_json_number(json_object_get(job, "plan"), "critical", 0);
    static const char *const same[] = {"run",     "job",        "fence",
                                       "attempt", "repository", "suite_hash"};
    json_t **made = &templates[critical > 0][improved], *template = *made;
    if (!template) {
        template = *made = make_template(json_object_get(job, "suite"), improved);
        if (critical > 0)
            decide_as_asked(template, critical);
    }
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        json_object_set(template, same[i], json_object_get(job, same[i]));
    json_t *arms = json_object_get(template, "arms");
    for (size_t i = 0; i < 2; i++)
        json_object_set(json_array_get(arms, i), "sha",
                        json_object_get(json_object_get(job, i ? "base" : "head"), "sha"));
    json_object_set_new(json_object_get(template, "runner"), "name", json_string(runner));
    set_tag(template, tag);
    char *text = json_dumps(template, JSON_COMPACT);
    *size = strlen(text);
    return text;
}
