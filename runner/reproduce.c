/*
 * The line that repeats a run. The suite travels in the job and is in no file that a person has, so
 * it is kept in the state folder, by its content, and the line names that file.
 */
#include "runner/job.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <string.h>

#define LINE_LIMIT 4096

/* Appends a word so that a shell reads it as one. */
static bool add_word(struct hp_buffer *line, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@%";
    if (word[0] && word[strspn(word, plain)] == '\0')
        return hp_buffer_printf(line, " %s", word);
    bool ok = hp_buffer_append(line, " '", 2);
    for (; ok && *word; word++)
        ok = *word == '\'' ? hp_buffer_append(line, "'\\''", 4) : hp_buffer_append(line, word, 1);
    return ok && hp_buffer_append(line, "'", 1);
}

static bool add_option(struct hp_buffer *line, const char *option, const char *value)
{
    return hp_buffer_printf(line, " --%s", option) && add_word(line, value);
}

static char *keep_suite(const char *state, const json_t *job, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/runner/suites/%.16s.json", state,
                                   hp_json_string(job, "suite_hash", "unknown"));
    HP_FREE char *text = json_dumps(json_object_get(job, "suite"), JSON_INDENT(2) | JSON_SORT_KEYS);
    if (!path || !text) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    return hp_file_replace(path, text, strlen(text), 0644, err) ? hp_take(path) : NULL;
}

static const char *sha_of(const json_t *job, const char *which)
{
    return hp_json_string(json_object_get(job, which), "sha", NULL);
}

char *rn_reproduce_line(const char *state, const json_t *job, struct hp_error *err)
{
    HP_FREE char *suite = keep_suite(state, job, err);
    HP_BUFFER struct hp_buffer line = {0};
    const json_t *repository = json_object_get(json_object_get(job, "suite"), "repository");
    const char *base = sha_of(job, "base");
    if (!suite)
        return NULL;
    bool ok = hp_buffer_printf(&line, "hakperf-runner measure") &&
              add_option(&line, "suite", suite) &&
              add_option(&line, "repository", hp_json_string(repository, "url", "."));
    if (base)
        ok = ok && add_option(&line, "base", base);
    ok = ok && add_option(&line, "head", sha_of(job, "head")) &&
         add_option(&line, "driver", sha_of(job, "driver")) &&
         add_option(&line, "output", "result.json");
    if (!ok || line.size > LINE_LIMIT) {
        hp_fail(err, HP_LIMIT, "the line that repeats this run is too long");
        return NULL;
    }
    return strdup(hp_buffer_text(&line));
}
