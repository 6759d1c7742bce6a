/* What the history says: steps of a level, suspects and the search for who did it, small losses. */
#include "collector/queue.h"
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

#include "collector/private_db.h"

static struct hp_error err;
static struct db *db;
static double usual; /* log ratio to the control that a faster golden result adds to the series */

static void begin(void)
{
    struct ingest_outcome out;
    golden_world();
    db = store_db(PRIVATE_DB_COLLECTOR);
    line_ask("UPDATE store.commit SET mainline = position < 2; "
             "SELECT setval(pg_get_serial_sequence('store.job', 'id'), 100)");
    HP_JSON json_t *result = golden_read("result-v1.json");
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    usual = atof(line_ask(
        "SELECT ln(b.median / c.median) FROM store.measurement b "
        "JOIN store.measurement c USING (run, metric) JOIN store.metric m ON m.id = metric "
        "WHERE m.name = 'throughput' AND b.arm = 'base' AND c.arm = 'control'"));
    line_ask("UPDATE store.job SET state = 'cancelled', finished = now() WHERE state = 'queued'");
}

static double noise(int i)
{
    return 0.0005 * (i * 7 % 5 - 2);
}

/* Claims the job that waits, and delivers the golden result for it: slower or faster, or, for a job
 * that confirms, the regression found again. "" where none waits, else "BASE>HEAD" by positions. */
static const char *work(bool slower)
{
    static char done[32];
    struct ingest_outcome out;
    char head[65], base[65], run[37], kind[16];
    long long job;
    const char *claimed = line_ask(
        "UPDATE store.job SET state = 'running', fence = 1, attempt = 1, runner = 'bench-1', "
        "run = gen_random_uuid(), started = now(), lease_until = now() + interval '1 minute' "
        "WHERE id = (SELECT min(id) FROM store.job WHERE state = 'queued') "
        "RETURNING concat_ws(' ', id, kind, head, base, run)");
    if (!claimed[0])
        return "";
    ck_assert_int_eq(sscanf(claimed, "%lld %15s %64s %64s %36s", &job, kind, head, base, run), 5);
    HP_JSON json_t *result = slower ? golden_read("result-v1.json") : golden_faster();
    golden_set(result, "/job", json_integer(job));
    golden_set(result, "/run", json_string(run));
    golden_set(result, "/fence", json_integer(1));
    golden_set(result, "/attempt", json_integer(1));
    golden_set(result, "/arms/0/sha", json_string(head));
    golden_set(result, "/arms/1/sha", json_string(base));
    if (strcmp(kind, "confirm") == 0) {
        golden_set(result, "/workloads/0/plan/max_pairs", json_integer(64));
        golden_decide(result, AN_CONFIRM_Z);
    }
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(!out.voided);
    int64_t judged;
    ck_assert_msg(series_judge(db, NULL, &judged, &err), "%s", err.message);
    HP_FREE char *places =
        hp_format("SELECT concat_ws('>', (SELECT position FROM store.commit WHERE "
                  "sha = '%s'), (SELECT position FROM store.commit WHERE sha = '%s'))",
                  base, head);
    snprintf(done, sizeof done, "%s", line_ask(places));
    return done;
}

/* Commit `number` is pushed and measured by the service. */
static void measure(int number, bool slower)
{
    line_add(&(struct line_step){.number = number});
    HP_FREE char *sql = hp_format(
        "INSERT INTO store.job (repository, kind, head, base, suite_hash, position) SELECT 1, "
        "'commit', "
        "c.sha, c.parents[1], r.suite_hash, c.position FROM store.commit c, store.repository r "
        "WHERE c.sha = '%s'",
        line_sha(number));
    line_ask(sql);
    ck_assert_str_ne(work(slower), "");
}

