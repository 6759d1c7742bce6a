#include "cli/series_file.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define FILE_LIMIT ((size_t)512 << 20)

struct series {
    double *value;
    size_t n, room;
};

static bool append(struct series *s, double value, struct hp_error *err)
{
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 256;
        double *grown = reallocarray(s->value, room, sizeof *grown);
        if (!grown)
            return hp_fail(err, HP_SYSTEM, "out of memory");
        s->value = grown;
        s->room = room;
    }
    s->value[s->n++] = value;
    return true;
}

static bool read_number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    while (isspace((unsigned char)*end))
        end++;
    return end != text && *end == '\0' && isfinite(*out);
}

/* Words, not a number that is none: "nan", "inf" and "1e999" are values, and bad ones. */
static bool is_title(const char *text)
{
    char *end;
    (void)strtod(text, &end);
    return end == text;
}

/* One line: the value is behind the last comma. */
static bool read_line(struct series *s, const char *line, size_t number, struct hp_error *err)
{
    const char *comma = strrchr(line, ',');
    const char *text = comma ? comma + 1 : line;
    double value;
    if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#')
        return true;
    if (read_number(text, &value))
        return append(s, value, err);
    if (number == 1 && s->n == 0 && is_title(text))
        return true;
    hp_fail(err, HP_INVALID, "line %zu is no finite number: \"%.40s\"", number, text);
    return hp_error_hint(err, "Each line holds a value, or an index, a comma and a value.");
}

static bool read_csv(struct series *s, char *text, struct hp_error *err)
{
    size_t number = 0;
    for (char *line; text && (line = strsep(&text, "\n"));)
        if (!read_line(s, line, ++number, err))
            return false;
    return true;
}

static bool read_json(struct series *s, const struct hp_buffer *text, struct hp_error *err)
{
    HP_JSON json_t *document = hp_json_parse(text->data, text->size, err);
    size_t i;
    const json_t *entry;
    if (!document)
        return false;
    if (!json_is_array(document))
        return hp_fail(err, HP_INVALID, "the document is not an array");
    json_array_foreach (document, i, entry) {
        const json_t *number = json_is_object(entry) ? json_object_get(entry, "value") : entry;
        if (!json_is_number(number)) {
            hp_fail(err, HP_INVALID, "this is no number");
            return hp_error_path(err, "/%zu", i);
        }
        if (!append(s, json_number_value(number), err))
            return false;
    }
    return true;
}

bool cli_series_read(const char *file, double **value, size_t *n, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    struct series s = {0};
    bool ok = hp_file_read(file, FILE_LIMIT, &text, err);
    if (ok) {
        const char *begin = hp_buffer_text(&text);
        ok = begin[strspn(begin, " \t\r\n")] == '[' ? read_json(&s, &text, err)
                                                    : read_csv(&s, text.data, err);
        if (!ok)
            hp_error_context(err, "%s", file);
    }
    if (!ok) {
        free(s.value);
        s = (struct series){0};
    }
    *value = s.value;
    *n = s.n;
    return ok;
}
