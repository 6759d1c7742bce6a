#include "runner/perf_stat.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not user_time and system_time: perf loses those of a sandbox's grandchild, and the launcher
 * measures them inside. */
const char *const rn_perf_events[] = {"task-clock",     "page-faults",     "context-switches",
                                      "cpu-migrations", "cycles:u",        "instructions:u",
                                      "cache-misses:u", "branch-misses:u", NULL};

static void add(json_t *measurements, const char *arm, const char *event, double value,
                const char *missing)
{
    bool have = isfinite(value) && !missing;
    json_array_append_new(measurements, json_pack("{s:s, s:o, s:o, s:i, s:s?}", "arm", arm,
                                                  "metric", json_sprintf("perf:%s", event), "value",
                                                  have ? json_real(value) : json_null(), "n",
                                                  have ? 1 : 0, "missing", have ? NULL : missing));
}

/* "cycles:u" was asked for and "cycles:u" came back; or "task-clock" and "task-clock:u", since perf
 * adds :u where the kernel may not be watched. */
static bool same_event(const char *asked, const char *told)
{
    size_t n = strlen(asked);
    if (strncmp(asked, told, n) != 0)
        return false;
    return told[n] == '\0' || (told[n] == ':' && strchr(asked, ':') == NULL);
}

/* A number as perf writes it: "1234.50", or "1234,50" where the locale has a comma. */
static double parse_number(const char *text)
{
    char copy[64];
    if (strlen(text) >= sizeof copy || text[0] == '\0')
        return (double)NAN;
    memcpy(copy, text, strlen(text) + 1);
    char *comma = strchr(copy, ',');
    if (comma && !strchr(copy, '.') && !strchr(comma + 1, ','))
        *comma = '.';
    char *end;
    double value = strtod(copy, &end);
    return *end == '\0' && end != copy && isfinite(value) && value >= 0 ? value : (double)NAN;
}

/* A member that is a number in one version of perf and a string in another. */
static double number_of(const json_t *line, const char *key, double fallback)
{
    const json_t *value = json_object_get(line, key);
    if (json_is_number(value))
        return json_number_value(value);
    return json_is_string(value) ? parse_number(json_string_value(value)) : fallback;
}

/* What a line says of its event; NULL and a finite *value, or why there is none. */
static const char *judge(const json_t *line, double *value)
{
    const char *text = hp_json_string(line, "counter-value", "");
    if (strstr(text, "not supported"))
        return "perf says <not supported>";
    if (strstr(text, "not counted"))
        return "perf says <not counted>, which for short times can mean zero";
    *value = number_of(line, "counter-value", NAN);
    if (!isfinite(*value))
        return "perf printed no number";
    double share = number_of(line, "pcnt-running", 100);
    return share < 50 ? "the counter ran less than half of the time" : NULL;
}

/* The parsed line of an event, NULL if there is none that can be read; the last one counts. */
static json_t *find_line(const char *text, size_t size, const char *event)
{
    json_t *found = NULL;
    for (const char *p = text, *end = text + size; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);
        json_t *line = json_loadb(p, n, 0, NULL);
        if (json_is_object(line) && same_event(event, hp_json_string(line, "event", ""))) {
            json_decref(found);
            found = json_incref(line);
        }
        json_decref(line);
        p += n + 1;
    }
    return found;
}

/* Where the locale's comma stands outside of quotes ("pcnt-running" : 100,00), the line is no JSON
 * any more: such commas, between two digits, become points. Inside of quotes they are left. */
static char *without_commas(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    bool quoted = false;
    for (size_t i = 0; copy && i < size; i++) {
        bool digits = i > 0 && i + 1 < size && text[i - 1] >= '0' && text[i - 1] <= '9' &&
                      text[i + 1] >= '0' && text[i + 1] <= '9';
        quoted = text[i] == '\n' ? false : text[i] == '"' ? !quoted : quoted;
        copy[i] = text[i] == ',' && digits && !quoted ? '.' : text[i];
    }
    return copy;
}

void rn_perf_read(const char *text, size_t size, const char *arm, json_t *measurements)
{
    HP_FREE char *clean = without_commas(text, size);
    for (size_t i = 0; rn_perf_events[i]; i++) {
        HP_JSON json_t *line = clean ? find_line(clean, size, rn_perf_events[i]) : NULL;
        double value = NAN;
        const char *missing = line ? judge(line, &value) : "perf printed nothing about it";
        add(measurements, arm, rn_perf_events[i], value, missing);
    }
}

void rn_perf_missing(const char *arm, const char *reason, json_t *measurements)
{
    for (size_t i = 0; rn_perf_events[i]; i++)
        add(measurements, arm, rn_perf_events[i], NAN, reason);
}
