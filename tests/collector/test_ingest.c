#include "analysis/verdict.h"
#include "collector/ingest.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "common/judging/beside.h"
#include "common/wire.h"
#include "tests/collector/golden.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct hp_error err;

static const char *ask(const char *sql)
{
    return store_ask(PRIVATE_DB_OWNER, sql);
}

/* Nothing of a run is in any table, and no job has ended. */
static void assert_nothing_stored(void)
{
    ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM store.run) + "
                         "(SELECT count(*) FROM store.measurement) + "
                         "(SELECT count(*) FROM store.workload) + "
                         "(SELECT count(*) FROM store.alert) + "
                         "(SELECT count(*) FROM store.job WHERE state <> 'running')"),
                     "0");
}

START_TEST(golden_is_stored_once)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    ck_assert_msg(hp_wire_check(HP_WIRE_RESULT, result, &err), "%s", err.message);
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && !out.voided);
    ck_assert_str_eq(out.verdict, "regressed");
    ck_assert_str_eq(out.size, "relevant");
    ck_assert_int_eq(out.alert, 0); /* nobody is told before it was confirmed */
    ck_assert_str_eq(ask("SELECT state || ' ' || (finished IS NOT NULL) FROM store.job "
                         "WHERE id = 17"),
                     "done true");

    struct ingest_outcome again;
    ck_assert_msg(ingest_result(db, result, &again, &err), "%s", err.message);
    ck_assert(!again.stored);
    ck_assert_str_eq(again.verdict, "regressed");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.run"), "1");
    ck_assert_str_eq(ask("SELECT confirmation FROM store.run"), "pending");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.alert"), "0");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.outbox"), "0");
    ck_assert_str_eq(
        ask("SELECT string_agg(concat_ws(' ', kind, state, only_runner, plan ->> 'looks', "
            "round((plan ->> 'critical')::numeric, 2), plan ->> 'workloads', "
            "(plan ->> 'layout_seed')::bigint > 0, confirms = run_id), ',') "
            "FROM store.job, (SELECT id AS run_id FROM store.run) r "
            "WHERE kind = 'confirm'"),
        "confirm queued bench-1 [512] 2.33 [\"random_mixed/8192\"] t t");
    db_close(db);
}
END_TEST

/* Figures as they must be, worked out by hand from the document. */
START_TEST(figures_are_kept)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    golden_set(result, "/preflight",
               json_pack("{s:f, s:f, s:n}", "load", 0.5, "steal_while_measuring", 0.0125,
                         "temperature_c"));
    golden_set(result, "/workloads/0/validity",
               json_pack("{s:f, s:n, s:f, s:b}", "drift_p", 0.25, "order_p", "wall_over_cpu",
                         1.0625, "repeated", 1));
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    ck_assert_str_eq(ask("SELECT concat_ws(' ', drift_p, order_p, wall_over_cpu, repeated, load, "
                         "steal_percent, temperature_c) FROM hakperf.run_checks"),
                     "0.25 1.063 t 0.5 1.25");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.measurement"), "31");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.sample_set"), "9");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.sample_set_default"), "0");
    ck_assert_str_eq(ask("SELECT cardinality(samples) || ' ' || (samples[6] IS NULL) "
                         "FROM store.sample_set s JOIN store.metric m ON m.id = s.metric "
                         "WHERE m.name = 'peak_rss' AND arm = 'head'"),
                     "64 true");
    ck_assert_str_eq(ask("SELECT n || ' ' || (low <= median AND median <= high) "
                         "FROM store.measurement x JOIN store.metric m ON m.id = x.metric "
                         "WHERE m.name = 'peak_rss' AND arm = 'head'"),
                     "63 true");
    ck_assert_str_eq(ask("SELECT coalesce(median::text, 'NULL') || ' ' || missing "
                         "FROM store.measurement x JOIN store.metric m ON m.id = x.metric "
                         "WHERE m.name = 'perf:cycles' AND arm = 'head'"),
                     "NULL not supported by this machine");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.configuration"), "2");
    ck_assert_str_eq(ask("SELECT bool_and(s.stored = r.stored) FROM store.sample_set s "
                         "JOIN store.run r ON r.id = s.run"),
                     "t");
    /* The samples as stored still give the estimate as stored. */
    ck_assert_str_eq(
        ask("SELECT abs(percentile_cont(0.5) WITHIN GROUP (ORDER BY ln(h / b)) - max(c.estimate)) "
            "< 0.002 FROM store.comparison c, "
            "(SELECT samples FROM store.sample_set s JOIN store.metric m ON m.id = s.metric "
            " WHERE m.name = 'throughput' AND arm = 'head') x, "
            "(SELECT samples FROM store.sample_set s JOIN store.metric m ON m.id = s.metric "
            " WHERE m.name = 'throughput' AND arm = 'base') y, "
            "unnest(x.samples, y.samples) AS z(h, b) WHERE c.decides"),
        "t");
    db_close(db);
}
END_TEST

START_TEST(passes_are_kept)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    ck_assert_str_eq(ask("SELECT string_agg(workload || ' ' || functions || ' ' || "
                         "functions_executed || ' ' || lines_changed || ' ' || lines_of_code || "
                         "' ' || lines_executed, ',') FROM hakperf.coverage"),
                     "(any) 2 1 14 9 5,random_mixed/8192 2 1 14 9 5");
    ck_assert_str_eq(ask("SELECT string_agg(function || ' ' || executed || ' ' || calls, ',') "
                         "FROM hakperf.changed_functions WHERE workload = '(any)'"),
                     "ace_trim false 0,tiny_free true 196021");
    ck_assert_str_eq(ask("SELECT string_agg(arm || ' ' || samples || ' ' || "
                         "split_part(folded, E'\\n', 1), ',') FROM hakperf.profiles"),
                     "head 3498 main;free;munmap;do_vmi_align_munmap_[k] 1113,"
                     "base 2419 main;free 790");
    ck_assert_str_eq(ask("SELECT string_agg(seconds || ' ' || kib, ',') FROM hakperf.memory"),
                     "0.01 20480,0.02 41188,0.03 41200");
    ck_assert_str_eq(ask("SELECT missing FROM store.rss WHERE arm = 'base'"),
                     "the execution ended before it was looked at");
    db_close(db);
}
END_TEST

