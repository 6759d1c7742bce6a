/* Start, stop, status and address of the private PostgreSQL. */
#include "collector/private_db.h"

#include "collector/private_db_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "common/process.h"
#include "common/state.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define START_TIMEOUT_S 60.0
#define STOP_TIMEOUT_S 60.0
#define LOG_KEPT (8 << 20)
/* Bytes of it that fit into a hint. */
#define LOG_TAIL 400

/* A socket's name must fit the kernel's structure, its NUL byte included. */
static bool check_length(const struct private_paths *p, struct hp_error *err)
{
    size_t limit = sizeof((struct sockaddr_un){0}.sun_path) - 1;
    int n = snprintf(NULL, 0, "%s/.s.PGSQL.%d", p->run, PRIVATE_DB_PORT);
    if (n > 0 && (size_t)n <= limit)
        return true;
    hp_fail(err, HP_LIMIT, "%s is too long for a socket: %d bytes of at most %zu", p->run, n,
            limit);
    return hp_error_hint(err, "Choose a shorter state folder with --state or HAKPERF_STATE.");
}

static bool prepare_folders(const char *state, const struct private_paths *p, struct hp_error *err)
{
    if (geteuid() == 0)
        return hp_fail(err, HP_INTERNAL, "PostgreSQL does not run as root");
    if (state[0] != '/')
        return hp_fail(err, HP_USAGE, "the state folder must be an absolute path, not %s", state);
    return check_length(p, err) && hp_state_make(state, NULL, 0755, err) &&
           hp_state_make(state, "run", 0700, err) && hp_state_make(state, "log", 0700, err);
}

