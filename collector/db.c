/* The pool, and what callers see of a connection. */
#include "collector/db.h"

#include "collector/db_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POOL_DEFAULT 8
#define TIMEOUT_DEFAULT 10.0

struct db {
    char *url, *name;
    double timeout_s;
    int size;
    size_t statements; /* rows of sql_data */
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct db_counters counters;
    struct db_conn *conns; /* size of them */
};

struct db_counters *db_conn_counters(struct db_conn *conn)
{
    return &conn->db->counters;
}

static bool check_url(const char *url, struct hp_error *err)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &reason);
    bool ok = options != NULL;
    if (!ok) {
        hp_fail(err, HP_INVALID, "not a connection string of PostgreSQL: %.*s",
                (int)strcspn(reason ? reason : "", "\n"), reason ? reason : "out of memory");
        hp_error_hint(err, "Such as postgresql://user@host/database or host=… dbname=….");
    }
    PQconninfoFree(options);
    PQfreemem(reason);
    return ok;
}

/* Waiting for a free connection must not depend on the wall clock. */
static bool init_locks(struct db *db)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes))
        return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool ok = !pthread_cond_init(&db->freed, &attributes) && !pthread_mutex_init(&db->lock, NULL);
    pthread_condattr_destroy(&attributes);
    return ok;
}

struct db *db_open(const char *url, const struct db_options *options, struct hp_error *err)
{
    static const struct db_options none;
    const struct db_options *o = options ? options : &none;
    if (!check_url(url, err))
        return NULL;
    struct db *db = calloc(1, sizeof *db);
    if (db) {
        db->size = o->pool_size > 0 ? o->pool_size : POOL_DEFAULT;
        db->timeout_s = o->timeout_s > 0 ? o->timeout_s : TIMEOUT_DEFAULT;
        db->url = strdup(url);
        db->name = strdup(o->name ? o->name : "hakperf-collector");
        db->conns = calloc((size_t)db->size, sizeof *db->conns);
        while (sql_data[db->statements].name)
            db->statements++;
    }
    if (!db || !db->url || !db->name || !db->conns || !init_locks(db)) {
        if (db) {
            free(db->url);
            free(db->name);
            free(db->conns);
        }
        free(db);
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    for (int i = 0; i < db->size; i++)
        db->conns[i] = (struct db_conn){.db = db, .timeout_s = db->timeout_s};
    return db;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (int i = 0; i < db->size; i++)
        db_conn_drop(&db->conns[i]);
    pthread_cond_destroy(&db->freed);
    pthread_mutex_destroy(&db->lock);
    free(db->conns);
    free(db->name);
    free(db->url);
    free(db);
}

void db_stats(struct db *db, struct db_stats *out)
{
    *out = (struct db_stats){.size = db->size,
                             .calls = atomic_load(&db->counters.calls),
                             .errors = atomic_load(&db->counters.errors),
                             .timeouts = atomic_load(&db->counters.timeouts),
                             .reconnects = atomic_load(&db->counters.reconnects)};
    pthread_mutex_lock(&db->lock);
    for (int i = 0; i < db->size; i++) {
        out->busy += db->conns[i].busy;
        out->open += db->conns[i].busy || db->conns[i].pg != NULL;
    }
    pthread_mutex_unlock(&db->lock);
}

/* A free connection, an open one first. NULL: all are lent. Called with the lock held. */
static struct db_conn *find_free(struct db *db)
{
    struct db_conn *found = NULL;
    for (int i = 0; i < db->size; i++) {
        struct db_conn *c = &db->conns[i];
        if (!c->busy && (!found || (c->pg && !found->pg)))
            found = c;
    }
    return found;
}

static struct db_conn *take_free(struct db *db)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    double whole = floor(db->timeout_s);
    until.tv_sec += (time_t)whole;
    until.tv_nsec += (long)((db->timeout_s - whole) * 1e9);
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&db->lock);
    struct db_conn *conn = find_free(db);
    for (int e = 0; !conn && e == 0; conn = find_free(db))
        e = pthread_cond_timedwait(&db->freed, &db->lock, &until);
    if (conn)
        conn->busy = true;
    pthread_mutex_unlock(&db->lock);
    return conn;
}

static void give_back(struct db_conn *conn)
{
    struct db *db = conn->db;
    pthread_mutex_lock(&db->lock);
    conn->busy = false;
    pthread_cond_signal(&db->freed);
    pthread_mutex_unlock(&db->lock);
}

struct db_conn *db_acquire(struct db *db, struct hp_error *err)
{
    struct db_conn *conn = take_free(db);
    if (!conn) {
        hp_fail(err, HP_UNAVAILABLE, "all %d connections to the database are in use", db->size);
        return NULL;
    }
    if (db_conn_alive(conn))
        return conn;
    if (conn->pg)
        atomic_fetch_add(&db->counters.reconnects, 1);
    db_conn_drop(conn);
    if (db_conn_open(conn, db->url, db->name, db->statements, err))
        return conn;
    give_back(conn);
    return NULL;
}