/* The golden result, and the run that confirms it or not. */
static void store_confirmed(struct db *db, bool again, struct ingest_outcome *out)
{
    HP_JSON json_t *result = golden_read("result-v1.json");
    ck_assert_msg(ingest_result(db, result, out, &err), "%s", err.message);
    HP_JSON json_t *fresh = golden_confirm(again);
    ck_assert_msg(hp_wire_check(HP_WIRE_RESULT, fresh, &err), "%s %s", err.message, err.path);
    ck_assert_msg(ingest_result(db, fresh, out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out->stored && !out->voided);
}

START_TEST(a_fresh_run_confirms)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct ingest_outcome out;
    store_confirmed(db, true, &out);
    ck_assert_int_gt(out.alert, 0);
    ck_assert_str_eq(ask("SELECT string_agg(kind || ' ' || coalesce(confirmation, '-'), ',' "
                         "ORDER BY stored) FROM store.run"),
                     "commit confirmed,confirm -");
    ck_assert_str_eq(ask("SELECT u.confirmed_by = c.id FROM store.run u, store.run c "
                         "WHERE u.kind = 'commit' AND c.kind = 'confirm'"),
                     "t");
    ck_assert_str_eq(ask("SELECT u.kind FROM store.alert a JOIN store.run u ON u.id = a.run"),
                     "commit");
    ck_assert_str_eq(ask("SELECT who || ' ' || action FROM store.alert_event"), "hakperf opened");
    ck_assert_str_eq(ask("SELECT verdict || ' ' || confirmation FROM hakperf.history "
                         "WHERE verdict IS NOT NULL"),
                     "regressed confirmed");
    db_close(db);
}
END_TEST

START_TEST(a_fresh_run_refutes)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct ingest_outcome out;
    store_confirmed(db, false, &out);
    ck_assert_int_eq(out.alert, 0);
    ck_assert_str_eq(ask("SELECT count(*) FROM store.alert"), "0");
    ck_assert_str_eq(ask("SELECT verdict || ' ' || confirmation FROM hakperf.history "
                         "WHERE verdict IS NOT NULL"),
                     "inconclusive refuted");
    db_close(db);
}
END_TEST

#define OTHER "random_mixed/400"

/* The hash of the suite's workload OTHER, which it gets if it has none. */
static void add_workload(char hash[HP_HASH_TEXT])
{
    HP_JSON json_t *job = golden_read("job-v1.json");
    json_t *suite = json_object_get(job, "suite");
    json_t *workloads = json_object_get(suite, "workloads");
    json_t *copy = json_deep_copy(json_array_get(workloads, 0));
    json_object_set_new(copy, "name", json_string(OTHER));
    json_array_append_new(workloads, copy);
    ck_assert_msg(hp_workload_hash(suite, copy, hash, &err), "%s", err.message);
    HP_FREE char *text = hp_json_text(workloads);
    HP_FREE char *sql = hp_format("UPDATE store.suite SET document = jsonb_set(document, "
                                  "'{workloads}', '%s')",
                                  text);
    ask(sql);
}

/* Makes the result's first workload one of OTHER. */
static void rename_first(json_t *result, const char *hash)
{
    golden_set(result, "/workloads/0/name", json_string(OTHER));
    golden_set(result, "/workloads/0/hash", json_string(hash));
}

/* The golden result, and before it the same of OTHER, which was faster in every eighth pair. */
static json_t *two_regressions(const char *hash)
{
    size_t i;
    json_t *value, *result = golden_read("result-v1.json");
    json_t *workloads = json_object_get(result, "workloads");
    json_array_insert_new(workloads, 0, json_deep_copy(json_array_get(workloads, 0)));
    rename_first(result, hash);
    json_t *samples = json_object_get(json_array_get(workloads, 0), "samples");
    json_t *head = json_object_get(json_array_get(samples, 0), "values");
    json_array_foreach (head, i, value)
        if (i % 8 == 0)
            json_array_set_new(head, i, json_real(1.5 * json_number_value(value)));
    golden_decide(result, an_plan_standard(0.01, 0).critical);
    return result;
}

/* Of two regressions the clearer one is looked at again, and the other only where that was nothing.
 */
