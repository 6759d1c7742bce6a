/*
 * What the two halves of db share: the pool (db.c) and one connection (db_connection.c). Only they
 * include it.
 */
#ifndef HP_COLLECTOR_DB_INTERNAL_H
#define HP_COLLECTOR_DB_INTERNAL_H

#include "collector/db.h"

#include <stdatomic.h>

struct db_conn {
    struct db *db;
    PGconn *pg;          /* NULL: not connected */
    bool busy;           /* lent to a thread; guarded by the pool's lock */
    bool *prepared;      /* for each row of sql_data, whether this connection knows it */
    double timeout_s;    /* deadline of a call */
    double server_limit; /* the statement_timeout that the server was told */
};

/* Counters that any thread adds to. */
struct db_counters {
    atomic_ullong calls, errors, timeouts, reconnects;
};

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

/* db_error.c: fills err from a failed result, or from the connection where result is NULL. */
bool db_error_fill(struct hp_error *err, const PGconn *pg, const PGresult *result);
/* Whether the connection cannot be trusted after such an error. */
bool db_error_is_fatal(const PGresult *result);

struct db_counters *db_conn_counters(struct db_conn *conn);

#endif
