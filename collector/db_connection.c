/* One connection: every wait is a poll() with what is left until the deadline. */
#include "collector/db_internal.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* After a cancelled statement the server has so long to say that it has stopped. */
#define CANCEL_GRACE_S 2.0
/* The server gives up a little after we did: its limit only matters when we died. */
#define SERVER_SLACK_S 5.0

/* Messages that may have come to an idle connection. */
#define IDLE_READS 8

/* The end of the request that this thread works on; 0: none. */
static _Thread_local double request_end;

void db_request(double seconds)
{
    request_end = seconds > 0 ? hp_monotonic_s() + seconds : 0;
}

double db_deadline(double seconds)
{
    double end = hp_monotonic_s() + seconds;
    return request_end > 0 && request_end < end ? request_end : end;
}

enum db_wait db_wait_socket(const PGconn *pg, short events, double deadline)
{
    for (;;) {
        double left = deadline - hp_monotonic_s();
        if (left <= 0)
            return DB_WAIT_EXPIRED;
        struct pollfd p = {.fd = PQsocket(pg), .events = events};
        if (p.fd < 0)
            return DB_WAIT_BROKEN;
        int n = poll(&p, 1, left > 60 ? 60000 : (int)ceil(left * 1000));
        if (n > 0)
            return DB_WAIT_READY;
        if (n < 0 && errno != EINTR)
            return DB_WAIT_BROKEN;
    }
}

static void log_notice(void *unused, const char *text)
{
    (void)unused;
    hp_log(HP_LOG_DEBUG, "database: %.*s", (int)strcspn(text, "\n"), text);
}

void db_conn_drop(struct db_conn *conn)
{
    PQfinish(conn->pg);
    conn->pg = NULL;
    free(conn->prepared);
    conn->prepared = NULL;
}

bool db_conn_alive(struct db_conn *conn)
{
    if (!conn->pg || PQstatus(conn->pg) != CONNECTION_OK)
        return false;
    /* A server that went away has left its last words and closed its end: both make an idle socket
     * readable, one read each. */
    struct pollfd p = {.fd = PQsocket(conn->pg), .events = POLLIN};
    for (int i = 0; i < IDLE_READS && poll(&p, 1, 0) > 0; i++)
        if (!PQconsumeInput(conn->pg))
            return false;
    return PQstatus(conn->pg) == CONNECTION_OK;
}

/* Settings of every session. The zone, so that times come out in UTC; no just-in-time compiler,
 * which costs more than these statements run; names are always written with their schema. A
 * statement is planned once a connection, not five times or each time: planning takes longer than
 * most of them run, and their parameters are keys, which do not change what the best plan is. */
static const char session_sql[] =
    "SELECT set_config('TimeZone', 'UTC', false), set_config('jit', 'off', false),"
    " set_config('search_path', 'pg_catalog', false),"
    " set_config('DateStyle', 'ISO', false), set_config('plan_cache_mode', 'force_generic_plan', "
    "false)";

bool db_conn_open(struct db_conn *conn, const char *url, const char *name, size_t count,
                  struct hp_error *err)
{
    conn->server_limit = -1;
    conn->prepared = calloc(count + 1, sizeof *conn->prepared);
    if (!conn->prepared)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    conn->pg = db_connect(url, name, conn->timeout_s, db_deadline(conn->timeout_s), err);
    bool ok = conn->pg != NULL;
    if (ok) {
        PQsetNoticeProcessor(conn->pg, log_notice, NULL);
        PQsetnonblocking(conn->pg, 1);
        DB_RESULT PGresult *result = db_conn_text(conn, session_sql, 0, NULL, err);
        ok = result != NULL;
    }
    if (!ok)
        db_conn_drop(conn);
    return ok;
}

/* Sends what is queued and reads until a result is complete. */
static enum db_wait wait_result(PGconn *pg, double deadline)
{
    for (;;) {
        int flushed = PQflush(pg);
        if (flushed < 0 || !PQconsumeInput(pg))
            return DB_WAIT_BROKEN;
        if (flushed == 0 && !PQisBusy(pg))
            return DB_WAIT_READY;
        enum db_wait end =
            db_wait_socket(pg, (short)(flushed ? POLLIN | POLLOUT : POLLIN), deadline);
        if (end != DB_WAIT_READY)
            return end;
    }
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* Reads results until there are no more; the first bad one, else the last, is left in *kept. */
static enum db_wait drain(PGconn *pg, double deadline, PGresult **kept)
{
    for (;;) {
        enum db_wait end = wait_result(pg, deadline);
        if (end != DB_WAIT_READY)
            return end;
        PGresult *next = PQgetResult(pg);
        if (!next)
            return DB_WAIT_READY;
        ExecStatusType status = PQresultStatus(next);
        if (*kept && !is_good(*kept)) {
            PQclear(next);
        } else {
            PQclear(*kept);
            *kept = next;
        }
        /* COPY has no place here; libpq would return this result for ever. */
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            return DB_WAIT_BROKEN;
    }
}

/* PQcancel waits for the server without a limit; one that hangs would take this thread along. */
struct cancel_call {
    PGcancel *handle;
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool finished, abandoned; /* whoever comes second frees it */
    bool sent;
};

/* Threads that wait for a server which hangs; they end with its connection. */
static atomic_int cancels;
enum { CANCELS = 32 };

static void free_call(struct cancel_call *call)
{
    PQfreeCancel(call->handle);
    pthread_cond_destroy(&call->done);
    pthread_mutex_destroy(&call->mutex);
    free(call);
    atomic_fetch_sub(&cancels, 1);
}

static void *cancel_thread(void *argument)
{
    struct cancel_call *call = argument;
    char reason[256];
    bool sent = PQcancel(call->handle, reason, sizeof reason) == 1;
    pthread_mutex_lock(&call->mutex);
    call->sent = sent;
    call->finished = true;
    bool abandoned = call->abandoned;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&call->mutex);
    if (abandoned)
        free_call(call);
    return NULL;
}