START_TEST(what_is_clearest_is_confirmed_first)
{
    char hash[HP_HASH_TEXT];
    golden_world();
    add_workload(hash);
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct ingest_outcome out;
    HP_JSON json_t *result = two_regressions(hash);
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    HP_JSON json_t *clearest = golden_confirm(false);
    ck_assert_msg(ingest_result(db, clearest, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && !out.voided && out.alert == 0);
    ck_assert_str_eq(ask("SELECT confirmation FROM store.run WHERE kind = 'commit'"), "pending");
    ck_assert_str_eq(ask("SELECT string_agg(concat_ws(' ', state, plan -> 'workloads'), ', ' "
                         "ORDER BY id) || count(DISTINCT plan -> 'layout_seed') FROM store.job "
                         "WHERE kind = 'confirm'"),
                     "done [\"random_mixed/8192\"], queued [\"" OTHER "\"]1");
    HP_JSON json_t *rest = golden_confirm(true);
    rename_first(rest, hash);
    ck_assert_msg(ingest_result(db, rest, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert_int_gt(out.alert, 0);
    ck_assert_str_eq(ask("SELECT confirmation FROM store.run WHERE kind = 'commit'"), "confirmed");
    db_close(db);
}
END_TEST

/* The commit that takes a regression back ends its alert, and says so. */
START_TEST(a_revert_closes_the_alert)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct ingest_outcome out;
    store_confirmed(db, true, &out);
    ask("INSERT INTO store.commit (repository, sha, parents, position, mainline, author, subject, "
        "committed, reverts) SELECT 1, repeat('7', 40), ARRAY[head], 2, true, 'A', 'Revert', "
        "now(), "
        "head FROM store.run WHERE kind = 'commit'; "
        "INSERT INTO store.job (repository, kind, head, base, suite_hash, state, fence, attempt, "
        "runner, run, lease_until, started) SELECT 1, 'commit', repeat('7', 40), head, suite_hash, "
        "'running', 1, 1, 'bench-1', '22222222-2222-4222-8222-222222222222', now(), now() "
        "FROM store.run WHERE kind = 'commit'");
    HP_JSON json_t *result = golden_faster();
    golden_set(
        result, "/job",
        json_integer(atoll(
            ask("SELECT id FROM store.job WHERE run = '22222222-2222-4222-8222-222222222222'"))));
    golden_set(result, "/run", json_string("22222222-2222-4222-8222-222222222222"));
    golden_set(result, "/arms/0/sha", json_string("7777777777777777777777777777777777777777"));
    golden_set(result, "/arms/1/sha", json_string(golden_head));
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert_str_eq(out.verdict, "improved");
    ck_assert_str_eq(ask("SELECT state || ': ' || closed_reason FROM hakperf.alerts"),
                     "resolved: reverted by 7777777777, which is faster again");
    ck_assert_str_eq(ask("SELECT string_agg(action, ' ' ORDER BY at, action DESC) "
                         "FROM hakperf.alert_history"),
                     "opened resolved");
    db_close(db);
}
END_TEST

/* A fresh run that is void is stored, and another one asked for: once. */
START_TEST(a_fresh_run_that_is_void_is_tried_again)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    HP_JSON json_t *fresh = golden_confirm(true);
    golden_set(fresh, "/workloads/0/decision/estimate", json_real(-0.2));
    ck_assert_msg(ingest_result(db, fresh, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && out.voided && out.alert == 0);
    ck_assert_str_eq(ask("SELECT string_agg(state, ',' ORDER BY id) FROM store.job "
                         "WHERE kind = 'confirm'"),
                     "done,queued");
    ck_assert_str_eq(ask("SELECT count(DISTINCT plan ->> 'layout_seed') FROM store.job "
                         "WHERE kind = 'confirm'"),
                     "2");
    ck_assert_str_eq(ask("SELECT confirmation FROM store.run WHERE kind = 'commit'"), "pending");
    db_close(db);
}
END_TEST

/* Without an answer nobody is told, and the reader sees why; tried again it may still come. */
START_TEST(a_confirming_job_is_given_up)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    ask("UPDATE store.job SET state = 'dead', finished = now() WHERE kind = 'confirm'");
    ck_assert_str_eq(ask("SELECT confirmation FROM store.run"), "unanswered");
    ask("UPDATE store.job SET state = 'queued', finished = NULL WHERE kind = 'confirm'");
    ck_assert_str_eq(ask("SELECT confirmation FROM store.run"), "pending");
    db_close(db);
}
END_TEST

/* The kernel's share and failures gate; they are judged by their own rules and stored beside. */
START_TEST(counted_metrics_gate)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    json_t *samples =
        json_object_get(json_array_get(json_object_get(result, "workloads"), 0), "samples");
    for (int arm = 0; arm < 2; arm++) {
        json_t *user = json_array(), *kernel = json_array();
        for (int i = 0; i < 64; i++) {
            json_array_append_new(user, json_real(0.1));
            json_array_append_new(kernel, json_real(arm ? 0.004 : 0.04 + 0.004 * (i % 3)));
        }
        json_array_append_new(samples, json_pack("{s:s, s:s, s:o}", "arm", arm ? "base" : "head",
                                                 "metric", "user_cpu", "values", user));
        json_array_append_new(samples, json_pack("{s:s, s:s, s:o}", "arm", arm ? "base" : "head",
                                                 "metric", "system_cpu", "values", kernel));
    }
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert_str_eq(ask("SELECT string_agg(concat_ws(' ', m.name, c.verdict, c.size, c.scale, "
                         "c.decides, round(c.base_value::numeric, 3), round(c.head_value::numeric, "
                         "3)), ',' ORDER BY m.name) FROM store.comparison c "
                         "JOIN store.metric m ON m.id = c.metric WHERE c.gates"),
                     "ace_failures regressed relevant difference f 0.000 73385.000,"
                     "kernel_share regressed relevant difference f 0.038 0.305,"
                     "throughput regressed relevant log t");
    ck_assert_str_eq(ask("SELECT string_agg(m.name || ' ' || (c.adjusted < 0.05), ',' "
                         "ORDER BY m.name) FROM store.comparison c "
                         "JOIN store.metric m ON m.id = c.metric WHERE NOT c.gates"),
                     "cpu true,peak_rss true,system_cpu true,user_cpu false");
    db_close(db);
}
END_TEST

