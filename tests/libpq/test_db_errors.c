/* Every way in which the database can fail, by the script: what callers are told, what becomes of
 * the connection, and that nothing leaks. */
#include "collector/db.h"
#include "common/clock.h"
#include "common/log.h"
#include "tests/libpq/script.h"
#include "tests/suite.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct hp_error err;

#define SCRIPT(...) script_set((const struct script_step[]){__VA_ARGS__, {SCRIPT_END}})
#define PREPARED(...)                               \
    {SCRIPT_SEND, "prepare one.sql"},               \
    {                                               \
        SCRIPT_SEND, "execute one.sql", __VA_ARGS__ \
    }

static struct db *make(const char *url, double timeout_s)
{
    hp_log_init("test", HP_LOG_ERROR);
    struct db *db =
        db_open(url, &(struct db_options){.pool_size = 2, .timeout_s = timeout_s}, &err);
    ck_assert_msg(db != NULL, "%s", err.message);
    return db;
}

static void finish(struct db *db)
{
    script_done();
    db_close(db);
    ck_assert_int_eq(script_open(), 0);
    ck_assert_int_eq(script_results(), 0);
}

static void expect(enum hp_code code, const char *part)
{
    ck_assert_msg(err.code == code, "%s: %s", hp_code_name(err.code), err.message);
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' not in: %s", part, err.message);
}

/* --- connecting ---------------------------------------------------------------------------------
 */

START_TEST(bad_string)
{
    ck_assert_ptr_null(db_open("bad", NULL, &err));
    expect(HP_INVALID, "not a connection string of PostgreSQL: missing \"=\"");
    ck_assert_ptr_null(strchr(err.message, '\n'));
}
END_TEST

static const struct {
    enum script_how how;
    const char *message;
} no_connection[] = {
    {SCRIPT_REFUSED, "connection refused  is the server running?"},
    {SCRIPT_NO_MEMORY, "out of memory"},
    {SCRIPT_FAILS_LATER, "connection refused"},
    {SCRIPT_SILENT, "no connection within 0.2 s"},
};

START_TEST(connection_fails)
{
    struct db *db = make("host=a", 0.2);
    SCRIPT({SCRIPT_CONNECT, "dbname=host=a ", no_connection[_i].how});
    ck_assert_ptr_null(db_acquire(db, &err));
    expect(HP_UNAVAILABLE, no_connection[_i].message);
    ck_assert(err.hint[0] != '\0');
    ck_assert_int_eq(script_open(), 0);
    finish(db);
}
END_TEST

/* One thread asks a database that is away, once a while; the others are told at once. */
START_TEST(failure_is_remembered_for_a_moment)
{
    struct db *db = make("host=a", 1);
    SCRIPT({SCRIPT_CONNECT, "host=a", SCRIPT_REFUSED}, {SCRIPT_CONNECT, "host=a", SCRIPT_REFUSED},
           SCRIPT_OPEN("host=a"));
    ck_assert_ptr_null(db_acquire(db, &err)); /* both slots try once, then rest */
    ck_assert_ptr_null(db_acquire(db, &err));
    for (int i = 0; i < 5; i++) {
        err = (struct hp_error){0};
        ck_assert_ptr_null(db_acquire(db, &err));
        expect(HP_UNAVAILABLE, "connection refused");
    }
    usleep(400000);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_msg(conn != NULL, "%s", err.message);
    db_release(conn);
    finish(db);
}
END_TEST

START_TEST(settings_fail)
{
    struct db *db = make("host=a", 1);
    SCRIPT({SCRIPT_CONNECT, "host=a"}, {SCRIPT_SEND, "statement_timeout"},
           {SCRIPT_SEND, "TimeZone", .answer = {{"57P03", "FATAL"}}});
    ck_assert_ptr_null(db_acquire(db, &err));
    expect(HP_UNAVAILABLE, "57P03");
    finish(db);
}
END_TEST

/* --- several servers ----------------------------------------------------------------------------
 */

