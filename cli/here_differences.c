#include "cli/here_differences.h"

#include "cli/here_judge.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE_LEAST 0.02
#define PROFILE_MOST 10

static const char *text(const json_t *object, const char *key)
{
    return hp_json_string(object, key, "");
}

static void add_difference(json_t *list, const char *name, json_t *base, json_t *head)
{
    if (!json_equal(base, head))
        json_array_append_new(
            list, json_pack("{s:s, s:O, s:O}", "name", name, "base", base, "head", head));
    json_decref(base);
    json_decref(head);
}

/* Measurements "PREFIXname" whose values differ, by name. */
json_t *here_differing(const json_t *workload, const char *prefix)
{
    json_t *list = json_array(), *m;
    HP_JSON json_t *seen = json_object();
    size_t n = strlen(prefix), i;
    const char *name;
    json_t *ignored;
    json_array_foreach (json_object_get(workload, "measurements"), i, m) {
        if (strncmp(text(m, "metric"), prefix, n) == 0)
            json_object_set_new(seen, text(m, "metric"), json_null());
    }
    json_object_foreach (seen, name, ignored)
        add_difference(list, name + n, hp_json_real(hp_figure(workload, "base", name)),
                       hp_json_real(hp_figure(workload, "head", name)));
    return list;
}

static json_t *option_value(const json_t *options, const char *name)
{
    const json_t *option = json_object_get(options, name);
    const char *value = hp_json_string(option, "value", NULL);
    if (!value)
        return json_null();
    return hp_json_bool(option, "ignored", false) ? json_sprintf("%s (ignored)", value)
                                                  : json_string(value);
}

json_t *here_configuration(const json_t *workload)
{
    const json_t *all = json_object_get(workload, "configuration");
    const json_t *base = json_object_get(all, "base");
    json_t *list = json_array(), *value;
    HP_JSON json_t *names = json_object();
    const char *name;
    json_object_update(names, json_object_get(all, "head"));
    json_object_update_missing(names, (json_t *)base);
    json_object_foreach (names, name, value)
        add_difference(list, name, option_value(base, name),
                       option_value(json_object_get(all, "head"), name));
    return list;
}

/* Share of the samples by innermost function; empty where there is no profile of that arm. */
static json_t *leaves(const json_t *workload, const char *arm)
{
    json_t *shares = json_object(), *profile;
    double all = 0;
    size_t i;
    json_array_foreach (json_object_get(workload, "profiles"), i, profile) {
        HP_FREE char *folded = strdup(text(profile, "folded"));
        char *rest = folded;
        if (strcmp(text(profile, "arm"), arm) != 0)
            continue;
        for (char *line; rest && (line = strsep(&rest, "\n"));) {
            char *space = strrchr(line, ' ');
            if (!space)
                continue;
            *space = '\0';
            double count = strtod(space + 1, NULL);
            const char *semicolon = strrchr(line, ';'), *leaf = semicolon ? semicolon + 1 : line;
            double before = hp_json_number(shares, leaf, 0);
            json_object_set_new(shares, leaf, json_real(before + count));
            all += count;
        }
    }
    const char *name;
    json_t *count;
    json_object_foreach (shares, name, count)
        json_real_set(count, json_number_value(count) / all);
    return shares;
}

json_t *here_profile(const json_t *workload)
{
    HP_JSON json_t *base = leaves(workload, "base");
    HP_JSON json_t *head = leaves(workload, "head");
    HP_JSON json_t *names = json_object();
    json_t *list = json_array(), *ignored;
    const char *name;
    if (json_object_size(base) == 0 || json_object_size(head) == 0)
        return list;
    json_object_update(names, base);
    json_object_update(names, head);
    json_object_foreach (names, name, ignored) {
        double b = hp_json_number(base, name, 0), h = hp_json_number(head, name, 0);
        size_t at = 0;
        if (fabs(h - b) < PROFILE_LEAST)
            continue;
        while (at < json_array_size(list) &&
               fabs(hp_json_number(json_array_get(list, at), "head", 0) -
                    hp_json_number(json_array_get(list, at), "base", 0)) >= fabs(h - b))
            at++;
        json_array_insert_new(list, at,
                              json_pack("{s:s, s:f, s:f}", "name", name, "base", b, "head", h));
    }
    while (json_array_size(list) > PROFILE_MOST)
        json_array_remove(list, json_array_size(list) - 1);
    return list;
}

json_t *here_coverage(const json_t *found)
{
    const json_t *lines = json_object_get(found, "lines"), *function;
    const json_t *missing = json_object_get(found, "missing");
    json_int_t executed = 0;
    size_t i;
    if (!json_is_object(found))
        return json_null();
    json_array_foreach (json_object_get(found, "functions"), i, function)
        executed += hp_json_bool(function, "executed", false);
    return json_pack("{s:O, s:O?, s:O?, s:O?, s:I, s:I}", "missing", missing, "lines_changed",
                     json_object_get(lines, "changed"), "lines_of_code",
                     json_object_get(lines, "code"), "lines_executed",
                     json_object_get(lines, "executed"), "functions", (json_int_t)i,
                     "functions_executed", executed);
}