START_TEST(the_metric_of_the_suite_decides)
{
    struct ingest_outcome out;
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    ask("UPDATE store.suite SET document = "
        "jsonb_set(document::jsonb, '{workloads,0,metric}', '\"cpu\"')");
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_str_eq(err.path, "/workloads/0/plan/metric");
    golden_set(result, "/workloads/0/plan/metric", json_string("headline"));
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_str_eq(err.path, "/workloads/0/plan/metric");
    golden_decide_by(result, "cpu");
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && !out.voided);
    ck_assert_str_eq(ask("SELECT string_agg(concat_ws(' ', m.name, c.verdict, c.gates, c.decides, "
                         "c.estimate > 0), ',' ORDER BY m.name) FROM store.comparison c "
                         "JOIN store.metric m ON m.id = c.metric "
                         "WHERE m.name IN ('cpu', 'throughput')"),
                     "cpu regressed t t t,throughput regressed f f f");
    db_close(db);
}
END_TEST

START_TEST(message_tells_everything)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct ingest_outcome out;
    store_confirmed(db, true, &out);
    HP_JSON json_t *message = NULL;
    const char *text = ask("SELECT payload FROM store.outbox");
    message = hp_json_parse(text, strlen(text), &err);
    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(hp_json_int(message, "alert", 0), out.alert);
    ck_assert_str_eq(hp_json_string(message, "repository", ""), "hakmem");
    ck_assert_str_eq(hp_json_string(json_object_get(message, "commit"), "sha", ""), golden_head);
    ck_assert_double_eq_tol(hp_json_number(message, "change", 0), -0.31, 0.01);
    ck_assert_double_lt(hp_json_number(message, "low", 0), hp_json_number(message, "change", 0));
    ck_assert_double_lt(hp_json_number(message, "change", 0), hp_json_number(message, "high", 0));
    ck_assert_ptr_nonnull(
        strstr(hp_json_string(message, "sentence", ""), "slower than its parent"));
    ck_assert_ptr_nonnull(strstr(hp_json_string(message, "address", ""), golden_head));
    db_close(db);
}
END_TEST

START_TEST(failed_run_is_stored)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-failed-v1.json");
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && out.alert == 0);
    ck_assert_str_eq(out.verdict, "failed");
    ck_assert_str_eq(ask("SELECT failure_log LIKE '%expected%' FROM store.run"), "t");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.arm WHERE log LIKE '%tiny.c:118%'"), "1");
    db_close(db);
}
END_TEST

/* The same artifacts: a verdict for every workload of the suite, and no figure. */
START_TEST(identical_run_is_stored)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    golden_set(result, "/status", json_string("identical"));
    golden_set(result, "/workloads", json_array());
    struct ingest_outcome out;
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_str_eq(err.path, "/status");
    const char *code =
        hp_json_string(json_array_get(json_object_get(result, "arms"), 0), "code_hash", "");
    golden_set(result, "/arms/1/code_hash", json_string(code));
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert_str_eq(out.verdict, "identical");
    ck_assert_str_eq(ask("SELECT string_agg(verdict, ' ') FROM store.comparison"), "identical");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.measurement"), "0");
    db_close(db);
}
END_TEST

/* A commit without parent is measured against the control and has no verdict. */
START_TEST(root_commit_is_stored)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    ask("UPDATE store.job SET base = NULL WHERE id = 17; "
        "UPDATE store.commit SET parents = '{}'");
    HP_JSON json_t *result = golden_read("result-v1.json");
    json_t *samples =
        json_object_get(json_array_get(json_object_get(result, "workloads"), 0), "samples");
    for (size_t i = json_array_size(samples); i-- > 0;)
        if (strcmp(hp_json_string(json_array_get(samples, i), "arm", ""), "control") == 0)
            json_array_remove(samples, i);
    size_t i;
    json_t *set;
    json_array_foreach (samples, i, set)
        if (strcmp(hp_json_string(set, "arm", ""), "base") == 0)
            json_object_set_new(set, "arm", json_string("control"));
    golden_set(result, "/arms/1", NULL);
    golden_set(result, "/workloads/0/measurements", json_array());
    golden_set(result, "/workloads/0/profiles", json_array());
    golden_set(result, "/workloads/0/rss", json_array());
    golden_set(result, "/workloads/0/configuration/base", json_null());
    golden_set(result, "/workloads/0/pairs/second", json_string("control"));
    golden_set(result, "/workloads/0/decision", json_null());
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored);
    ck_assert_str_eq(out.verdict, "");
    ck_assert_str_eq(ask("SELECT verdict IS NULL AND against_parent FROM store.run"), "t");
    db_close(db);
}
END_TEST

/* The other parents of a merge are compared too, where they are known, and no pair twice. */
START_TEST(a_merge_is_compared_with_each_parent)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    ask("INSERT INTO store.commit (repository, sha, parents, position, author, subject, committed) "
        "SELECT 1, repeat(d, 40), '{}', 0, 'A', 'Side ' || d, now() FROM unnest('{b,c}'::text[]) d;"
        "UPDATE store.commit SET parents = parents || ARRAY[repeat('b', 40), repeat('c', 40), "
        "repeat('d', 40)] WHERE sha = (SELECT head FROM store.job WHERE id = 17);"
        "INSERT INTO store.job (repository, kind, head, base, suite_hash) "
        "SELECT 1, 'compare', head, repeat('c', 40), suite_hash FROM store.job WHERE id = 17");
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored);
    ck_assert_str_eq(ask("SELECT string_agg(concat_ws(' ', left(j.base, 1), j.state, j.priority, "
                         "j.position = c.position, j.suite_hash = u.suite_hash), ',' ORDER BY "
                         "j.base) FROM store.job j JOIN store.run u ON u.head = j.head "
                         "JOIN store.commit c ON c.sha = j.head WHERE j.kind = 'compare'"),
                     "b queued 1 t t,c queued 0 f t");
    db_close(db);
}
END_TEST

START_TEST(stale_fence_is_refused)
{
    golden_world();
    ask("UPDATE store.job SET fence = 2, attempt = 2, run = gen_random_uuid() WHERE id = 17");
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    assert_nothing_stored();
    golden_set(result, "/job", json_integer(99));
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    db_close(db);
}
END_TEST

