/* One connection: every wait is a poll() with what is left until the deadline. */
#include "collector/db_internal.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After a cancelled statement the server has so long to say that it has stopped. */
#define CANCEL_GRACE_S 2.0
/* The server gives up a little after we did: its limit only matters when we died. */
#define SERVER_SLACK_S 5.0

/* Messages that may have come to an idle connection. */
#define IDLE_READS 8

enum wait_end { WAIT_READY, WAIT_EXPIRED, WAIT_BROKEN };

static enum wait_end wait_socket(const PGconn *pg, short events, double deadline)
{
    for (;;) {
        double left = deadline - hp_monotonic_s();
        if (left <= 0)
            return WAIT_EXPIRED;
        struct pollfd p = {.fd = PQsocket(pg), .events = events};
        if (p.fd < 0)
            return WAIT_BROKEN;
        int n = poll(&p, 1, left > 60 ? 60000 : (int)ceil(left * 1000));
        if (n > 0)
            return WAIT_READY;
        if (n < 0 && errno != EINTR)
            return WAIT_BROKEN;
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

static bool connect_until(struct db_conn *conn, double deadline, struct hp_error *err)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            return db_error_fill(err, conn->pg, NULL);
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (wait_socket(conn->pg, events, deadline) != WAIT_READY)
            return hp_fail(err, HP_UNAVAILABLE,
                           "the database does not answer: no connection within %g s",
                           conn->timeout_s);
        state = PQconnectPoll(conn->pg);
    }
    return true;
}

/* Settings of every session. The zone, so that times come out in UTC; no just-in-time compiler,
 * which costs more than these statements run; names are always written with their schema. */
static const char session_sql[] =
    "SELECT set_config('TimeZone', 'UTC', false), set_config('jit', 'off', false),"
    " set_config('search_path', 'pg_catalog', false),"
    " set_config('DateStyle', 'ISO', false)";

bool db_conn_open(struct db_conn *conn, const char *url, const char *name, size_t count,
                  struct hp_error *err)
{
    char user_timeout[DB_TEXT];
    const char *const keys[] = {"dbname", "application_name", "client_encoding", "tcp_user_timeout",
                                NULL};
    const char *const values[] = {url, name, "UTF8",
                                  db_int(user_timeout, (int64_t)(conn->timeout_s * 1000)), NULL};
    double deadline = hp_monotonic_s() + conn->timeout_s;
    conn->server_limit = -1;
    conn->prepared = calloc(count + 1, sizeof *conn->prepared);
    conn->pg = conn->prepared ? PQconnectStartParams(keys, values, 1) : NULL;
    bool ok = conn->pg && PQstatus(conn->pg) != CONNECTION_BAD ? connect_until(conn, deadline, err)
                                                               : db_error_fill(err, conn->pg, NULL);
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
static enum wait_end wait_result(PGconn *pg, double deadline)
{
    for (;;) {
        int flushed = PQflush(pg);
        if (flushed < 0 || !PQconsumeInput(pg))
            return WAIT_BROKEN;
        if (flushed == 0 && !PQisBusy(pg))
            return WAIT_READY;
        enum wait_end end = wait_socket(pg, (short)(flushed ? POLLIN | POLLOUT : POLLIN), deadline);
        if (end != WAIT_READY)
            return end;
    }
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* Reads results until there are no more; the first bad one, else the last, is left in *kept. */
static enum wait_end drain(PGconn *pg, double deadline, PGresult **kept)
{
    for (;;) {
        enum wait_end end = wait_result(pg, deadline);
        if (end != WAIT_READY)
            return end;
        PGresult *next = PQgetResult(pg);
        if (!next)
            return WAIT_READY;
        ExecStatusType status = PQresultStatus(next);
        if (*kept && !is_good(*kept)) {
            PQclear(next);
        } else {
            PQclear(*kept);
            *kept = next;
        }
        /* COPY has no place here; libpq would return this result for ever. */
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            return WAIT_BROKEN;
    }
}

/* Asks the server to stop, and keeps the connection if it does so soon. */
static bool cancel(struct db_conn *conn, struct hp_error *err)
{
    atomic_fetch_add(&db_conn_counters(conn)->timeouts, 1);
    char reason[256];
    PGcancel *handle = PQgetCancel(conn->pg);
    int sent = handle ? PQcancel(handle, reason, sizeof reason) : 0;
    PQfreeCancel(handle);
    PGresult *ignored = NULL;
    if (!sent || drain(conn->pg, hp_monotonic_s() + CANCEL_GRACE_S, &ignored) != WAIT_READY)
        db_conn_drop(conn);
    PQclear(ignored);
    return hp_fail(err, HP_TIMEOUT, "the database took longer than %g s", conn->timeout_s);
}

/* The answer to what was sent. NULL on error. */
static PGresult *receive(struct db_conn *conn, bool sent, double deadline, struct hp_error *err)
{
    atomic_fetch_add(&db_conn_counters(conn)->calls, 1);
    PGresult *result = NULL;
    enum wait_end end = sent ? drain(conn->pg, deadline, &result) : WAIT_BROKEN;
    if (end == WAIT_EXPIRED) {
        PQclear(result);
        cancel(conn, err);
        return NULL;
    }
    if (end == WAIT_READY && result && is_good(result))
        return result;
    atomic_fetch_add(&db_conn_counters(conn)->errors, 1);
    bool told = result && !is_good(result);
    db_error_fill(err, conn->pg, told ? result : NULL);
    if (end != WAIT_READY || !told || db_error_is_fatal(result) ||
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
    DB_RESULT PGresult *result = receive(conn, sent == 1, hp_monotonic_s() + conn->timeout_s, err);
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
    double deadline = hp_monotonic_s() + conn->timeout_s;
    int sent = n ? PQsendQueryParams(conn->pg, text, n, NULL, params, NULL, NULL, 0)
                 : PQsendQuery(conn->pg, text);
    return receive(conn, sent == 1, deadline, err);
}

PGresult *db_conn_statement(struct db_conn *conn, size_t index, int n, const char *const *params,
                            struct hp_error *err)
{
    if (!usable(conn, err))
        return NULL;
    double deadline = hp_monotonic_s() + conn->timeout_s;
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
