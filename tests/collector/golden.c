#include "tests/collector/golden.h"

#include "analysis/verdict.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/judging/beside.h"
#include "common/log.h"
#include "tests/collector/store_fixture.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

char golden_base[65], golden_head[65], golden_broken[65];

json_t *golden_read(const char *name)
{
    struct hp_error err;
    HP_FREE char *path = hp_format("common/wire/examples/%s", name);
    json_t *document = hp_json_read_file(path, 1 << 20, &err);
    ck_assert_msg(document != NULL, "%s: %s", path, err.message);
    return document;
}

static const char *sha_in(const json_t *object, const char *key)
{
    return hp_json_string(json_object_get(object, key), "sha", "");
}

static void fill_shas(const json_t *job, const json_t *failed)
{
    snprintf(golden_base, sizeof golden_base, "%s", sha_in(job, "base"));
    snprintf(golden_head, sizeof golden_head, "%s", sha_in(job, "head"));
    const json_t *arm = json_array_get(json_object_get(failed, "arms"), 0);
    snprintf(golden_broken, sizeof golden_broken, "%s", hp_json_string(arm, "sha", ""));
}

static const char world_sql[] =
    "INSERT INTO store.repository (name, url, default_ref) "
    "  VALUES ('hakmem', '/srv/git/hakmem.git', 'refs/heads/main');"
    "INSERT INTO store.suite (repository, hash, name, document, driver_sha, driver_subject) "
    "  VALUES (1, '%s', 'hakmem', '%s', '%s', 'Benchmark driver');"
    "UPDATE store.repository SET suite_hash = '%s';"
    "INSERT INTO store.commit (repository, sha, parents, position, mainline, author, subject, "
    "  committed) VALUES "
    "  (1, '%s', '{}', 0, true, 'A', 'Count ACE failures by cause', '2026-11-22 20:00Z'),"
    "  (1, '%s', '{%s}', 1, true, 'A', 'Return empty slabs to the system at once', "
    "   '2026-11-22 20:10Z'),"
    "  (1, '%s', '{%s}', 2, true, 'B', 'Forget a semicolon', '2026-11-22 20:19Z');"
    "INSERT INTO store.ref_tip (repository, ref, sha) VALUES (1, 'refs/heads/main', '%s');"
    "INSERT INTO store.runner (name, version) VALUES ('bench-1', '0.1.0');"
    "INSERT INTO store.job (repository, id, kind, head, base, suite_hash, state, fence, attempt, "
    "  runner, run, lease_until, started) OVERRIDING SYSTEM VALUE VALUES "
    "  (1, 17, 'commit', '%s', '%s', '%s', 'running', 1, 1, 'bench-1', '%s', "
    "   now() + interval '1 minute', now()),"
    "  (1, 18, 'commit', '%s', '%s', '%s', 'running', 1, 1, 'bench-1', '%s', "
    "   now() + interval '1 minute', now());";

void golden_world(void)
{
    hp_log_init("test", HP_LOG_ERROR);
    HP_JSON json_t *job = golden_read("job-v1.json");
    HP_JSON json_t *failed = golden_read("result-failed-v1.json");
    fill_shas(job, failed);
    const char *hash = hp_json_string(job, "suite_hash", "");
    HP_FREE char *suite = hp_json_text(json_object_get(job, "suite"));
    HP_FREE char *sql =
        hp_format(world_sql, hash, suite, sha_in(job, "driver"), hash, golden_base, golden_head,
                  golden_base, golden_broken, golden_head, golden_broken, golden_head, golden_base,
                  hash, hp_json_string(job, "run", ""), golden_broken, golden_head, hash,
                  hp_json_string(failed, "run", ""));
    store_ask(PRIVATE_DB_COLLECTOR, sql);
}

void golden_set(json_t *document, const char *path, json_t *value)
{
    char key[128];
    json_t *at = document;
    for (const char *p = path + 1;;) {
        size_t n = strcspn(p, "/");
        ck_assert_uint_lt(n, sizeof key);
        memcpy(key, p, n);
        key[n] = '\0';
        bool last = p[n] == '\0';
        size_t index = (size_t)strtoul(key, NULL, 10);
        if (json_is_array(at)) {
            if (last && value)
                ck_assert_int_eq(json_array_set_new(at, index, value), 0);
            else if (last)
                ck_assert_int_eq(json_array_remove(at, index), 0);
            else
                at = json_array_get(at, index);
        } else {
            if (last && value)
                ck_assert_int_eq(json_object_set_new(at, key, value), 0);
            else if (last)
                ck_assert_int_eq(json_object_del(at, key), 0);
            else
                at = json_object_get(at, key);
        }
        if (last)
            return;
        ck_assert_msg(at != NULL, "no %s in the document", path);
        p += n + 1;
    }
}