/* A lease that ended without another claim: the work is as good as it was. */
START_TEST(late_but_unclaimed_is_stored)
{
    golden_world();
    ask("UPDATE store.job SET state = 'queued', lease_until = NULL WHERE id = 17");
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    ck_assert(out.stored);
    db_close(db);
}
END_TEST

/* A runner that says otherwise than its samples: kept as evidence, believed by nobody. */
START_TEST(false_decision_voids_the_run)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    golden_set(result, "/workloads/0/decision/verdict", json_string("equivalent"));
    golden_set(result, "/workloads/0/decision/size", json_null());
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && out.voided && out.alert == 0);
    ck_assert_str_eq(out.verdict, "failed");
    ck_assert_str_eq(ask("SELECT status || ' ' || failure_stage FROM store.run"),
                     "failed validity");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.sample_set"), "9");
    db_close(db);
}
END_TEST

#define MANY 512

/* The golden result as a run over layouts of so many pairs: no effect on average, but layouts that
 * differ by some per cent. Decided with the clusters of its layouts, or as if there were none. The
 * store's suite gets the recipe for it, unless `asked_for` is false. */
static json_t *layout_result(bool clustered, bool asked_for)
{
    static double ratio[MANY];
    static uint32_t cluster[MANY];
    HP_JSON json_t *suite = golden_read("suite-v1.json");
    json_t *result = golden_read("result-v1.json");
    json_t *head = json_array(), *base = json_array(), *seed = json_array(), *order = json_array(),
           *layout = json_array();
    char hash[HP_HASH_TEXT];
    struct an_decision d;
    struct an_plan plan = an_plan_standard(0.01, 0);
    for (uint32_t i = 0; i < MANY; i++) {
        cluster[i] = i % 64;
        double noise = 0.004 * ((double)(i * 2654435761u >> 8) / 0x1p24 - 0.5);
        double value = 1e6 * (1 + 0.006 * ((double)((cluster[i] * 37) % 64) - 31.5) / 64 + noise);
        json_array_append_new(head, json_real(value));
        json_array_append_new(base, json_real(1e6));
        json_array_append_new(seed, json_integer(42 + i % 3));
        json_array_append_new(order, json_integer(i * 7 / 3 % 2));
        json_array_append_new(layout, json_integer(cluster[i]));
        ratio[i] = log(value / 1e6);
    }
    ck_assert(an_decide(ratio, clustered ? cluster : NULL, MANY, AN_HIGHER, &plan, &d) && d.stop);
    ck_assert_int_eq(d.verdict, AN_EQUIVALENT);
    if (asked_for) {
        golden_set(suite, "/recipe/layouts", json_pack("{s:[[s]]}", "commands", "make"));
        ask("UPDATE store.suite SET document = "
            "jsonb_set(document::jsonb, '{recipe,layouts}', '{\"commands\":[[\"make\"]]}')");
    }
    ck_assert(hp_workload_hash(suite, json_array_get(json_object_get(suite, "workloads"), 0), hash,
                               &err));
    golden_set(result, "/workloads/0/hash", json_string(hash));
    golden_set(result, "/workloads/0/plan/layout_sd", json_real(0));
    golden_set(result, "/workloads/0/pairs",
               json_pack("{s:i, s:s, s:s, s:o, s:o, s:o}", "count", MANY, "first", "head", "second",
                         "base", "seed", seed, "first_ran", order, "layout", layout));
    golden_set(result, "/workloads/0/samples",
               json_pack("[{s:s, s:s, s:o}, {s:s, s:s, s:o}]", "arm", "head", "metric",
                         "throughput", "values", head, "arm", "base", "metric", "throughput",
                         "values", base));
    golden_set(result, "/workloads/0/measurements/6/value", json_integer(0)); /* ACE failures */
    golden_set(result, "/workloads/0/decision",
               json_pack("{s:s, s:n, s:i, s:f, s:f, s:f}", "verdict", "equivalent", "size", "pairs",
                         MANY, "estimate", d.estimate.estimate, "low", d.estimate.low, "high",
                         d.estimate.high));
    ck_assert_msg(hp_wire_check(HP_WIRE_RESULT, result, &err), "%s %s", err.message, err.path);
    return result;
}

START_TEST(a_run_over_layouts_is_equivalent)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = layout_result(true, true);
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && !out.voided);
    ck_assert_str_eq(out.verdict, "equivalent");
    db_close(db);
}
END_TEST

/* The artifacts as shipped alone moved: told with the workload, and nobody is woken for it. */
START_TEST(only_the_layout_moved)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = layout_result(true, true);
    json_t *seed = json_array(), *order = json_array(), *head = json_array(), *base = json_array();
    for (int i = 0; i < 64; i++) {
        json_array_append_new(seed, json_integer(42 + i % 3));
        json_array_append_new(order, json_integer(i * 7 / 3 % 2));
        json_array_append_new(head, json_real(0.95e6 + 1000 * (i * 37 % 11)));
        json_array_append_new(base, json_real(1e6));
    }
    golden_set(result, "/workloads/0/shipped",
               json_pack("{s:O, s:o, s:o, s:o}", "seed", seed, "first_ran", order, "first", head,
                         "second", base));
    json_array_append_new(seed, json_integer(42));
    struct ingest_outcome out;
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_str_eq(err.path, "/workloads/0/shipped/first_ran");
    json_array_remove(seed, 64);
    json_decref(seed);
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert_str_eq(out.verdict, "equivalent");
    ck_assert_str_eq(ask("SELECT concat_ws(' ', shipped_pairs, layout_suspect, round((exp("
                         "shipped_estimate) - 1)::numeric, 3)) FROM store.run_workload"),
                     "64 t -0.045");
    ck_assert_str_eq(ask("SELECT concat_ws(' ', workload, shipped_percent < -4, layouts_percent) "
                         "FROM hakperf.layout_suspects"),
                     ask("SELECT 'random_mixed/8192 t ' || layouts_percent "
                         "FROM hakperf.layout_suspects"));
    ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM store.alert) + (SELECT count(*) FROM "
                         "store.job WHERE kind = 'confirm')"),
                     "0");
    db_close(db);
}
END_TEST

