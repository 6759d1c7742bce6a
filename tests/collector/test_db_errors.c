/*
 * The error paths of collector/db*.c, each provoked on a real server: servers that cannot be used,
 * statements that fail to prepare, to run, to commit or to be JSON, answers that libpq cannot end,
 * deadlines, and pools that have no connection to lend.
 */
#include "collector/db.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

static struct hp_error err;

static struct db *pool(const char *url, struct db_options options)
{
    struct db *db = db_open(url, &options, &err);
    ck_assert_msg(db != NULL, "%s", err.message);
    return db;
}

static struct db *own_pool(int size, double timeout_s)
{
    return pool(store_url(PRIVATE_DB_COLLECTOR),
                (struct db_options){.pool_size = size, .timeout_s = timeout_s});
}

static struct db_conn *lent(struct db *db)
{
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_msg(conn != NULL, "%s", err.message);
    return conn;
}

static void expect_works(struct db *db)
{
    ck_assert_msg(db_pool_run(db, "database_exists.sql", DB_NO_PARAMS, NULL, &err), "%s",
                  err.message);
}

static void expect(enum hp_code code, const char *text)
{
    ck_assert_msg(err.code == code && strstr(err.message, text) != NULL, "%s instead of %s: %s",
                  hp_code_name(err.code), text, err.message);
}

