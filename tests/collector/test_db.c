#include "collector/db.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct hp_error err;

static struct db *open_as(const char *role, int size, double timeout_s)
{
    struct db_options options = {.pool_size = size, .timeout_s = timeout_s};
    struct db *db = db_open(store_url(role), &options, &err);
    ck_assert_msg(db != NULL, "%s", err.message);
    return db;
}

START_TEST(answers_with_json)
{
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *list = NULL;
    ck_assert_msg(db_pool_json(db, "repositories.sql", DB_NO_PARAMS, &list, &err), "%s",
                  err.message);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "repositories")), 0);
    struct db_stats stats;
    db_stats(db, &stats);
    ck_assert_int_eq(stats.open, 1);
    ck_assert_int_eq(stats.busy, 0);
    db_close(db);
}
END_TEST

START_TEST(unknown_statement_is_a_defect)
{
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    ck_assert_ptr_null(db_pool_query(db, "no_such.sql", DB_NO_PARAMS, &err));
    ck_assert_int_eq(err.code, HP_INTERNAL);
    db_close(db);
}
END_TEST

START_TEST(bad_url_is_refused)
{
    ck_assert_ptr_null(db_open("postgresql:///x?nonsense=1", NULL, &err));
    ck_assert_int_eq(err.code, HP_INVALID);
}
END_TEST

