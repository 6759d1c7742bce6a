/*
 * The line that repeats a run. The suite travels in the job and is in no file that a person has, so
 * it is kept in the state folder, by its content, and the line names that file.
 */
#include "runner/job.h"

#include "analysis/verdict.h"
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

/* Names with commas between them. */
static bool add_workloads(struct hp_buffer *line, const json_t *names)
{
    HP_BUFFER struct hp_buffer list = {0};
    size_t i;
    const json_t *name;
    bool ok = true;
    json_array_foreach (names, i, name)
        ok = ok && hp_buffer_printf(&list, "%s%s", i ? "," : "", json_string_value(name));
    return ok && (i == 0 || add_option(line, "workload", hp_buffer_text(&list)));
}

/* What the job samples otherwise than the suite says. */
static bool add_plan(struct hp_buffer *line, const json_t *job)
{
    const json_t *plan = json_object_get(job, "plan");
    bool confirm = hp_json_number(plan, "critical", 0) == AN_CONFIRM_Z;
    return add_workloads(line, json_object_get(plan, "workloads")) &&
           (!confirm || hp_buffer_printf(line, " --confirm"));
}

char *rn_reproduce_line(const struct rn_runner *runner, const json_t *job, struct hp_error *err)
{
    HP_FREE char *suite = keep_suite(runner->state, job, err);
    HP_BUFFER struct hp_buffer line = {0};
    const json_t *repository = json_object_get(json_object_get(job, "suite"), "repository");
    const char *base = sha_of(job, "base"), *reference = sha_of(job, "reference");
    if (!suite)
        return NULL;
    const char *from =
        runner->repository ? runner->repository : hp_json_string(repository, "url", ".");
    bool ok = add_word(&line, runner->program ? runner->program : "hakperf-runner") &&
              hp_buffer_printf(&line, " measure") && add_option(&line, "suite", suite) &&
              add_option(&line, "repository", from);
    if (base)
        ok = ok && add_option(&line, "base", base);
    ok = ok && add_option(&line, "head", sha_of(job, "head")) &&
         add_option(&line, "driver", sha_of(job, "driver")) &&
         (!reference || add_option(&line, "reference", reference)) && add_plan(&line, job) &&
         add_option(&line, "output", "result.json");
    if (!ok || line.size > LINE_LIMIT) {
        hp_fail(err, HP_LIMIT, "the line that repeats this run is too long");
        return NULL;
    }
    return strdup(hp_buffer_text(&line) + 1); /* every word has a blank before it */
}
