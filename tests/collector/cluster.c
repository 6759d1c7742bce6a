#include "tests/collector/cluster.h"

#include "collector/migrate.h"
#include "collector/private_db_internal.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"
#include "tests/collector/store_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A program of PostgreSQL, in a child that is the service's user. */
struct call {
    const char *name;
    const char *const *arguments;
};
static struct call call;

static bool run_program(const char *unused)
{
    (void)unused;
    struct hp_error err;
    const char *argv[32] = {NULL};
    HP_FREE char *folder = private_programs(0, &err);
    HP_FREE char *program = hp_format("%s/%s", folder ? folder : "", call.name);
    size_t n = 0;
    for (argv[n++] = program; call.arguments[n - 1] && n < 31; n++)
        argv[n] = call.arguments[n - 1];
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_command command = {
        .argv = argv, .folder = "/", .timeout_s = 120, .merge_stderr = true, .keep_tail = true};
    if (hp_run_ok(&command, &outcome, &err))
        return true;
    fprintf(stderr, "%s: %s\n%s\n", call.name, err.message, hp_buffer_text(&outcome.out));
    return false;
}

static bool run(const char *name, const char *const *arguments)
{
    call = (struct call){name, arguments};
    return store_as_service(run_program, "");
}
#define RUN(name, ...) run(name, (const char *const[]){__VA_ARGS__, NULL})

static void note(const struct cluster *c)
{
    HP_FREE char *path = hp_format("%s/clusters", store_state());
    HP_FILE FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%s\n", c->folder);
}

static bool make_folder(const char *folder)
{
    return mkdir(folder, 0755) == 0 && chmod(folder, 0755) == 0;
}

static const char *data_of(const struct cluster *c)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/pg", c->folder);
    return path;
}

static void configure(const struct cluster *c, const char *settings)
{
    HP_FREE char *path = hp_format("%s/pg/postgresql.auto.conf", c->folder);
    HP_FILE FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "listen_addresses = ''\nunix_socket_directories = '%s'\nfsync = off\n"
            "shared_buffers = 16MB\nmax_wal_size = 64MB\nmin_wal_size = 32MB\n"
            "hot_standby = on\n%s\n",
            c->folder, settings ? settings : "");
}

const char *cluster_ask(const struct cluster *c, const char *sql)
{
    static char answer[512];
    HP_FREE char *where = hp_format("host=%s user=hakperf_owner dbname=%s", c->folder,
                                    strstr(sql, "DATABASE") ? "postgres" : "hakperf");
    PGconn *pg = PQconnectdb(where);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    ck_assert_msg(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql,
                  PQerrorMessage(pg));
    snprintf(answer, sizeof answer, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(pg);
    return answer;
}

static void migrate(const struct cluster *c)
{
    struct hp_error err;
    cluster_ask(c, "CREATE DATABASE hakperf");
    HP_FREE char *where = hp_format("host=%s user=hakperf_owner dbname=hakperf", c->folder);
    struct db *db = db_open(where, NULL, &err);
    ck_assert_msg(db && migrate_up(db, NULL, &err), "%s", err.message);
    db_close(db);
}

static void begin(struct cluster *c, const char *name, const char *folder)
{
    snprintf(c->folder, sizeof c->folder, "%s/%s%d", folder ? folder : store_state(), name,
             (int)getpid());
    /* The service's user owns what is below. */
    struct stat st;
    ck_assert_int_eq(stat(store_state(), &st), 0);
    ck_assert(make_folder(c->folder));
    ck_assert_int_eq(chown(c->folder, st.st_uid, st.st_gid), 0);
    note(c);
}

static struct cluster original;

void cluster_template(void)
{
    struct stat st;
    snprintf(original.folder, sizeof original.folder, "%s/template", store_state());
    ck_assert_int_eq(stat(store_state(), &st), 0);
    ck_assert(make_folder(original.folder));
    ck_assert_int_eq(chown(original.folder, st.st_uid, st.st_gid), 0);
    note(&original);
    ck_assert(RUN("initdb", "--pgdata", data_of(&original), "--username", "hakperf_owner",
                  "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
                  "--wal-segsize=1"));
    configure(&original, NULL);
    ck_assert(cluster_start(&original));
    migrate(&original);
    ck_assert(cluster_stop(&original, "fast"));
}

void cluster_make(struct cluster *c, const char *name, const char *folder, const char *settings)
{
    begin(c, name, folder);
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err;
    const char *argv[] = {"cp", "-a", data_of(&original), c->folder, NULL};
    struct hp_command command = {.argv = argv, .timeout_s = 60};
    ck_assert_msg(hp_run_ok(&command, &outcome, &err), "%s", err.message);
    configure(c, settings);
    ck_assert(cluster_start(c));
}

void cluster_clone(struct cluster *c, const char *name, const struct cluster *primary)
{
    begin(c, name, NULL);
    ck_assert(RUN("pg_basebackup", "--pgdata", data_of(c), "--write-recovery-conf", "--no-sync",
                  "--checkpoint=fast", "--host", primary->folder, "--username", "hakperf_owner"));
    configure(c, NULL);
    ck_assert(cluster_start(c));
}

bool cluster_start(const struct cluster *c)
{
    HP_FREE char *log = hp_format("%s/log", c->folder);
    return RUN("pg_ctl", "start", "--pgdata", data_of(c), "--wait", "--silent", "--log", log);
}

bool cluster_stop(const struct cluster *c, const char *mode)
{
    return RUN("pg_ctl", "stop", "--pgdata", data_of(c), "--wait", "--silent", "--mode", mode);
}

bool cluster_promote(const struct cluster *c)
{
    return RUN("pg_ctl", "promote", "--pgdata", data_of(c), "--wait", "--silent");
}

pid_t cluster_pid(const struct cluster *c)
{
    HP_FREE char *path = hp_format("%s/postmaster.pid", data_of(c));
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error ignored;
    return hp_file_read(path, 4096, &text, &ignored) ? atoi(hp_buffer_text(&text)) : 0;
}

void cluster_end_all(void)
{
    HP_FREE char *path = hp_format("%s/clusters", store_state());
    HP_FILE FILE *file = fopen(path, "r");
    struct cluster c;
    while (file && fscanf(file, "%127[^\n]\n", c.folder) == 1)
        if (cluster_pid(&c) > 1)
            cluster_stop(&c, "immediate");
}