void db_release(struct db_conn *conn)
{
    if (!conn)
        return;
    conn->timeout_s = conn->db->timeout_s;
    if (conn->pg && PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        db_rollback(conn);
    give_back(conn);
}

void db_set_timeout(struct db_conn *conn, double seconds)
{
    conn->timeout_s = seconds;
}

PGresult *db_query(struct db_conn *conn, const char *file, int n, const char *const *params,
                   struct hp_error *err)
{
    const struct hp_embedded *row = hp_embedded_find(sql_data, file);
    if (!row) {
        hp_fail(err, HP_INTERNAL, "no statement of the name %s", file);
        return NULL;
    }
    PGresult *result = db_conn_statement(conn, (size_t)(row - sql_data), n, params, err);
    if (!result && err->code == HP_INTERNAL)
        hp_error_context(err, "%s", file);
    return result;
}

bool db_run(struct db_conn *conn, const char *file, int n, const char *const *params,
            int64_t *changed, struct hp_error *err)
{
    DB_RESULT PGresult *result = db_query(conn, file, n, params, err);
    if (result && changed)
        *changed = strtoll(PQcmdTuples(result), NULL, 10);
    return result != NULL;
}

bool db_json(struct db_conn *conn, const char *file, int n, const char *const *params, json_t **out,
             struct hp_error *err)
{
    *out = NULL;
    DB_RESULT PGresult *result = db_query(conn, file, n, params, err);
    if (!result)
        return false;
    const char *text = PQntuples(result) > 0 ? db_text(result, 0, 0) : NULL;
    if (!text)
        return true;
    *out = hp_json_parse(text, strlen(text), err);
    if (*out)
        return true;
    err->code = HP_INTERNAL;
    return hp_error_context(err, "%s", file);
}

PGresult *db_pool_query(struct db *db, const char *file, int n, const char *const *params,
                        struct hp_error *err)
{
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    return conn ? db_query(conn, file, n, params, err) : NULL;
}

bool db_pool_run(struct db *db, const char *file, int n, const char *const *params,
                 int64_t *changed, struct hp_error *err)
{
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    return conn && db_run(conn, file, n, params, changed, err);
}

bool db_pool_json(struct db *db, const char *file, int n, const char *const *params, json_t **out,
                  struct hp_error *err)
{
    *out = NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    return conn && db_json(conn, file, n, params, out, err);
}

const char *db_int(char buffer[DB_TEXT], int64_t value)
{
    snprintf(buffer, DB_TEXT, "%lld", (long long)value);
    return buffer;
}

const char *db_real(char buffer[DB_TEXT], double value)
{
    if (!isfinite(value))
        return NULL;
    snprintf(buffer, DB_TEXT, "%.17g", value);
    return buffer;
}

bool db_begin(struct db_conn *conn, struct hp_error *err)
{
    DB_RESULT PGresult *result = db_conn_text(conn, "BEGIN", 0, NULL, err);
    return result != NULL;
}

bool db_commit(struct db_conn *conn, struct hp_error *err)
{
    DB_RESULT PGresult *result = db_conn_text(conn, "COMMIT", 0, NULL, err);
    if (!result)
        return false;
    /* A transaction that failed before answers COMMIT with ROLLBACK, and calls that success. */
    if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        return hp_fail(err, HP_INTERNAL, "a failed transaction was committed");
    return true;
}

void db_rollback(struct db_conn *conn)
{
    struct hp_error ignored;
    if (!conn->pg)
        return;
    DB_RESULT PGresult *result = db_conn_text(conn, "ROLLBACK", 0, NULL, &ignored);
    if (!result)
        db_conn_drop(conn);
}

bool db_script(struct db_conn *conn, const char *what, const char *script, struct hp_error *err)
{
    DB_RESULT PGresult *result = db_conn_text(conn, script, 0, NULL, err);
    return result || hp_error_context(err, "%s", what);
}

const char *db_text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

int64_t db_get_int(const PGresult *result, int row, int column)
{
    const char *text = db_text(result, row, column);
    return text ? strtoll(text, NULL, 10) : 0;
}

double db_get_real(const PGresult *result, int row, int column)
{
    const char *text = db_text(result, row, column);
    return text ? strtod(text, NULL) : NAN;
}

bool db_get_bool(const PGresult *result, int row, int column)
{
    const char *text = db_text(result, row, column);
    return text && text[0] == 't';
}

PGconn *db_raw(struct db_conn *conn)
{
    return conn->pg;
}