/* Pairs that share a layout are not independent: the interval would be too narrow. */
START_TEST(layouts_taken_as_independent_void_the_run)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = layout_result(false, true);
    struct ingest_outcome out;
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && out.voided);
    ck_assert_str_eq(out.verdict, "failed");
    db_close(db);
}
END_TEST

/* A narrow interval is had by varying layouts only: by the suite's recipe, and all of them. */
START_TEST(an_unearned_narrow_interval_is_refused)
{
    struct ingest_outcome out;
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *plain = layout_result(true, false);
    ck_assert(!ingest_result(db, plain, &out, &err));
    ck_assert_str_eq(err.path, "/workloads/0/plan/layout_sd");
    HP_JSON json_t *result = layout_result(true, true);
    golden_set(result, "/workloads/0/pairs/layout/70", json_integer(70));
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_str_eq(err.path, "/workloads/0/pairs/layout/70");
    golden_set(result, "/workloads/0/plan/layout_sd", json_real(0.001));
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_str_eq(err.path, "/workloads/0/plan/layout_sd");
    assert_nothing_stored();
    db_close(db);
}
END_TEST

/* Each row spoils the golden result at one place, as JSON text (NULL deletes); what must be said.
 */
static const struct {
    const char *at, *value, *path;
} spoiled[] = {
    {"/repository", "\"other\"", "/repository"},
    {"/suite_hash", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
     "/suite_hash"},
    {"/fence", "2", "/fence"},
    {"/attempt", "2", "/attempt"},
    {"/run", "\"00000000-0000-4000-8000-000000000000\"", "/run"},
    {"/status", "\"failed\"", "/failure"},
    {"/failure", "{\"stage\": \"run\", \"arm\": null, \"message\": \"x\", \"log\": null}",
     "/failure"},
    {"/started", "\"2026-02-30T00:00:00Z\"", "/started"},
    {"/finished", "\"2020-01-01T00:00:00Z\"", "/finished"},
    {"/machine/facts/cores", "3", "/machine/fingerprint"},
    {"/arms/0/sha", "\"1111111111111111111111111111111111111111\"", "/arms/0/sha"},
    {"/arms/2/name", "\"base\"", "/arms/2/name"},
    {"/arms/0", NULL, "/arms"},
    {"/workloads/0", NULL, "/workloads"},
    {"/workloads/0/name", "\"random_mixed/1\"", "/workloads/0/name"},
    {"/workloads/0/hash", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
     "/workloads/0/hash"},
    {"/workloads/0/status", "\"failed\"", "/workloads/0/failure"},
    {"/workloads/0/plan/margin", "0.2", "/workloads/0/plan/margin"},
    {"/workloads/0/plan/max_pairs", "63", "/workloads/0/pairs/count"},
    {"/workloads/0/pairs/count", "65", "/workloads/0/pairs/seed"},
    {"/workloads/0/pairs/layout/3", NULL, "/workloads/0/pairs/layout"},
    {"/workloads/0/pairs/second", "\"control\"", "/workloads/0/samples/2/values"},
    {"/workloads/0/pairs/second", "\"head\"", "/workloads/0/pairs/second"},
    {"/workloads/0/samples/0/values/7", NULL, "/workloads/0/samples/0/values"},
    {"/workloads/0/samples/0/values/7", "0", "/workloads/0/samples/0/values/7"},
    {"/workloads/0/samples/0/values/7", "-5", "/workloads/0/samples/0/values/7"},
    {"/workloads/0/samples/0/values/7", "null", "/workloads/0/samples/0/values/7"},
    {"/workloads/0/samples/3/values/7", "-0.1", "/workloads/0/samples/3/values/7"},
    {"/workloads/0/samples/0/metric", "\"speed\"", "/workloads/0/samples/0/metric"},
    {"/workloads/0/samples/3/metric", "\"throughput\"", "/workloads/0/samples/3"},
    {"/workloads/0/samples/0", NULL, "/workloads/0/samples"},
    {"/workloads/0/measurements/0/value", "null", "/workloads/0/measurements/0/missing"},
    {"/workloads/0/measurements/0/metric", "\"cpu\"", "/workloads/0/measurements/0"},
    {"/workloads/0/measurements/1/arm", "\"head\"", "/workloads/0/measurements/1"},
    {"/workloads/0/decision/verdict", "\"identical\"", "/workloads/0/decision/verdict"},
    {"/coverage/missing", "\"not built\"", "/coverage"},
    {"/coverage/lines", "null", "/coverage"},
    {"/coverage/lines/code", "15", "/coverage"},
    {"/workloads/0/coverage/lines/executed", "10", "/workloads/0/coverage"},
    {"/workloads/0/coverage/functions/0/executed", "false", "/workloads/0/coverage"},
    {"/workloads/0/profiles/1/arm", "\"head\"", "/workloads/0/profiles"},
    {"/workloads/0/profiles/1/arm", "\"reference\"", "/workloads/0/profiles"},
    {"/workloads/0/profiles/0/folded", "null", "/workloads/0/profiles"},
    {"/workloads/0/rss/0/kib/1", NULL, "/workloads/0/rss"},
    {"/workloads/0/rss/1/missing", "null", "/workloads/0/rss"},
    {"/workloads/0/rss/1/arm", "\"head\"", "/workloads/0/rss"},
};