START_TEST(servers_are_tried_in_turn)
{
    struct db *db = make("host=a,b,c port=1,2,3", 0.6);
    SCRIPT({SCRIPT_CONNECT, "host=a port=1", SCRIPT_REFUSED},
           {SCRIPT_CONNECT, "target_session_attrs=read-write host=b port=2", SCRIPT_SILENT},
           SCRIPT_OPEN("host=c port=3"));
    double before = hp_monotonic_s();
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_msg(conn != NULL, "%s", err.message);
    ck_assert_double_lt(hp_monotonic_s() - before, 0.6); /* b got its share, not all */
    db_release(conn);
    finish(db);
}
END_TEST

START_TEST(no_server_can_be_used)
{
    struct db *db = make("host=a,b port=7 target_session_attrs=primary", 0.5);
    SCRIPT({SCRIPT_CONNECT, "target_session_attrs=primary host=a port=7", SCRIPT_FAILS_LATER},
           {SCRIPT_CONNECT, "target_session_attrs=primary host=b port=7", SCRIPT_REFUSED});
    ck_assert_ptr_null(db_acquire(db, &err));
    expect(HP_UNAVAILABLE, "none of 2 servers can be used; the last one: ");
    finish(db);
}
END_TEST

START_TEST(addresses_are_split_too)
{
    struct db *db = make("hostaddr=1.1.1.1,1.1.1.2", 0.5);
    SCRIPT({SCRIPT_CONNECT, "hostaddr=1.1.1.1 ", SCRIPT_REFUSED}, SCRIPT_OPEN("hostaddr=1.1.1.2 "));
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_msg(conn != NULL, "%s", err.message);
    db_release(conn);
    finish(db);
}
END_TEST

START_TEST(readers_prefer_a_replica)
{
    struct db_options options = {.pool_size = 1, .timeout_s = 1, .readers = true};
    struct db *db = db_open("host=a,b", &options, &err);
    SCRIPT({SCRIPT_CONNECT, "target_session_attrs=standby host=a", SCRIPT_FAILS_LATER},
           {SCRIPT_CONNECT, "target_session_attrs=standby host=b", SCRIPT_FAILS_LATER},
           SCRIPT_OPEN("target_session_attrs=any host=a"));
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_msg(conn != NULL, "%s", err.message);
    db_release(conn);
    finish(db);
}
END_TEST

START_TEST(the_primary_answers_for_a_replica)
{
    struct db *primary = make("host=p", 1);
    struct db_options options = {.pool_size = 1, .timeout_s = 1, .fallback = primary};
    struct db *db = db_open("host=r", &options, &err);
    SCRIPT({SCRIPT_CONNECT, "host=r", SCRIPT_REFUSED}, SCRIPT_OPEN("host=p"), PREPARED());
    DB_RESULT PGresult *result = db_pool_query(db, "one.sql", DB_NO_PARAMS, &err);
    ck_assert_msg(result != NULL, "%s", err.message);
    PQclear(result);
    script_done();
    usleep(400000);
    /* It is back, but what it replays stands against the statement. */
    SCRIPT(SCRIPT_OPEN("host=r"), PREPARED(.answer = {{"40001"}}),
           {SCRIPT_SEND, "execute one.sql"});
    result = db_pool_query(db, "one.sql", DB_NO_PARAMS, &err);
    ck_assert_msg(result != NULL, "%s", err.message);
    PQclear(result);
    result = NULL;
    db_close(db);
    finish(primary);
}
END_TEST

/* --- statements ---------------------------------------------------------------------------------
 */

