/* Which server runs on a data folder, and whether the one that answers is it. */
#include "collector/private_db_internal.h"

#include "collector/db.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The process that postmaster.pid names, running or not; 0 where there is no such file. */
static pid_t named_pid(const struct private_paths *p)
{
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error ignored;
    if (!hp_file_read(p->pid, 4096, &text, &ignored))
        return 0;
    long pid = strtol(hp_buffer_text(&text), NULL, 10);
    return pid > 1 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* PostgreSQL's processes work in their data folder. */
static bool works_in(pid_t pid, const char *data)
{
    char link[64], at[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%d/cwd", (int)pid);
    ssize_t n = readlink(link, at, sizeof at - 1);
    if (n < 0)
        return false;
    at[n] = '\0';
    return strcmp(at, data) == 0;
}

static char *real_path(const struct private_paths *p)
{
    return realpath(p->data, NULL);
}

pid_t private_server_pid(const struct private_paths *p)
{
    HP_FREE char *data = real_path(p);
    pid_t pid = data ? named_pid(p) : 0;
    return pid && works_in(pid, data) ? pid : 0;
}

static bool any_process_in(const char *data)
{
    HP_DIR DIR *dir = opendir("/proc");
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (isdigit((unsigned char)e->d_name[0]) && works_in((pid_t)atoi(e->d_name), data))
            return true;
    return false;
}

/* PostgreSQL itself sees through a lock file whose process is gone. Only where the number was given
 * to another program meanwhile would it refuse to start. */
static bool remove_misleading(const struct private_paths *p, struct hp_error *err)
{
    pid_t pid = named_pid(p);
    if (!pid || (kill(pid, 0) != 0 && errno == ESRCH))
        return true;
    HP_FREE char *socket_lock = hp_format("%s/.s.PGSQL.%d.lock", p->run, PRIVATE_DB_PORT);
    if (!socket_lock)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (unlink(socket_lock) != 0 && errno != ENOENT)
        return hp_fail_errno(err, "cannot remove %s", socket_lock);
    if (unlink(p->pid) != 0 && errno != ENOENT)
        return hp_fail_errno(err, "cannot remove %s", p->pid);
    return true;
}

bool private_server_clear_stale(const struct private_paths *p, double timeout_s,
                                struct hp_error *err)
{
    HP_FREE char *data = real_path(p);
    if (!data)
        return hp_fail_errno(err, "cannot look at %s", p->data);
    /* The children of a killed server notice within a moment and end. */
    double deadline = hp_monotonic_s() + timeout_s;
    while (any_process_in(data)) {
        if (hp_monotonic_s() > deadline) {
            hp_fail(err, HP_CONFLICT, "processes of an earlier server still work in %s", data);
            return hp_error_hint(err, "See `fuser -v %s`; end them, then start again.", data);
        }
        hp_sleep_ms(50);
    }
    return remove_misleading(p, err);
}

/* The number that initdb gave the cluster: the first field of its control file. */
static bool system_identifier(const struct private_paths *p, uint64_t *out, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/global/pg_control", p->data);
    HP_BUFFER struct hp_buffer control = {0};
    if (!path)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!hp_file_read(path, 1 << 20, &control, err))
        return false;
    if (control.size < sizeof *out)
        return hp_fail(err, HP_CONFLICT, "%s is damaged", path);
    memcpy(out, control.data, sizeof *out);
    return true;
}

/* The kernel tells who called listen() on a Unix socket: the server's first process. */
static pid_t listener_pid(int fd)
{
    struct ucred who = {0};
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.uid != geteuid())
        return -1;
    return who.pid;
}

static bool check_identity(const struct private_paths *p, struct db_conn *conn,
                           struct hp_error *err)
{
    uint64_t expected = 0;
    HP_FREE char *data = real_path(p);
    if (!data || !system_identifier(p, &expected, err))
        return data ? false : hp_fail_errno(err, "cannot look at %s", p->data);
    DB_RESULT PGresult *result = db_query(conn, "server_identity.sql", DB_NO_PARAMS, err);
    if (!result)
        return false;
    bool same_folder = strcmp(db_text(result, 0, 0), data) == 0;
    bool same_cluster = (uint64_t)db_get_int(result, 0, 1) == expected;
    bool same_process = listener_pid(PQsocket(db_raw(conn))) == private_server_pid(p);
    if (same_folder && same_cluster && same_process)
        return true;
    hp_fail(err, HP_CONFLICT, "the server at %s is not the one of %s: it has another %s", p->run,
            data,
            !same_folder    ? "data folder"
            : !same_cluster ? "identity"
                            : "process");
    return hp_error_hint(err, "Another PostgreSQL took the socket; stop it, then start again.");
}

static bool make_database(struct db_conn *conn, struct hp_error *err)
{
    DB_RESULT PGresult *found = db_query(conn, "database_exists.sql", DB_NO_PARAMS, err);
    if (!found)
        return false;
    return PQntuples(found) > 0 || db_run(conn, "database_create.sql", DB_NO_PARAMS, NULL, err);
}

bool private_server_verify(const struct private_paths *p, const char *state, double timeout_s,
                           struct hp_error *err)
{
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    HP_FREE char *own = url ? hp_format("%s&dbname=postgres", url) : NULL;
    if (!own)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    struct db_options options = {.pool_size = 1, .timeout_s = timeout_s, .name = "hakperf-start"};
    struct db *db = db_open(own, &options, err);
    struct db_conn *conn = db ? db_acquire(db, err) : NULL;
    bool ok = conn && check_identity(p, conn, err) && make_database(conn, err);
    db_release(conn);
    db_close(db);
    return ok;
}
