#include "collector/db.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/process.h"
#include "common/state.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Runs in a child as the service user, where Check's assertions do not reach: says what failed. */
#define WANT(condition)                                                                     \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            fprintf(stderr, "%s:%d: not so: %s (%s; %s)\n", __FILE__, __LINE__, #condition, \
                    err.message, err.hint);                                                 \
            return false;                                                                   \
        }                                                                                   \
    } while (0)

static const struct private_db_options fast = {.throw_away = true, .timeout_s = 30};

static pid_t server_pid(const char *state)
{
    struct hp_error err = {0};
    HP_JSON json_t *status = private_db_status(state, &err);
    return (pid_t)hp_json_int(status, "pid", 0);
}

static bool answers(const char *state, const char *role)
{
    struct hp_error err = {0};
    HP_FREE char *url = private_db_url(state, role);
    struct db *db = db_open(url, NULL, &err);
    DB_RESULT PGresult *result = db_pool_query(db, "server_identity.sql", DB_NO_PARAMS, &err);
    db_close(db);
    if (!result)
        fprintf(stderr, "%s\n", err.message);
    return result != NULL;
}

/* The whole life: absent, made, running, joined by a second starter, stopped, started again. */
static bool life(const char *state)
{
    struct hp_error err = {0};
    HP_JSON json_t *absent = private_db_status(state, &err);
    WANT(absent && strcmp(hp_json_string(absent, "state", ""), "absent") == 0);
    bool started = false;
    WANT(private_db_start(state, &fast, &started, &err) && started);
    pid_t first = server_pid(state);
    WANT(first > 0 && answers(state, PRIVATE_DB_OWNER));
    WANT(private_db_start(state, &fast, &started, &err) && !started && server_pid(state) == first);
    struct stat st;
    HP_FREE char *data = hp_state_path(state, "pg");
    HP_FREE char *run = hp_state_path(state, "run");
    WANT(stat(data, &st) == 0 && (st.st_mode & 0777) == 0700);
    WANT(stat(run, &st) == 0 && (st.st_mode & 0777) == 0700);
    WANT(private_db_stop(state, &err) && server_pid(state) == 0);
    WANT(private_db_stop(state, &err));
    WANT(private_db_start(state, &fast, &started, &err) && started);
    return private_db_stop(state, &err);
}

/* Killed without a word, and its lock file naming a process that is another program by now. */
static bool killed(const char *state)
{
    struct hp_error err = {0};
    WANT(private_db_start(state, &fast, NULL, &err));
    pid_t first = server_pid(state);
    WANT(first > 0 && kill(first, SIGKILL) == 0);
    bool started = false;
    WANT(private_db_start(state, &fast, &started, &err) && started);
    pid_t second = server_pid(state);
    WANT(second > 0 && second != first && answers(state, PRIVATE_DB_OWNER));
    WANT(private_db_stop(state, &err));
    HP_FREE char *lock = hp_state_path(state, "pg/postmaster.pid");
    HP_FREE char *line = hp_format("%d\n%s/pg\n0\n5432\n\n\n", (int)getpid(), state);
    WANT(hp_file_replace(lock, line, strlen(line), 0600, &err));
    WANT(server_pid(state) == 0);
    WANT(private_db_start(state, &fast, &started, &err) && started);
    return private_db_stop(state, &err);
}

/* What an interrupted initdb leaves is thrown away; a folder of something else is not touched. */
static bool foreign_folders(const char *state)
{
    struct hp_error err = {0};
    HP_FREE char *half = hp_state_path(state, "pg.new");
    HP_FREE char *rest = hp_state_path(state, "pg.new/base");
    HP_FREE char *data = hp_state_path(state, "pg");
    HP_FREE char *file = hp_state_path(state, "pg/diary");
    WANT(hp_make_dirs(rest, 0700, &err) && hp_make_dirs(data, 0700, &err));
    WANT(hp_file_replace(file, "mine", 4, 0600, &err));
    WANT(!private_db_start(state, &fast, NULL, &err) && err.code == HP_CONFLICT);
    WANT(access(file, F_OK) == 0 && unlink(file) == 0);
    WANT(private_db_start(state, &fast, NULL, &err));
    WANT(access(half, F_OK) != 0);
    WANT(private_db_stop(state, &err));
    WANT(!private_db_start(state, NULL, NULL, &err) && err.code == HP_CONFLICT);
    return true;
}

/* Durable is the default, checksums are on, and nothing listens but the socket. */
static bool durable(const char *state)
{
    struct hp_error err = {0};
    WANT(private_db_start(state, NULL, NULL, &err));
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    PGconn *pg = PQconnectdb(url);
    static const char sql[] =
        "SELECT string_agg(current_setting(s), ' ' ORDER BY s) FROM unnest(ARRAY['data_checksums',"
        "'fsync','full_page_writes','listen_addresses','lc_collate','server_encoding',"
        "'synchronous_commit']) s";
    DB_RESULT PGresult *result = PQexec(pg, sql);
    bool as_wanted = PQresultStatus(result) == PGRES_TUPLES_OK &&
                     strcmp(PQgetvalue(result, 0, 0), "on on on C  UTF8 on") == 0;
    PQfinish(pg);
    WANT(private_db_stop(state, &err));
    WANT(as_wanted);
    return true;
}

/* Settings of one's own that do not hold: the server's own words come back. */
static bool broken_settings(const char *state)
{
    struct hp_error err = {0};
    static const char nonsense[] = "shared_buffers = 'plenty'\n";
    WANT(private_db_start(state, &fast, NULL, &err) && private_db_stop(state, &err));
    HP_FREE char *own = hp_state_path(state, "pg/postgresql.auto.conf");
    WANT(hp_file_replace(own, nonsense, sizeof nonsense - 1, 0600, &err));
    WANT(!private_db_start(state, &fast, NULL, &err));
    WANT(err.code == HP_FAILED && strstr(err.hint, "plenty"));
    return true;
}