START_TEST(nobody_there)
{
    struct db *db = db_open("host=/nowhere dbname=x", &(struct db_options){.timeout_s = 2}, &err);
    ck_assert_ptr_nonnull(db);
    ck_assert_ptr_null(db_acquire(db, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert_msg(err.hint[0] != '\0', "no hint");
    db_close(db);
}
END_TEST

/* Each row: SQL that fails, and what must come of it. */
static const struct {
    const char *sql;
    enum hp_code code;
} failures[] = {
    {"SELECT 'x'::integer", HP_INVALID},
    {"SELECT 1 / 0", HP_INVALID},
    {"SELECT FROM store.nothing", HP_INTERNAL},
    {"INSERT INTO store.repository (name, url) VALUES ('a', ''), ('a', '')", HP_CONFLICT},
    {"INSERT INTO store.repository (name, url) VALUES ('no/slash', '')", HP_INVALID},
    {"DO $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'HP404', HINT = 'Look.'; END $$",
     HP_NOT_FOUND},
    {"DO $$ BEGIN RAISE EXCEPTION 'late' USING ERRCODE = 'HP409'; END $$", HP_CONFLICT},
    {"DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$", HP_UNAVAILABLE},
    {"DO $$ BEGIN RAISE EXCEPTION 'dead' USING ERRCODE = 'deadlock_detected'; END $$",
     HP_UNAVAILABLE},
    {"DO $$ BEGIN RAISE EXCEPTION 'ro' USING ERRCODE = 'read_only_sql_transaction'; END $$",
     HP_UNAVAILABLE},
    {"DELETE FROM store.audit_log", HP_INTERNAL},
};

START_TEST(errors_keep_their_meaning)
{
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct db_conn *conn = db_acquire(db, &err);
        ck_assert_msg(conn != NULL, "%s", err.message);
        ck_assert(!db_script(conn, "test", failures[i].sql, &err));
        ck_assert_msg(err.code == failures[i].code, "%s: %s: %s", failures[i].sql,
                      hp_code_name(err.code), err.message);
        db_release(conn);
        /* Whatever happened, the pool works on. */
        ck_assert_msg(db_pool_run(db, "database_exists.sql", DB_NO_PARAMS, NULL, &err), "%s",
                      err.message);
    }
    db_close(db);
}
END_TEST

START_TEST(deadline_cancels)
{
    struct db *db = open_as(PRIVATE_DB_COLLECTOR, 1, 10);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_ptr_nonnull(conn);
    db_set_timeout(conn, 0.3);
    int pid = PQbackendPID(db_raw(conn));
    double before = hp_monotonic_s();
    ck_assert(!db_script(conn, "test", "SELECT pg_sleep(30)", &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert_msg(strstr(err.message, "too long") != NULL, "%s", err.message);
    ck_assert_double_lt(hp_monotonic_s() - before, 3.0);
    db_set_timeout(conn, 10);
    /* The server has stopped, so the same connection goes on. */
    ck_assert_msg(db_script(conn, "test", "SELECT 1", &err), "%s", err.message);
    ck_assert_int_eq(PQbackendPID(db_raw(conn)), pid);
    db_release(conn);
    db_close(db);
}
END_TEST

START_TEST(exhausted_pool_is_told)
{
    struct db *db = open_as(PRIVATE_DB_COLLECTOR, 1, 2);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_ptr_nonnull(conn);
    ck_assert_ptr_null(db_acquire(db, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    db_release(conn);
    conn = db_acquire(db, &err);
    ck_assert_ptr_nonnull(conn);
    db_release(conn);
    db_close(db);
}
END_TEST

START_TEST(release_rolls_back)
{
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    ck_assert(db_script(conn, "test", "INSERT INTO store.repository (name, url) VALUES ('r', 'u')",
                        &err));
    db_release(conn);
    ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM store.repository"), "0");
    db_close(db);
}
END_TEST

/* PostgreSQL answers the COMMIT of a failed transaction with success. */
START_TEST(failed_transaction_does_not_commit)
{
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    ck_assert(!db_script(conn, "test", "SELECT 1 / 0", &err));
    ck_assert(!db_commit(conn, &err));
    db_release(conn);
    db_close(db);
}
END_TEST

START_TEST(reconnects_after_the_server_dropped_us)
{
    struct db *db = open_as(PRIVATE_DB_COLLECTOR, 1, 5);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_ptr_nonnull(conn);
    HP_FREE char *kill_it =
        hp_format("SELECT pg_terminate_backend(%d)", PQbackendPID(db_raw(conn)));
    store_ask(PRIVATE_DB_OWNER, kill_it);
    ck_assert(!db_script(conn, "test", "SELECT 1", &err));
    ck_assert_msg(err.code == HP_UNAVAILABLE, "%s", err.message);
    /* Lost is lost until it is given back: nobody may believe that a transaction goes on. */
    ck_assert(!db_script(conn, "test", "SELECT 1", &err));
    db_release(conn);
    conn = db_acquire(db, &err);
    ck_assert_ptr_nonnull(conn);
    HP_FREE char *again = hp_format("SELECT pg_terminate_backend(%d)", PQbackendPID(db_raw(conn)));
    db_release(conn);
    store_ask(PRIVATE_DB_OWNER, again);
    usleep(100000);
    /* Ended while idle: noticed before it is lent. */
    ck_assert_msg(db_pool_run(db, "database_exists.sql", DB_NO_PARAMS, NULL, &err), "%s",
                  err.message);
    db_close(db);
}
END_TEST

#define THREADS 6
#define ROUNDS 50

static void *use_pool(void *arg)
{
    struct hp_error mine;
    for (int i = 0; i < ROUNDS; i++)
        if (!db_pool_run(arg, "database_exists.sql", DB_NO_PARAMS, NULL, &mine))
            return arg;
    return NULL;
}

START_TEST(threads_share_the_pool)
{
    struct db *db = open_as(PRIVATE_DB_COLLECTOR, 2, 10);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_pool, db), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    struct db_stats stats;
    db_stats(db, &stats);
    ck_assert_int_le(stats.open, 2);
    ck_assert_uint_ge(stats.calls, THREADS * ROUNDS);
    db_close(db);
}
END_TEST

START_TEST(numbers_as_text)
{
    char buffer[DB_TEXT];
    ck_assert_str_eq(db_int(buffer, INT64_MIN), "-9223372036854775808");
    ck_assert_double_eq(strtod(db_real(buffer, 0.1), NULL), 0.1);
    ck_assert_ptr_null(db_real(buffer, NAN));
    ck_assert_ptr_null(db_real(buffer, -INFINITY));
}
END_TEST

HP_SUITE(db)
{
    Suite *s = suite_create("db");
    TCase *t = tcase_create("pool");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_test(t, answers_with_json);
    tcase_add_test(t, unknown_statement_is_a_defect);
    tcase_add_test(t, bad_url_is_refused);
    tcase_add_test(t, nobody_there);
    tcase_add_test(t, errors_keep_their_meaning);
    tcase_add_test(t, deadline_cancels);
    tcase_add_test(t, exhausted_pool_is_told);
    tcase_add_test(t, release_rolls_back);
    tcase_add_test(t, failed_transaction_does_not_commit);
    tcase_add_test(t, reconnects_after_the_server_dropped_us);
    tcase_add_test(t, threads_share_the_pool);
    tcase_add_test(t, numbers_as_text);
    suite_add_tcase(s, t);
    return s;
}
