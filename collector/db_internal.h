/*
 * What the parts of db share, from the top down: statements for callers (db.c), the pool
 * (db_pool.c), one connection and its waits (db_connection.c), finding a server (db_connect.c),
 * errors (db_error.c) and values (db_value.c). Each calls only what stands below it. Only db*.c
 * include it.
 */
#ifndef HP_COLLECTOR_DB_INTERNAL_H
#define HP_COLLECTOR_DB_INTERNAL_H

#include "collector/db.h"

#include <stdatomic.h>

/* Counters that any thread adds to. */
struct db_counters {
    atomic_ullong calls, errors, timeouts, reconnects;
};

struct db_conn {
    struct db *db;
    struct db_counters *counters; /* of the pool */
    PGconn *pg;                   /* NULL: not connected */
    bool busy;         /* lent to a thread; this and the next two are guarded by the pool's lock */
    bool open;         /* it was connected when it was last seen there */
    double rest_until; /* no new attempt to connect before */
    bool *prepared;    /* for each row of sql_data, whether this connection knows it */
    double timeout_s;  /* deadline of a call */
    double server_limit; /* the statement_timeout that the server was told */
};

enum db_wait { DB_WAIT_READY, DB_WAIT_EXPIRED, DB_WAIT_BROKEN };

/* Waits until the socket is ready for `events` of poll(), or that time of hp_monotonic_s. */
enum db_wait db_wait_socket(const PGconn *pg, short events, double deadline);

/* db_connect.c: tries the hosts of the connection string one after the other, each with its share
 * of the time, so that one that swallows packets does not use up what the others need. With more
 * than one host and no target_session_attrs a server that takes writes is looked for. NULL on
 * error. */
PGconn *db_connect(const char *url, const char *name, double timeout_s, double deadline,
                   struct hp_error *err);

/* The earlier of `seconds` from now and the deadline of this thread's request. */
double db_deadline(double seconds);

/* Opens conn->pg with that connection string. `count` is the number of statements in sql_data. */
bool db_conn_open(struct db_conn *conn, const char *url, const char *name, size_t count,
                  struct hp_error *err);
/* Ends the connection; the next use opens another. */
void db_conn_drop(struct db_conn *conn);
/* Whether it is open and the server has not ended it meanwhile. */
bool db_conn_alive(struct db_conn *conn);
/* Runs SQL text (several statements where there are no parameters). NULL on error. */
PGresult *db_conn_text(struct db_conn *conn, const char *text, int n, const char *const *params,
                       struct hp_error *err);
/* Runs the statement in row `index` of sql_data, prepared at its first use. NULL on error. */
PGresult *db_conn_statement(struct db_conn *conn, size_t index, int n, const char *const *params,
                            struct hp_error *err);
/* Rolls back, or drops the connection where that fails. */
void db_conn_rollback(struct db_conn *conn);

/* db_error.c: fills err from a failed result, or from the connection where result is NULL. */
bool db_error_fill(struct hp_error *err, const PGconn *pg, const PGresult *result);
/* Whether the connection cannot be trusted after such an error. */
bool db_error_is_fatal(const PGresult *result);

#endif
