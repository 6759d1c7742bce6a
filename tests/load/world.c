#include "tests/load/load.h"

#include "collector/db.h"
#include "collector/migrate.h"
#include "collector/private_db.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/log.h"
#include "common/state.h"
#include "common/wire.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is to be ended whatever happens: one world a process, and who made it. */
static struct world *current;
static pid_t owner, postmaster;

/* Safe in a signal handler. */
static void end_all(void)
{
    if (!current || getpid() != owner)
        return;
    if (current->collector.pid > 0)
        kill(current->collector.pid, SIGKILL);
    if (postmaster > 1)
        kill(postmaster, SIGQUIT);
}

static void on_signal(int number)
{
    end_all();
    _exit(128 + number);
}

void die(const char *format, ...)
{
    va_list args;
    struct hp_error ignored;
    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    end_all();
    if (current && getpid() == owner && !current->keep) {
        hp_sleep_ms(1000);
        hp_remove_tree(current->state, &ignored);
    }
    exit(EXIT_FAILURE);
}

/* PostgreSQL refuses root; a child becomes the service's user. */
static bool as_service(bool (*work)(const char *state), const char *state)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct hp_error err;
        _exit(hp_drop_root(&err) && work(state) ? 0 : 1);
    }
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool start(const char *state)
{
    struct hp_error err = {0};
    if (private_db_start(state, NULL, NULL, &err))
        return true;
    fprintf(stderr, "load: %s\n%s\n", err.message, err.hint);
    return false;
}

static bool migrate(const char *state)
{
    struct hp_error err = {0};
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    struct db *db = db_open(url, NULL, &err);
    bool ok = db && migrate_up(db, NULL, &err);
    db_close(db);
    if (!ok)
        fprintf(stderr, "load: %s\n", err.message);
    return ok;
}

static bool stop(const char *state)
{
    struct hp_error err = {0};
    return private_db_stop(state, &err);
}

bool world_start_database(const struct world *world)
{
    bool ok = as_service(start, world->state);
    postmaster = ok ? world_postmaster(world) : 0;
    return ok;
}

pid_t world_postmaster(const struct world *world)
{
    HP_FREE char *path = hp_format("%s/pg/postmaster.pid", world->state);
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error ignored;
    return hp_file_read(path, 4096, &text, &ignored) ? atoi(hp_buffer_text(&text)) : 0;
}

PGconn *world_connect(const struct world *world)
{
    HP_FREE char *url = private_db_url(world->state, PRIVATE_DB_OWNER);
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) == CONNECTION_OK)
        return pg;
    PQfinish(pg);
    return NULL;
}

const char *world_ask(const struct world *world, const char *sql)
{
    static char answer[4096];
    PGconn *pg = world_connect(world);
    /* It may still be getting up after a fault. */
    for (int i = 0; i < 300 && !pg; i++, pg = world_connect(world))
        hp_sleep_ms(100);
    PGresult *result = pg ? PQexec(pg, sql) : NULL;
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        die("%s: %s", sql, pg ? PQerrorMessage(pg) : "no connection");
    snprintf(answer, sizeof answer, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(pg);
    return answer;
}

static void make_repository(struct world *world)
{
    struct hp_error err;
    HP_JSON json_t *suite = document_suite();
    HP_FREE char *text = hp_json_text(suite);
    if (!hp_suite_hash(suite, world->suite_hash, &err))
        die("%s", err.message);
    HP_FREE char *sql = hp_format(
        "INSERT INTO store.repository (name, url, default_ref) "
        "VALUES ('load', '/nowhere', 'refs/heads/main');"
        "INSERT INTO store.suite (repository, hash, name, document, driver_sha, driver_subject) "
        "VALUES (1, '%s', 'load', '%s', '%s', 'Driver'); UPDATE store.repository SET suite_hash = "
        "'%s';"
        "INSERT INTO store.commit (repository, sha, parents, position, mainline, author, subject, "
        "committed) VALUES (1, lpad('0', 40, '0'), '{}', 0, true, 'A', 'Commit 0', now())",
        world->suite_hash, text, "fdda0c46f953c1a45bdc520849be1e4edf4e228c", world->suite_hash);
    world_ask(world, sql);
}

void world_make(struct world *world, const char *keep, int lease_s)
{
    struct hp_error err;
    *world = (struct world){.lease_s = lease_s, .keep = keep, .commits = 1};
    hp_log_init("load", HP_LOG_WARNING);
    snprintf(world->state, sizeof world->state, "%s", keep ? keep : "/tmp/hakperf-load-XXXXXX");
    if (!keep && !mkdtemp(world->state))
        die("cannot make a state folder");
    if (!hp_state_make(world->state, NULL, 0755, &err) ||
        !hp_state_make(world->state, "run", 0700, &err))
        die("%s", err.message);
    current = world;
    owner = getpid();
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (!world_start_database(world) || !as_service(migrate, world->state))
        die("no database");
    if (atoi(world_ask(world, "SELECT count(*) FROM store.repository")) == 0) {
        make_repository(world);
        return;
    }
    world->commits = (unsigned)atoi(world_ask(world, "SELECT count(*) FROM store.commit"));
    strcpy(world->suite_hash, world_ask(world, "SELECT suite_hash FROM store.repository"));
}

void world_free(struct world *world)
{
    struct hp_error err;
    if (world->collector.pid)
        hp_child_stop(&world->collector, SIGTERM, 40);
    bool stopped = as_service(stop, world->state);
    current = NULL;
    if (!stopped || (!world->keep && !hp_remove_tree(world->state, &err)))
        die("cannot clear away %s", world->state);
}

const char *world_server(const struct world *world)
{
    static _Thread_local char server[128];
    snprintf(server, sizeof server, "unix:%s/run/collector.sock", world->state);
    return server;
}

static const char *program(void)
{
    static char path[512];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/bin/hakperf-collector", build ? build : "build");
    return path;
}

enum { LOG_TOLD = 4000 }; /* bytes */

void world_tell_log(const struct world *world)
{
    struct hp_error ignored;
    HP_FREE char *log = hp_format("%s/collector.log", world->state);
    HP_BUFFER struct hp_buffer text = {0};
    hp_file_read(log, 64 << 20, &text, &ignored);
    size_t from = text.size > LOG_TOLD ? text.size - LOG_TOLD : 0;
    fprintf(stderr, "the end of the collector's log:\n%s\n", hp_buffer_text(&text) + from);
}

void world_start_collector(struct world *world, const char *const *arguments)
{
    struct hp_error err;
    char lease[16], line[256] = "";
    snprintf(lease, sizeof lease, "%d", world->lease_s);
    const char *argv[32] = {program(), "serve",  "--quiet", "--state",  world->state, "--lease",
                            lease,     "--poll", "86400",   "--listen", "127.0.0.1:0"};
    for (size_t n = 11; arguments && *arguments && n < 31; n++)
        argv[n] = *arguments++;
    struct hp_command command = {.argv = argv};
    /* What it says of faults that were meant is not for the terminal. */
    HP_FREE char *log = hp_format("%s/collector.log", world->state);
    HP_FD int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), own = dup(2);
    dup2(fd, 2);
    bool started = hp_child_start(&command, false, true, &world->collector, &err);
    dup2(own, 2);
    if (!started)
        die("%s", err.message);
    struct pollfd slot = {world->collector.out, POLLIN, 0};
    if (poll(&slot, 1, 60000) <= 0 || read(world->collector.out, line, sizeof line - 1) <= 0) {
        world_tell_log(world);
        die("the collector did not start");
    }
}

