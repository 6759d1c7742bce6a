/* A series: hundreds of points are read at a glance, so that their rows become the answer's text
 * directly. */
#include "collector/view.h"

#include "collector/view_internal.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <string.h>

/* The columns of view_series.sql. Texts are hashes, times and names of verdicts, which need quotes
 * and no more; those that somebody wrote come as JSON. */
static const struct {
    const char *name;
    enum { TEXT, NUMBER, JSON } kind;
} fields[] = {
    {"sha", TEXT},     {"short", TEXT},   {"subject", JSON},     {"time", TEXT},
    {"value", NUMBER}, {"low", NUMBER},   {"high", NUMBER},      {"verdict", TEXT},
    {"run", TEXT},     {"ratio", NUMBER}, {"ratio_low", NUMBER}, {"ratio_high", NUMBER},
    {"machine", JSON}, {"against", TEXT},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static bool add(struct hp_buffer *out, const char *text)
{
    return hp_buffer_append(out, text, strlen(text));
}

/* What PostgreSQL calls NaN or Infinity is no number of JSON, and no figure. */
static bool is_value(const char *text, bool is_number)
{
    return text && !(is_number && strpbrk(text, "NI"));
}

static bool add_point(struct hp_buffer *out, const PGresult *rows, int row)
{
    bool ok = add(out, row ? ",{" : "{");
    for (int i = 0; ok && i < FIELDS; i++) {
        const char *text = db_text(rows, row, i), *quote = fields[i].kind == TEXT ? "\"" : "";
        bool value = is_value(text, fields[i].kind == NUMBER);
        ok = add(out, i ? ",\"" : "\"") && add(out, fields[i].name) && add(out, "\":") &&
             (value ? add(out, quote) && add(out, text) && add(out, quote) : add(out, "null"));
    }
    return ok && add(out, "}");
}

/* {"workload", "metric", "unit", "better", "points": */
static bool add_head(struct hp_buffer *out, const PGresult *of)
{
    HP_JSON json_t *head =
        json_pack("{s:s, s:s, s:s, s:s}", "workload", db_text(of, 0, 2), "metric",
                  db_text(of, 0, 3), "unit", db_text(of, 0, 4), "better", db_text(of, 0, 5));
    HP_FREE char *text = head ? hp_json_text(head) : NULL;
    return text && hp_buffer_append(out, text, strlen(text) - 1) && add(out, ",\"points\":[");
}

static char *series_text(struct db_conn *conn, const char *id, const PGresult *of, int limit,
                         struct hp_error *err)
{
    char count[DB_TEXT];
    HP_BUFFER struct hp_buffer out = {0};
    DB_RESULT PGresult *rows =
        db_query(conn, "view_series.sql",
                 DB_PARAMS(id, db_text(of, 0, 0), db_text(of, 0, 1), db_int(count, limit)), err);
    if (!rows)
        return NULL;
    bool ok = add_head(&out, of);
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = add_point(&out, rows, i);
    if (ok && add(&out, "]}"))
        return hp_take(out.data);
    hp_fail(err, HP_SYSTEM, "out of memory");
    return NULL;
}

char *view_series_text(struct db *db, const char *repository, const char *workload,
                       const char *metric, int limit, struct hp_error *err)
{
    char id[DB_TEXT];
    if (!view_check_limit(limit, VIEW_SERIES_LIMIT, err))
        return NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err))
        return NULL;
    DB_RESULT PGresult *of =
        db_query(conn, "view_series_of.sql", DB_PARAMS(id, workload, metric), err);
    if (of && PQntuples(of) > 0)
        return series_text(conn, id, of, limit, err);
    if (of) {
        hp_fail(err, HP_NOT_FOUND, "nothing was measured of workload %s, metric %s",
                workload ? workload : "(any)", metric ? metric : "(that which decides)");
        hp_error_hint(err, "The suite names the workloads; a series begins with its first run.");
    }
    return NULL;
}

json_t *view_series(struct db *db, const char *repository, const char *workload, const char *metric,
                    int limit, struct hp_error *err)
{
    HP_FREE char *text = view_series_text(db, repository, workload, metric, limit, err);
    return text ? hp_json_parse(text, strlen(text), err) : NULL;
}
