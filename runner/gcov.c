#include "runner/gcov.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

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

size_t rn_gcov_read(const char *text, size_t size, const char *source, json_t *files)
{
    size_t bad = 0, i;
    for (const char *p = text, *end = text + size; p < end;) {
        struct hp_error ignored;
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);
        HP_JSON json_t *document = n > 0 ? hp_json_parse(p, n, &ignored) : NULL;
        const json_t *list = json_object_get(document, "files");
        const char *folder = hp_json_string(document, "current_working_directory", "");
        json_t *file;
        if (n > 0 && !json_is_array(list))
            bad++;
        json_array_foreach (list, i, file)
            add_file(files, file, folder, source);
        p += n + 1;
    }
    return bad;
}