START_TEST(contradictions_are_refused)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    for (size_t i = 0; i < sizeof spoiled / sizeof spoiled[0]; i++) {
        HP_JSON json_t *result = golden_read("result-v1.json");
        json_t *value = spoiled[i].value
                            ? hp_json_parse(spoiled[i].value, strlen(spoiled[i].value), &err)
                            : NULL;
        golden_set(result, spoiled[i].at, value);
        /* The schema lets all of these pass: they are what it cannot say. */
        ck_assert_msg(hp_wire_check(HP_WIRE_RESULT, result, &err), "%s: %s", spoiled[i].at,
                      err.message);
        struct ingest_outcome out;
        ck_assert_msg(!ingest_result(db, result, &out, &err), "%s = %s was stored", spoiled[i].at,
                      spoiled[i].value ? spoiled[i].value : "nothing");
        ck_assert_msg(err.code == HP_INVALID, "%s: %s: %s", spoiled[i].at, hp_code_name(err.code),
                      err.message);
        ck_assert_str_eq(err.path, spoiled[i].path);
    }
    assert_nothing_stored();
    db_close(db);
}
END_TEST

struct delivery {
    struct db *db;
    struct ingest_outcome out;
    bool ok;
};

static void *deliver(void *arg)
{
    struct delivery *d = arg;
    struct hp_error mine;
    HP_JSON json_t *result = golden_read("result-v1.json");
    d->ok = ingest_result(d->db, result, &d->out, &mine);
    return NULL;
}

START_TEST(delivered_by_several_at_once)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct delivery d[4];
    pthread_t threads[4];
    int stored = 0;
    for (int i = 0; i < 4; i++) {
        d[i] = (struct delivery){.db = db};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, deliver, &d[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(d[i].ok);
        stored += d[i].out.stored;
    }
    ck_assert_int_eq(stored, 1);
    ck_assert_str_eq(ask("SELECT count(*) FROM store.run"), "1");
    db_close(db);
}
END_TEST

/* A commit measured again while its alert is open does not alert again. */
START_TEST(one_open_alert_a_commit)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct ingest_outcome out;
    store_confirmed(db, true, &out);
    ask("UPDATE store.job SET state = 'running', finished = NULL, fence = 2, attempt = 2, "
        "run = '11111111-1111-4111-8111-111111111111', lease_until = now() WHERE id = 17");
    golden_set(result, "/run", json_string("11111111-1111-4111-8111-111111111111"));
    golden_set(result, "/fence", json_integer(2));
    golden_set(result, "/attempt", json_integer(2));
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && out.alert == 0);
    HP_JSON json_t *fresh = golden_confirm(true);
    ck_assert_msg(ingest_result(db, fresh, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && out.alert == 0);
    ck_assert_str_eq(ask("SELECT count(*) FROM store.alert"), "1");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.outbox"), "1");
    db_close(db);
}
END_TEST

/* A machine that changes begins a new epoch, and its newest commit is measured once more on it. */
START_TEST(a_changed_machine_begins_an_epoch)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    HP_JSON json_t *failed = golden_read("result-failed-v1.json");
    struct ingest_outcome out;
    ck_assert(ingest_result(db, result, &out, &err) && ingest_result(db, failed, &out, &err));
    ck_assert_str_eq(ask("SELECT string_agg(kind || coalesce(epoch, 0), ' ' ORDER BY job) "
                         "FROM store.run"),
                     "commit1 commit0");
    ck_assert_str_eq(ask("SELECT runner || ' ' || kernel || ' ' || runs || ' ' || changed::text "
                         "FROM hakperf.epochs"),
                     "bench-1 6.1.0-38-amd64 1 {}");
    static const char enter[] = "SELECT store.enter_epoch(1, 'bench-1', machine, %s, driver_hash, "
                                "repeat('9', 40)) FROM store.epoch WHERE id = 1";
    HP_FREE char *same = hp_format(enter, "compiler");
    HP_FREE char *other = hp_format(enter, "'GCC 13'");
    ck_assert_str_eq(store_ask(PRIVATE_DB_COLLECTOR, same), "1");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.job WHERE kind = 'bridge'"), "0");
    ck_assert_str_eq(store_ask(PRIVATE_DB_COLLECTOR, other), "2");
    ck_assert_str_eq(store_ask(PRIVATE_DB_COLLECTOR, other), "2");
    ck_assert_str_eq(ask("SELECT changed::text || (started IS NOT NULL) FROM store.epoch "
                         "WHERE id = 2"),
                     "{compiler}true");
    HP_FREE char *wanted = hp_format("%s %s bench-1 queued", golden_head, golden_base);
    ck_assert_str_eq(ask("SELECT head || ' ' || base || ' ' || only_runner || ' ' || state "
                         "FROM store.job WHERE kind = 'bridge'"),
                     wanted);
    /* Facts of the machine are told by name; another runner has epochs of its own. */
    ask("INSERT INTO store.machine (repository, fingerprint, facts) SELECT 1, repeat('e', 64), "
        "facts || '{\"kernel\": \"6.2\", \"smt\": \"1\"}' FROM store.machine");
    ask("SELECT store.enter_epoch(1, 'bench-1', repeat('e', 64), 'GCC 13', driver_hash, '') "
        "FROM store.epoch WHERE id = 2");
    ck_assert_str_eq(ask("SELECT changed::text FROM store.epoch WHERE id = 3"), "{kernel,smt}");
    ask("SELECT store.enter_epoch(1, 'bench-2', repeat('e', 64), 'GCC 13', driver_hash, '') "
        "FROM store.epoch WHERE id = 2");
    ck_assert_str_eq(ask("SELECT string_agg(runner || (ended IS NULL), ' ' ORDER BY epoch) "
                         "FROM hakperf.epochs"),
                     "bench-1false bench-1false bench-1true bench-2true");
    db_close(db);
}
END_TEST

