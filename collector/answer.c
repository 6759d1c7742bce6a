/* What an answer may have beyond its JSON: a validator, a link to the next page, a table. */
#include "collector/request.h"

#include "common/cleanup.h"
#include "common/hash.h"

#include <string.h>

enum { COLUMN_ROOM = 64, LINK_ROOM = 2048 };

void answer_validate(struct answer *answer, const char *if_none_match)
{
    const char *type = answer->content_type;
    bool whole = answer->body && (answer->status == 0 || answer->status == 200) && !answer->page &&
                 answer->park_s <= 0;
    if (!whole || !type || strncmp(type, "text/plain", 10) == 0)
        return;
    char hash[HP_HASH_TEXT], etag[HP_HASH_TEXT + 2];
    hp_hash_bytes(answer->body, answer->size, hash);
    snprintf(etag, sizeof etag, "\"%.32s\"", hash);
    if (!answer_header(answer, "ETag", "%s", etag) ||
        !answer_header(answer, "Cache-Control", "private, no-cache"))
        return;
    answer->validated = true;
    if (!if_none_match || (strcmp(if_none_match, "*") != 0 && !strstr(if_none_match, etag)))
        return;
    answer->status = 304;
    free(answer->body);
    answer->body = NULL;
    answer->size = 0;
    answer->content_type = NULL;
}

bool request_csv(const struct request *request, bool *csv, struct hp_error *err)
{
    const char *format = request_param(request, "format");
    *csv = format && strcmp(format, "csv") == 0;
    if (format) {
        if (*csv || strcmp(format, "json") == 0)
            return true;
        hp_fail(err, HP_USAGE, "there is no format '%.40s'", format);
        hp_error_hint(err, "Formats are json and csv.");
        return hp_error_path(err, "format");
    }
    const char *table = request->accept ? strstr(request->accept, "text/csv") : NULL;
    const char *json = request->accept ? strstr(request->accept, "application/json") : NULL;
    *csv = table && (!json || table < json);
    return true;
}

/* --- the next page ------------------------------------------------------------------------------
 */

static const char hex[] = "0123456789ABCDEF";

/* Appends percent-encoded; false where there is no room. */
static bool encode(char out[LINK_ROOM], size_t *at, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                     (*c >= 'A' && *c <= 'Z') || strchr("-._~", *c);
        if (*at + 4 >= LINK_ROOM)
            return false;
        if (!plain) {
            out[(*at)++] = '%';
            out[(*at)++] = hex[(unsigned char)*c >> 4];
            out[(*at)++] = hex[(unsigned char)*c & 15];
        } else {
            out[(*at)++] = *c;
        }
    }
    out[*at] = '\0';
    return true;
}

static bool put(char out[LINK_ROOM], size_t *at, char c)
{
    if (*at + 2 >= LINK_ROOM)
        return false;
    out[(*at)++] = c;
    out[*at] = '\0';
    return true;
}

/* The request's own target with another `before`. A target too long to repeat gets no link: the
 * value's "next" is there all the same. */
static void link_next(struct answer *answer, const struct request *request, const json_t *next)
{
    char target[LINK_ROOM] = "", cursor[80];
    size_t at = 0;
    if (json_is_string(next))
        snprintf(cursor, sizeof cursor, "%s", json_string_value(next));
    else if (json_is_integer(next))
        snprintf(cursor, sizeof cursor, "%lld", (long long)json_integer_value(next));
    else
        return;
    bool ok = true;
    for (size_t i = 0; i < request->segments; i++)
        ok = ok && put(target, &at, '/') && encode(target, &at, request->segment[i]);
    char separator = '?';
    for (size_t i = 0; i < request->params; i++) {
        if (strcmp(request->param[i].name, "before") == 0)
            continue;
        ok = ok && put(target, &at, separator) && encode(target, &at, request->param[i].name) &&
             put(target, &at, '=') && encode(target, &at, request->param[i].value);
        separator = '&';
    }
    if (ok)
        answer_header(answer, "Link", "<%s%cbefore=%s>; rel=\"next\"", target, separator, cursor);
}

/* --- tables -------------------------------------------------------------------------------------
 */

/* A cell as RFC 4180 wants it. A text that a spreadsheet would take for a formula is shown by it as
 * text: a commit's subject is a stranger's. */
static bool cell(struct hp_buffer *out, const char *text)
{
    bool formula =
        *text && strchr("=+-@\t\r", *text) && strspn(text, "+-.0123456789eE") < strlen(text);
    if (!formula && !text[strcspn(text, ",\"\r\n")])
        return hp_buffer_append(out, text, strlen(text));
    bool ok = hp_buffer_append(out, "\"", 1) && (!formula || hp_buffer_append(out, "'", 1));
    for (const char *c = text; ok && *c; c++)
        ok = (*c != '"' || hp_buffer_append(out, "\"", 1)) && hp_buffer_append(out, c, 1);
    return ok && hp_buffer_append(out, "\"", 1);
}

static bool cell_of(struct hp_buffer *out, const json_t *row, const char *column)
{
    char name[COLUMN_ROOM];
    snprintf(name, sizeof name, "%s", column);
    char *dot = strchr(name, '.');
    if (dot)
        *dot = '\0';
    const json_t *value = json_object_get(row, name);
    if (dot)
        value = json_object_get(value, dot + 1);
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        return cell(out, json_string_value(value));
    case JSON_INTEGER:
        return hp_buffer_printf(out, "%lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return hp_buffer_printf(out, "%.17g", json_real_value(value));
    case JSON_TRUE:
    case JSON_FALSE:
        return hp_buffer_printf(out, "%s", json_is_true(value) ? "true" : "false");
    default:
        return true; /* missing: an empty cell */
    }
}

/* One line of the table; the heads where there is no row. */
static bool line(struct hp_buffer *out, const json_t *row, const char *columns)
{
    bool ok = true;
    for (const char *at = columns; ok && *at;) {
        char column[COLUMN_ROOM];
        size_t length = strcspn(at, ",");
        snprintf(column, sizeof column, "%.*s", (int)length, at);
        ok = (at == columns || hp_buffer_append(out, ",", 1)) &&
             (row ? cell_of(out, row, column) : cell(out, column));
        at += length + (at[length] == ',');
    }
    return ok && hp_buffer_append(out, "\r\n", 2);
}

static bool answer_table(struct answer *answer, const json_t *rows, const char *columns,
                         struct hp_error *err)
{
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = line(&out, NULL, columns);
    size_t i;
    const json_t *row;
    json_array_foreach (rows, i, row) {
        ok = ok && line(&out, row, columns);
    }
    if (!ok)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    answer->status = 200;
    answer->content_type = "text/csv; charset=utf-8; header=present";
    answer->size = out.size;
    answer->body = hp_take(out.data);
    return true;
}

bool answer_rows(struct answer *answer, const struct request *request, json_t *value,
                 const char *rows, const char *columns, struct hp_error *err)
{
    HP_JSON json_t *owned = value;
    bool csv;
    if (!owned || !request_csv(request, &csv, err))
        return false;
    link_next(answer, request, json_object_get(owned, "next"));
    answer_header(answer, "Vary", "Accept");
    if (csv)
        return answer_table(answer, json_object_get(owned, rows), columns, err);
    return answer_json(answer, 200, hp_take(owned), err);
}