/* Programs that are there and do not run are not called missing: their own words come back. */
static bool broken_programs(const char *state)
{
    struct hp_error err = {0};
    static const char script[] = "#!/bin/sh\necho no such library >&2\nexit 127\n";
    static const char *const names[] = {"initdb", "pg_ctl", "postgres"};
    HP_FREE char *data = hp_state_path(state, "pg");
    HP_FREE char *version = hp_state_path(state, "pg/PG_VERSION");
    HP_FREE char *folder = hp_state_path(state, "bin");
    WANT(hp_make_dirs(data, 0700, &err) && hp_make_dirs(folder, 0700, &err));
    WANT(hp_file_replace(version, "99\n", 3, 0600, &err));
    WANT(!private_db_start(state, NULL, NULL, &err) && err.code == HP_NOT_FOUND);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        HP_FREE char *path = hp_format("%s/%s", folder, names[i]);
        WANT(hp_file_replace(path, script, sizeof script - 1, 0700, &err));
    }
    WANT(setenv("PATH", folder, 1) == 0); /* of this child */
    WANT(!private_db_start(state, NULL, NULL, &err) && strstr(err.message, "no such library"));
    return true;
}

/* `hakperf-collector db VERB`; its exit code, what it says on stderr in *said. */
static int db_verb(const char *state, const char *verb, struct hp_outcome *said)
{
    struct hp_error err = {0};
    const char *build = getenv("BUILD");
    HP_FREE char *program = hp_format("%s/bin/hakperf-collector", build ? build : "build");
    const char *const argv[] = {program, "db", verb, "--state", state, NULL};
    const struct hp_command command = {.argv = argv, .timeout_s = 60, .output_limit = 65536};
    return hp_run(&command, said, &err) ? said->exit_code : -1;
}

/* A schema that this program does not know: it says so, and the server it started is gone. */
static bool newer_schema(const char *state)
{
    struct hp_error err = {0};
    HP_OUTCOME struct hp_outcome first = {0}, stopped = {0}, again = {0};
    WANT(db_verb(state, "start", &first) == 0 && server_pid(state) > 0);
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    struct db *db = db_open(url, NULL, &err);
    struct db_conn *conn = db ? db_acquire(db, &err) : NULL;
    bool changed = conn && db_script(conn, "test",
                                     "INSERT INTO store.migration (number, name, checksum) "
                                     "VALUES (9999, 'later.sql', repeat('0', 64))",
                                     &err);
    db_release(conn);
    db_close(db);
    WANT(changed && db_verb(state, "stop", &stopped) == 0);
    int code = db_verb(state, "start", &again);
    pid_t left = server_pid(state);
    if (left)
        private_db_stop(state, &err);
    WANT(code > 0 && strstr(hp_buffer_text(&again.err), "later.sql") != NULL);
    WANT(left == 0);
    return true;
}

static void in_fresh_state(bool (*work)(const char *))
{
    HP_FREE char *state = hp_format("%s/test-XXXXXX", test_root());
    struct hp_error err = {0};
    hp_log_init("test", HP_LOG_WARNING);
    ck_assert_ptr_nonnull(mkdtemp(state));
    ck_assert_msg(hp_state_make(state, NULL, 0755, &err), "%s", err.message);
    bool ok = store_as_service(work, state);
    ck_assert_msg(hp_remove_tree(state, &err), "%s", err.message);
    ck_assert_msg(ok, "see above");
}

START_TEST(lives_and_stops)
{
    in_fresh_state(life);
}
END_TEST

START_TEST(survives_a_kill)
{
    in_fresh_state(killed);
}
END_TEST

START_TEST(respects_other_folders)
{
    in_fresh_state(foreign_folders);
}
END_TEST

START_TEST(is_durable_by_default)
{
    in_fresh_state(durable);
}
END_TEST

static bool long_path(const char *state)
{
    struct hp_error err = {0};
    HP_FREE char *longer = hp_format("%s/%0100d", state, 0);
    WANT(!private_db_start(longer, &fast, NULL, &err) && err.code == HP_LIMIT && err.hint[0]);
    WANT(access(longer, F_OK) != 0);
    return true;
}

START_TEST(says_why_it_does_not_start)
{
    in_fresh_state(broken_settings);
}
END_TEST

START_TEST(says_what_its_programs_say)
{
    in_fresh_state(broken_programs);
}
END_TEST

START_TEST(leaves_no_server_that_it_cannot_use)
{
    in_fresh_state(newer_schema);
}
END_TEST

START_TEST(refuses_a_path_too_long)
{
    in_fresh_state(long_path);
}
END_TEST

START_TEST(url_escapes_the_path)
{
    HP_FREE char *url = private_db_url("/tmp/a b&c", PRIVATE_DB_READER);
    ck_assert_str_eq(url, "postgresql:///hakperf?host=/tmp/a%20b%26c/run&user=hakperf_reader");
}
END_TEST

HP_SUITE_AT(private_db, HP_SUITE_FIRST)
{
    Suite *s = suite_create("private_db");
    TCase *t = tcase_create("server");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, lives_and_stops);
    tcase_add_test(t, survives_a_kill);
    tcase_add_test(t, respects_other_folders);
    tcase_add_test(t, is_durable_by_default);
    tcase_add_test(t, says_why_it_does_not_start);
    tcase_add_test(t, says_what_its_programs_say);
    tcase_add_test(t, leaves_no_server_that_it_cannot_use);
    tcase_add_test(t, refuses_a_path_too_long);
    tcase_add_test(t, url_escapes_the_path);
    suite_add_tcase(s, t);
    return s;
}
