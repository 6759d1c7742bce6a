#include "cli/jobs.h"

#include "cli/figures.h"
#include "cli/wait.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How many are shown, and how many --retry takes at once. */
enum { SHOWN = 100, RETRIED = 500 };

void cli_job_rows(struct cli_table *table, const json_t *list)
{
    size_t i;
    const json_t *job;
    json_array_foreach (list, i, job) {
        char text[CLI_FIGURE], doing[256];
        cli_table_number(table, hp_json_int(job, "job", 0));
        cli_table_cell(table, HP_PLAIN, hp_json_string(job, "kind", NULL));
        cli_table_cell(table, HP_PLAIN, hp_json_string(job, "repository", NULL));
        snprintf(text, sizeof text, "%.10s", hp_json_string(job, "sha", "-"));
        cli_table_cell(table, HP_YELLOW, text);
        cli_progress_text(job, doing, sizeof doing);
        cli_table_cell(table, strcmp(doing, "dead") == 0 ? HP_RED : HP_PLAIN, doing);
        cli_left_text(hp_json_string(job, "eta", NULL), time(NULL), text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_table_cell(table, HP_PLAIN, hp_json_string(job, "runner", NULL));
        cli_table_cell(table, HP_PLAIN, hp_json_string(job, "subject", ""));
    }
}

void cli_job_reasons(const json_t *list)
{
    size_t i;
    const json_t *job;
    json_array_foreach (list, i, job) {
        HP_FREE char *reason = cli_clean(hp_json_string(job, "reason", ""));
        if (reason && *reason)
            printf("job %lld: %s\n", (long long)hp_json_int(job, "job", 0), reason);
    }
}

static json_t *get_jobs(struct cli_session *session, const char *state, int most,
                        struct hp_error *err)
{
    HP_FREE char *repository = cli_repository(session, err);
    if (!repository)
        return NULL;
    bool all = strcmp(state, "all") == 0;
    return cli_get(session, err, "/api/v1/jobs?repository=%s&limit=%d%s%s", repository, most,
                   all ? "" : "&state=", all ? "" : state);
}

static bool known_state(const char *state)
{
    static const char *const known[] = {"all", "queued", "running", "done", "dead", "cancelled"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(state, known[i]) == 0)
            return true;
    return false;
}

int cli_jobs_list(struct cli_session *session, const char *state)
{
    struct hp_error err = {0};
    if (!known_state(state)) {
        hp_fail(&err, HP_USAGE, "there is no state '%.40s'", state);
        hp_error_hint(&err, "Give queued, running, done, dead, cancelled or all.");
        return cli_fail(session->values, &err);
    }
    HP_JSON json_t *answer = get_jobs(session, state, SHOWN, &err);
    if (!answer)
        return cli_fail(session->values, &err);
    if (session->json) {
        cli_print_json(answer);
        return HP_EXIT_OK;
    }
    const json_t *list = json_object_get(answer, "jobs");
    CLI_TABLE struct cli_table *table = cli_table_new(CLI_JOB_HEADS);
    cli_job_rows(table, list);
    cli_table_print(table, stdout, 0);
    cli_job_reasons(list);
    if (json_array_size(list) == 0)
        puts("no such job");
    if (json_is_integer(json_object_get(answer, "next")))
        printf("only the newest %d are shown\n", SHOWN);
    return HP_EXIT_OK;
}

/* Does one request for each job of `jobs` (integers); stops at the first error. The answer is
 * {"jobs": [JOB STATE…]}. */
static int change_each(struct cli_session *session, const json_t *jobs, const char *method,
                       const char *suffix, const char *done)
{
    struct hp_error err = {0};
    HP_JSON json_t *answer = json_pack("{s:[]}", "jobs");
    size_t i;
    const json_t *job;
    json_array_foreach (jobs, i, job) {
        HP_FREE char *path =
            hp_format("/api/v1/jobs/%lld%s", (long long)json_integer_value(job), suffix);
        json_t *state = path ? cli_send(session, method, path, NULL, &err) : NULL;
        if (!state)
            return cli_fail(session->values, &err);
        if (!session->json)
            printf("job %lld %s\n", (long long)json_integer_value(job), done);
        json_array_append_new(json_object_get(answer, "jobs"), state);
    }
    if (session->json)
        cli_print_json(answer);
    return HP_EXIT_OK;
}

/* The arguments as numbers; NULL with an error where one is none. */
static json_t *numbers(const struct hp_values *values, struct hp_error *err)
{
    HP_JSON json_t *out = json_array();
    for (int i = 0; i < hp_arg_count(values); i++) {
        char *end;
        errno = 0;
        long long number = strtoll(hp_arg(values, i), &end, 10);
        if (*end || end == hp_arg(values, i) || errno || number < 1) {
            hp_fail(err, HP_USAGE, "'%.40s' is not the number of a job", hp_arg(values, i));
            hp_error_hint(err, "`hakperf queue --jobs all` lists them.");
            return NULL;
        }
        json_array_append_new(out, json_integer(number));
    }
    return hp_take(out);
}

int cli_jobs_cancel(struct cli_session *session)
{
    struct hp_error err = {0};
    HP_JSON json_t *jobs = numbers(session->values, &err);
    if (!jobs)
        return cli_fail(session->values, &err);
    return change_each(session, jobs, "DELETE", "", "cancelled");
}

int cli_jobs_retry(struct cli_session *session)
{
    struct hp_error err = {0};
    HP_JSON json_t *jobs = numbers(session->values, &err);
    if (!jobs)
        return cli_fail(session->values, &err);
    if (json_array_size(jobs) > 0)
        return change_each(session, jobs, "POST", "/retry", "waits again");
    HP_JSON json_t *dead = get_jobs(session, "dead", RETRIED, &err);
    if (!dead)
        return cli_fail(session->values, &err);
    size_t i;
    const json_t *job;
    json_array_foreach (json_object_get(dead, "jobs"), i, job) {
        json_array_append(jobs, json_object_get(job, "job"));
    }
    if (json_array_size(jobs) == 0 && !session->json)
        puts("no job was given up");
    return change_each(session, jobs, "POST", "/retry", "waits again");
}
