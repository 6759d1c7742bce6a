/* What callers do with a connection: statements by the name of their file, and transactions. */
#include "collector/db.h"

#include "collector/db_internal.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Where a replica does not answer, or ends a statement that stands in the way of what it replays,
 * the primary is asked. */
static bool ask_primary(struct db **db, struct hp_error *err)
{
    struct db *primary = err->code == HP_UNAVAILABLE ? db_fallback(*db) : NULL;
    if (primary) {
        *db = primary;
        *err = (struct hp_error){0};
    }
    return primary != NULL;
}

PGresult *db_pool_query(struct db *db, const char *file, int n, const char *const *params,
                        struct hp_error *err)
{
    do {
        DB_CONN struct db_conn *conn = db_acquire(db, err);
        PGresult *result = conn ? db_query(conn, file, n, params, err) : NULL;
        if (result)
            return result;
    } while (ask_primary(&db, err));
    return NULL;
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
    do {
        DB_CONN struct db_conn *conn = db_acquire(db, err);
        if (conn && db_json(conn, file, n, params, out, err))
            return true;
    } while (ask_primary(&db, err));
    return false;
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
    db_conn_rollback(conn);
}

bool db_script(struct db_conn *conn, const char *what, const char *script, struct hp_error *err)
{
    DB_RESULT PGresult *result = db_conn_text(conn, script, 0, NULL, err);
    return result || hp_error_context(err, "%s", what);
}

PGconn *db_raw(struct db_conn *conn)
{
    return conn->pg;
}