START_TEST(a_step_of_the_level_is_kept)
{
    begin();
    for (int i = 1; i <= 39; i++)
        line_add(&(struct line_step){i, "equivalent", NULL, 0, 0.002,
                                     usual + (i < 21 ? 0.05 : 0) + noise(i), 0.001});
    measure(40, false);
    ck_assert_str_eq(line_ask("SELECT count(*) FROM hakperf.change_points"), "1");
    ck_assert_str_eq(line_ask("SELECT sha FROM hakperf.change_points"), line_sha(21));
    ck_assert_double_eq_tol(atof(line_ask("SELECT change_percent FROM hakperf.change_points")),
                            -4.88, 0.1);
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.suspect"), "0");
    /* The next point leaves it where it is, and known since when it was. */
    HP_FREE char *found = strdup(line_ask("SELECT found FROM store.change_point"));
    measure(41, false);
    ck_assert_str_eq(line_ask("SELECT found FROM store.change_point"), found);
    HP_JSON json_t *log = view_log(db, GOLDEN_REPOSITORY, 100, NULL, false, &err);
    size_t i, marked = 0;
    json_t *entry;
    json_array_foreach (json_object_get(log, "commits"), i, entry) {
        size_t steps = json_array_size(json_object_get(entry, "changepoints"));
        marked += steps;
        ck_assert(steps == 0 || strcmp(hp_json_string(entry, "sha", ""), line_sha(21)) == 0);
    }
    ck_assert_uint_eq(marked, 1);
    db_close(db);
}
END_TEST

static void judge(void)
{
    int64_t judged;
    ck_assert_msg(series_judge(db, NULL, &judged, &err), "%s", err.message);
    ck_assert_int_eq(judged, 1);
    ck_assert(series_judge(db, NULL, &judged, &err) && judged == 0);
}

/* 1200 points behind the golden one, the level 5 % lower from each of two positions on. */
static void begin_long_series(int first, int second)
{
    begin();
    HP_FREE char *sql = hp_format(
        "INSERT INTO store.commit (repository, sha, parents, position, mainline, author, subject, "
        "committed) SELECT 1, lpad(i::text, 40, '0'), '{}', i + 1, true, 'A', 'Step', now() FROM "
        "generate_series(1, 1200) i; INSERT INTO store.point (repository, workload, epoch, "
        "position, sha, run, ratio) SELECT 1, x.workload, u.epoch, i + 1, lpad(i::text, 40, '0'), "
        "u.id, 0.0005 * (i * 7 %% 5 - 2) - CASE WHEN i >= %d THEN 0.1 WHEN "
        "i >= %d THEN 0.05 ELSE 0 END FROM generate_series(1, 1200) i, store.run u JOIN "
        "store.run_workload x ON x.run = u.id",
        second, first);
    line_ask(sql);
}

static const char *steps(void)
{
    return line_ask("SELECT string_agg((position - 1)::text, ' ' ORDER BY position) "
                    "FROM store.change_point");
}

START_TEST(a_point_in_between_changes_what_is_around_it)
{
    begin_long_series(600, 1100);
    line_ask("UPDATE store.point SET due = position = 500");
    judge();
    ck_assert_str_eq(steps(), "600"); /* 1100 is further away than a point reaches */
    /* What was found far away stands as it is; what is near is found anew. */
    line_ask("UPDATE store.change_point SET position = 302; "
             "UPDATE store.point SET ratio = 0, due = true WHERE position = 1000");
    judge();
    ck_assert_str_eq(steps(), "301 1100");
    line_ask("UPDATE store.point SET due = true WHERE position = 400");
    judge();
    ck_assert_str_eq(steps(), "1100");
    /* The whole at once is what the parts come to. */
    line_ask("UPDATE store.point SET due = true");
    judge();
    ck_assert_str_eq(steps(), "600 1100");
    line_ask("UPDATE store.point SET due = true WHERE position IN (590, 610)");
    judge();
    ck_assert_str_eq(steps(), "600 1100");
    db_close(db);
}
END_TEST

/* Both came since the series was judged last; only the first is out of the ordinary. */
START_TEST(each_of_several_new_points_is_judged)
{
    begin_long_series(2000, 2000);
    line_ask("UPDATE store.comparison SET verdict = 'equivalent', size = NULL; "
             "UPDATE store.point SET due = position > 1199, "
             "ratio = ratio - CASE position WHEN 1200 THEN 0.05 ELSE 0 END");
    judge();
    ck_assert_str_eq(line_ask("SELECT string_agg(bad, ' ') FROM store.suspect"), line_sha(1199));
    ck_assert_str_eq(
        line_ask("SELECT count(*) FROM store.job j JOIN store.suspect s ON j.head = s.bad "
                 "AND j.base = s.good WHERE j.kind = 'bisect'"),
        "1");
    db_close(db);
}
END_TEST