static const struct {
    const char *state, *severity;
    enum hp_code code;
    bool dropped;
} states[] = {
    {"HP404", NULL, HP_NOT_FOUND, false},     {"HP409", NULL, HP_CONFLICT, false},
    {"HP422", NULL, HP_INVALID, false},       {"HP999", NULL, HP_INTERNAL, false},
    {"23505", NULL, HP_CONFLICT, false},      {"23503", NULL, HP_INVALID, false},
    {"23514", NULL, HP_INVALID, false},       {"22P02", NULL, HP_INVALID, false},
    {"42601", NULL, HP_INTERNAL, false},      {"42501", NULL, HP_INTERNAL, false},
    {"25P02", NULL, HP_INTERNAL, false},      {"XX000", NULL, HP_INTERNAL, false},
    {"57014", NULL, HP_UNAVAILABLE, false},   /* statement_timeout, or an operator */
    {"55P03", NULL, HP_UNAVAILABLE, false},   /* lock_timeout */
    {"40001", NULL, HP_UNAVAILABLE, false},   /* serialisation, recovery conflict */
    {"40P01", NULL, HP_UNAVAILABLE, false},   /* deadlock */
    {"53100", NULL, HP_UNAVAILABLE, false},   /* disk full */
    {"53200", NULL, HP_UNAVAILABLE, false},   /* out of memory */
    {"58030", NULL, HP_UNAVAILABLE, false},   /* I/O error */
    {"53300", "FATAL", HP_UNAVAILABLE, true}, /* too many connections */
    {"57P01", "FATAL", HP_UNAVAILABLE, true}, /* shutting down */
    {"57P02", "FATAL", HP_UNAVAILABLE, true}, /* another backend crashed */
    {"57P03", "FATAL", HP_UNAVAILABLE, true}, /* starting up */
    {"57P05", "FATAL", HP_UNAVAILABLE, true}, /* idle session timeout */
    {"25P03", "FATAL", HP_UNAVAILABLE, true}, /* idle in transaction */
    {"25006", NULL, HP_UNAVAILABLE, true},    /* read-only */
    {"08006", NULL, HP_UNAVAILABLE, true},    {"08P01", "FATAL", HP_UNAVAILABLE, true},
    {"26000", NULL, HP_UNAVAILABLE, true}, /* prepared statement lost */
    {"0A000", NULL, HP_UNAVAILABLE, true}, /* plan must not change its type */
    {"28P01", "FATAL", HP_UNAVAILABLE, true}, {"3D000", "FATAL", HP_UNAVAILABLE, true},
    {"42883", "FATAL", HP_INTERNAL, true},    {"XX001", "PANIC", HP_INTERNAL, true},
};

START_TEST(server_says_no)
{
    struct db *db = make("host=a", 1);
    bool dropped = states[_i].dropped;
    const struct script_step kept[] = {
        SCRIPT_OPEN("host=a"),
        PREPARED(.answer = {{states[_i].state, states[_i].severity, .hint = "Do this."}}),
        {SCRIPT_SEND, "execute one.sql"},
        {SCRIPT_END}};
    const struct script_step anew[] = {
        SCRIPT_OPEN("host=a"),
        PREPARED(.answer = {{states[_i].state, states[_i].severity, .hint = "Do this."}}),
        SCRIPT_OPEN("host=a"),
        PREPARED(),
        {SCRIPT_END}};
    script_set(dropped ? anew : kept);
    ck_assert(!db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err));
    ck_assert_msg(err.code == states[_i].code, "%s gives %s: %s", states[_i].state,
                  hp_code_name(err.code), err.message);
    ck_assert_str_eq(err.hint, "Do this.");
    if (strncmp(states[_i].state, "HP", 2) != 0)
        ck_assert_msg(strstr(err.message, states[_i].state) != NULL, "%s", err.message);
    /* Without a restart, and without anybody doing anything. */
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    finish(db);
}
END_TEST

static const struct {
    enum script_how how;
    struct script_answer answer;
    const char *message;
} lost[] = {
    {SCRIPT_REFUSED, {0}, "another command is already in progress"},
    {SCRIPT_FAILS_LATER, {0}, "server closed the connection"},
    {SCRIPT_BROKEN, {0}, "server closed the connection"},
    {SCRIPT_COPY, {0}, "connection lost"},
    {SCRIPT_EMPTY, {0}, "connection lost"},
    {SCRIPT_FINE, {"none", NULL, NULL, NULL}, "does not answer"}, /* a failure without a code */
};