void golden_decide(json_t *result, double critical)
{
    double ratio[1536];
    const json_t *w = json_array_get(json_object_get(result, "workloads"), 0);
    const json_t *samples = json_object_get(w, "samples");
    const json_t *head = json_object_get(json_array_get(samples, 0), "values");
    const json_t *base = json_object_get(json_array_get(samples, 1), "values");
    uint32_t n = (uint32_t)json_array_size(head);
    struct an_plan plan = an_plan_standard(0.01, 0.0045);
    struct an_decision d;
    for (size_t i = 0; i < n; i++)
        ratio[i] = log(json_number_value(json_array_get(head, i)) /
                       json_number_value(json_array_get(base, i)));
    plan.critical = critical;
    plan.looks = &n;
    plan.n_looks = 1;
    ck_assert(an_decide(ratio, NULL, n, AN_HIGHER, &plan, &d));
    golden_set(result, "/workloads/0/decision",
               json_pack("{s:s, s:s?, s:i, s:f, s:f, s:f}", "verdict", an_verdict_name(d.verdict),
                         "size", an_size_name(d.size), "pairs", n, "estimate", d.estimate.estimate,
                         "low", d.estimate.low, "high", d.estimate.high));
}

void golden_decide_by(json_t *result, const char *metric)
{
    static double ratio[HP_PAIRS_MOST];
    static uint32_t layout[HP_PAIRS_MOST];
    const json_t *workload = json_array_get(json_object_get(result, "workloads"), 0);
    const json_t *asked = json_object_get(workload, "plan");
    double sd = hp_json_number(asked, "layout_sd", 0);
    uint32_t only;
    struct an_decision d;
    struct an_plan plan = an_plan_standard(hp_json_number(asked, "margin", 0), sd);
    an_plan_limit(&plan, (uint32_t)hp_json_int(asked, "max_pairs", 0), &only);
    size_t n = hp_pair_ratios(workload, metric, ratio, layout);
    ck_assert(an_decide_run(ratio, sd > 0 ? NULL : layout, n, AN_LOWER, &plan, &d));
    golden_set(result, "/workloads/0/plan/metric", json_string(metric));
    golden_set(result, "/workloads/0/decision",
               json_pack("{s:s, s:s?, s:I, s:f, s:f, s:f}", "verdict", an_verdict_name(d.verdict),
                         "size", an_size_name(d.size), "pairs", (json_int_t)n, "estimate",
                         d.estimate.estimate, "low", d.estimate.low, "high", d.estimate.high));
}

static void swap_arms(json_t *result)
{
    golden_set(result, "/workloads/0/samples/0/arm", json_string("base"));
    golden_set(result, "/workloads/0/samples/1/arm", json_string("head"));
    json_t *samples =
        json_object_get(json_array_get(json_object_get(result, "workloads"), 0), "samples");
    json_t *first = json_incref(json_array_get(samples, 0));
    json_array_set(samples, 0, json_array_get(samples, 1));
    json_array_set_new(samples, 1, first);
    /* ace_failures, which are counted exactly */
    golden_set(result, "/workloads/0/measurements/6/value", json_integer(0));
}

json_t *golden_faster(void)
{
    json_t *result = golden_read("result-v1.json");
    swap_arms(result);
    golden_decide(result, an_plan_standard(0.01, 0).critical);
    return result;
}

json_t *golden_confirm(bool again)
{
    json_t *result = golden_read("result-v1.json");
    const char *claimed = store_ask(
        PRIVATE_DB_OWNER, "UPDATE store.job SET state = 'running', fence = 1, attempt = 1, "
                          "runner = 'bench-1', run = gen_random_uuid(), started = now(), "
                          "lease_until = now() + interval '1 minute' "
                          "WHERE kind = 'confirm' AND state = 'queued' RETURNING id || ' ' || run");
    char run[37] = "";
    long long job = 0;
    ck_assert_int_eq(sscanf(claimed, "%lld %36s", &job, run), 2);
    golden_set(result, "/job", json_integer(job));
    golden_set(result, "/run", json_string(run));
    golden_set(result, "/workloads/0/plan/max_pairs", json_integer(64));
    if (!again)
        swap_arms(result);
    golden_decide(result, AN_CONFIRM_Z);
    return result;
}
