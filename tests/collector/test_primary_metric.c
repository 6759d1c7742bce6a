/* A workload that another metric than its time decides: history, series, what is predicted, added
 * up and joined ask for that metric, and know that less of it is better. */
#include "collector/ingest_internal.h"
#include "collector/private_db.h"
#include "collector/series.h"
#include "collector/view.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/golden.h"
#include "tests/collector/line.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct hp_error err;
static struct db *db;

/* The golden run, of a suite that decides its workload by CPU time: 45 % more of it. */
static void begin(void)
{
    struct ingest_outcome out;
    golden_world();
    db = store_db(PRIVATE_DB_COLLECTOR);
    line_ask("UPDATE store.commit SET mainline = position < 2; "
             "UPDATE store.suite SET document = "
             "jsonb_set(document::jsonb, '{workloads,0,metric}', '\"cpu\"'); "
             "SELECT setval(pg_get_serial_sequence('store.job', 'id'), 100)");
    HP_JSON json_t *result = golden_read("result-v1.json");
    golden_decide_by(result, "cpu");
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && !out.voided);
    line_metric("cpu");
}

static json_t *need(json_t *answer)
{
    ck_assert_msg(answer != NULL, "%s: %s", hp_code_name(err.code), err.message);
    return answer;
}

static double number(const json_t *object, const char *key)
{
    return hp_json_number(object, key, NAN);
}

static void is_cpu(const json_t *object)
{
    ck_assert_str_eq(hp_json_string(object, "metric", ""), "cpu");
    ck_assert_str_eq(hp_json_string(object, "unit", ""), "s");
    ck_assert_str_eq(hp_json_string(object, "better", ""), "lower");
}

START_TEST(the_history_shows_it)
{
    begin();
    HP_JSON json_t *log = need(view_log(db, GOLDEN_REPOSITORY, 20, NULL, false, &err));
    const json_t *entry = json_array_get(json_object_get(log, "commits"), 0);
    is_cpu(entry);
    ck_assert_double_eq_tol(number(entry, "change"), 0.448, 0.005);
    ck_assert_double_eq_tol(number(entry, "value"), 0.0307, 0.0005);
    ck_assert_double_eq_tol(number(entry, "throughput"), 11.4e6, 0.2e6);
    HP_JSON json_t *commit = need(view_commit(db, GOLDEN_REPOSITORY, golden_head, &err));
    is_cpu(json_object_get(commit, "commit"));
    ck_assert_str_eq(
        store_ask(PRIVATE_DB_READER,
                  "SELECT concat_ws(' ', metric, unit, change_percent > 44, value > "
                  "0.03 AND value < 0.031) FROM hakperf.history WHERE run IS NOT NULL"),
        "cpu s t t");
    db_close(db);
}
END_TEST

START_TEST(it_is_the_series_that_is_shown)
{
    begin();
    HP_JSON json_t *series = need(view_series(db, GOLDEN_REPOSITORY, NULL, NULL, 100, &err));
    is_cpu(series);
    const json_t *point = json_array_get(json_object_get(series, "points"), 0);
    ck_assert_str_eq(hp_json_string(point, "verdict", ""), "regressed");
    ck_assert_double_eq_tol(number(point, "ratio"), 0.0307 / 0.0166, 0.02);
    HP_JSON json_t *time = need(view_series(db, GOLDEN_REPOSITORY, NULL, "throughput", 100, &err));
    ck_assert_str_eq(hp_json_string(time, "metric", ""), "throughput");
    ck_assert_str_eq(
        store_ask(PRIVATE_DB_READER,
                  "SELECT count(*) || ' ' || bool_and(value < 1) FROM hakperf.series('hakmem', "
                  "'random_mixed/8192')"),
        "1 true");
    ck_assert_double_eq_tol(
        atof(line_ask("SELECT exp(p.ratio) FROM store.point p JOIN store.metric m "
                      "ON m.id = p.metric WHERE m.name = 'cpu'")),
        0.0307 / 0.0166, 0.02);
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.point"), "1");
    db_close(db);
}
END_TEST

/* Points of a level, the last of them `off` above it. */
static void add_points(double off)
{
    for (int i = 1; i <= 20; i++)
        line_add(&(struct line_step){i, "equivalent", NULL, 0, 0.002,
                                     0.0005 * (i * 7 % 5 - 2) + (i == 20 ? off : 0), 0.001});
    line_ask("DELETE FROM store.point WHERE position = 1; "
             "UPDATE store.point SET due = position = 21");
    int64_t judged;
    ck_assert_msg(series_judge(db, NULL, &judged, &err), "%s", err.message);
    ck_assert_int_eq(judged, 1);
}

START_TEST(more_of_it_is_a_suspect)
{
    begin();
    add_points(0.05);
    ck_assert_str_eq(line_ask("SELECT bad FROM store.suspect"), line_sha(20));
    const char *reason = line_ask("SELECT reason FROM store.suspect");
    ck_assert_msg(strncmp(reason,
                          "5.0 % higher in cpu than the 19 commits before it, which predict",
                          63) == 0,
                  "%s", reason);
    db_close(db);
}
END_TEST

START_TEST(less_of_it_is_none)
{
    begin();
    add_points(-0.05);
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.suspect"), "0");
    db_close(db);
}
END_TEST