START_TEST(connection_is_lost)
{
    struct db *db = make("host=a", 1);
    const struct script_step script[] = {SCRIPT_OPEN("host=a"),
                                         {SCRIPT_SEND, "prepare one.sql"},
                                         {SCRIPT_SEND, "execute", lost[_i].how, {lost[_i].answer}},
                                         SCRIPT_OPEN("host=a"),
                                         PREPARED(),
                                         {SCRIPT_END}};
    script_set(script);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert(!db_run(conn, "one.sql", DB_NO_PARAMS, NULL, &err));
    ck_assert_msg(err.code == HP_UNAVAILABLE, "%s", err.message);
    /* Lost is lost until it is given back: nobody may believe that a transaction goes on. */
    ck_assert(!db_run(conn, "one.sql", DB_NO_PARAMS, NULL, &err));
    expect(HP_UNAVAILABLE, "the connection to the database was lost");
    db_rollback(conn); /* must not mind */
    db_release(conn);
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    finish(db);
}
END_TEST

START_TEST(prepare_fails)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "prepare one.sql", .answer = {{"53200"}}},
           PREPARED());
    ck_assert(!db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    /* It is prepared once more, not taken for known. */
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    finish(db);
}
END_TEST

START_TEST(limit_cannot_be_set)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "statement_timeout", .answer = {{"42501"}}});
    struct db_conn *conn = db_acquire(db, &err);
    db_set_timeout(conn, 5);
    ck_assert(!db_run(conn, "one.sql", DB_NO_PARAMS, NULL, &err));
    db_release(conn);
    finish(db);
}
END_TEST

START_TEST(slow_network)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "prepare", SCRIPT_SLOW_FLUSH},
           {SCRIPT_SEND, "execute", SCRIPT_SLOW_FLUSH});
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    finish(db);
}
END_TEST

/* Of a script of several statements the first that failed counts. */
START_TEST(first_failure_counts)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "A; B; C", .answer = {{""}, {"23505"}, {"25P02"}}});
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert(!db_script(conn, "0001.sql", "A; B; C", &err));
    expect(HP_CONFLICT, "0001.sql: ");
    db_release(conn);
    finish(db);
}
END_TEST

/* --- deadlines ----------------------------------------------------------------------------------
 */

START_TEST(cancelled_in_time_keeps_the_connection)
{
    struct db *db = make("host=a", 0.2);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "prepare one.sql"},
           {SCRIPT_SEND, "execute one.sql", SCRIPT_SILENT}, {SCRIPT_CANCEL},
           {SCRIPT_SEND, "execute one.sql"});
    ck_assert(!db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err));
    expect(HP_UNAVAILABLE, "no answer within 0.2 s");
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    struct db_stats stats;
    db_stats(db, &stats);
    ck_assert_uint_eq(stats.timeouts, 1);
    finish(db);
}
END_TEST

static const enum script_how cannot_cancel[] = {SCRIPT_REFUSED, SCRIPT_NO_MEMORY, SCRIPT_SILENT};

START_TEST(not_cancelled_drops_the_connection)
{
    struct db *db = make("host=a", 0.2);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "prepare one.sql"},
           {SCRIPT_SEND, "execute one.sql", SCRIPT_SILENT},
           {SCRIPT_CANCEL, NULL, cannot_cancel[_i]}, SCRIPT_OPEN("host=a"), PREPARED());
    double before = hp_monotonic_s();
    ck_assert(!db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err));
    ck_assert_double_lt(hp_monotonic_s() - before, 3.5); /* though PQcancel hangs for four */
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    usleep(cannot_cancel[_i] == SCRIPT_SILENT ? 2500000 : 0);
    finish(db);
}
END_TEST

/* A request has one deadline for everything, however long each call may take. */
START_TEST(request_has_a_deadline)
{
    struct db *db = make("host=a", 30);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "prepare", SCRIPT_SILENT}, {SCRIPT_CANCEL});
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_ptr_nonnull(conn);
    double before = hp_monotonic_s();
    db_request(0.3);
    ck_assert(!db_run(conn, "one.sql", DB_NO_PARAMS, NULL, &err));
    ck_assert_double_lt(hp_monotonic_s() - before, 5);
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    db_request(0);
    db_release(conn);
    finish(db);
}
END_TEST

