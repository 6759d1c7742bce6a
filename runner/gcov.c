#include "runner/gcov.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FILES 20000
#define MOST_LINE 10000000
#define PATH_LIMIT 4096

/* Takes "." and ".." out of a path, in place. */
static void normalise(char *path)
{
    char *out = path;
    const char *in = path;
    while (*in) {
        size_t n = strcspn(in, "/");
        bool up = n == 2 && in[0] == '.' && in[1] == '.';
        if (up && out > path + (path[0] == '/')) {
            /* Back over the name before, unless that is ".." itself. */
            char *last = out - 1;
            while (last > path && last[-1] != '/')
                last--;
            if (strncmp(last, "../", 3) != 0) {
                out = last;
                n = 0;
            }
        }
        if (n > 0 && !(n == 1 && in[0] == '.')) {
            memmove(out, in, n);
            out += n;
            if (in[n] == '/')
                *out++ = '/';
        } else if (n == 0 && in == path && in[0] == '/') {
            *out++ = '/';
        }
        in += strcspn(in, "/");
        in += *in == '/';
    }
    *out = '\0';
}

/* The path of a source file as the tree knows it. */
static char *path_of(const char *file, const char *folder, const char *source)
{
    size_t n = strlen(source);
    char *path = file[0] == '/' || !folder[0] ? strdup(file) : hp_format("%s/%s", folder, file);
    if (!path || strlen(path) > PATH_LIMIT) {
        free(path);
        return NULL;
    }
    normalise(path);
    if (strncmp(path, source, n) == 0 && path[n] == '/')
        memmove(path, path + n + 1, strlen(path + n + 1) + 1);
    return path;
}

static void add_count(json_t *object, const char *key, json_int_t count)
{
    json_t *known = json_object_get(object, key);
    json_int_t before = json_integer_value(known);
    json_int_t sum = before > INT64_MAX - count ? INT64_MAX : before + count;
    json_object_set_new(object, key, json_integer(sum));
}

/* A count as gcov writes it, an integer, or a real where it is very large. */
static json_int_t count_of(const json_t *object, const char *key)
{
    double value = json_number_value(json_object_get(object, key));
    if (!(value > 0))
        return 0;
    return value < 9e18 ? (json_int_t)value : INT64_MAX;
}

static void add_lines(json_t *into, const json_t *lines)
{
    size_t i;
    json_t *line;
    json_array_foreach (lines, i, line) {
        char key[24];
        int64_t number = hp_json_int(line, "line_number", 0);
        if (number < 1 || number > MOST_LINE)
            continue;
        snprintf(key, sizeof key, "%lld", (long long)number);
        add_count(into, key, count_of(line, "count"));
    }
}

static void add_functions(json_t *into, const json_t *functions)
{
    size_t i;
    json_t *function;
    json_array_foreach (functions, i, function) {
        const char *name = hp_json_string(function, "name", "");
        const char *shown = hp_json_string(function, "demangled_name", name);
        int64_t line = hp_json_int(function, "start_line", 0);
        int64_t end = hp_json_int(function, "end_line", line);
        HP_FREE char *key = hp_format("%lld %s", (long long)line, name);
        if (!key || !name[0] || line < 1 || line > MOST_LINE || end < line || end > MOST_LINE)
            continue;
        json_t *known = json_object_get(into, key);
        if (!known) {
            known = json_pack("{s:s, s:I, s:I, s:I}", "name", shown[0] ? shown : name, "line",
                              (json_int_t)line, "end", (json_int_t)end, "count", (json_int_t)0);
            if (!known || json_object_set_new(into, key, known) != 0)
                continue;
        }
        add_count(known, "count", count_of(function, "execution_count"));
    }
}

static void add_file(json_t *files, const json_t *file, const char *folder, const char *source)
{
    const char *name = hp_json_string(file, "file", "");
    HP_FREE char *path = path_of(name, folder, source);
    if (!path || !path[0])
        return;
    json_t *known = json_object_get(files, path);
    if (!known) {
        known = json_pack("{s:{}, s:{}}", "lines", "functions");
        if (json_object_size(files) >= MOST_FILES || json_object_set_new(files, path, known) != 0)
            return;
    }
    add_lines(json_object_get(known, "lines"), json_object_get(file, "lines"));
    add_functions(json_object_get(known, "functions"), json_object_get(file, "functions"));
}