/* Twenty commits on one level, seven that nobody measured, and one that is 5 % lower. */
static void begin_suspect(void)
{
    begin();
    for (int i = 1; i <= 20; i++)
        line_add(
            &(struct line_step){i, "equivalent", NULL, 0, 0.002, usual + 0.05 + noise(i), 0.001});
    for (int i = 21; i <= 27; i++)
        line_add(&(struct line_step){.number = i});
    measure(28, false);
    ck_assert_str_eq(line_ask("SELECT concat_ws(' ', state, budget) FROM store.suspect"),
                     "measuring 13");
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.alert"), "0");
}

START_TEST(a_suspect_is_searched_and_then_told)
{
    begin_suspect();
    /* Positions are numbers plus one. Commit 26 did it, and 24 does not build. */
    HP_FREE char *broken = hp_format(
        "INSERT INTO store.run (repository, id, job, attempt, kind, head, base, against_parent, "
        "suite_hash, status, verdict, failure_stage, failure_message, started, finished, runner, "
        "runner_version, machine, sandbox, reproduce) SELECT repository, gen_random_uuid(), job, "
        "1, "
        "'commit', '%s', NULL, true, suite_hash, 'failed', 'failed', 'build', 'no', now(), now(), "
        "runner, '1', machine, 'bwrap', 'x' FROM store.run LIMIT 1",
        line_sha(24));
    line_ask(broken);
    ck_assert_str_eq(work(true), "21>29");  /* the ends differ */
    ck_assert_str_eq(work(false), "21>24"); /* the middle is 25, which does not build */
    ck_assert_str_eq(work(false), "24>26");
    ck_assert_str_eq(work(true), "26>27"); /* 26 is position 27; nothing is between */
    ck_assert_str_eq(
        line_ask("SELECT concat_ws(' ', state, high = lpad('26', 40, '0')) FROM store.suspect"),
        "found t");
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.alert"),
                     "0"); /* not before it is confirmed */
    ck_assert_str_eq(work(true), "26>27");
    ck_assert_str_eq(line_ask("SELECT head || ' ' || kind FROM store.alert"),
                     "0000000000000000000000000000000000000026 regression");
    ck_assert_str_eq(work(true), "");
    db_close(db);
}
END_TEST

/* The pair that is left was not measured yet when nothing is between: it is, before it is told. */
START_TEST(the_last_pair_is_measured_side_by_side)
{
    begin_suspect();
    ck_assert_str_eq(work(true), "21>29");
    ck_assert_str_eq(work(true), "21>25");
    ck_assert_str_eq(work(false), "21>23");
    ck_assert_str_eq(work(false), "23>24");
    ck_assert_str_eq(work(true), "24>25");
    ck_assert_str_eq(line_ask("SELECT concat_ws(' ', state, reason) FROM store.suspect"),
                     "found 0000000000 did it");
    ck_assert_str_eq(work(true), "24>25");
    ck_assert_str_eq(line_ask("SELECT head FROM store.alert"), line_sha(24));
    db_close(db);
}
END_TEST

START_TEST(a_suspect_that_pairs_do_not_see_is_forgotten)
{
    begin_suspect();
    ck_assert_str_eq(work(false), "21>29");
    ck_assert_str_eq(line_ask("SELECT state FROM store.suspect"), "refuted");
    ck_assert_str_eq(work(false), "");
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.alert"), "0");
    HP_JSON json_t *list = view_suspects(db, GOLDEN_REPOSITORY, 10, &err);
    const json_t *one = json_array_get(json_object_get(list, "suspects"), 0);
    ck_assert_ptr_nonnull(strstr(hp_json_string(one, "reason", ""), "no relevant regression"));
    db_close(db);
}
END_TEST

START_TEST(a_search_ends_with_its_budget_or_its_job)
{
    begin_suspect();
    line_ask("UPDATE store.suspect SET budget = 0");
    ck_assert_str_eq(work(true), "21>29");
    ck_assert_str_eq(
        line_ask("SELECT state || ' ' || (reason LIKE '%runs are spent') FROM store.suspect"),
        "ended true");
    ck_assert_str_eq(work(true), "21>29"); /* the stretch as a whole is confirmed and told */
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.alert"), "1");
    line_ask(
        "UPDATE store.suspect SET state = 'measuring'; UPDATE store.job SET state = 'queued', "
        "finished = NULL WHERE kind = 'bisect'; UPDATE store.job SET state = 'cancelled', finished "
        "= "
        "now() WHERE kind = 'bisect'");
    ck_assert_str_eq(
        line_ask("SELECT state || ' ' || (reason LIKE 'job % is cancelled') FROM store.suspect"),
        "ended true");
    db_close(db);
}
END_TEST

