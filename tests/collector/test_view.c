#include "collector/ingest.h"
#include "collector/private_db.h"
#include "collector/view.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/collector/golden.h"
#include "tests/collector/line.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct hp_error err;

static void deliver(struct db *db, const char *name)
{
    struct ingest_outcome out;
    HP_JSON json_t *result = golden_read(name);
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored);
}

static struct db *measured_world(void)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    deliver(db, "result-v1.json");
    deliver(db, "result-failed-v1.json");
    return db;
}

static json_t *need(json_t *answer)
{
    ck_assert_msg(answer != NULL, "%s: %s", hp_code_name(err.code), err.message);
    return answer;
}

/* "state verdict size" of a log entry. */
static const char *summary(const json_t *entry)
{
    static char line[128];
    snprintf(line, sizeof line, "%s %s %s", hp_json_string(entry, "state", "-"),
             hp_json_string(entry, "verdict", "-"), hp_json_string(entry, "size", "-"));
    return line;
}

START_TEST(log_tells_the_main_line)
{
    struct db *db = measured_world();
    HP_JSON json_t *log = need(view_log(db, GOLDEN_REPOSITORY, 20, NULL, false, &err));
    const json_t *commits = json_object_get(log, "commits");
    ck_assert_uint_eq(json_array_size(commits), 3);
    ck_assert(json_is_null(json_object_get(log, "next")));
    ck_assert_str_eq(summary(json_array_get(commits, 0)), "failed failed -");
    ck_assert_str_eq(summary(json_array_get(commits, 1)), "measured regressed relevant");
    ck_assert_str_eq(summary(json_array_get(commits, 2)), "unmeasured - -");
    const json_t *head = json_array_get(commits, 1);
    ck_assert_str_eq(hp_json_string(head, "workload", ""), "random_mixed/8192");
    ck_assert_double_eq_tol(hp_json_number(head, "change", 0), -0.31, 0.01);
    ck_assert_double_eq_tol(hp_json_number(head, "throughput", 0), 11.4e6, 0.2e6);
    ck_assert_double_eq(hp_json_number(head, "ace_failures", 0), 73385);
    ck_assert_ptr_nonnull(strstr(hp_json_string(json_array_get(commits, 0), "reason", ""), "make"));
    db_close(db);
}
END_TEST

