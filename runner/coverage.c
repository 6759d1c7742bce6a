#include "runner/coverage.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FUNCTIONS 512
#define NAME_LIMIT 512
#define PATH_LIMIT 1024
#define REASON_LIMIT 250

/* Whether one path ends with the other, at a slash: builds name files from folders of their own. */
static bool same_end(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    if (m < n)
        return same_end(b, a);
    return strcmp(a + m - n, b) == 0 && (m == n || a[m - n - 1] == '/');
}

/* What gcov knows of a file of the tree: by its whole path, else by the only one that ends alike.
 */
static const json_t *find_file(const json_t *files, const char *path)
{
    const json_t *exact = json_object_get(files, path), *found = NULL;
    const char *name;
    json_t *file;
    if (exact)
        return exact;
    json_object_foreach ((json_t *)files, name, file) {
        if (!same_end(name, path))
            continue;
        if (found)
            return NULL;
        found = file;
    }
    return found;
}

static bool holds(const struct rn_changed *file, int64_t first, int64_t last)
{
    for (size_t i = 0; i < file->lines; i++)
        if (!file->blank[i] && file->line[i] >= first && file->line[i] <= last)
            return true;
    for (size_t i = 0; i < file->uses; i++)
        if (file->use[i] >= first && file->use[i] <= last)
            return true;
    /* What was lost between a function's first and last line was lost from it. */
    for (size_t i = 0; i < file->cuts; i++)
        if (file->cut[i] >= first && file->cut[i] < last)
            return true;
    return false;
}

static int by_line(const void *a, const void *b)
{
    const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
    int64_t first = hp_json_int(x, "line", 0), second = hp_json_int(y, "line", 0);
    if (first != second)
        return first < second ? -1 : 1;
    return strcmp(hp_json_string(x, "name", ""), hp_json_string(y, "name", ""));
}

static json_t *function_json(const struct rn_changed *file, const json_t *function)
{
    const char *name = hp_json_string(function, "name", "");
    int64_t calls = hp_json_int(function, "count", 0);
    size_t n = strlen(name);
    return json_pack("{s:o, s:o, s:I, s:b, s:I}", "file",
                     hp_json_bytes(file->path, strlen(file->path)), "name",
                     hp_json_bytes(name, n < NAME_LIMIT ? n : NAME_LIMIT), "line",
                     (json_int_t)hp_json_int(function, "line", 1), "executed", calls > 0, "calls",
                     (json_int_t)calls);
}

static bool add_functions(json_t *list, const struct rn_changed *file, const json_t *functions)
{
    const char *key;
    json_t *function;
    size_t n = 0;
    HP_FREE json_t **found = calloc(json_object_size(functions) + 1, sizeof(json_t *));
    if (!found)
        return false;
    json_object_foreach ((json_t *)functions, key, function) {
        int64_t line = hp_json_int(function, "line", 1);
        if (holds(file, line, hp_json_int(function, "end", line)))
            found[n++] = function;
    }
    qsort(found, n, sizeof(json_t *), by_line);
    for (size_t i = 0; i < n && json_array_size(list) < MOST_FUNCTIONS; i++)
        json_array_append_new(list, function_json(file, found[i]));
    return true;
}

static void count_lines(const struct rn_changed *file, const json_t *lines, json_int_t *code,
                        json_int_t *executed)
{
    for (size_t i = 0; i < file->lines; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", file->line[i]);
        const json_t *count = json_object_get(lines, key);
        *code += count != NULL;
        *executed += json_integer_value(count) > 0;
    }
}

json_t *rn_coverage_of(const struct rn_diff *diff, const json_t *files)
{
    json_int_t code = 0, executed = 0;
    json_t *functions = json_array();
    for (size_t i = 0; i < diff->files; i++) {
        const json_t *known = find_file(files, diff->file[i].path);
        count_lines(&diff->file[i], json_object_get(known, "lines"), &code, &executed);
        if (strlen(diff->file[i].path) <= PATH_LIMIT &&
            !add_functions(functions, &diff->file[i], json_object_get(known, "functions"))) {
            json_decref(functions);
            return NULL;
        }
    }
    return json_pack("{s:{s:I, s:I, s:I}, s:o, s:n}", "lines", "changed", (json_int_t)diff->changed,
                     "code", code, "executed", executed, "functions", functions, "missing");
}

json_t *rn_coverage_missing(const char *reason)
{
    size_t n = strlen(reason);
    return json_pack("{s:n, s:[], s:o}", "lines", "functions", "missing",
                     hp_json_bytes(n ? reason : "unknown", n == 0             ? strlen("unknown")
                                                           : n < REASON_LIMIT ? n
                                                                              : REASON_LIMIT));
}

static json_t *sum_of(json_int_t a, json_int_t b)
{
    return json_integer(a > INT64_MAX - b ? INT64_MAX : a + b);
}

static void add_counts(json_t *into, const json_t *from)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)from, key, value) {
        json_t *known = json_object_get(into, key);
        if (!known) {
            json_object_set_new(into, key, json_deep_copy(value));
        } else if (json_is_integer(value)) {
            json_object_set_new(into, key,
                                sum_of(json_integer_value(known), json_integer_value(value)));
        } else if (json_is_object(value)) {
            json_object_set_new(
                known, "count",
                sum_of(hp_json_int(known, "count", 0), hp_json_int(value, "count", 0)));
        }
    }
}

void rn_coverage_add(json_t *sum, const json_t *files)
{
    const char *path;
    json_t *file;
    json_object_foreach ((json_t *)files, path, file) {
        json_t *known = json_object_get(sum, path);
        if (!known) {
            json_object_set_new(sum, path, json_deep_copy(file));
            continue;
        }
        add_counts(json_object_get(known, "lines"), json_object_get(file, "lines"));
        add_counts(json_object_get(known, "functions"), json_object_get(file, "functions"));
    }
}

char *rn_coverage_sentence(const json_t *coverage)
{
    const json_t *lines = json_object_get(coverage, "lines");
    const json_t *functions = json_object_get(coverage, "functions");
    size_t i, all = json_array_size(functions), ran = 0;
    long long code = (long long)hp_json_int(lines, "code", 0);
    json_t *function;
    json_array_foreach (functions, i, function)
        ran += hp_json_bool(function, "executed", false);
    if (!json_is_object(lines))
        return hp_format("did it run: not known, %s",
                         hp_json_string(coverage, "missing", "nothing was measured"));
    if (all == 0)
        return hp_format("did it run: the change touches no function that was compiled");
    return hp_format("did it run: %zu of %zu changed functions ran%s (%lld of %lld changed lines "
                     "of code)",
                     ran, all, ran == 0 ? " in any workload" : "",
                     (long long)hp_json_int(lines, "executed", 0), code);
}
