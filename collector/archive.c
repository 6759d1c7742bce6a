#include "collector/archive.h"

#include "collector/archive_file.h"
#include "collector/view_internal.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT "hakperf-archive-v1"

/* Of one statement. Lines of one table go together up to so many, or so many bytes. */
static const double TIMEOUT_S = 300;
enum { BATCH_LINES = 500, BATCH_BYTES = 1 << 20 };

/* --- out ----------------------------------------------------------------------------------------
 */

static bool export_table(struct db_conn *conn, const char *table, const char *id,
                         struct archive_out *out, struct hp_error *err)
{
    if (!db_run(conn, "archive_open.sql", DB_PARAMS(table, id), NULL, err))
        return false;
    for (int rows = 1; rows > 0;) {
        DB_RESULT PGresult *lines = db_query(conn, "archive_next.sql", DB_NO_PARAMS, err);
        if (!lines)
            return false;
        rows = PQntuples(lines);
        for (int i = 0; i < rows; i++)
            if (!archive_put(out, PQgetvalue(lines, i, 0), (size_t)PQgetlength(lines, i, 0), err))
                return false;
    }
    return db_run(conn, "archive_close.sql", DB_NO_PARAMS, NULL, err);
}

static bool export_tables(struct db_conn *conn, const char *id, struct archive_out *out,
                          struct hp_error *err)
{
    DB_RESULT PGresult *head =
        db_query(conn, "archive_head.sql", DB_PARAMS(id, HAKPERF_VERSION), err);
    if (!head)
        return false;
    const char *first = db_text(head, 0, 0), *names = db_text(head, 0, 1);
    HP_JSON json_t *tables = hp_json_parse(names, strlen(names), err);
    if (!tables || !archive_put(out, first, strlen(first), err))
        return false;
    size_t i;
    const json_t *table;
    json_array_foreach (tables, i, table) {
        if (!export_table(conn, json_string_value(table), id, out, err))
            return hp_error_context(err, "table %s", json_string_value(table));
    }
    return archive_put_end(out, err);
}

bool archive_export(struct db *db, const char *repository, int fd, bool zstd, struct hp_error *err)
{
    char id[DB_TEXT];
    ARCHIVE_OUT struct archive_out *out = archive_out_new(fd, zstd, err);
    DB_CONN struct db_conn *conn = out ? db_acquire(db, err) : NULL;
    if (!conn)
        return false;
    db_set_timeout(conn, TIMEOUT_S);
    bool ok = db_begin(conn, err) &&
              db_run(conn, "archive_snapshot.sql", DB_NO_PARAMS, NULL, err) &&
              view_repository_id(conn, repository, id, err) && export_tables(conn, id, out, err);
    db_rollback(conn);
    return ok;
}

/* --- in -----------------------------------------------------------------------------------------
 */

struct import {
    struct db_conn *conn;
    const char *as;
    const struct archive_policy *policy;
    char *moves;
    char id[DB_TEXT]; /* of the repository, "" before its line */
    char *repository; /* that line */
    char table[64];   /* of the batch */
    struct hp_buffer batch;
    int count; /* lines in it */
    int64_t first;
    json_t *lines; /* per table */
};

/* {"NAME":{…}}: the name, and where the object within begins and ends. */
static bool split(const char *line, size_t size, char table[64], const char **row, size_t *length)
{
    int n = 0;
    if (sscanf(line, "{\"%63[a-z_]\":%n", table, &n) != 1 || n == 0 || size < (size_t)n + 3 ||
        line[n] != '{' || line[size - 1] != '}')
        return false;
    *row = line + n;
    *length = size - (size_t)n - 1;
    return true;
}

static bool flush(struct import *i, struct hp_error *err)
{
    if (i->count == 0)
        return true;
    bool ok = hp_buffer_append(&i->batch, "]", 1) || hp_fail(err, HP_SYSTEM, "out of memory");
    ok = ok && db_run(i->conn, "archive_rows.sql",
                      DB_PARAMS(i->id, i->table, i->batch.data, i->moves), NULL, err);
    if (!ok)
        return hp_error_context(err, "lines %lld to %lld (%s)", (long long)i->first,
                                (long long)i->first + i->count - 1, i->table);
    int64_t before = hp_json_int(i->lines, i->table, 0);
    json_object_set_new(i->lines, i->table, json_integer(before + i->count));
    hp_buffer_clear(&i->batch);
    i->count = 0;
    return true;
}

static bool take_repository(struct import *i, const char *row, size_t length, struct hp_error *err)
{
    if (i->id[0])
        return hp_fail(err, HP_INVALID, "a second repository");
    i->repository = strndup(row, length);
    HP_JSON json_t *value = hp_json_parse(row, length, err);
    if (!value || !i->policy->may(i->policy->context, hp_json_string(value, "url", ""), err))
        return false;
    DB_RESULT PGresult *made = i->repository ? db_query(i->conn, "archive_repository.sql",
                                                        DB_PARAMS(i->repository, i->as), err)
                                             : NULL;
    if (!made)
        return false;
    snprintf(i->id, sizeof i->id, "%s", db_text(made, 0, 0));
    return true;
}