/* As after the run of commit `number` of the line, which lost a little. */
static int64_t lost_little(int number)
{
    HP_FREE char *sql = hp_format("SELECT id FROM store.run WHERE head = '%s'", line_sha(number));
    HP_JSON json_t *result = json_pack("{s:s}", "run", line_ask(sql));
    HP_FREE char *name = strdup(line_ask("SELECT name FROM store.workload"));
    struct ingest_workload w = {
        .name = name, .metric = hp_metric_find("throughput"), .timed = {AN_REGRESSED, AN_SMALL}};
    struct ingest_run run = {.result = result, .workloads = &w, .n = 1};
    int64_t alert = 0;
    strcpy(run.claim.repository, "1");
    snprintf(run.claim.head, sizeof run.claim.head, "%s", line_sha(number));
    DB_CONN struct db_conn *conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    ck_assert_msg(accumulate_follow(conn, &run, &alert, &err), "%s", err.message);
    ck_assert(db_commit(conn, &err));
    return alert;
}

START_TEST(small_losses_add_up_to_one_alert)
{
    begin();
    for (int i = 1; i <= 2; i++)
        line_add(&(struct line_step){i, "regressed", "small", -0.004, 0.001, 0, 0});
    ck_assert_int_eq(lost_little(2), 0); /* 0.8 % is below the margin */
    line_add(&(struct line_step){3, "equivalent", NULL, 0.0002, 0.001, 0, 0});
    line_add(&(struct line_step){4, "regressed", "small", -0.0044, 0.001, 0, 0});
    ck_assert_int_gt(lost_little(4), 0);
    ck_assert_str_eq(line_ask("SELECT sentence FROM store.alert WHERE kind = 'accumulated'"),
                     "3 small regressions add up: together 1.2 % slower on random_mixed/8192 "
                     "(interval 1.0 to 1.4 %): "
                     "0000000 0.40 %, 0000000 0.40 %, 0000000 0.44 %.");
    ck_assert_int_eq(lost_little(4), 0); /* told once */
    line_add(&(struct line_step){5, "regressed", "small", -0.004, 0.001, 0, 0});
    ck_assert_int_eq(lost_little(5), 0); /* the same alert grows */
    ck_assert_str_eq(
        line_ask("SELECT json_array_length((detail -> 'commits')::json) || ' ' || head FROM "
                 "store.alert WHERE kind = 'accumulated'"),
        "4 0000000000000000000000000000000000000005");
    ck_assert_str_eq(line_ask("SELECT string_agg(action, ' ' ORDER BY id) FROM store.alert_event"),
                     "opened noted");
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.outbox"), "1");
    db_close(db);
}
END_TEST

/* Queues a self-test of that kind on the golden head, and does it. */
static void self_test(const char *kind, bool slower)
{
    HP_FREE char *sql = hp_format(
        "INSERT INTO store.job (repository, kind, head, base, suite_hash, priority) SELECT 1, "
        "'%s', '%s', '%s', suite_hash, -1 FROM store.repository",
        kind, golden_head, golden_head);
    line_ask(sql);
    ck_assert_str_eq(work(slower), "1>1");
}

/* Of two gaps the one with a step behind it is filled first, though the other is newer. */
START_TEST(gaps_before_a_step_are_filled_first)
{
    int64_t added;
    begin();
    for (int i = 1; i <= 40; i++)
        line_add(&(struct line_step){
            i, (i >= 17 && i <= 19) || (i >= 36 && i <= 38) ? NULL : "equivalent", NULL, 0, 0.002,
            usual + (i < 20 ? 0.05 : 0) + noise(i), 0.001});
    measure(41, false);
    ck_assert_str_eq(line_ask("SELECT sha FROM hakperf.change_points"), line_sha(20));
    ck_assert_msg(queue_fill_gaps(db, 4, &added, &err), "%s", err.message);
    ck_assert_str_eq(
        line_ask("SELECT string_agg((position - 1)::text, ' ' ORDER BY id) FROM store.job WHERE "
                 "kind = 'backfill'"),
        "19 18 17 38");
    db_close(db);
}
END_TEST

