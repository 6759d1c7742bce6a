/* hakperf queue: look at a repository, or queue the commits named. */
#include "cli/figures.h"
#include "cli/jobs.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/wait.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

/* A hook may keep a push waiting this long, no more. */
#define HOOK_SECONDS 3
#define LOOK_SECONDS 120

const struct hp_option cli_queue_options[] = {
    {"compare", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "measure two revisions, BASE HEAD, as one pair",
     false},
    {"wait", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "until what was queued is measured", false},
    {"jobs", 0, HP_OPT_STRING, "STATE", NULL, 0, 0,
     "list the jobs that are queued, running, done, dead (given up), cancelled, or all", false},
    {"cancel", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "call off the jobs of these numbers", false},
    {"retry", 0, HP_OPT_FLAG, NULL, NULL, 0, 0,
     "let the jobs of these numbers wait again; without any, all that were given up", false},
    {"hook", 0, HP_OPT_FLAG, NULL, NULL, 0, 0,
     "as a git hook: look, one line, at most three seconds, exit code always 0", false},
    {.name = NULL},
};

static json_t *look(struct cli_session *session, const char *repository, struct hp_error *err)
{
    HP_FREE char *path = hp_format("/api/v1/repositories/%s/look", repository);
    return cli_send(session, "POST", path, NULL, err);
}

/* {"revs": […]} or {"base", "head"}, with names resolved. */
static json_t *request(struct cli_session *session, struct hp_error *err)
{
    bool pair = hp_opt_flag(session->values, "compare");
    HP_JSON json_t *body = json_object();
    json_t *revs = json_array();
    if (!pair)
        json_object_set(body, "revs", revs);
    bool ok = true;
    for (int i = 0; ok && i < hp_arg_count(session->values); i++) {
        HP_FREE char *rev = cli_revision(session, hp_arg(session->values, i), err);
        ok = rev && (pair ? json_object_set_new(body, i == 0 ? "base" : "head", json_string(rev))
                          : json_array_append_new(revs, json_string(rev))) == 0;
        if (rev && !ok)
            hp_fail(err, HP_USAGE, "\"%s\" is no revision", hp_arg(session->values, i));
    }
    json_decref(revs);
    return ok ? hp_take(body) : NULL;
}

static json_t *queue_these(struct cli_session *session, const char *repository,
                           struct hp_error *err)
{
    HP_FREE char *path = hp_format("/api/v1/repositories/%s/jobs", repository);
    HP_JSON json_t *body = request(session, err);
    return body ? cli_send(session, "POST", path, body, err) : NULL;
}

static void tell(const json_t *answer)
{
    const json_t *queued = json_object_get(answer, "queued"), *job;
    size_t count = json_array_size(queued), i;
    if (count == 0) {
        int64_t known = hp_json_int(answer, "known", -1);
        printf("nothing new to measure");
        if (known >= 0)
            printf(" (%lld commit%s known)", (long long)known, known == 1 ? "" : "s");
        putchar('\n');
        return;
    }
    printf("%zu commit%s queued\n", count, count == 1 ? "" : "s");
    json_array_foreach (queued, i, job) {
        HP_FREE char *subject = cli_clean(hp_json_string(job, "subject", ""));
        printf("  job %lld  %.10s  %s\n", (long long)hp_json_int(job, "job", 0),
               hp_json_string(job, "sha", ""), subject ? subject : "");
    }
}

static bool wait_all(struct cli_session *session, const json_t *answer, struct hp_error *err)
{
    size_t i;
    const json_t *job;
    json_array_foreach (json_object_get(answer, "queued"), i, job) {
        char label[64];
        snprintf(label, sizeof label, "%.10s", hp_json_string(job, "sha", ""));
        HP_JSON json_t *state = cli_wait_job(session, hp_json_int(job, "job", 0), label, err);
        if (!state)
            return false;
    }
    return true;
}

/* One line for the person who pushes. Whatever happens, the push has succeeded already. */
static int hook(struct cli_session *session, const struct hp_values *values)
{
    struct hp_error err = {0};
    HP_FREE char *repository = NULL;
    HP_JSON json_t *answer = NULL;
    if (cli_session_open(session, values, &err)) {
        hp_http_timeout(session->http, HOOK_SECONDS);
        repository = cli_repository(session, &err);
        answer = repository ? look(session, repository, &err) : NULL;
    }
    const json_t *queued = json_object_get(answer, "queued");
    size_t count = json_array_size(queued);
    const json_t *newest = json_array_get(queued, 0);
    HP_FREE char *subject = cli_clean(hp_json_string(newest, "subject", ""));
    if (!answer && (err.code == HP_UNAVAILABLE || err.code == HP_TIMEOUT))
        printf("hakperf: the collector does not answer; it finds these commits by itself when it "
               "runs\n");
    else if (!answer)
        printf("hakperf: not queued: %s\n", err.message);
    else if (count == 0)
        printf("hakperf: nothing new to measure\n");
    else
        printf("hakperf: %zu commit%s queued, newest %.10s %s\n", count, count == 1 ? "" : "s",
               hp_json_string(newest, "sha", ""), subject ? subject : "");
    return HP_EXIT_OK;
}

static bool usage(const struct hp_values *values, struct hp_error *err)
{
    if (hp_opt_flag(values, "compare") && hp_arg_count(values) != 2)
        return hp_fail(err, HP_USAGE, "--compare needs two revisions: BASE HEAD");
    if (hp_opt_flag(values, "hook") && hp_arg_count(values) > 0)
        return hp_fail(err, HP_USAGE, "--hook takes no revision");
    if (hp_opt(values, "jobs") && hp_arg_count(values) > 0)
        return hp_fail(err, HP_USAGE, "--jobs takes no revision");
    if (hp_opt_flag(values, "cancel") && hp_arg_count(values) == 0)
        return hp_fail(err, HP_USAGE, "--cancel needs the numbers of jobs");
    int modes = (hp_opt(values, "jobs") != NULL) + hp_opt_flag(values, "cancel") +
                hp_opt_flag(values, "retry") + hp_opt_flag(values, "hook") +
                hp_opt_flag(values, "compare");
    if (modes > 1)
        return hp_fail(err, HP_USAGE,
                       "--compare, --hook, --jobs, --cancel and --retry exclude each other");
    return true;
}

int cli_queue(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!usage(values, &err))
        return cli_fail(values, &err);
    if (hp_opt_flag(values, "hook"))
        return hook(&session, values);
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    hp_http_timeout(session.http, LOOK_SECONDS);
    if (hp_opt(values, "jobs"))
        return cli_jobs_list(&session, hp_opt(values, "jobs"));
    if (hp_opt_flag(values, "cancel"))
        return cli_jobs_cancel(&session);
    if (hp_opt_flag(values, "retry"))
        return cli_jobs_retry(&session);
    HP_FREE char *repository = cli_repository(&session, &err);
    if (!repository)
        return cli_fail(values, &err);
    HP_JSON json_t *answer = hp_arg_count(values) > 0 ? queue_these(&session, repository, &err)
                                                      : look(&session, repository, &err);
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        tell(answer);
    if (hp_opt_flag(values, "wait") && !wait_all(&session, answer, &err))
        return cli_fail(values, &err);
    return HP_EXIT_OK;
}
