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

/* The index of the last point that had one. */
struct order {
    bool known;
    double last;
};

/* Points out of order would make steps of what is none, and hide those that are. */
static bool in_order(struct order *order, double index, struct hp_error *err)
{
    if (order->known && index < order->last) {
        hp_fail(err, HP_INVALID, "index %g comes after %g", index, order->last);
        return hp_error_hint(err, "Sort the points by their index. A decimal comma is not "
                                  "understood: write 1.5.");
    }
    *order = (struct order){.known = true, .last = index};
    return true;
}

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

/* What tools write where nothing was measured. */
static bool is_missing(const char *text)
{
    return *text == '\0' || strcasecmp(text, "NA") == 0 || strcasecmp(text, "null") == 0;
}

/* Words, not a number that is none: "nan", "inf" and "1e999" are values, and bad ones. */
static bool is_title(const char *text)
{
    char *end;
    (void)strtod(text, &end);
    return end == text;
}

/* Which field of a line holds the value, and the order that its index must keep. */
struct layout {
    size_t column; /* from 0; SIZE_MAX: the last one */
    size_t number; /* of the line in hand, from 1 */
    struct order order;
};

/* A line's fields are separated by these; by blanks where it has none of them. */
static const char *separators_of(const char *line)
{
    return strpbrk(line, ",;\t") ? ",;\t" : " ";
}

/* The next field of a line without the blanks and quotation marks around it; NULL at the end. */
static char *next_field(char **line, const char *separators)
{
    char *begin = *line, *end;
    if (!begin)
        return NULL;
    begin += strspn(begin, " ");
    char *closing = *begin == '"' ? strchr(begin + 1, '"') : NULL;
    end = closing ? closing : begin;
    end += strcspn(end, separators);
    *line = *end ? end + 1 : NULL;
    if (*line && *separators == ' ')
        *line += strspn(*line, " ");
    *end = '\0';
    while (isspace((unsigned char)*begin) || *begin == '"')
        begin++;
    while (end > begin && (isspace((unsigned char)end[-1]) || end[-1] == '"'))
        *--end = '\0';
    return begin;
}

struct fields {
    char *first, *value;
    size_t n;
    bool titled; /* the first line's title "value" says which column it is */
};

static struct fields fields_of(char *line, struct layout *layout)
{
    struct fields f = {0};
    char *last = NULL, *wanted = NULL;
    const char *separators = separators_of(line);
    for (char *field; (field = next_field(&line, separators)); f.n++) {
        last = field;
        f.first = f.first ? f.first : field;
        if (f.n == layout->column)
            wanted = field;
        if (layout->number == 1 && strcasecmp(field, "value") == 0) {
            layout->column = f.n;
            f.titled = true;
        }
    }
    f.value = layout->column == SIZE_MAX ? last : wanted;
    return f;
}

/* Cuts a remark, the end of line and blanks off; returns the text, without blanks before it. */
static char *trim(char *line)
{
    line += strspn(line, " \t");
    char *remark = strchr(line, '#');
    if (remark && (remark == line || isspace((unsigned char)remark[-1])))
        *remark = '\0';
    size_t length = strlen(line);
    while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' '))
        line[--length] = '\0';
    return line;
}

/* One line: an index and a value, or a value alone. */
static bool read_line(struct series *s, char *line, struct layout *layout, struct hp_error *err)
{
    double value, index;
    line = trim(line);
    if (*line == '\0')
        return true;
    struct fields f = fields_of(line, layout);
    if (f.titled)
        return true;
    if (f.n > 1 && f.value != f.first && read_number(f.first, &index) &&
        !in_order(&layout->order, index, err))
        return hp_error_context(err, "line %zu", layout->number);
    if (f.value && is_missing(f.value))
        return append(s, NAN, err);
    if (f.value && read_number(f.value, &value))
        return append(s, value, err);
    if (f.value && layout->number == 1 && is_title(f.value))
        return true;
    hp_fail(err, HP_INVALID, "line %zu is no finite number: \"%.40s\"", layout->number,
            f.value ? f.value : "");
    return hp_error_hint(err, "Each line holds a value, or an index, a comma and a value.");
}

/* A text of one line with more numbers than an index and a value is the whole series. */
static bool read_row(struct series *s, char *line, bool *is_row, struct hp_error *err)
{
    struct series row = {0};
    const char *separators;
    double value;
    size_t fields = 0;
    line = trim(line);
    separators = separators_of(line);
    *is_row = true;
    for (char *field; *is_row && (field = next_field(&line, separators)); fields++) {
        *is_row = read_number(field, &value);
        if (*is_row && !append(&row, value, err)) {
            free(row.value);
            return false;
        }
    }
    *is_row = *is_row && fields > 2;
    if (*is_row)
        *s = row;
    else
        free(row.value);
    return true;
}

static bool read_csv(struct series *s, char *text, struct hp_error *err)
{
    struct layout layout = {.column = SIZE_MAX};
    size_t first = text ? strcspn(text, "\n") : 0;
    if (first > 0 && text[first + strspn(text + first, " \t\r\n")] == '\0') {
        HP_FREE char *line = strndup(text, first);
        bool is_row = false;
        if (!line)
            return hp_fail(err, HP_SYSTEM, "out of memory");
        bool ok = read_row(s, line, &is_row, err);
        if (!ok || is_row)
            return ok;
    }
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

static const json_t *index_of(const json_t *entry)
{
    if (json_is_array(entry) && json_array_size(entry) > 1)
        return json_array_get(entry, 0);
    return json_is_object(entry) ? json_object_get(entry, "index") : NULL;
}

static bool read_entry(struct series *s, const json_t *entry, struct order *order,
                       struct hp_error *err)
{
    const json_t *number = number_of(entry), *index = index_of(entry);
    if (json_is_number(index) && !in_order(order, json_number_value(index), err))
        return false;
    if (json_is_number(number) || json_is_null(number))
        return append(s, json_is_null(number) ? NAN : json_number_value(number), err);
    hp_fail(err, HP_INVALID, "this is no number");
    return hp_error_hint(err, "A point is a number, [index, value] or an object with \"value\"; "
                              "null is a missing one.");
}

static bool read_array(struct series *s, const json_t *list, const char *path, struct hp_error *err)
{
    size_t i;
    const json_t *entry;
    struct order order = {0};
    json_array_foreach (list, i, entry)
        if (!read_entry(s, entry, &order, err))
            return hp_error_path(err, "%s/%zu", path, i);
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
    struct order order = {0};
    for (char *rest = text->data, *line; rest && (line = strsep(&rest, "\n"));) {
        number++;
        if (line[strspn(line, " \t\r")] == '\0')
            continue;
        HP_JSON json_t *entry = hp_json_parse(line, strlen(line), err);
        if (!entry)
            return hp_error_context(err, "line %zu", number);
        if (!read_entry(s, entry, &order, err))
            return hp_error_context(err, "line %zu", number);
    }
    return true;
}

bool cli_series_read(const char *file, double **value, size_t *n, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    struct series s = {0};
    bool ok = hp_file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, FILE_LIMIT, &text, err);
    if (ok && text.size > 0 && memchr(text.data, '\0', text.size)) {
        ok = hp_fail(err, HP_INVALID, "%s is no text of UTF-8 or ASCII", file);
    } else if (ok) {
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