/* --- transactions -------------------------------------------------------------------------------
 */

START_TEST(commit_of_a_failed_transaction)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "BEGIN"},
           {SCRIPT_SEND, "COMMIT", .answer = {{"", NULL, "ROLLBACK"}}});
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    ck_assert(!db_commit(conn, &err));
    expect(HP_INTERNAL, "a failed transaction was committed");
    db_release(conn);
    finish(db);
}
END_TEST

/* Whether it was committed nobody knows: the caller must not be told that it was. */
START_TEST(commit_is_lost)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "BEGIN"}, {SCRIPT_SEND, "COMMIT", SCRIPT_BROKEN});
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    ck_assert(!db_commit(conn, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    db_release(conn);
    finish(db);
}
END_TEST

START_TEST(release_rolls_back_or_drops)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "BEGIN"}, {SCRIPT_SEND, "ROLLBACK"},
           {SCRIPT_SEND, "BEGIN"}, {SCRIPT_SEND, "ROLLBACK", .answer = {{"53200"}}});
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    db_release(conn);
    ck_assert_int_eq(script_open(), 1);
    conn = db_acquire(db, &err);
    ck_assert(db_begin(conn, &err));
    db_release(conn);
    ck_assert_int_eq(script_open(), 0);
    finish(db);
}
END_TEST

/* --- idle connections, documents
 * ------------------------------------------------------------------
 */

START_TEST(idle_connections_are_looked_at)
{
    struct db *db = make("host=a", 1);
    SCRIPT(SCRIPT_OPEN("host=a"), PREPARED(), {SCRIPT_SEND, "execute one.sql"},
           SCRIPT_OPEN("host=a"), PREPARED());
    ck_assert(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err));
    script_idle_message(); /* a notice: it stays */
    ck_assert(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err));
    script_idle_gone();
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    struct db_stats stats;
    db_stats(db, &stats);
    ck_assert_uint_eq(stats.reconnects, 1);
    finish(db);
}
END_TEST

START_TEST(json_of_the_database)
{
    struct db *db = make("host=a", 1);
    json_t *out = NULL;
    SCRIPT(SCRIPT_OPEN("host=a"), PREPARED(),
           {SCRIPT_SEND, "execute", .answer = {{"", .hint = "broken"}}},
           {SCRIPT_SEND, "execute", .answer = {{"", .hint = "null"}}},
           {SCRIPT_SEND, "execute", .answer = {{"", .tag = "none"}}});
    ck_assert(db_pool_json(db, "one.sql", DB_NO_PARAMS, &out, &err));
    ck_assert_ptr_nonnull(out);
    json_decref(out);
    ck_assert(!db_pool_json(db, "one.sql", DB_NO_PARAMS, &out, &err));
    expect(HP_INTERNAL, "one.sql: ");
    for (int i = 0; i < 2; i++) { /* NULL, and no row */
        ck_assert(db_pool_json(db, "one.sql", DB_NO_PARAMS, &out, &err));
        ck_assert_ptr_null(out);
    }
    ck_assert(!db_pool_run(db, "no.sql", DB_NO_PARAMS, NULL, &err));
    expect(HP_INTERNAL, "no statement of the name no.sql");
    finish(db);
}
END_TEST

/* --- the pool -----------------------------------------------------------------------------------
 */

/* The database takes no second connection: the first is shared. */
START_TEST(open_connections_are_shared)
{
    struct db *db = make("host=a", 5);
    SCRIPT(SCRIPT_OPEN("host=a"), {SCRIPT_CONNECT, "host=a", SCRIPT_REFUSED}, PREPARED());
    struct db_conn *first = db_acquire(db, &err);
    ck_assert_ptr_nonnull(first);
    db_request(0.2); /* nobody gives it back: the wait ends with the request */
    ck_assert_ptr_null(db_acquire(db, &err));
    expect(HP_UNAVAILABLE, "in use");
    db_request(0);
    db_release(first);
    ck_assert_msg(db_pool_run(db, "one.sql", DB_NO_PARAMS, NULL, &err), "%s", err.message);
    finish(db);
}
END_TEST