/* Whether the server took the request to cancel within `seconds`. */
static bool wait_call(struct cancel_call *call, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&call->mutex);
    int code = 0;
    while (!call->finished && code == 0)
        code = pthread_cond_timedwait(&call->done, &call->mutex, &until);
    bool finished = call->finished, sent = finished && call->sent;
    call->abandoned = !finished;
    pthread_mutex_unlock(&call->mutex);
    if (finished)
        free_call(call);
    return sent;
}

static bool send_cancel(const struct db_conn *conn)
{
    struct cancel_call *call = atomic_load(&cancels) < CANCELS ? calloc(1, sizeof *call) : NULL;
    pthread_condattr_t clock;
    pthread_t thread;
    if (!call)
        return false;
    atomic_fetch_add(&cancels, 1);
    pthread_mutex_init(&call->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&call->done, &clock);
    pthread_condattr_destroy(&clock);
    call->handle = PQgetCancel(conn->pg);
    if (!call->handle || pthread_create(&thread, NULL, cancel_thread, call) != 0) {
        free_call(call);
        return false;
    }
    pthread_detach(thread);
    return wait_call(call, CANCEL_GRACE_S);
}

/* Asks the server to stop, and keeps the connection if it does so soon. */
static bool cancel(struct db_conn *conn, struct hp_error *err)
{
    atomic_fetch_add(&conn->counters->timeouts, 1);
    PGresult *ignored = NULL;
    if (!send_cancel(conn) ||
        drain(conn->pg, hp_monotonic_s() + CANCEL_GRACE_S, &ignored) != DB_WAIT_READY)
        db_conn_drop(conn);
    PQclear(ignored);
    hp_fail(err, HP_UNAVAILABLE, "the database took too long: no answer within %.3g s",
            conn->timeout_s);
    return hp_error_hint(err, "It is busy, or hangs; nothing was changed. Try again.");
}

/* The answer to what was sent. NULL on error. */
static PGresult *receive(struct db_conn *conn, bool sent, double deadline, struct hp_error *err)
{
    atomic_fetch_add(&conn->counters->calls, 1);
    PGresult *result = NULL;
    enum db_wait end = sent ? drain(conn->pg, deadline, &result) : DB_WAIT_BROKEN;
    if (end == DB_WAIT_EXPIRED) {
        PQclear(result);
        cancel(conn, err);
        return NULL;
    }
    if (end == DB_WAIT_READY && result && is_good(result))
        return result;
    atomic_fetch_add(&conn->counters->errors, 1);
    bool told = result && !is_good(result);
    db_error_fill(err, conn->pg, told ? result : NULL);
    if (end != DB_WAIT_READY || !told || db_error_is_fatal(result) ||
        PQstatus(conn->pg) != CONNECTION_OK)
        db_conn_drop(conn);
    PQclear(result);
    return NULL;
}

/* The server's own limit follows the deadline of the calls. */
static bool tell_limit(struct db_conn *conn, struct hp_error *err)
{
    if (conn->server_limit == conn->timeout_s)
        return true;
    char limit[DB_TEXT];
    const char *params[] = {db_int(limit, (int64_t)((conn->timeout_s + SERVER_SLACK_S) * 1000))};
    int sent = PQsendQueryParams(conn->pg, "SELECT set_config('statement_timeout', $1, false)", 1,
                                 NULL, params, NULL, NULL, 0);
    DB_RESULT PGresult *result = receive(conn, sent == 1, db_deadline(conn->timeout_s), err);
    if (!result)
        return false;
    conn->server_limit = conn->timeout_s;
    return true;
}

static bool usable(struct db_conn *conn, struct hp_error *err)
{
    if (!conn->pg)
        return hp_fail(err, HP_UNAVAILABLE, "the connection to the database was lost");
    /* A setting made inside a transaction that is rolled back would be undone behind our back. */
    if (PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        return true;
    return tell_limit(conn, err);
}

PGresult *db_conn_text(struct db_conn *conn, const char *text, int n, const char *const *params,
                       struct hp_error *err)
{
    if (!usable(conn, err))
        return NULL;
    double deadline = db_deadline(conn->timeout_s);
    int sent = n ? PQsendQueryParams(conn->pg, text, n, NULL, params, NULL, NULL, 0)
                 : PQsendQuery(conn->pg, text);
    return receive(conn, sent == 1, deadline, err);
}

PGresult *db_conn_statement(struct db_conn *conn, size_t index, int n, const char *const *params,
                            struct hp_error *err)
{
    if (!usable(conn, err))
        return NULL;
    double deadline = db_deadline(conn->timeout_s);
    const char *name = sql_data[index].name;
    if (!conn->prepared[index]) {
        int asked = PQsendPrepare(conn->pg, name, sql_data[index].data, n, NULL);
        DB_RESULT PGresult *result = receive(conn, asked == 1, deadline, err);
        if (!result)
            return NULL;
        conn->prepared[index] = true;
    }
    int sent = PQsendQueryPrepared(conn->pg, name, n, params, NULL, NULL, 0);
    return receive(conn, sent == 1, deadline, err);
}

void db_conn_rollback(struct db_conn *conn)
{
    struct hp_error ignored;
    if (!conn->pg)
        return;
    DB_RESULT PGresult *result = db_conn_text(conn, "ROLLBACK", 0, NULL, &ignored);
    if (!result)
        db_conn_drop(conn);
}