/* Documents as earlier versions left them in their spools: accepted for ever, and what they lacked
 * is missing, not zero. Add the examples of a version here when it is released. */
START_TEST(documents_of_earlier_versions_are_stored)
{
    static const char *const names[] = {"result-0.1.0.json", "result-failed-0.1.0.json"};
    static const char *const verdicts[] = {"regressed", "failed"};
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    for (size_t i = 0; i < 2; i++) {
        HP_FREE char *path = hp_format("tests/collector/documents/%s", names[i]);
        HP_JSON json_t *document = hp_json_read_file(path, 1 << 20, &err);
        ck_assert_msg(document && hp_wire_check(HP_WIRE_RESULT, document, &err), "%s: %s %s", path,
                      err.message, err.path);
        struct ingest_outcome out;
        ck_assert_msg(ingest_result(db, document, &out, &err), "%s: %s %s", path, err.message,
                      err.path);
        ck_assert(out.stored && !out.voided);
        ck_assert_str_eq(out.verdict, verdicts[i]);
    }
    ck_assert_str_eq(ask("SELECT count(*) FROM store.run"), "2");
    ck_assert_str_eq(ask("SELECT count(*) FROM store.profile"), "0");
    db_close(db);
}
END_TEST

START_TEST(examples_obey_their_schemas)
{
    static const char *const pairs[][2] = {{"suite-v1.json", HP_WIRE_SUITE},
                                           {"job-v1.json", HP_WIRE_JOB},
                                           {"result-v1.json", HP_WIRE_RESULT},
                                           {"result-failed-v1.json", HP_WIRE_RESULT},
                                           {"error-v1.json", HP_WIRE_ERROR}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        HP_JSON json_t *document = golden_read(pairs[i][0]);
        ck_assert_msg(hp_wire_check(pairs[i][1], document, &err), "%s: %s (%s)", pairs[i][0],
                      err.message, err.path);
    }
    HP_JSON json_t *suite = golden_read("suite-v1.json");
    HP_JSON json_t *job = golden_read("job-v1.json");
    HP_JSON json_t *result = golden_read("result-v1.json");
    char hash[HP_HASH_TEXT];
    ck_assert(hp_suite_hash(suite, hash, &err));
    ck_assert_str_eq(hash, hp_json_string(job, "suite_hash", ""));
    ck_assert_str_eq(hash, hp_json_string(result, "suite_hash", ""));
    ck_assert(json_equal(suite, json_object_get(job, "suite")));
}
END_TEST

/* Somebody holds what a result is written into: the request ends in its time, and nothing of it is
 * left; the same document is stored later. */
START_TEST(gives_up_in_time)
{
    struct ingest_outcome out;
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR), *other = store_db(PRIVATE_DB_OWNER);
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct db_conn *holder = db_acquire(other, &err);
    ck_assert_msg(holder && db_begin(holder, &err) &&
                      db_script(holder, "lock", "LOCK TABLE store.sample_set", &err),
                  "%s", err.message);
    double before = hp_monotonic_s();
    db_request(1);
    ck_assert(!ingest_result(db, result, &out, &err));
    db_request(0);
    ck_assert_msg(err.code == HP_UNAVAILABLE, "%s", err.message);
    ck_assert_double_lt(hp_monotonic_s() - before, 8);
    db_release(holder);
    assert_nothing_stored();
    ck_assert_msg(ingest_result(db, result, &out, &err) && out.stored, "%s", err.message);
    db_close(db);
    db_close(other);
}
END_TEST

HP_SUITE(ingest)
{
    Suite *s = suite_create("ingest");
    TCase *t = tcase_create("results");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_test(t, gives_up_in_time);
    tcase_add_test(t, golden_is_stored_once);
    tcase_add_test(t, figures_are_kept);
    tcase_add_test(t, passes_are_kept);
    tcase_add_test(t, a_fresh_run_confirms);
    tcase_add_test(t, what_is_clearest_is_confirmed_first);
    tcase_add_test(t, a_fresh_run_refutes);
    tcase_add_test(t, a_fresh_run_that_is_void_is_tried_again);
    tcase_add_test(t, a_confirming_job_is_given_up);
    tcase_add_test(t, a_revert_closes_the_alert);
    tcase_add_test(t, counted_metrics_gate);
    tcase_add_test(t, the_metric_of_the_suite_decides);
    tcase_add_test(t, message_tells_everything);
    tcase_add_test(t, failed_run_is_stored);
    tcase_add_test(t, identical_run_is_stored);
    tcase_add_test(t, root_commit_is_stored);
    tcase_add_test(t, a_merge_is_compared_with_each_parent);
    tcase_add_test(t, stale_fence_is_refused);
    tcase_add_test(t, late_but_unclaimed_is_stored);
    tcase_add_test(t, false_decision_voids_the_run);
    tcase_add_test(t, a_run_over_layouts_is_equivalent);
    tcase_add_test(t, layouts_taken_as_independent_void_the_run);
    tcase_add_test(t, only_the_layout_moved);
    tcase_add_test(t, an_unearned_narrow_interval_is_refused);
    tcase_add_test(t, contradictions_are_refused);
    tcase_add_test(t, delivered_by_several_at_once);
    tcase_add_test(t, one_open_alert_a_commit);
    tcase_add_test(t, a_changed_machine_begins_an_epoch);
    tcase_add_test(t, documents_of_earlier_versions_are_stored);
    tcase_add_test(t, examples_obey_their_schemas);
    suite_add_tcase(s, t);
    return s;
}