/* As an administrator ends a session. */
static void end_backend(struct db_conn *conn)
{
    HP_FREE char *sql =
        hp_format("SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(db_raw(conn)));
    store_ask(PRIVATE_DB_OWNER, sql);
}

/* Whether new connections are accepted. */
static void let_in(bool yes)
{
    HP_FREE char *sql =
        hp_format("ALTER ROLE %s %s", PRIVATE_DB_COLLECTOR, yes ? "LOGIN" : "NOLOGIN");
    store_ask(PRIVATE_DB_OWNER, sql);
}

/* --- servers that cannot be used ---------------------------------------------------------------
 */

/* Whether the test's server can be used with such an addition to its connection string. */
static bool usable_with(const char *addition, double timeout_s)
{
    HP_FREE char *url = hp_format("%s&%s", store_url(PRIVATE_DB_COLLECTOR), addition);
    struct db *db = pool(url, (struct db_options){.timeout_s = timeout_s});
    struct db_conn *conn = db_acquire(db, &err);
    db_release(conn);
    db_close(db);
    return conn != NULL;
}

static void expect_refused(const char *url, const char *text)
{
    struct db *db = pool(url, (struct db_options){.timeout_s = 2});
    ck_assert_ptr_null(db_acquire(db, &err));
    expect(HP_UNAVAILABLE, text);
    ck_assert_msg(err.hint[0] != '\0', "no hint: %s", err.message);
    db_close(db);
}

START_TEST(servers_that_refuse)
{
    expect_refused("host=/nowhere,/nothere dbname=x", "none of 2 servers can be used");
    expect_refused("host=/a,/b port=1,2,3 dbname=x", "3 port");
    expect_refused("hostaddr=127.0.0.1,127.0.0.1 port=1 dbname=x", "none of 2 servers");
    ck_assert(!usable_with("dbname=no_such_database", 5));
    expect(HP_UNAVAILABLE, "no_such_database");
    ck_assert(!usable_with("user=nobody_of_this_name", 5));
    expect(HP_UNAVAILABLE, "nobody_of_this_name");
    ck_assert(!usable_with("target_session_attrs=standby", 5));
    expect(HP_UNAVAILABLE, "standby");
    ck_assert(usable_with("target_session_attrs=prefer-standby", 5));
    ck_assert(usable_with("target_session_attrs=read-write", 5));
}
END_TEST

/* Of two servers the second is the one that is there: found within its share of the time. */
START_TEST(the_second_of_two_servers)
{
    HP_FREE char *url = hp_format("%s", store_url(PRIVATE_DB_COLLECTOR));
    char *host = strstr(url, "host=");
    ck_assert_ptr_nonnull(host);
    HP_FREE char *both = hp_format("%.*shost=/nowhere,%s", (int)(host - url), url, host + 5);
    struct db *db = pool(both, (struct db_options){.timeout_s = 5});
    expect_works(db);
    db_close(db);
}
END_TEST

/* One that takes connections and never says a word. */
static int listen_and_be_silent(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 8) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

START_TEST(a_server_that_says_nothing)
{
    int port;
    HP_FD int fd = listen_and_be_silent(&port);
    ck_assert_int_ge(fd, 0);
    /* The string's own limit counts, however long a call might take. */
    HP_FREE char *url = hp_format("host=127.0.0.1 port=%d dbname=x connect_timeout=1", port);
    struct db *db = pool(url, (struct db_options){.timeout_s = 20});
    double before = hp_monotonic_s();
    ck_assert_ptr_null(db_acquire(db, &err));
    ck_assert_double_lt(hp_monotonic_s() - before, 5);
    expect(HP_UNAVAILABLE, "no connection within 1 s");
    /* And the request's. */
    db_request(1e-6);
    hp_sleep_ms(400); /* the pool rests after a failure */
    ck_assert_ptr_null(db_acquire(db, &err));
    expect(HP_UNAVAILABLE, "no time left");
    db_request(0);
    db_close(db);
}
END_TEST

/* --- statements ---------------------------------------------------------------------------------
 */

START_TEST(statements_that_do_not_prepare)
{
    struct db *db = own_pool(1, 5);
    store_ask(PRIVATE_DB_OWNER, "ALTER TABLE store.repository RENAME TO elsewhere");
    ck_assert_ptr_null(db_pool_query(db, "repositories.sql", DB_NO_PARAMS, &err));
    expect(HP_INTERNAL, "repositories.sql: ");
    HP_JSON json_t *out = json_null();
    ck_assert(!db_pool_json(db, "repositories.sql", DB_NO_PARAMS, &out, &err));
    ck_assert_ptr_null(out);
    store_ask(PRIVATE_DB_OWNER, "ALTER TABLE store.elsewhere RENAME TO repository");
    ck_assert(db_pool_json(db, "repositories.sql", DB_NO_PARAMS, &out, &err));
    ck_assert_ptr_nonnull(out);
    db_close(db);
}
END_TEST

/* A statement that the server has forgotten is prepared anew on another connection. */
START_TEST(statements_that_the_server_lost)
{
    struct db *db = own_pool(1, 5);
    struct db_conn *conn = lent(db);
    int before = PQbackendPID(db_raw(conn));
    ck_assert(db_run(conn, "database_exists.sql", DB_NO_PARAMS, NULL, &err));
    ck_assert(db_script(conn, "test", "DEALLOCATE ALL", &err));
    ck_assert(!db_run(conn, "database_exists.sql", DB_NO_PARAMS, NULL, &err));
    expect(HP_UNAVAILABLE, "(26000)");
    db_release(conn);
    conn = lent(db);
    ck_assert_int_ne(PQbackendPID(db_raw(conn)), before);
    ck_assert(db_run(conn, "database_exists.sql", DB_NO_PARAMS, NULL, &err));
    db_release(conn);
    db_close(db);
}
END_TEST

START_TEST(what_is_no_json)
{
    struct db *db = own_pool(1, 5);
    HP_JSON json_t *out = NULL;
    ck_assert(!db_pool_json(db, "ready.sql", DB_NO_PARAMS, &out, &err));
    expect(HP_INTERNAL, "ready.sql");
    ck_assert_ptr_null(out);
    /* No row is no value, and no error. */
    ck_assert(db_pool_json(db, "view_is_commit.sql", DB_PARAMS("0", "none"), &out, &err));
    ck_assert_ptr_null(out);
    expect_works(db);
    db_close(db);
}
END_TEST

/* libpq would give the same answer for ever. */
START_TEST(a_copy_ends_the_connection)
{
    static const char *const copies[] = {"COPY store.repository (name) FROM STDIN",
                                         "COPY store.repository TO STDOUT"};
    struct db *db = own_pool(1, 5);
    for (size_t i = 0; i < 2; i++) {
        struct db_conn *conn = lent(db);
        double before = hp_monotonic_s();
        ck_assert(!db_script(conn, "test", copies[i], &err));
        ck_assert_double_lt(hp_monotonic_s() - before, 4);
        ck_assert_int_eq(err.code, HP_UNAVAILABLE);
        ck_assert_ptr_null(db_raw(conn));
        db_rollback(conn); /* of nothing */
        db_release(conn);
        expect_works(db);
    }
    db_close(db);
}
END_TEST

/* The first error counts, whatever the statements behind it say. */
START_TEST(hint_and_detail_come_along)
{
    struct db *db = own_pool(1, 5);
    struct db_conn *conn = lent(db);
    ck_assert(!db_script(conn, "test",
                         "DO $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'HP404', HINT = "
                         "'Look.'; END $$; SELECT 1 / 0",
                         &err));
    ck_assert_msg(strcmp(err.message, "test: gone") == 0, "%s", err.message);
    ck_assert_str_eq(err.hint, "Look.");
    ck_assert(!db_script(conn, "test",
                         "DO $$ BEGIN RAISE EXCEPTION 'odd' USING ERRCODE = 'unique_violation', "
                         "DETAIL = 'It is there.'; END $$",
                         &err));
    expect(HP_CONFLICT, "odd: It is there. (23505)");
    db_release(conn);
    db_close(db);
}
END_TEST

/* What is checked at the end of a transaction fails there, and nothing of it stays. */
START_TEST(a_commit_that_fails)
{
    struct db *db = own_pool(1, 5);
    struct db_conn *conn = lent(db);
    ck_assert(db_script(conn, "test",
                        "CREATE TEMPORARY TABLE late (n integer UNIQUE DEFERRABLE INITIALLY "
                        "DEFERRED)",
                        &err));
    ck_assert(db_begin(conn, &err));
    ck_assert(db_script(conn, "test", "INSERT INTO pg_temp.late VALUES (1), (1)", &err));
    ck_assert(!db_commit(conn, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert(db_script(conn, "test",
                        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_temp.late) THEN RAISE 'half'; END "
                        "IF; END $$",
                        &err));
    db_release(conn);
    db_close(db);
}
END_TEST

/* Between BEGIN and COMMIT the connection is lost: neither of the two is believed. */
START_TEST(lost_within_a_transaction)
{
    struct db *db = own_pool(1, 5);
    struct db_conn *conn = lent(db);
    ck_assert(db_begin(conn, &err));
    end_backend(conn);
    ck_assert(!db_commit(conn, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert(!db_commit(conn, &err));
    expect(HP_UNAVAILABLE, "was lost");
    ck_assert(!db_begin(conn, &err));
    ck_assert(!db_run(conn, "database_exists.sql", DB_NO_PARAMS, NULL, &err));
    db_rollback(conn);
    db_release(conn);
    struct db_stats stats;
    expect_works(db);
    db_stats(db, &stats);
    ck_assert_uint_ge(stats.errors, 1);
    db_close(db);
}
END_TEST

/* Lost outside of a transaction, where the server is told a new limit first. What it says on its
 * own is no error. */
START_TEST(lost_before_a_call)
{
    struct db *db = own_pool(1, 5);
    struct db_conn *conn = lent(db);
    ck_assert(db_script(conn, "test", "DO $$ BEGIN RAISE NOTICE 'by the way'; END $$", &err));
    end_backend(conn);
    db_set_timeout(conn, 7);
    ck_assert(!db_run(conn, "database_exists.sql", DB_NO_PARAMS, NULL, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert_ptr_null(db_raw(conn));
    db_release(conn);
    expect_works(db);
    db_close(db);
}
END_TEST

/* A call's deadline is that of the request where that comes first; the connection is kept. */
START_TEST(the_requests_deadline_comes_first)
{
    struct db *db = own_pool(1, 20);
    struct db_conn *conn = lent(db);
    double before = hp_monotonic_s();
    db_request(0.3);
    ck_assert(!db_script(conn, "test", "SELECT pg_sleep(30)", &err));
    db_request(0);
    ck_assert_double_lt(hp_monotonic_s() - before, 5);
    expect(HP_UNAVAILABLE, "took too long");
    ck_assert(db_script(conn, "test", "SELECT 1", &err));
    db_set_timeout(conn, 0.3);
    ck_assert(!db_script(conn, "test", "SELECT pg_sleep(30)", &err));
    expect(HP_UNAVAILABLE, "0.3 s");
    db_release(conn);
    db_close(db);
}
END_TEST

/* --- pools --------------------------------------------------------------------------------------
 */

#define WAITERS 16 /* as many as may wait for one connection */

static void *wait_for_one(void *db)
{
    struct hp_error mine;
    struct db_conn *conn = db_acquire(db, &mine);
    db_release(conn);
    return conn;
}

static int waiting_in(struct db *db)
{
    struct db_stats stats;
    db_stats(db, &stats);
    return stats.waiting;
}

static void start_waiters(struct db *db, pthread_t *threads, int n)
{
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_one, db), 0);
    for (int i = 0; i < 1000 && waiting_in(db) < n; i++)
        hp_sleep_ms(10);
}

/* How many of them got a connection. */
static int join_waiters(const pthread_t *threads, int n)
{
    int lucky = 0;
    for (int i = 0; i < n; i++) {
        void *got;
        pthread_join(threads[i], &got);
        lucky += got != NULL;
    }
    return lucky;
}

/* Who would be the seventeenth is told at once; the others get it one after the other. */
START_TEST(only_so_many_may_wait)
{
    struct db *db = own_pool(1, 20);
    struct db_conn *conn = lent(db);
    pthread_t threads[WAITERS];
    start_waiters(db, threads, WAITERS);
    ck_assert_ptr_null(db_acquire(db, &err));
    expect(HP_UNAVAILABLE, "16 requests wait");
    db_release(conn);
    ck_assert_int_eq(join_waiters(threads, WAITERS), WAITERS);
    ck_assert_int_eq(waiting_in(db), 0);
    db_close(db);
}
END_TEST

/* Those that wait when the last connection is lost, and no other can be had, are not left to
 * their deadline. */
START_TEST(who_waits_in_vain_is_told)
{
    enum { VAIN = 3 };
    struct db *db = own_pool(1, 20);
    struct db_conn *conn = lent(db);
    pthread_t threads[VAIN];
    start_waiters(db, threads, VAIN);
    let_in(false);
    end_backend(conn);
    double before = hp_monotonic_s();
    ck_assert(!db_script(conn, "test", "SELECT 1", &err));
    db_release(conn);
    int lucky = join_waiters(threads, VAIN);
    bool late = hp_monotonic_s() - before > 10;
    /* The failure is remembered for a moment, and nobody asks again meanwhile. */
    struct db_conn *none = db_acquire(db, &err);
    let_in(true);
    ck_assert(lucky == 0 && !late && !none);
    expect(HP_UNAVAILABLE, "log in");
    hp_sleep_ms(500);
    expect_works(db);
    db_close(db);
}
END_TEST

/* A connection that could not be opened for a while goes to those that wait, once it can: they need
 * not wait for the one that is in use. */
START_TEST(who_waits_gets_what_rested)
{
    enum { SOME = 3 };
    struct db *db = own_pool(2, 20);
    struct db_conn *kept = lent(db), *lost = lent(db);
    pthread_t threads[SOME];
    start_waiters(db, threads, SOME);
    let_in(false);
    end_backend(lost);
    ck_assert(!db_script(lost, "test", "SELECT 1", &err));
    db_release(lost);
    hp_sleep_ms(100);
    let_in(true);
    double before = hp_monotonic_s();
    int lucky = join_waiters(threads, SOME);
    bool late = hp_monotonic_s() - before > 10;
    db_release(kept);
    ck_assert_int_eq(lucky, SOME);
    ck_assert(!late);
    db_close(db);
}
END_TEST

/* While a database is away one asks for all whether it is back. */
START_TEST(one_asks_for_all)
{
    enum { CALLERS = 4 };
    int port;
    HP_FD int fd = listen_and_be_silent(&port);
    ck_assert_int_ge(fd, 0);
    HP_FREE char *url = hp_format("host=127.0.0.1 port=%d dbname=x connect_timeout=1", port);
    struct db *db = pool(url, (struct db_options){.pool_size = CALLERS, .timeout_s = 20});
    pthread_t threads[CALLERS];
    ck_assert_ptr_null(db_acquire(db, &err));
    hp_sleep_ms(500);
    double before = hp_monotonic_s();
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_one, db), 0);
    ck_assert_int_eq(join_waiters(threads, CALLERS), 0);
    ck_assert_double_lt(hp_monotonic_s() - before, 3);
    db_close(db);
}
END_TEST

/* Where readers have no server, the primary answers; what it refuses stays refused. */
START_TEST(the_primary_behind_the_readers)
{
    struct db *primary = own_pool(2, 5);
    struct db *readers =
        pool("host=/nowhere,/nothere dbname=x",
             (struct db_options){
                 .timeout_s = 2, .readers = true, .name = "readers", .fallback = primary});
    HP_JSON json_t *out = NULL;
    ck_assert_ptr_eq(db_fallback(readers), primary);
    ck_assert_msg(db_pool_json(readers, "repositories.sql", DB_NO_PARAMS, &out, &err), "%s",
                  err.message);
    ck_assert_ptr_nonnull(out);
    DB_RESULT PGresult *result = db_pool_query(readers, "database_exists.sql", DB_NO_PARAMS, &err);
    ck_assert_ptr_nonnull(result);
    ck_assert_ptr_null(db_pool_query(readers, "no_such.sql", DB_NO_PARAMS, &err));
    ck_assert_int_eq(err.code, HP_INTERNAL);
    db_close(readers);
    db_close(primary);
}
END_TEST

/* A reader's statement that is ended from outside, as a replica ends those that stand in the way
 * of what it replays, is asked again of the primary. */
START_TEST(a_reader_that_is_cancelled)
{
    struct db *primary = own_pool(2, 5);
    struct db *readers = pool(store_url(PRIVATE_DB_COLLECTOR),
                              (struct db_options){.timeout_s = 0.5, .fallback = primary});
    HP_JSON json_t *out = NULL;
    struct db_conn *locker = lent(primary);
    ck_assert(db_pool_json(readers, "repositories.sql", DB_NO_PARAMS, &out, &err));
    json_decref(out);
    out = NULL;
    ck_assert(db_begin(locker, &err));
    ck_assert(db_script(locker, "test",
                        "SET LOCAL idle_in_transaction_session_timeout = '1500ms';"
                        "LOCK TABLE store.repository IN ACCESS EXCLUSIVE MODE",
                        &err));
    /* The reader's deadline of 0.5 s ends first, the lock's holder later, the primary's 5 s last.
     */
    ck_assert_msg(db_pool_json(readers, "repositories.sql", DB_NO_PARAMS, &out, &err), "%s",
                  err.message);
    ck_assert_ptr_nonnull(out);
    struct db_stats stats;
    db_stats(readers, &stats);
    ck_assert_uint_ge(stats.timeouts, 1);
    db_release(locker);
    db_close(readers);
    db_close(primary);
}
END_TEST

START_TEST(who_recovers_and_who_does_not)
{
    ck_assert(!db_recovers(store_url(PRIVATE_DB_COLLECTOR)));
    ck_assert(!db_recovers("host=/nowhere dbname=x"));
}
END_TEST

HP_SUITE(db_errors)
{
    Suite *s = suite_create("db_errors");
    TCase *t = tcase_create("errors");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_test(t, servers_that_refuse);
    tcase_add_test(t, the_second_of_two_servers);
    tcase_add_test(t, a_server_that_says_nothing);
    tcase_add_test(t, statements_that_do_not_prepare);
    tcase_add_test(t, statements_that_the_server_lost);
    tcase_add_test(t, what_is_no_json);
    tcase_add_test(t, a_copy_ends_the_connection);
    tcase_add_test(t, hint_and_detail_come_along);
    tcase_add_test(t, a_commit_that_fails);
    tcase_add_test(t, lost_within_a_transaction);
    tcase_add_test(t, lost_before_a_call);
    tcase_add_test(t, the_requests_deadline_comes_first);
    tcase_add_test(t, only_so_many_may_wait);
    tcase_add_test(t, who_waits_in_vain_is_told);
    tcase_add_test(t, who_waits_gets_what_rested);
    tcase_add_test(t, one_asks_for_all);
    tcase_add_test(t, the_primary_behind_the_readers);
    tcase_add_test(t, a_reader_that_is_cancelled);
    tcase_add_test(t, who_recovers_and_who_does_not);
    suite_add_tcase(s, t);
    return s;
}
