/*
 * PostgreSQL as the collector uses it: a bounded pool of connections, statements that live in
 * files of collector/sql and are named by them, parameters only, and a deadline for every call.
 * libpq runs asynchronously under poll(), so that a database that hangs costs one deadline and
 * never a thread; on expiry the statement is cancelled. Only the look-up of a server's name is
 * libpq's own and waits as the system's resolver does.
 *
 * A connection string may name several servers (host=a,b,c), tried in turn, each for its share of
 * the deadline; with more than one, and unless it says target_session_attrs itself, only a server
 * that takes writes is used. A pool of readers may have the pool of the primary behind it.
 *
 * Ownership: a struct db owns the pool and outlives its connections; a struct db_conn is lent by
 * db_acquire and belongs to one thread until db_release, which rolls back what was left open.
 * Results belong to the caller. Any thread may use the pool.
 *
 * Errors: connection lost, too many connections, disk full, read-only, shutting down, deadline,
 * lock or statement timeout → HP_UNAVAILABLE (where the connection cannot be trusted any more it is
 * dropped, and opened anew at its next use); unique violation → HP_CONFLICT; malformed value,
 * foreign key or check violation → HP_INVALID; serialisation failure or deadlock → HP_UNAVAILABLE,
 * trying again helps; SQL of ours that fails → HP_INTERNAL. SQL may raise an hp_error of its own
 * choice by ERRCODE 'HP404' (not_found), 'HP409' (conflict), 'HP422' (invalid), with the hint taken
 * over.
 */
#ifndef HP_COLLECTOR_DB_H
#define HP_COLLECTOR_DB_H

#include "common/embedded.h"
#include "common/error.h"

#include <libpq-fe.h>
#include <stdint.h>

/* The files of collector/sql. */
extern const struct hp_embedded sql_data[];

struct db;
struct db_conn;

struct db_options {
    int pool_size;       /* connections at most; 0: 8 */
    double timeout_s;    /* deadline of a call, and of waiting for a free connection; 0: 10 */
    const char *name;    /* application_name; NULL: "hakperf-collector" */
    struct db *fallback; /* who is asked where this one does not answer; NULL: nobody. Not owned */
    bool readers;        /* of several servers a replica is preferred */
};

struct db_stats {
    int size;    /* most connections there may be */
    int open;    /* connections that exist */
    int busy;    /* of these, lent */
    int waiting; /* who wait for one */
    uint64_t calls, errors, timeouts, reconnects;
};

/* Remembers how to connect; connects at first use, so that it succeeds while the database is down.
 * `url`: a libpq connection string or URI. HP_INVALID for one that libpq does not understand. */
struct db *db_open(const char *url, const struct db_options *options, struct hp_error *err);
/* Every connection must have been released. NULL is fine. */
void db_close(struct db *db);
void db_stats(struct db *db, struct db_stats *out);

/* Whether a server is there that takes no connections for the moment: it starts, stops or recovers
 * from a crash. */
bool db_recovers(const char *url);

/* The pool to ask where this one does not answer; NULL: none. */
struct db *db_fallback(const struct db *db);

/* From now on calls of this thread end within so many seconds, all together, however long each may
 * take by itself; 0 ends that. */
void db_request(double seconds);

/* Lends a connection, opened and usable. Who comes first gets the next free one; waiting has the
 * deadline, and only so many may wait (then HP_UNAVAILABLE at once). Where the database takes no
 * more connections, those that are open are shared; where none is, the failure is remembered for
 * some tenths of a second, so that a database that is away is not asked by everybody. A pool with
 * a fallback lends one of that where it has none. NULL on error. */
struct db_conn *db_acquire(struct db *db, struct hp_error *err);
/* Gives it back; rolls back an open transaction. NULL is fine. */
void db_release(struct db_conn *conn);

static inline void db_cleanup_release(struct db_conn **conn)
{
    db_release(*conn);
}
#define DB_CONN __attribute__((cleanup(db_cleanup_release)))

static inline void db_cleanup_result(PGresult **result)
{
    PQclear(*result);
}
#define DB_RESULT __attribute__((cleanup(db_cleanup_result)))

/* Deadline of the following calls on this connection, until it is released. */
void db_set_timeout(struct db_conn *conn, double seconds);

/* Runs the statement of collector/sql/FILE with `n` text parameters (NULL: SQL NULL). NULL on
 * error; otherwise a result, maybe of no rows, that the caller clears. An unknown file is a defect
 * (HP_INTERNAL). */
PGresult *db_query(struct db_conn *conn, const char *file, int n, const char *const *params,
                   struct hp_error *err);

/* As db_query where the rows do not matter; *changed (may be NULL) gets the number of rows. */
bool db_run(struct db_conn *conn, const char *file, int n, const char *const *params,
            int64_t *changed, struct hp_error *err);

/* As db_query for a statement of one row and one column that is JSON: *out is the parsed value,
 * owned by the caller, or NULL where there was no row or the value is NULL. */
bool db_json(struct db_conn *conn, const char *file, int n, const char *const *params, json_t **out,
             struct hp_error *err);

/* The same three on a connection of the pool, one statement a transaction. */
PGresult *db_pool_query(struct db *db, const char *file, int n, const char *const *params,
                        struct hp_error *err);
bool db_pool_run(struct db *db, const char *file, int n, const char *const *params,
                 int64_t *changed, struct hp_error *err);
bool db_pool_json(struct db *db, const char *file, int n, const char *const *params, json_t **out,
                  struct hp_error *err);

/* Parameters in place: db_query(conn, "x.sql", DB_PARAMS(name, number), err). Each is const char *.
 */
#define DB_PARAMS(...)                                                        \
    (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)), \
        (const char *const[])                                                 \
    {                                                                         \
        __VA_ARGS__                                                           \
    }
#define DB_NO_PARAMS 0, NULL

/* A number as a text parameter; `buffer` holds it. */
#define DB_TEXT 32
const char *db_int(char buffer[DB_TEXT], int64_t value);
/* With 17 digits; NULL (SQL NULL) for NaN and infinities. */
const char *db_real(char buffer[DB_TEXT], double value);

/* A transaction on a lent connection. After an error of any call only db_rollback and db_release
 * work. db_rollback never fails visibly: a connection that cannot roll back is dropped. */
bool db_begin(struct db_conn *conn, struct hp_error *err);
bool db_commit(struct db_conn *conn, struct hp_error *err);
void db_rollback(struct db_conn *conn);

/* Runs a script of several statements without parameters: migrations only. It is one transaction
 * of its own unless one is open. `what` names it in errors. */
bool db_script(struct db_conn *conn, const char *what, const char *script, struct hp_error *err);

/* Fields of a result. db_text: NULL for SQL NULL. The numbers give 0 (NaN) for SQL NULL. */
const char *db_text(const PGresult *result, int row, int column);
int64_t db_get_int(const PGresult *result, int row, int column);
double db_get_real(const PGresult *result, int row, int column);
bool db_get_bool(const PGresult *result, int row, int column);

/* The parsed connection's server process and socket, for checks of who answers. */
PGconn *db_raw(struct db_conn *conn);

#endif