/* What a run of another metric added stays another series. */
START_TEST(series_of_two_metrics_do_not_mix)
{
    begin();
    for (int i = 1; i <= 40; i++) {
        line_metric(i <= 20 ? "throughput" : "cpu");
        line_add(&(struct line_step){i, "equivalent", NULL, 0, 0.002,
                                     (i <= 20 ? 0.5 : 0) + 0.0005 * (i * 7 % 5 - 2), 0.001});
    }
    line_ask("DELETE FROM store.point WHERE position = 1; UPDATE store.point SET due = true");
    int64_t judged;
    ck_assert_msg(series_judge(db, NULL, &judged, &err), "%s", err.message);
    ck_assert_int_eq(judged, 2);
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.change_point"), "0");
    db_close(db);
}
END_TEST

START_TEST(a_step_names_it)
{
    begin();
    for (int i = 1; i <= 40; i++)
        line_add(&(struct line_step){i, "equivalent", NULL, 0, 0.002,
                                     (i > 20 ? 0.1 : 0) + 0.0005 * (i * 7 % 5 - 2), 0.001});
    line_ask("DELETE FROM store.point WHERE position = 1; UPDATE store.point SET due = true");
    int64_t judged;
    ck_assert(series_judge(db, NULL, &judged, &err));
    HP_JSON json_t *found = need(view_changepoints(db, GOLDEN_REPOSITORY, NULL, 10, &err));
    const json_t *step = json_array_get(json_object_get(found, "changepoints"), 0);
    ck_assert_str_eq(hp_json_string(step, "metric", ""), "cpu");
    ck_assert_str_eq(hp_json_string(step, "better", ""), "lower");
    ck_assert_double_eq_tol(number(step, "change"), expm1(0.1), 0.005);
    ck_assert_str_eq(
        store_ask(PRIVATE_DB_READER, "SELECT metric || ' ' || better FROM hakperf.change_points"),
        "cpu lower");
    db_close(db);
}
END_TEST

START_TEST(small_losses_of_it_add_up)
{
    begin();
    for (int i = 1; i <= 3; i++)
        line_add(&(struct line_step){i, "regressed", "small", 0.004, 0.001, 0, 0});
    HP_FREE char *sql = hp_format("SELECT id FROM store.run WHERE head = '%s'", line_sha(3));
    HP_JSON json_t *result = json_pack("{s:s}", "run", line_ask(sql));
    struct ingest_workload w = {.name = "random_mixed/8192",
                                .metric = hp_metric_find("cpu"),
                                .timed = {AN_REGRESSED, AN_SMALL}};
    struct ingest_run run = {.result = result, .workloads = &w, .n = 1};
    int64_t alert = 0;
    strcpy(run.claim.repository, "1");
    snprintf(run.claim.head, sizeof run.claim.head, "%s", line_sha(3));
    DB_CONN struct db_conn *conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    ck_assert_msg(accumulate_follow(conn, &run, &alert, &err), "%s", err.message);
    ck_assert(db_commit(conn, &err));
    ck_assert_int_gt(alert, 0);
    ck_assert_str_eq(
        line_ask("SELECT a.sentence || ' ' || m.name FROM store.alert a JOIN store.metric m "
                 "ON m.id = a.metric WHERE a.kind = 'accumulated'"),
        "3 small regressions add up: together 1.2 % higher in cpu on "
        "random_mixed/8192 (interval 1.0 to 1.4 %): 0000000 0.40 %, 0000000 0.40 %, "
        "0000000 0.40 %. cpu");
    db_release(hp_take(conn));
    db_close(db);
}
END_TEST

START_TEST(revisions_are_joined_by_it)
{
    begin();
    for (int i = 1; i <= 4; i++)
        line_add(&(struct line_step){i, "regressed", "small", 0.004, 0.002, 0.004 * i, 0.0005});
    for (int i = 5; i <= 8; i++)
        line_add(&(struct line_step){i, "regressed", "small", 0.004, 0.002, 0, 0});
    line_flush();
    HP_JSON json_t *through =
        need(view_compare(db, GOLDEN_REPOSITORY, line_sha(1), line_sha(4), &err));
    const json_t *w = json_array_get(json_object_get(through, "workloads"), 0);
    is_cpu(w);
    ck_assert_str_eq(hp_json_string(json_object_get(w, "how"), "way", ""), "reference");
    ck_assert_str_eq(hp_json_string(through, "verdict", ""), "regressed");
    ck_assert_double_eq_tol(number(w, "change"), expm1(0.012), 1e-9);
    ck_assert(number(w, "head_value") > number(w, "base_value"));
    ck_assert_ptr_nonnull(
        strstr(hp_json_string(through, "sentence", ""), "1.2 % higher than 0000000 in cpu"));
    HP_JSON json_t *chain =
        need(view_compare(db, GOLDEN_REPOSITORY, line_sha(4), line_sha(8), &err));
    w = json_array_get(json_object_get(chain, "workloads"), 0);
    is_cpu(w);
    ck_assert_str_eq(hp_json_string(json_object_get(w, "how"), "way", ""), "parents");
    ck_assert_str_eq(hp_json_string(chain, "verdict", ""), "regressed");
    ck_assert_double_eq_tol(number(w, "change"), expm1(0.016), 1e-9);
    db_close(db);
}
END_TEST

HP_SUITE(primary_metric)
{
    Suite *s = suite_create("primary_metric");
    TCase *t = tcase_create("primary_metric");
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_history_shows_it);
    tcase_add_test(t, it_is_the_series_that_is_shown);
    tcase_add_test(t, more_of_it_is_a_suspect);
    tcase_add_test(t, less_of_it_is_none);
    tcase_add_test(t, series_of_two_metrics_do_not_mix);
    tcase_add_test(t, a_step_names_it);
    tcase_add_test(t, small_losses_of_it_add_up);
    tcase_add_test(t, revisions_are_joined_by_it);
    suite_add_tcase(s, t);
    return s;
}