static void add_document(json_t *files, const json_t *document, const char *source)
{
    size_t i;
    json_t *file;
    const char *folder = hp_json_string(document, "current_working_directory", "");
    json_array_foreach (json_object_get(document, "files"), i, file)
        add_file(files, file, folder, source);
}

size_t rn_gcov_read(const char *text, size_t size, const char *source, json_t *files)
{
    size_t bad = 0;
    for (const char *p = text, *end = text + size; p < end;) {
        json_error_t error = {0};
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        if (isspace((unsigned char)*p)) {
            p++;
            continue;
        }
        HP_JSON json_t *document = json_loadb(p, (size_t)(end - p), JSON_DISABLE_EOF_CHECK, &error);
        bool good = json_is_array(json_object_get(document, "files")) && error.position > 0;
        if (good)
            add_document(files, document, source);
        bad += !good;
        p = good ? p + error.position : stop ? stop + 1 : end;
    }
    return bad;
}

/* --- functions that a header of the system declares ------------------------------------------ */

/* The last line with code from `line` on that comes before the next function's first. */
static int64_t end_of(const json_t *file, int64_t line)
{
    const char *key;
    json_t *value;
    int64_t next = MOST_LINE, end = line;
    json_object_foreach (json_object_get(file, "functions"), key, value) {
        int64_t begin = hp_json_int(value, "line", 0);
        if (begin > line && begin < next)
            next = begin;
    }
    json_object_foreach (json_object_get(file, "lines"), key, value) {
        int64_t at = strtoll(key, NULL, 10);
        if (at > end && at < next)
            end = at;
    }
    return end;
}

/* The function of that name in a file that is not of the tree. */
static const json_t *strayed(const json_t *files, const char *name)
{
    const char *path, *key;
    json_t *file, *function;
    json_object_foreach ((json_t *)files, path, file) {
        if (path[0] != '/')
            continue;
        json_object_foreach (json_object_get(file, "functions"), key, function) {
            if (strcmp(hp_json_string(function, "name", ""), name) == 0)
                return function;
        }
    }
    return NULL;
}

/* "NAME FILE:LINE", maybe with " (discriminator 2)" behind. */
static bool read_place(char *line, const char **name, char **file, int64_t *at)
{
    char *blank = strchr(line, ' ');
    char *colon = blank ? strchr(blank, ':') : NULL;
    if (!colon)
        return false;
    *blank = *colon = '\0';
    *name = line;
    *file = blank + 1;
    *at = strtoll(colon + 1, NULL, 10);
    return line[0] && (*file)[0] && *at > 0 && *at <= MOST_LINE;
}

static void place(json_t *files, char *line, const char *source, bool ends)
{
    const char *name;
    char *given, key[700];
    int64_t at;
    if (!read_place(line, &name, &given, &at))
        return;
    const json_t *stray = strayed(files, name);
    HP_FREE char *path = stray ? path_of(given, "", source) : NULL;
    json_t *file = path ? json_object_get(files, path) : NULL;
    json_t *functions = json_object_get(file, "functions");
    if (!path || !functions || path[0] == '/' || strlen(name) > 512)
        return;
    snprintf(key, sizeof key, "%lld %s", (long long)at, name);
    if (ends)
        json_object_set_new(json_object_get(functions, key), "end",
                            json_integer((json_int_t)end_of(file, at)));
    else
        json_object_set_new(functions, key,
                            json_pack("{s:s, s:I, s:I, s:I}", "name", name, "line", (json_int_t)at,
                                      "end", (json_int_t)at, "count",
                                      (json_int_t)hp_json_int(stray, "count", 0)));
}

void rn_gcov_place(const char *places, size_t size, const char *source, json_t *files)
{
    /* Twice: where one ends depends on where the others begin. */
    for (int ends = 0; ends < 2; ends++) {
        HP_FREE char *copy = strndup(places, size);
        char *rest = copy;
        for (char *line; rest && (line = strsep(&rest, "\n"));)
            place(files, line, source, ends);
    }
}