START_TEST(a_canary_that_is_missed_is_told)
{
    begin();
    self_test("canary", true);
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.alert"), "0");
    self_test("canary", false);
    ck_assert_str_eq(
        line_ask("SELECT kind || ' ' || state || ' ' || (sentence LIKE 'The service itself is "
                 "sick: a planted slowdown of % was not found on random_mixed/8192;%') FROM "
                 "store.alert"),
        "selftest open true");
    self_test("canary", false); /* known already */
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.alert"), "1");
    self_test("canary", true);
    ck_assert_str_eq(line_ask("SELECT state || ' ' || resolution FROM store.alert"),
                     "resolved fixed");
    ck_assert_str_eq(line_ask("SELECT string_agg(passed::text, ' ' ORDER BY measured) FROM "
                              "hakperf.selftests"),
                     "true false false true");
    /* It says nothing of the commit. */
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.job WHERE state = 'queued'"), "0");
    db_close(db);
}
END_TEST

START_TEST(a_build_that_differs_from_itself_is_told)
{
    begin();
    self_test("aa", false);
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.alert WHERE kind = 'selftest'"), "1");
    HP_JSON json_t *summary = view_selftest(db, GOLDEN_REPOSITORY, 30, &err);
    const json_t *aa = json_object_get(summary, "aa");
    ck_assert_int_eq(hp_json_int(aa, "comparisons", 0), 1);
    ck_assert_int_eq(hp_json_int(aa, "false_alarms", 0), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(summary, "alerts")), 1);
    ck_assert(json_is_number(json_object_get(summary, "smallest_visible")));
    db_close(db);
}
END_TEST

START_TEST(self_tests_come_on_schedule)
{
    int64_t added;
    begin();
    ck_assert(queue_self_tests(db, 24, &added, &err) && added == 0); /* measured just now */
    line_ask("UPDATE store.run SET stored = now() - interval '2 hours'");
    ck_assert_msg(queue_self_tests(db, 24, &added, &err), "%s", err.message);
    ck_assert_int_eq(added, 1); /* the golden suite plants nothing */
    ck_assert(queue_self_tests(db, 24, &added, &err) && added == 0);
    line_ask("UPDATE store.suite SET document = jsonb_set(document, '{recipe,canary}', "
             "'{\"environment\": {}, \"slowdown\": 0.05}')");
    ck_assert(queue_self_tests(db, 24, &added, &err) && added == 1);
    ck_assert_str_eq(
        line_ask("SELECT string_agg(kind, ' ' ORDER BY kind) FROM store.job WHERE state = "
                 "'queued' AND priority < 0 AND head = base"),
        "aa canary");
    line_ask(
        "UPDATE store.job SET state = 'done', finished = now(), created = now() - interval '25 "
        "hours' "
        "WHERE state = 'queued'");
    ck_assert(queue_self_tests(db, 24, &added, &err) && added == 2);
    ck_assert(queue_self_tests(db, 0, &added, &err) && added == 0);
    db_close(db);
}
END_TEST

HP_SUITE(history)
{
    Suite *s = suite_create("history");
    TCase *t = tcase_create("history");
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_step_of_the_level_is_kept);
    tcase_add_test(t, a_point_in_between_changes_what_is_around_it);
    tcase_add_test(t, each_of_several_new_points_is_judged);
    tcase_add_test(t, a_suspect_is_searched_and_then_told);
    tcase_add_test(t, the_last_pair_is_measured_side_by_side);
    tcase_add_test(t, a_suspect_that_pairs_do_not_see_is_forgotten);
    tcase_add_test(t, a_search_ends_with_its_budget_or_its_job);
    tcase_add_test(t, small_losses_add_up_to_one_alert);
    tcase_add_test(t, gaps_before_a_step_are_filled_first);
    tcase_add_test(t, a_canary_that_is_missed_is_told);
    tcase_add_test(t, a_build_that_differs_from_itself_is_told);
    tcase_add_test(t, self_tests_come_on_schedule);
    suite_add_tcase(s, t);
    return s;
}