bool world_add_jobs(struct world *world, unsigned n)
{
    HP_FREE char *sql = hp_format(
        "BEGIN; INSERT INTO store.commit (repository, sha, parents, position, mainline, author, "
        "subject, committed) "
        "SELECT 1, lpad(to_hex(i), 40, '0'), ARRAY[lpad(to_hex(i - 1), 40, '0')], i, true, 'A', "
        "'Commit ' || i, timestamptz '2026-01-01' + i * interval '1 minute' "
        "FROM generate_series(%u, %u) i;"
        "INSERT INTO store.job (repository, kind, head, base, suite_hash) "
        "SELECT 1, 'commit', lpad(to_hex(i), 40, '0'), lpad(to_hex(i - 1), 40, '0'), '%s' "
        "FROM generate_series(%u, %u) i; COMMIT",
        world->commits, world->commits + n - 1, world->suite_hash, world->commits,
        world->commits + n - 1);
    PGconn *pg = world_connect(world);
    PGresult *result = pg ? PQexec(pg, sql) : NULL;
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!ok && pg && PQstatus(pg) == CONNECTION_OK)
        die("jobs: %s", PQerrorMessage(pg));
    PQclear(result);
    PQfinish(pg);
    /* A lost COMMIT may have happened: the next call asks where it stands. */
    if (ok)
        world->commits += n;
    return ok;
}

/* Fields 4 and 14 to 17 of /proc/PID/stat: parent, and times with those of children that ended. */
static bool read_stat(const char *pid, int *parent, double *own, double *children)
{
    HP_FREE char *path = hp_format("/proc/%s/stat", pid);
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error ignored;
    unsigned long t[4];
    if (!hp_file_read(path, 4096, &text, &ignored))
        return false;
    const char *at = strrchr(hp_buffer_text(&text), ')');
    if (!at || sscanf(at + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", parent,
                      &t[0], &t[1], &t[2], &t[3]) != 5)
        return false;
    double tick = (double)sysconf(_SC_CLK_TCK);
    *own = (double)(t[0] + t[1]) / tick;
    *children = (double)(t[2] + t[3]) / tick;
    return true;
}

double process_cpu(pid_t pid)
{
    char name[16];
    int parent;
    double own = 0, children;
    snprintf(name, sizeof name, "%d", (int)pid);
    return read_stat(name, &parent, &own, &children) ? own : 0;
}

double world_database_cpu(const struct world *world)
{
    pid_t postmaster_pid = world_postmaster(world);
    DIR *folder = opendir("/proc");
    double sum = 0;
    for (struct dirent *e; folder && (e = readdir(folder));) {
        int parent;
        double own, children;
        if (!isdigit((unsigned char)e->d_name[0]) ||
            !read_stat(e->d_name, &parent, &own, &children))
            continue;
        if (atoi(e->d_name) == postmaster_pid)
            sum += own + children;
        else if (parent == postmaster_pid)
            sum += own;
    }
    if (folder)
        closedir(folder);
    return sum;
}

long process_rss(pid_t pid)
{
    HP_FREE char *path = hp_format("/proc/%d/status", (int)pid);
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error ignored;
    const char *at = NULL;
    if (hp_file_read(path, 1 << 16, &text, &ignored))
        at = strstr(hp_buffer_text(&text), "VmRSS:");
    return at ? strtol(at + 6, NULL, 10) : 0;
}