/* A suite may take its driver from elsewhere: from where whoever imports may, as the repository. */
static bool check_suite(const struct import *i, const char *row, size_t length,
                        struct hp_error *err)
{
    HP_JSON json_t *value = hp_json_parse(row, length, err);
    if (!value)
        return false;
    const json_t *driver = json_object_get(json_object_get(value, "document"), "driver");
    const json_t *url = json_object_get(driver, "repository");
    if (!url || json_is_null(url))
        return true;
    if (!json_is_string(url))
        return hp_fail(err, HP_INVALID, "the driver's repository is no text");
    return i->policy->may(i->policy->context, json_string_value(url), err) ||
           hp_error_context(err, "the suite's driver");
}

static bool take_line(struct import *i, const char *line, size_t size, int64_t number,
                      struct hp_error *err)
{
    char table[64];
    const char *row;
    size_t length;
    if (!split(line, size, table, &row, &length))
        return hp_fail(err, HP_INVALID, "line %lld is no line of an archive", (long long)number);
    if (strcmp(table, "repository") == 0)
        return take_repository(i, row, length, err) ||
               hp_error_context(err, "line %lld", (long long)number);
    if (!i->id[0])
        return hp_fail(err, HP_INVALID, "line %lld comes before its repository", (long long)number);
    if (strcmp(table, "suite") == 0 && !check_suite(i, row, length, err))
        return hp_error_context(err, "line %lld", (long long)number);
    bool same = strcmp(table, i->table) == 0 && i->count < BATCH_LINES &&
                i->batch.size + length < BATCH_BYTES;
    if (!same && !flush(i, err))
        return false;
    if (i->count == 0) {
        snprintf(i->table, sizeof i->table, "%s", table);
        i->first = number;
    }
    bool ok = hp_buffer_append(&i->batch, i->count ? "," : "[", 1) &&
              hp_buffer_append(&i->batch, row, length);
    i->count++;
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}

static bool check_head(struct import *i, const char *line, size_t size, struct hp_error *err)
{
    HP_JSON json_t *head = hp_json_parse(line, size, err);
    if (!head || strcmp(hp_json_string(head, "format", ""), FORMAT) != 0) {
        hp_fail(err, HP_INVALID, "this is no archive of hakperf (%s)", FORMAT);
        return hp_error_hint(err, "hakperf export writes one.");
    }
    HP_FREE char *numbers = hp_json_text(json_object_get(head, "numbers"));
    DB_RESULT PGresult *row =
        db_query(i->conn, "archive_begin.sql", DB_PARAMS(numbers ? numbers : "{}"), err);
    if (!row)
        return false;
    int64_t schema = hp_json_int(head, "schema", 0), ours = db_get_int(row, 0, 1);
    if (schema > ours) {
        hp_fail(err, HP_INVALID, "the archive is of a newer hakperf (schema %lld; here it is %lld)",
                (long long)schema, (long long)ours);
        return hp_error_hint(err, "Import it with a collector of that version.");
    }
    i->moves = strdup(db_text(row, 0, 0));
    return i->moves || hp_fail(err, HP_SYSTEM, "out of memory");
}

/* All lines up to the end; with `i` NULL only whether they are whole. */
static bool read_all(struct import *i, int fd, struct hp_error *err)
{
    ARCHIVE_IN struct archive_in *in = archive_in_new(fd, err);
    size_t size;
    if (!in)
        return false;
    for (const char *line; (line = archive_next(in, &size, err));) {
        bool head = archive_line(in) == 1;
        if (!i && head && strncmp(line, "{\"format\"", 9) != 0) {
            hp_fail(err, HP_INVALID, "this is no archive of hakperf (%s)", FORMAT);
            return hp_error_hint(err, "hakperf export writes one.");
        }
        if (i && !(head ? check_head(i, line, size, err)
                        : take_line(i, line, size, archive_line(in), err)))
            return false;
    }
    return err->code == HP_OK;
}

static bool import(struct import *i, int fd, struct hp_error *err)
{
    if (!db_begin(i->conn, err) || !read_all(i, fd, err) || !flush(i, err))
        return false;
    if (!i->id[0])
        return hp_fail(err, HP_INVALID, "the archive holds no repository");
    return db_run(i->conn, "archive_end.sql", DB_PARAMS(i->id, i->repository), NULL, err) &&
           db_commit(i->conn, err);
}

static json_t *report_of(struct import *i)
{
    struct hp_error ignored;
    const char *line = i->repository ? i->repository : "{}";
    HP_JSON json_t *row = hp_json_parse(line, strlen(line), &ignored);
    return json_pack("{s:s, s:O}", "repository", i->as ? i->as : hp_json_string(row, "name", ""),
                     "lines", i->lines);
}

bool archive_import(struct db *db, int fd, const char *as, const struct archive_policy *policy,
                    json_t **report, struct hp_error *err)
{
    *err = (struct hp_error){0};
    /* What is damaged costs the database nothing. */
    if (!read_all(NULL, fd, err))
        return false;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn)
        return false;
    struct import i = {.conn = conn, .as = as, .policy = policy, .lines = json_object()};
    db_set_timeout(conn, TIMEOUT_S);
    bool ok = import(&i, fd, err);
    if (!ok)
        db_rollback(conn);
    else
        *report = report_of(&i);
    json_decref(i.lines);
    hp_buffer_clear(&i.batch);
    free(i.moves);
    free(i.repository);
    return ok;
}