START_TEST(log_goes_on_where_it_ended)
{
    struct db *db = measured_world();
    HP_JSON json_t *first = need(view_log(db, GOLDEN_REPOSITORY, 2, NULL, false, &err));
    const char *next = hp_json_string(first, "next", "");
    ck_assert_uint_eq(json_array_size(json_object_get(first, "commits")), 2);
    ck_assert_str_eq(next, golden_head);
    HP_JSON json_t *rest = need(view_log(db, GOLDEN_REPOSITORY, 2, next, false, &err));
    ck_assert_uint_eq(json_array_size(json_object_get(rest, "commits")), 1);
    ck_assert(json_is_null(json_object_get(rest, "next")));
    ck_assert_ptr_null(view_log(db, GOLDEN_REPOSITORY, 2, "0000", false, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    ck_assert_ptr_null(view_log(db, GOLDEN_REPOSITORY, 0, NULL, false, &err));
    ck_assert_int_eq(err.code, HP_INVALID);
    ck_assert_ptr_null(view_log(db, "nobody", 2, NULL, false, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    ck_assert(err.hint[0]);
    db_close(db);
}
END_TEST

START_TEST(waiting_commits_say_so)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    store_ask(PRIVATE_DB_OWNER, "UPDATE store.job SET state = 'queued', run = NULL WHERE id = 18; "
                                "UPDATE store.commit SET watched = false WHERE position = 0");
    HP_JSON json_t *log = need(view_log(db, GOLDEN_REPOSITORY, 20, NULL, false, &err));
    const json_t *commits = json_object_get(log, "commits");
    ck_assert_str_eq(summary(json_array_get(commits, 0)), "queued - -");
    ck_assert_str_eq(summary(json_array_get(commits, 1)), "running - -");
    ck_assert_str_eq(summary(json_array_get(commits, 2)), "unwatched - -");
    store_ask(PRIVATE_DB_OWNER, "UPDATE store.job SET state = 'dead', reason = 'three attempts', "
                                "finished = now() WHERE id = 18");
    HP_JSON json_t *later = need(view_log(db, GOLDEN_REPOSITORY, 1, NULL, false, &err));
    const json_t *dead = json_array_get(json_object_get(later, "commits"), 0);
    ck_assert_str_eq(summary(dead), "failed - -");
    ck_assert_str_eq(hp_json_string(dead, "reason", ""), "three attempts");
    db_close(db);
}
END_TEST

START_TEST(compare_has_its_contract)
{
    static const char *const top[] = {
        "verdict",  "size",         "sentence", "base",    "head",     "run",
        "reason",   "workloads",    "machine",  "sandbox", "warnings", "reproduce",
        "measured", "confirmation", "coverage", "how",     "measure",  "basis"};
    static const char *const each[] = {
        "workload",      "verdict",    "size",     "metric",       "unit",         "better",
        "base_value",    "head_value", "change",   "low",          "high",         "pairs",
        "detectable",    "reason",     "sentence", "kernel_share", "ace_failures", "counters",
        "configuration", "metrics",    "syscalls", "profile",      "coverage",     "cause",
        "instructions",  "shipped"};
    struct db *db = measured_world();
    HP_JSON json_t *c = need(view_compare(db, GOLDEN_REPOSITORY, golden_base, golden_head, &err));
    for (size_t i = 0; i < sizeof top / sizeof top[0]; i++)
        ck_assert_msg(json_object_get(c, top[i]) != NULL, "no %s", top[i]);
    ck_assert_uint_eq(json_object_size(c), sizeof top / sizeof top[0]);
    const json_t *w = json_array_get(json_object_get(c, "workloads"), 0);
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++)
        ck_assert_msg(json_object_get(w, each[i]) != NULL, "no %s", each[i]);
    ck_assert_uint_eq(json_object_size(w), sizeof each / sizeof each[0]);
    ck_assert_str_eq(hp_json_string(w, "better", ""), "higher");
    ck_assert_int_eq(hp_json_int(w, "pairs", 0), 64);
    /* Only what differs: two counters of three, one option of three. */
    ck_assert_uint_eq(json_array_size(json_object_get(w, "counters")), 2);
    const json_t *options = json_object_get(w, "configuration");
    ck_assert_uint_eq(json_array_size(options), 1);
    ck_assert_str_eq(hp_json_string(json_array_get(options, 0), "name", ""), "HAKMEM_KEEP_EMPTY");
    ck_assert_str_eq(hp_json_string(json_array_get(options, 0), "base", ""), "8");
    ck_assert_str_eq(hp_json_string(c, "measured", ""), "2026-11-22T20:14:41Z");
    ck_assert_ptr_nonnull(strstr(hp_json_string(c, "sentence", ""),
                                 "% slower than its parent on random_mixed/8192 (interval "));
    db_close(db);
}
END_TEST

START_TEST(compare_without_a_run)
{
    struct db *db = measured_world();
    ck_assert_ptr_null(view_compare(db, GOLDEN_REPOSITORY, golden_base, golden_broken, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.hint, "hakperf queue --compare"));
    ck_assert_ptr_null(view_compare(db, GOLDEN_REPOSITORY, golden_head, golden_head, &err));
    ck_assert_int_eq(err.code, HP_INVALID);
    store_ask(PRIVATE_DB_OWNER, "INSERT INTO store.job (repository, kind, head, base, suite_hash) "
                                "SELECT 1, 'compare', max(j.head), (SELECT sha FROM store.commit "
                                "WHERE position = 0), max(suite_hash) FROM store.job j "
                                "WHERE id = 18");
    ck_assert_ptr_null(view_compare(db, GOLDEN_REPOSITORY, golden_base, golden_broken, &err));
    ck_assert_ptr_nonnull(strstr(err.hint, "is queued"));
    db_close(db);
}
END_TEST

static double number(const json_t *comparison, const char *key)
{
    return hp_json_number(json_array_get(json_object_get(comparison, "workloads"), 0), key, NAN);
}

static const char *way(const json_t *comparison)
{
    const json_t *w = json_array_get(json_object_get(comparison, "workloads"), 0);
    return hp_json_string(json_object_get(w, "how"), "way", "");
}

/* Four commits later, none of them compared with the first: whichever way is tighter. */
START_TEST(revisions_far_apart_are_joined)
{
    struct db *db = measured_world();
    for (int i = 1; i <= 4; i++)
        line_add(&(struct line_step){i, "regressed", "small", -0.004, 0.002, -0.004 * i, 0.0005});
    line_flush();
    HP_JSON json_t *tight =
        need(view_compare(db, GOLDEN_REPOSITORY, line_sha(1), line_sha(4), &err));
    ck_assert_str_eq(hp_json_string(tight, "how", ""), "joined");
    ck_assert_str_eq(way(tight), "reference");
    ck_assert_double_eq_tol(number(tight, "change"), expm1(-0.012), 1e-9);
    ck_assert_double_eq_tol(log1p(number(tight, "high")) - log1p(number(tight, "change")),
                            sqrt(2) * 0.0005 * 3.70 / 1.959964, 1e-9);
    ck_assert_str_eq(hp_json_string(tight, "basis", ""),
                     "not side by side: through the reference of both runs");
    ck_assert_str_eq(hp_json_string(tight, "verdict", ""), "regressed");
    ck_assert(json_is_null(json_object_get(tight, "measure")));
    ck_assert_ptr_nonnull(
        strstr(hp_json_string(tight, "sentence", ""), "through the reference of both runs"));
    /* Backwards it is the mirror image, along a line that goes down on the base's side. */
    HP_JSON json_t *back =
        need(view_compare(db, GOLDEN_REPOSITORY, line_sha(4), line_sha(1), &err));
    ck_assert_str_eq(hp_json_string(back, "verdict", ""), "improved");
    ck_assert_double_eq_tol(log1p(number(back, "change")), -log1p(number(tight, "change")), 1e-12);
    db_close(db);
}
END_TEST

START_TEST(revisions_without_a_reference_are_chained)
{
    struct db *db = measured_world();
    for (int i = 1; i <= 4; i++)
        line_add(&(struct line_step){i, "regressed", "small", -0.004, 0.002, 0, 0});
    line_flush();
    HP_JSON json_t *c = need(view_compare(db, GOLDEN_REPOSITORY, golden_head, line_sha(4), &err));
    ck_assert_str_eq(way(c), "parents");
    ck_assert_double_eq_tol(number(c, "change"), expm1(-0.016), 1e-9);
    /* Four independent errors of 0.2 % are one of 0.4 %. */
    ck_assert_double_eq_tol(log1p(number(c, "low")), -0.020, 1e-9);
    ck_assert_double_eq_tol(log1p(number(c, "high")), -0.012, 1e-9);
    ck_assert_ptr_nonnull(strstr(hp_json_string(c, "sentence", ""), "added up over 4 commits"));
    /* A hole in the line: nothing joins them, and the way to measure them is told. */
    line_add(&(struct line_step){.number = 5});
    line_add(&(struct line_step){6, "equivalent", NULL, 0, 0.002, 0, 0});
    line_flush();
    ck_assert_ptr_null(view_compare(db, GOLDEN_REPOSITORY, golden_head, line_sha(6), &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.hint, "hakperf queue --compare"));
    /* One that touches nothing of the allocator is no hole. */
    store_ask(PRIVATE_DB_OWNER, "UPDATE store.commit SET watched = false WHERE position = 6");
    HP_JSON json_t *joined =
        need(view_compare(db, GOLDEN_REPOSITORY, golden_head, line_sha(6), &err));
    ck_assert_double_eq_tol(number(joined, "change"), expm1(-0.016), 1e-9);
    db_close(db);
}
END_TEST

START_TEST(a_loose_joint_offers_a_measurement)
{
    struct db *db = measured_world();
    for (int i = 1; i <= 9; i++)
        line_add(&(struct line_step){i, "inconclusive", NULL, 0.001, 0.009, 0, 0.02});
    line_flush();
    HP_JSON json_t *c = need(view_compare(db, GOLDEN_REPOSITORY, golden_head, line_sha(9), &err));
    ck_assert_str_eq(way(c), "parents");
    ck_assert_str_eq(hp_json_string(c, "verdict", ""), "inconclusive");
    ck_assert_ptr_nonnull(strstr(hp_json_string(c, "measure", ""), "hakperf compare --measure "));
    ck_assert_ptr_nonnull(strstr(hp_json_string(c, "sentence", ""), "only a direct measurement"));
    /* Another machine in between: the controls are not the same, the parents still join. */
    store_ask(PRIVATE_DB_OWNER,
              "UPDATE store.run SET epoch = NULL WHERE base = lpad('8', 40, '0')");
    HP_JSON json_t *other =
        need(view_compare(db, GOLDEN_REPOSITORY, line_sha(8), line_sha(9), &err));
    ck_assert_str_eq(hp_json_string(other, "how", ""), "measured");
    db_close(db);
}
END_TEST

START_TEST(commit_with_run_and_comparison)
{
    struct db *db = measured_world();
    HP_JSON json_t *good = need(view_commit(db, GOLDEN_REPOSITORY, golden_head, &err));
    ck_assert_str_eq(summary(json_object_get(good, "commit")), "measured regressed relevant");
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(good, "run"), "arms")), 3);
    ck_assert(json_is_object(json_object_get(good, "comparison")));
    HP_JSON json_t *bad = need(view_commit(db, GOLDEN_REPOSITORY, golden_broken, &err));
    const json_t *failure = json_object_get(json_object_get(bad, "run"), "failure");
    ck_assert_ptr_nonnull(strstr(hp_json_string(failure, "log", ""), "expected ';'"));
    ck_assert_ptr_nonnull(strstr(hp_json_string(json_object_get(bad, "comparison"), "sentence", ""),
                                 "could not be measured"));
    HP_JSON json_t *none = need(view_commit(db, GOLDEN_REPOSITORY, golden_base, &err));
    ck_assert(json_is_null(json_object_get(none, "run")));
    ck_assert(json_is_null(json_object_get(none, "comparison")));
    ck_assert_ptr_null(view_commit(db, GOLDEN_REPOSITORY, "1234", &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    db_close(db);
}
END_TEST

START_TEST(series_has_points_and_ratios)
{
    struct db *db = measured_world();
    HP_JSON json_t *s = need(view_series(db, GOLDEN_REPOSITORY, NULL, NULL, 100, &err));
    ck_assert_str_eq(hp_json_string(s, "workload", ""), "random_mixed/8192");
    ck_assert_str_eq(hp_json_string(s, "unit", ""), "ops/cpu-s");
    const json_t *p = json_array_get(json_object_get(s, "points"), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(s, "points")), 1);
    double ratio = hp_json_number(p, "ratio", 0);
    ck_assert_double_eq_tol(ratio, 11.4 / 21.0, 0.01);
    ck_assert_double_lt(hp_json_number(p, "ratio_low", 0), ratio);
    ck_assert_double_gt(hp_json_number(p, "ratio_high", 0), ratio);
    ck_assert_str_eq(hp_json_string(p, "verdict", ""), "regressed");
    HP_JSON json_t *ace =
        need(view_series(db, GOLDEN_REPOSITORY, "random_mixed/8192", "ace_failures", 100, &err));
    p = json_array_get(json_object_get(ace, "points"), 0);
    ck_assert_double_eq(hp_json_number(p, "value", 0), 73385);
    ck_assert(json_is_null(json_object_get(p, "ratio")));
    ck_assert_ptr_null(view_series(db, GOLDEN_REPOSITORY, "nothing", NULL, 100, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    ck_assert_ptr_null(view_series(db, GOLDEN_REPOSITORY, NULL, "nothing", 100, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    db_close(db);
}
END_TEST

START_TEST(status_jobs_and_alerts)
{
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    store_ask(PRIVATE_DB_OWNER,
              "UPDATE store.job SET progress = '{\"fence\": 1, \"stage\": \"build\", \"done\": 1, "
              "\"total\": 2, \"text\": \"head\"}' WHERE id = 17; "
              "UPDATE store.job SET state = 'queued' WHERE id = 18");
    HP_JSON json_t *status = need(view_status(db, &err));
    ck_assert_str_eq(hp_json_string(status, "version", ""), HAKPERF_VERSION);
    ck_assert_uint_eq(json_array_size(json_object_get(status, "queue")), 1);
    const json_t *running = json_array_get(json_object_get(status, "running"), 0);
    ck_assert_int_eq(hp_json_int(running, "job", 0), 17);
    const json_t *progress = json_object_get(running, "progress");
    ck_assert_uint_eq(json_object_size(progress), 4);
    ck_assert_str_eq(hp_json_string(progress, "stage", ""), "build");
    ck_assert_int_eq(hp_json_int(json_object_get(status, "counts"), "running", 0), 1);
    HP_JSON json_t *none = need(view_alerts(db, &(struct view_alerts){.limit = 50}, &err));
    ck_assert_uint_eq(json_array_size(json_object_get(none, "alerts")), 0);
    deliver(db, "result-v1.json");
    HP_JSON json_t *job = need(view_job(db, 17, &err));
    ck_assert_str_eq(hp_json_string(job, "state", ""), "done");
    ck_assert(json_is_null(json_object_get(job, "progress")));
    ck_assert_ptr_null(view_job(db, 99, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    HP_JSON json_t *fresh = golden_confirm(true);
    struct ingest_outcome told;
    ck_assert_msg(ingest_result(db, fresh, &told, &err), "%s", err.message);
    HP_JSON json_t *alerts = need(view_alerts(db, &(struct view_alerts){.limit = 50}, &err));
    const json_t *alert = json_array_get(json_object_get(alerts, "alerts"), 0);
    ck_assert_str_eq(hp_json_string(alert, "sha", ""), golden_head);
    ck_assert_str_eq(hp_json_string(alert, "state", ""), "open");
    ck_assert_double_eq_tol(hp_json_number(alert, "change", 0), -0.31, 0.01);
    HP_JSON json_t *repositories = need(view_repositories(db, &err));
    const json_t *r = json_array_get(json_object_get(repositories, "repositories"), 0);
    ck_assert_int_eq(hp_json_int(r, "commits", 0), 3);
    ck_assert_str_eq(hp_json_string(r, "head", ""), golden_broken);
    db_close(db);
}
END_TEST

/* After a forced push to the base only that is the main line. */
START_TEST(main_line_follows_the_tip)
{
    struct db *db = measured_world();
    store_ask(PRIVATE_DB_OWNER,
              "UPDATE store.ref_tip SET sha = (SELECT sha FROM store.commit WHERE position = 0)");
    int64_t changed = 0;
    ck_assert_msg(db_pool_run(db, "mainline_refresh.sql", DB_PARAMS("1"), &changed, &err), "%s",
                  err.message);
    ck_assert_int_eq(changed, 2);
    HP_JSON json_t *log = need(view_log(db, GOLDEN_REPOSITORY, 20, NULL, false, &err));
    ck_assert_uint_eq(json_array_size(json_object_get(log, "commits")), 1);
    ck_assert(db_pool_run(db, "mainline_refresh.sql", DB_PARAMS("1"), &changed, &err));
    ck_assert_int_eq(changed, 0);
    db_close(db);
}
END_TEST

/* --- what psql sees --------------------------------------------------------------------------- */

START_TEST(reader_answers_the_question)
{
    db_close(measured_world());
    ck_assert_str_eq(
        store_ask(PRIVATE_DB_READER,
                  "SELECT string_agg(concat_ws('|', commit, state, verdict, kernel_share, "
                  "ace_failures), ' ') FROM (SELECT * FROM hakperf.history LIMIT 20) h"),
        "3d5be02|failed|failed 8c1f2e0|measured|regressed|0.3180|73385 1405df6|unmeasured");
    ck_assert_str_eq(store_ask(PRIVATE_DB_READER,
                               "SELECT commit || ' ' || value FROM "
                               "hakperf.series('hakmem', 'random_mixed/8192', 'kernel_share')"),
                     "8c1f2e0 0.318");
    ck_assert_str_eq(
        store_ask(PRIVATE_DB_READER,
                  "SELECT string_agg(DISTINCT option, ',') FROM hakperf.configurations "
                  "WHERE source <> 'default'"),
        "HAKMEM_TINY_USE_SUPERSLAB");
}
END_TEST

START_TEST(reader_sees_views_and_writes_nothing)
{
    static const char *const refused[][2] = {
        {"SELECT * FROM store.run", "42501"},
        {"SELECT * FROM store.token", "42501"},
        {"SELECT * FROM store.commit_state", "42501"},
        {"CREATE TEMP TABLE x (a integer)", "25006"},
        {"BEGIN READ WRITE; CREATE TEMP TABLE x (a integer)", "42501"},
        {"CREATE TABLE hakperf.x (a integer)", "25006"},
        {"BEGIN READ WRITE; DELETE FROM hakperf.alerts", "55000"},
        {"BEGIN READ WRITE; CREATE TABLE hakperf.x (a integer)", "42501"},
        {"BEGIN READ WRITE; CREATE TABLE public.x (a integer)", "42501"},
        {"SELECT store.make_partitions(1)", "42501"},
        {"SET ROLE hakperf_collector", "42501"},
    };
    store_use_original();
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ck_assert_msg(strcmp(store_refused(PRIVATE_DB_READER, refused[i][0]), refused[i][1]) == 0,
                      "%s: %s", refused[i][0], store_refused(PRIVATE_DB_READER, refused[i][0]));
    ck_assert_str_eq(store_ask(PRIVATE_DB_READER, "SHOW statement_timeout"), "30s");
    ck_assert_str_eq(store_ask(PRIVATE_DB_READER, "SELECT count(*) FROM history"), "0");
    /* Every view can be read, and every view and column that needs one has a comment. */
    ck_assert_str_eq(store_ask(PRIVATE_DB_READER,
                               "SELECT count(*) >= 9 AND count(*) = count(obj_description(c.oid)) "
                               "AND bool_and(has_table_privilege(c.oid, 'SELECT')) "
                               "FROM pg_class c WHERE relnamespace = 'hakperf'::regnamespace "
                               "AND relkind = 'v'"),
                     "t");
}
END_TEST

START_TEST(audit_log_only_grows)
{
    golden_world();
    store_ask(PRIVATE_DB_COLLECTOR,
              "INSERT INTO store.audit_log (who, action) VALUES ('test', 'look')");
    ck_assert_str_eq(store_refused(PRIVATE_DB_COLLECTOR, "UPDATE store.audit_log SET who = ''"),
                     "42501");
    ck_assert_str_eq(store_refused(PRIVATE_DB_COLLECTOR, "DELETE FROM store.audit_log"), "42501");
}
END_TEST

HP_SUITE(view)
{
    Suite *s = suite_create("view");
    TCase *t = tcase_create("answers");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_test(t, log_tells_the_main_line);
    tcase_add_test(t, log_goes_on_where_it_ended);
    tcase_add_test(t, waiting_commits_say_so);
    tcase_add_test(t, compare_has_its_contract);
    tcase_add_test(t, compare_without_a_run);
    tcase_add_test(t, revisions_far_apart_are_joined);
    tcase_add_test(t, revisions_without_a_reference_are_chained);
    tcase_add_test(t, a_loose_joint_offers_a_measurement);
    tcase_add_test(t, commit_with_run_and_comparison);
    tcase_add_test(t, series_has_points_and_ratios);
    tcase_add_test(t, status_jobs_and_alerts);
    tcase_add_test(t, main_line_follows_the_tip);
    tcase_add_test(t, reader_answers_the_question);
    tcase_add_test(t, reader_sees_views_and_writes_nothing);
    tcase_add_test(t, audit_log_only_grows);
    suite_add_tcase(s, t);
    return s;
}
