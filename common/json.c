#include "common/json.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH 64

/* jansson allows 2048 levels; refuse deep documents before anything recurses over them. */
static bool too_deep(const char *text, size_t size)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > MAX_DEPTH)
                return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

json_t *hp_json_parse(const char *text, size_t size, struct hp_error *err)
{
    if (too_deep(text, size)) {
        hp_fail(err, HP_INVALID, "JSON is nested deeper than %d levels", MAX_DEPTH);
        return NULL;
    }
    json_error_t where;
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!value)
        hp_fail(err, HP_INVALID, "not valid JSON: %s, line %d column %d", where.text, where.line,
                where.column);
    return value;
}

json_t *hp_json_read_file(const char *path, size_t limit, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer buffer = {0};
    if (!hp_file_read(path, limit, &buffer, err))
        return NULL;
    json_t *value = hp_json_parse(hp_buffer_text(&buffer), buffer.size, err);
    if (!value)
        hp_error_context(err, "%s", path);
    return value;
}

char *hp_json_text(const json_t *value)
{
    return json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

const char *hp_json_string(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : fallback;
}

int64_t hp_json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double hp_json_number(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

bool hp_json_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *hp_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *hp_json_bytes(const char *bytes, size_t size)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    /* NUL is valid UTF-8, but neither our own parser nor PostgreSQL takes it. */
    json_t *whole = size && memchr(bytes, '\0', size) ? NULL : json_stringn(bytes, size);
    if (whole)
        return whole;
    HP_BUFFER struct hp_buffer text = {0};
    for (size_t i = 0; i < size;) {
        size_t take = 1, left = size - i;
        json_t *piece = NULL;
        for (size_t n = 1; n <= 4 && n <= left && !piece; n++)
            if ((piece = json_stringn(bytes + i, n)))
                take = n;
        bool ok = piece && bytes[i] != '\0';
        json_decref(piece);
        if (!(ok ? hp_buffer_append(&text, bytes + i, take)
                 : hp_buffer_append(&text, replacement, sizeof replacement - 1)))
            return NULL;
        i += take;
    }
    return json_stringn(hp_buffer_text(&text), text.size);
}