/* Excludes another start or stop; released when the descriptor is closed. */
static int take_lock(const struct private_paths *p, struct hp_error *err)
{
    int fd = open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    hp_fail_errno(err, "cannot lock %s", p->lock);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool check_profile(const struct private_paths *p, bool throw_away, struct hp_error *err)
{
    bool is_fast = access(p->fast, F_OK) == 0;
    if (is_fast == throw_away)
        return true;
    return hp_fail(err, HP_CONFLICT, "%s was made as a %s cluster and stays one", p->data,
                   is_fast ? "throw-away" : "durable");
}

/* The log grows by a few lines a start; it is begun anew when it has become large. */
static void limit_log(const struct private_paths *p)
{
    struct stat st;
    HP_FREE char *old = hp_format("%s.1", p->log);
    if (old && stat(p->log, &st) == 0 && st.st_size > LOG_KEPT && rename(p->log, old) != 0)
        hp_log(HP_LOG_WARNING, "cannot rename %s", p->log);
}

/* The end of the server's log, which says why it did not start. */
static void add_log_tail(const struct private_paths *p, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer log = {0};
    struct hp_error ignored;
    if (!hp_file_read(p->log, (size_t)2 * LOG_KEPT, &log, &ignored))
        return;
    size_t from = log.size > LOG_TAIL ? log.size - LOG_TAIL : 0;
    hp_error_hint(err, "%s ends with: %s", p->log, hp_buffer_text(&log) + from);
}

/* Runs pg_ctl ACTION with that data folder; arguments end with NULL. */
static bool run_pg_ctl(const struct private_paths *p, const char *action, double timeout_s,
                       const char *extra, const char *value, struct hp_error *err)
{
    int version = private_cluster_version(p, err);
    HP_FREE char *folder = version > 0 ? private_programs(version, err) : NULL;
    HP_FREE char *program = folder ? hp_format("%s/pg_ctl", folder) : NULL;
    HP_FREE char *wait = hp_format("%d", (int)ceil(timeout_s));
    if (!program || !wait)
        return false;
    const char *argv[] = {program,     action, "--pgdata", p->data, "--wait", "--silent",
                          "--timeout", wait,   extra,      value,   NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_command command = {.argv = argv,
                                 .folder = "/",
                                 .timeout_s = timeout_s + 10,
                                 .keep_tail = true,
                                 .merge_stderr = true};
    return hp_run_ok(&command, &outcome, err);
}

static bool start_server(const struct private_paths *p, double timeout_s, struct hp_error *err)
{
    limit_log(p);
    if (!private_server_clear_stale(p, 10, err))
        return false;
    if (run_pg_ctl(p, "start", timeout_s, "--log", p->log, err))
        return true;
    hp_error_context(err, "the private PostgreSQL did not start");
    add_log_tail(p, err);
    return false;
}

/* Whether a server answers as it should. One that was killed a moment ago still looks alive, and
 * one whose starter died may still be recovering: hence it is asked again. */
static bool join_running(const struct private_paths *p, const char *state, double timeout_s,
                         bool *gone, struct hp_error *err)
{
    double deadline = hp_monotonic_s() + timeout_s;
    *gone = false;
    while (!private_server_verify(p, state, timeout_s, err)) {
        *gone = private_server_pid(p) == 0;
        if (*gone || err->code != HP_UNAVAILABLE || hp_monotonic_s() > deadline)
            return false;
        hp_sleep_ms(50);
    }
    return true;
}

/* Everything between taking and giving back the lock. */
static bool start_locked(const struct private_paths *p, const char *state,
                         const struct private_db_options *o, bool *started, struct hp_error *err)
{
    int version = private_cluster_version(p, err);
    if (version < 0 || (version == 0 && !private_cluster_make(p, o->throw_away, err)))
        return false;
    if (!check_profile(p, o->throw_away, err))
        return false;
    if (private_server_pid(p)) {
        bool gone;
        if (join_running(p, state, o->timeout_s, &gone, err))
            return true;
        if (!gone)
            return false;
    }
    *started = true;
    return private_cluster_configure(p->data, p, o->throw_away, err) &&
           start_server(p, o->timeout_s, err) && private_server_verify(p, state, o->timeout_s, err);
}

bool private_db_start(const char *state, const struct private_db_options *options, bool *started,
                      struct hp_error *err)
{
    PRIVATE_PATHS struct private_paths p;
    struct private_db_options o = options ? *options : (struct private_db_options){0};
    if (o.timeout_s <= 0)
        o.timeout_s = START_TIMEOUT_S;
    bool mine = false;
    if (!private_paths_init(&p, state, err) || !prepare_folders(state, &p, err))
        return false;
    HP_FD int lock = take_lock(&p, err);
    if (lock < 0)
        return false;
    bool ok = start_locked(&p, state, &o, &mine, err);
    if (started)
        *started = ok && mine;
    return ok;
}

bool private_db_stop(const char *state, struct hp_error *err)
{
    PRIVATE_PATHS struct private_paths p;
    if (!private_paths_init(&p, state, err))
        return false;
    if (access(p.data, F_OK) != 0)
        return true;
    HP_FD int lock = take_lock(&p, err);
    if (lock < 0)
        return false;
    if (!private_server_pid(&p))
        return true;
    return run_pg_ctl(&p, "stop", STOP_TIMEOUT_S, "--mode", "fast", err) ||
           hp_error_context(err, "the private PostgreSQL did not stop");
}

json_t *private_db_status(const char *state, struct hp_error *err)
{
    PRIVATE_PATHS struct private_paths p;
    if (!private_paths_init(&p, state, err))
        return NULL;
    int version = access(p.data, F_OK) == 0 ? private_cluster_version(&p, err) : 0;
    if (version < 0)
        return NULL;
    pid_t pid = version ? private_server_pid(&p) : 0;
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    json_t *status =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s}", "state",
                  pid       ? "running"
                  : version ? "stopped"
                            : "absent",
                  "folder", p.data, "socket", p.run, "pid", pid ? json_integer(pid) : json_null(),
                  "version", version ? json_integer(version) : json_null(), "durable",
                  version ? json_boolean(access(p.fast, F_OK) != 0) : json_null(), "log", p.log,
                  "url", url ? url : "");
    if (!status)
        hp_fail(err, HP_SYSTEM, "out of memory");
    return status;
}
