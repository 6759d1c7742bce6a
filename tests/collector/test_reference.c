/* The suite's reference: what its runs are held against, and what another one begins. */
#include "collector/ingest.h"
#include "collector/private_db.h"
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

#define PINNED "5555555555555555555555555555555555555555"
#define OTHER "6666666666666666666666666666666666666666"
#define CODE "5555555555555555555555555555555555555555555555555555555555555555"

static struct hp_error err;

static void name_reference(void)
{
    line_ask("UPDATE store.commit SET mainline = position < 2; "
             "UPDATE store.suite SET document = document || '{\"reference\": {\"rev\": \"v1\"}}', "
             "reference_sha = '" PINNED "', reference_subject = 'pinned'; "
             "SELECT setval(pg_get_serial_sequence('store.job', 'id'), 100)");
}

static void begin(void)
{
    golden_world();
    name_reference();
}

/* The golden result, in which the reference took part: 16 samples around 20 million. */
static json_t *with_reference(const char *sha)
{
    json_t *result = golden_read("result-v1.json");
    json_t *values = json_array();
    for (int i = 0; i < 16; i++)
        json_array_append_new(values, json_real(2e7 + 1000 * (i - 7)));
    json_array_append_new(json_object_get(result, "arms"),
                          json_pack("{s:s, s:s?, s:s, s:s, s:n, s:f, s:b, s:n}", "name",
                                    "reference", "sha", sha, "artifact_hash", CODE, "code_hash",
                                    CODE, "compiler", "build_seconds", 1.5, "cached", true, "log"));
    json_array_append_new(
        json_object_get(json_array_get(json_object_get(result, "workloads"), 0), "samples"),
        json_pack("{s:s, s:s, s:o}", "arm", "reference", "metric", "throughput", "values", values));
    return result;
}

START_TEST(runs_are_held_against_it)
{
    struct ingest_outcome out;
    begin();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = with_reference(PINNED);
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s (%s)", err.message, err.path);
    ck_assert(out.stored && !out.voided);
    ck_assert_str_eq(line_ask("SELECT reference FROM store.epoch"), PINNED);
    ck_assert_str_eq(line_ask("SELECT reference FROM hakperf.epochs"), "5555555");
    ck_assert_str_eq(line_ask("SELECT sha FROM store.arm WHERE name = 'reference'"), PINNED);
    double median = atof(line_ask("SELECT m.median FROM store.measurement m JOIN store.metric t "
                                  "ON t.id = m.metric WHERE m.arm = 'head' AND t.name = "
                                  "'throughput'"));
    ck_assert_double_eq_tol(atof(line_ask("SELECT ratio FROM store.point")), log(median / 20000500),
                            1e-12);
    HP_JSON json_t *series =
        view_series(db, GOLDEN_REPOSITORY, "random_mixed/8192", NULL, 10, &err);
    const json_t *point = json_array_get(json_object_get(series, "points"), 0);
    ck_assert_str_eq(hp_json_string(point, "against", ""), "reference");
    ck_assert_double_eq_tol(hp_json_number(point, "ratio", NAN), median / 20000500, 1e-12);
    db_close(db);
}
END_TEST

/* The same machine, another yardstick: figures of before and after are not one series. */
START_TEST(another_one_begins_an_epoch)
{
    struct ingest_outcome out;
    begin();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = with_reference(PINNED);
    ck_assert(ingest_result(db, result, &out, &err));
    static const char enter[] = "SELECT store.enter_epoch(1, 'bench-1', machine, compiler, "
                                "driver_hash, '', %s) FROM store.epoch WHERE id = 1";
    static const struct {
        const char *reference, *epoch;
    } next[] = {{"'" PINNED "'", "1"}, {"'" OTHER "'", "2"}, {"'" OTHER "'", "2"}, {"NULL", "3"}};
    for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
        HP_FREE char *sql = hp_format(enter, next[i].reference);
        ck_assert_str_eq(store_ask(PRIVATE_DB_COLLECTOR, sql), next[i].epoch);
    }
    ck_assert_str_eq(line_ask("SELECT string_agg(changed::text, ' ' ORDER BY id) FROM store.epoch"),
                     "{} {reference} {reference}");
    ck_assert_str_eq(line_ask("SELECT count(*) FROM store.job WHERE kind = 'bridge'"), "1");
    db_close(db);
}
END_TEST

START_TEST(a_suite_without_one_gets_none)
{
    struct ingest_outcome out;
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = with_reference(PINNED);
    ck_assert(!ingest_result(db, result, &out, &err));
    ck_assert_int_eq(err.code, HP_INVALID);
    ck_assert_str_eq(err.path, "/arms/3/sha");
    name_reference();
    HP_JSON json_t *nameless = with_reference(NULL);
    ck_assert(!ingest_result(db, nameless, &out, &err));
    ck_assert_str_eq(err.path, "/arms/3/sha");
    db_close(db);
}
END_TEST

