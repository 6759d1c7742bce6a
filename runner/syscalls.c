#include "runner/syscalls.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WORDS 16
#define MOST_KINDS 600
#define NAME_LIMIT 40
#define TRACEPOINT "sys_enter_"

/* Whether a word is the name of a system call. */
static bool is_name(const char *word)
{
    size_t n = strlen(word);
    if (n == 0 || n > NAME_LIMIT || !islower((unsigned char)word[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)word[i]) && !isdigit((unsigned char)word[i]) && word[i] != '_')
            return false;
    return true;
}

/* A whole number, with separators of thousands; -1 for what is none, "0,001" among it. */
static int64_t whole(const char *word)
{
    int64_t value = 0;
    size_t since = 0; /* digits since the last separator */
    bool any = false, separated = false;
    for (const char *p = word; *p; p++) {
        if (isdigit((unsigned char)*p)) {
            if (value > INT64_MAX / 10 - 10)
                return -1;
            value = 10 * value + (*p - '0');
            since++;
            any = true;
        } else if ((*p == ',' || *p == '.' || *p == '\'') && any && p[1] && value > 0 &&
                   (separated ? since == 3 : since <= 3)) {
            separated = true;
            since = 0;
        } else {
            return -1;
        }
    }
    return any && (!separated || since == 3) ? value : -1;
}

/* A figure of a column that is no count: digits with a point, a comma or a percent sign. */
static bool is_figure(const char *word)
{
    return isdigit((unsigned char)word[0]) && word[strspn(word, "0123456789.,'%")] == '\0';
}

static void add(json_t *kinds, const char *name, int64_t count)
{
    json_int_t before = json_integer_value(json_object_get(kinds, name));
    if (before <= INT64_MAX - count && json_object_size(kinds) < MOST_KINDS)
        json_object_set_new(kinds, name, json_integer(before + count));
}

/* strace: "% time  seconds  usecs/call  calls  [errors]  syscall". */
static bool read_strace(json_t *kinds, char *const *word, size_t n)
{
    if ((n != 5 && n != 6) || !is_name(word[n - 1]) || strcmp(word[n - 1], "total") == 0)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (!is_figure(word[i]))
            return false;
    int64_t calls = whole(word[3]);
    if (calls < 0 || (n == 6 && whole(word[4]) < 0))
        return false;
    add(kinds, word[n - 1], calls);
    return true;
}

/* perf trace -s: "syscall  calls  [errors]  total  min  avg  max  stddev%". */
static bool read_trace(json_t *kinds, char *const *word, size_t n)
{
    if (n < 4 || !is_name(word[0]) || whole(word[1]) < 0 || strchr(word[n - 1], '%') == NULL)
        return false;
    for (size_t i = 2; i < n; i++)
        if (!is_figure(word[i]))
            return false;
    add(kinds, word[0], whole(word[1]));
    return true;
}

/* perf stat: "COUNT  syscalls:sys_enter_NAME …". */
static bool read_stat(json_t *kinds, char *const *word, size_t n)
{
    const char *mark = n >= 2 ? strstr(word[1], TRACEPOINT) : NULL;
    const char *name = mark ? mark + strlen(TRACEPOINT) : "";
    int64_t count = mark ? whole(word[0]) : -1;
    if (count < 0 || !is_name(name))
        return false;
    if (count > 0)
        add(kinds, name, count);
    return true;
}

/* perf stat -j: {"counter-value" : "9.000000", "event" : "syscalls:sys_enter_mmap", …}. */
static bool read_json(json_t *kinds, const char *line)
{
    HP_JSON json_t *object = line[0] == '{' ? json_loads(line, 0, NULL) : NULL;
    const char *mark = strstr(hp_json_string(object, "event", ""), TRACEPOINT);
    const char *name = mark ? mark + strlen(TRACEPOINT) : "";
    const json_t *value = json_object_get(object, "counter-value");
    double count =
        json_is_string(value) ? atof(json_string_value(value)) : json_number_value(value);
    if (is_name(name) && count > 0 && count < 1e15)
        add(kinds, name, (int64_t)count);
    return object != NULL;
}

static void read_line(json_t *kinds, char *line)
{
    char *word[MOST_WORDS];
    size_t n = 0;
    if (read_json(kinds, line))
        return;
    for (char *rest = line, *w; n < MOST_WORDS && (w = strsep(&rest, " \t\r"));)
        if (w[0])
            word[n++] = w;
    if (!read_strace(kinds, word, n) && !read_stat(kinds, word, n))
        read_trace(kinds, word, n);
}

json_t *rn_syscalls_read(const char *text, size_t size)
{
    HP_FREE char *copy = strndup(text, size);
    json_t *kinds = json_object();
    char *rest = copy;
    for (char *line; kinds && rest && (line = strsep(&rest, "\n"));)
        read_line(kinds, line);
    return kinds;
}
