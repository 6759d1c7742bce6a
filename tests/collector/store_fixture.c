#include "tests/collector/store_fixture.h"

#include "collector/migrate.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "common/state.h"
#include "tests/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char state[64];
static char database[64]; /* of this process's test; "" before its first use */

const char *store_state(void)
{
    return state;
}

static _Noreturn void give_up(const char *what, const struct hp_error *err)
{
    fprintf(stderr, "store fixture: %s: %s\n%s\n", what, err->message, err->hint);
    exit(EXIT_FAILURE);
}

bool store_as_service(bool (*work)(const char *), const char *folder)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct hp_error err;
        bool ok = hp_drop_root(&err) && work(folder);
        _exit(ok ? 0 : 1);
    }
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool start(const char *folder)
{
    struct hp_error err = {0};
    struct private_db_options options = {.throw_away = true};
    if (!private_db_start(folder, &options, NULL, &err))
        give_up("start", &err);
    HP_FREE char *url = private_db_url(folder, PRIVATE_DB_OWNER);
    struct db *db = db_open(url, NULL, &err);
    if (!db || !migrate_up(db, NULL, &err))
        give_up("migrate", &err);
    db_close(db);
    return true;
}

static bool stop(const char *folder)
{
    struct hp_error err = {0};
    if (!private_db_stop(folder, &err))
        give_up("stop", &err);
    return true;
}

void store_start(void)
{
    struct hp_error err = {0};
    hp_log_init("test", HP_LOG_WARNING);
    snprintf(state, sizeof state, "%s/test-XXXXXX", test_root());
    if (!mkdtemp(state) || !hp_state_make(state, NULL, 0755, &err))
        give_up("state folder", &err);
    if (!store_as_service(start, state))
        give_up("start", &err);
}

void store_stop(void)
{
    struct hp_error err = {0};
    bool stopped = store_as_service(stop, state);
    if (!hp_remove_tree(state, &err) || !stopped)
        give_up("stop", &err);
}

static void no_notice(void *unused, const char *text)
{
    (void)unused;
    (void)text;
}

static PGconn *connect_to(const char *url)
{
    PGconn *pg = PQconnectdb(url);
    ck_assert_msg(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
    PQsetNoticeProcessor(pg, no_notice, NULL);
    return pg;
}

/* A copy of the migrated database costs 50 ms, a migration anew more. */
static void make_database(void)
{
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    HP_FREE char *maintenance = hp_format("%s&dbname=postgres", url);
    HP_FREE char *sql =
        hp_format("CREATE DATABASE test_%d TEMPLATE hakperf STRATEGY wal_log", (int)getpid());
    PGconn *pg = connect_to(maintenance);
    PGresult *result = PQexec(pg, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(pg));
    PQclear(result);
    PQfinish(pg);
    snprintf(database, sizeof database, "test_%d", (int)getpid());
}

void store_use_original(void)
{
    strcpy(database, "hakperf");
}

static char elsewhere[512];

void store_elsewhere(const char *hosts)
{
    snprintf(elsewhere, sizeof elsewhere, "%s", hosts);
}

const char *store_url(const char *role)
{
    static char url[640];
    if (elsewhere[0]) {
        snprintf(url, sizeof url, "postgresql:///hakperf?user=%s&host=%s", role, elsewhere);
        return url;
    }
    if (!database[0])
        make_database();
    HP_FREE char *base = private_db_url(state, role);
    snprintf(url, sizeof url, "%s&dbname=%s", base, database);
    return url;
}

struct db *store_db(const char *role)
{
    struct hp_error err = {0};
    struct db *db = db_open(store_url(role), &(struct db_options){.pool_size = 4}, &err);
    ck_assert_msg(db != NULL, "%s", err.message);
    return db;
}

const char *store_ask(const char *role, const char *sql)
{
    static char answer[4096];
    PGconn *pg = connect_to(store_url(role));
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    ck_assert_msg(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %.1000s",
                  PQerrorMessage(pg), sql);
    snprintf(answer, sizeof answer, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(pg);
    return answer;
}

const char *store_refused(const char *role, const char *sql)
{
    static char code[8];
    PGconn *pg = connect_to(store_url(role));
    PGresult *result = PQexec(pg, sql);
    const char *field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(code, sizeof code, "%s", field ? field : "");
    PQclear(result);
    PQfinish(pg);
    return code;
}