static const char *way(struct db *db, int base, int head)
{
    static char text[32];
    HP_JSON json_t *c = view_compare(db, GOLDEN_REPOSITORY, line_sha(base), line_sha(head), &err);
    ck_assert_msg(c != NULL, "%s", err.message);
    const json_t *w = json_array_get(json_object_get(c, "workloads"), 0);
    snprintf(text, sizeof text, "%s %.4f", hp_json_string(json_object_get(w, "how"), "way", ""),
             log1p(hp_json_number(w, "change", NAN)));
    return text;
}

/* Through the very same artifact, and through nothing else that has its name. */
START_TEST(revisions_far_apart_are_joined_through_it)
{
    struct ingest_outcome out;
    begin();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = with_reference(PINNED);
    ck_assert(ingest_result(db, result, &out, &err));
    for (int i = 1; i <= 4; i++)
        line_add(&(struct line_step){i, "regressed", "small", -0.004, 0.002, -0.005 * i, 0.0005});
    /* The line was held against the control; only those of its epoch's reference count. */
    line_flush();
    ck_assert_str_eq(way(db, 1, 4), "parents -0.0120");
    line_ask("UPDATE store.measurement m SET arm = 'reference' FROM store.run u "
             "WHERE u.id = m.run AND u.base <> (SELECT sha FROM store.commit WHERE position = 0) "
             "AND m.arm = 'control'; "
             "INSERT INTO store.arm (repository, run, name, sha, code_hash, cached) "
             "SELECT 1, u.id, 'reference', '" PINNED "', '" CODE "', true FROM store.run u "
             "WHERE u.base <> (SELECT sha FROM store.commit WHERE position = 0)");
    ck_assert_str_eq(way(db, 1, 4), "reference -0.0150");
    HP_FREE char *other = hp_format("UPDATE store.arm a SET code_hash = repeat('6', 64) "
                                    "FROM store.run u WHERE u.id = a.run AND u.head = '%s'",
                                    line_sha(4));
    line_ask(other);
    ck_assert_str_eq(way(db, 1, 4), "parents -0.0120");
    db_close(db);
}
END_TEST

/* The compiler changed between commits 2 and 3, and all became faster by 10 %; commit 2, measured
 * on either side of it, joins the two. */
START_TEST(epochs_are_joined_by_their_bridge)
{
    struct ingest_outcome out;
    golden_world();
    line_ask("UPDATE store.commit SET mainline = position < 2; "
             "SELECT setval(pg_get_serial_sequence('store.job', 'id'), 100)");
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    ck_assert(ingest_result(db, result, &out, &err));
    for (int i = 1; i <= 2; i++)
        line_add(&(struct line_step){i, "regressed", "small", -0.004, 0.002, -0.005 * i, 0.0005});
    HP_FREE char *enter = hp_format("SELECT store.enter_epoch(1, 'bench-1', machine, 'GCC 13', "
                                    "driver_hash, '%s') FROM store.epoch WHERE id = 1",
                                    line_sha(3));
    ck_assert_str_eq(line_ask(enter), "2");
    ck_assert_str_eq(line_ask("SELECT bridge FROM store.epoch WHERE id = 2"), line_sha(2));
    ck_assert_str_eq(line_ask("SELECT head FROM store.job WHERE kind = 'bridge'"), line_sha(2));
    for (int i = 3; i <= 4; i++)
        line_add(
            &(struct line_step){i, "regressed", "small", -0.004, 0.002, 0.1 - 0.005 * i, 0.0005});
    HP_FREE char *move = hp_format("UPDATE store.run SET epoch = 2 WHERE head IN ('%s', '%s')",
                                   line_sha(3), line_sha(4));
    line_ask(move);
    ck_assert_str_eq(way(db, 1, 4), "parents -0.0120");
    HP_FREE char *again =
        hp_format("INSERT INTO store.measurement (repository, run, workload, metric, arm, n, "
                  "median, low, high) SELECT 1, u.id, m.workload, m.metric, 'base', 64, 1e7 * "
                  "exp(0.09), 1e7 * exp(0.0895), 1e7 * exp(0.0905) FROM store.run u JOIN "
                  "store.measurement m ON m.run = u.id WHERE u.head = '%s' AND m.arm = 'head'",
                  line_sha(3));
    line_ask(again);
    ck_assert_str_eq(way(db, 1, 4), "reference -0.0150");
    ck_assert_str_eq(way(db, 4, 1), "reference 0.0150");
    HP_JSON json_t *c = view_compare(db, GOLDEN_REPOSITORY, line_sha(1), line_sha(4), &err);
    ck_assert_str_eq(hp_json_string(c, "basis", ""),
                     "not side by side: through the reference of both runs, joined by 0000000");
    ck_assert_str_eq(line_ask("SELECT bridge FROM hakperf.epochs WHERE epoch = 2"), "0000000");
    db_close(db);
}
END_TEST

HP_SUITE(reference)
{
    Suite *s = suite_create("reference");
    TCase *t = tcase_create("reference");
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, runs_are_held_against_it);
    tcase_add_test(t, another_one_begins_an_epoch);
    tcase_add_test(t, a_suite_without_one_gets_none);
    tcase_add_test(t, revisions_far_apart_are_joined_through_it);
    tcase_add_test(t, epochs_are_joined_by_their_bridge);
    suite_add_tcase(s, t);
    return s;
}