#define WAITERS 6
static struct db *shared;
static int order[WAITERS], served;

static void *wait_turn(void *argument)
{
    struct hp_error mine;
    struct db_conn *conn = db_acquire(shared, &mine);
    if (conn) {
        order[served++] = *(int *)argument; /* the only connection: nobody else writes now */
        db_release(conn);
    }
    return NULL;
}

START_TEST(first_come_first_served)
{
    hp_log_init("test", HP_LOG_ERROR);
    shared = db_open("host=a", &(struct db_options){.pool_size = 1, .timeout_s = 20}, &err);
    SCRIPT(SCRIPT_OPEN("host=a"));
    struct db_conn *conn = db_acquire(shared, &err);
    pthread_t threads[WAITERS];
    int numbers[WAITERS];
    struct db_stats stats;
    for (int i = 0; i < WAITERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_turn, &numbers[i]), 0);
        do {
            usleep(1000);
            db_stats(shared, &stats);
        } while (stats.waiting <= i);
    }
    db_release(conn);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(served, WAITERS);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(order[i], i);
    finish(shared);
}
END_TEST

#define CROWD 24
static int refused_at_once;

static void *crowd(void *unused)
{
    struct hp_error mine;
    (void)unused;
    struct db_conn *conn = db_acquire(shared, &mine);
    if (!conn && strstr(mine.message, "wait for the database already"))
        __atomic_fetch_add(&refused_at_once, 1, __ATOMIC_RELAXED);
    db_release(conn);
    return NULL;
}

START_TEST(waiters_are_bounded)
{
    hp_log_init("test", HP_LOG_ERROR);
    shared = db_open("host=a", &(struct db_options){.pool_size = 1, .timeout_s = 20}, &err);
    SCRIPT(SCRIPT_OPEN("host=a"));
    struct db_conn *conn = db_acquire(shared, &err);
    pthread_t threads[CROWD];
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, crowd, NULL), 0);
    while (__atomic_load_n(&refused_at_once, __ATOMIC_RELAXED) < CROWD - 16)
        usleep(1000);
    db_release(conn);
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(refused_at_once, CROWD - 16);
    finish(shared);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

HP_SUITE(db_errors)
{
    Suite *s = suite_create("db_errors");
    TCase *t = tcase_create("script");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, bad_string);
    tcase_add_loop_test(t, connection_fails, 0, COUNT(no_connection));
    tcase_add_test(t, failure_is_remembered_for_a_moment);
    tcase_add_test(t, settings_fail);
    tcase_add_test(t, servers_are_tried_in_turn);
    tcase_add_test(t, no_server_can_be_used);
    tcase_add_test(t, addresses_are_split_too);
    tcase_add_test(t, readers_prefer_a_replica);
    tcase_add_test(t, the_primary_answers_for_a_replica);
    tcase_add_loop_test(t, server_says_no, 0, COUNT(states));
    tcase_add_loop_test(t, connection_is_lost, 0, COUNT(lost));
    tcase_add_test(t, prepare_fails);
    tcase_add_test(t, limit_cannot_be_set);
    tcase_add_test(t, slow_network);
    tcase_add_test(t, first_failure_counts);
    tcase_add_test(t, cancelled_in_time_keeps_the_connection);
    tcase_add_loop_test(t, not_cancelled_drops_the_connection, 0, COUNT(cannot_cancel));
    tcase_add_test(t, request_has_a_deadline);
    tcase_add_test(t, commit_of_a_failed_transaction);
    tcase_add_test(t, commit_is_lost);
    tcase_add_test(t, release_rolls_back_or_drops);
    tcase_add_test(t, idle_connections_are_looked_at);
    tcase_add_test(t, json_of_the_database);
    tcase_add_test(t, open_connections_are_shared);
    tcase_add_test(t, first_come_first_served);
    tcase_add_test(t, waiters_are_bounded);
    suite_add_tcase(s, t);
    return s;
}
