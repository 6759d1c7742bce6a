#include "cli/series_file.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

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

/* Which field of a line holds the value. */
struct layout {
    size_t column; /* from 0; SIZE_MAX: the last one */
    size_t number; /* of the line in hand, from 1 */
};

static bool is_separator(char c)
{
    return c == ',' || c == ';' || c == '\t';
}

/* The next field of a line without the blanks and quotation marks around it; NULL at the end. */
static char *next_field(char **line)
{
    char *begin = *line, *end;
    if (!begin)
        return NULL;
    for (end = begin; *end && !is_separator(*end);)
        end++;
    *line = *end ? end + 1 : NULL;
    *end = '\0';
    while (isspace((unsigned char)*begin) || *begin == '"')
        begin++;
    while (end > begin && (isspace((unsigned char)end[-1]) || end[-1] == '"'))
        *--end = '\0';
    return begin;
}

/* The field that holds the value; the first line's title "value" says which it is. */
static char *value_field(char *line, struct layout *layout, bool *titled)
{
    char *last = NULL, *wanted = NULL;
    size_t column = 0;
    *titled = false;
    for (char *field; (field = next_field(&line)); column++) {
        last = field;
        if (column == layout->column)
            wanted = field;
        if (layout->number == 1 && strcasecmp(field, "value") == 0) {
            layout->column = column;
            *titled = true;
        }
    }
    return layout->column == SIZE_MAX ? last : wanted;
}

/* One line: an index and a value, or a value alone. */
static bool read_line(struct series *s, char *line, struct layout *layout, struct hp_error *err)
{
    double value;
    bool titled;
    if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#')
        return true;
    const char *text = value_field(line, layout, &titled);
    if (titled)
        return true;
    if (text && read_number(text, &value))
        return append(s, value, err);
    if (text && layout->number == 1 && is_title(text))
        return true;
    hp_fail(err, HP_INVALID, "line %zu is no finite number: \"%.40s\"", layout->number,
            text ? text : "");
    return hp_error_hint(err, "Each line holds a value, or an index, a comma and a value.");
}

static bool read_csv(struct series *s, char *text, struct hp_error *err)
{
    struct layout layout = {.column = SIZE_MAX};
    for (char *line; text && (line = strsep(&text, "\n"));) {
        layout.number++;
        if (!read_line(s, line, &layout, err))
            return false;
    }
    return true;
}

/* The number of an entry: itself, its "value", or the last of [index, value]. */
static const json_t *number_of(const json_t *entry)
{
    if (json_is_object(entry))
        return json_object_get(entry, "value");
    if (json_is_array(entry))
        return json_array_get(entry, json_array_size(entry) - 1);
    return entry;
}

static bool read_array(struct series *s, const json_t *list, const char *path, struct hp_error *err)
{
    size_t i;
    const json_t *entry;
    json_array_foreach (list, i, entry) {
        const json_t *number = number_of(entry);
        if (!json_is_number(number)) {
            hp_fail(err, HP_INVALID, "this is no number");
            return hp_error_path(err, "%s/%zu", path, i);
        }
        if (!append(s, json_number_value(number), err))
            return false;
    }
    return true;
}

/* An object holds its series under one of the usual names, in one level or two:
 * {"values": [...]}, {"points": [{"value": ...}]}, {"series": [{"raw": [...]}]}. */
static const json_t *find_array(const json_t *object, const char **name)
{
    static const char *const names[] = {"values", "points", "series", "data", "raw", "value"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *found = json_object_get(object, names[i]);
        *name = names[i];
        const json_t *first = json_array_size(found) == 1 ? json_array_get(found, 0) : NULL;
        if (json_is_object(first) && !json_object_get(first, "value"))
            return find_array(first, name);
        if (json_is_array(found))
            return found;
    }
    return NULL;
}

static bool read_document(struct series *s, const json_t *document, struct hp_error *err)
{
    const char *name = "";
    char path[32];
    if (json_is_array(document))
        return read_array(s, document, "", err);
    const json_t *list = find_array(document, &name);
    snprintf(path, sizeof path, "/%s", name);
    if (list)
        return read_array(s, list, path, err);
    hp_fail(err, HP_INVALID, "the document holds no series");
    return hp_error_hint(err, "Give an array of numbers, or an object with one named \"values\".");
}

/* One document, or one a line. */
static bool read_json(struct series *s, struct hp_buffer *text, struct hp_error *err)
{
    struct hp_error ignored = {0};
    size_t number = 0;
    HP_JSON json_t *document = hp_json_parse(text->data, text->size, err);
    if (document)
        return read_document(s, document, err);
    size_t first = strcspn(hp_buffer_text(text), "\n");
    HP_JSON json_t *line_alone = hp_json_parse(text->data, first, &ignored);
    if (!line_alone || first + 1 >= text->size)
        return false;
    *err = (struct hp_error){0};
    for (char *rest = text->data, *line; rest && (line = strsep(&rest, "\n"));) {
        number++;
        if (line[strspn(line, " \t\r")] == '\0')
            continue;
        HP_JSON json_t *entry = hp_json_parse(line, strlen(line), err);
        if (!entry)
            return hp_error_context(err, "line %zu", number);
        if (!json_is_number(number_of(entry)))
            return hp_fail(err, HP_INVALID, "line %zu holds no number", number);
        if (!append(s, json_number_value(number_of(entry)), err))
            return false;
    }
    return true;
}

bool cli_series_read(const char *file, double **value, size_t *n, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    struct series s = {0};
    bool ok = hp_file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, FILE_LIMIT, &text, err);
    if (ok) {
        static const char mark[] = "\xef\xbb\xbf"; /* how some programs begin UTF-8 */
        char *begin = text.data;
        if (begin && strncmp(begin, mark, 3) == 0)
            memset(begin, ' ', 3);
        char first = begin ? begin[strspn(begin, " \t\r\n")] : '\0';
        ok =
            first == '[' || first == '{' ? read_json(&s, &text, err) : read_csv(&s, text.data, err);
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
