/* hakperf compare: is REV2 slower or faster than REV1, by how much, and how sure is that. */
#include "cli/comparison.h"
#include "cli/figures.h"
#include "cli/here.h"
#include "cli/markdown.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/wait.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

const struct hp_option cli_compare_options[] = {
    {"strict", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "exit code 1 for a small regression too", false},
    {"measure", 0, HP_OPT_FLAG, NULL, NULL, 0, 0,
     "where no run put the two side by side, queue it and wait", false},
    {"wait", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "while they are queued, measured or confirmed",
     false},
    {"here", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "measure now, on this machine, without a collector",
     false},
    {"suite", 0, HP_OPT_STRING, "FILE", NULL, 0, 0,
     "with --here: what to measure; found in the checkout if not given", false},
    {"workload", 'w', HP_OPT_STRING, "NAMES", NULL, 0, 0,
     "with --here: only these workloads, commas between them", false},
    {"budget", 0, HP_OPT_SECONDS, "SECONDS", "60", 1, 86400,
     "with --here: a workload's pairs end at the first look after so long", false},
    {"passes", 0, HP_OPT_SECONDS, "SECONDS", "60", 0, 86400,
     "with --here: what explains the verdict may take so long; 0: nothing but the verdict", false},
    {"markdown", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "as Markdown, for a review", false},
    {.name = NULL},
};

struct pair {
    char *repository, *base, *head; /* the revisions as typed or resolved here */
};

static void pair_clear(struct pair *pair)
{
    free(pair->repository);
    free(pair->base);
    free(pair->head);
}

static json_t *ask(struct cli_session *session, const struct pair *pair, struct hp_error *err)
{
    HP_FREE char *base = hp_url_encode(pair->base);
    HP_FREE char *head = hp_url_encode(pair->head);
    if (!base || !head) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    return cli_get(session, err, "/api/v1/repositories/%s/compare?base=%s&head=%s",
                   pair->repository, base, head);
}

/* Queues the comparison and waits for it. */
static bool measure(struct cli_session *session, const struct pair *pair, struct hp_error *err)
{
    HP_FREE char *path = hp_format("/api/v1/repositories/%s/jobs", pair->repository);
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "base", pair->base, "head", pair->head);
    if (!path || !body)
        return hp_fail(err, HP_USAGE, "the revisions are not UTF-8");
    HP_JSON json_t *answer = cli_send(session, "POST", path, body, err);
    if (!answer)
        return false;
    long long job = hp_json_int(json_array_get(json_object_get(answer, "queued"), 0), "job", 0);
    if (job == 0)
        job = cli_find_job(session, pair->head, pair->base, err);
    if (job < 0)
        return false;
    if (job == 0)
        return hp_fail(err, HP_INTERNAL, "the collector queued nothing");
    HP_JSON json_t *done = cli_wait_job(session, job, "comparing", err);
    return done != NULL;
}

/* The sha behind a name, "" where the collector does not know it. */
static void full_sha(struct cli_session *session, const struct pair *pair, const char *rev,
                     char out[72])
{
    struct hp_error ignored;
    if (cli_is_full_sha(rev)) {
        snprintf(out, 72, "%s", rev);
        return;
    }
    HP_FREE char *name = hp_url_encode(rev);
    HP_JSON json_t *answer = name ? cli_get(session, &ignored, "/api/v1/repositories/%s/commits/%s",
                                            pair->repository, name)
                                  : NULL;
    snprintf(out, 72, "%s", hp_json_string(json_object_get(answer, "commit"), "sha", ""));
}

/* Waits for a job that is under way for these two; true at once where none is. */
static bool wait_for_it(struct cli_session *session, const struct pair *pair, struct hp_error *err)
{
    char base[72], head[72];
    full_sha(session, pair, pair->base, base);
    full_sha(session, pair, pair->head, head);
    long long job = head[0] && base[0] ? cli_find_job(session, head, base, err) : 0;
    if (job <= 0)
        return job == 0;
    HP_JSON json_t *done = cli_wait_job(session, job, "measuring", err);
    return done != NULL;
}

/* A relevant regression is measured once more before it is told; with --wait that is waited for. A
 * fresh run that failed is repeated once. Takes over `comparison`. */
static json_t *await_confirmation(struct cli_session *session, const struct pair *pair,
                                  json_t *comparison, struct hp_error *err)
{
    for (int i = 0; i < 2; i++) {
        if (strcmp(hp_json_string(comparison, "confirmation", ""), "pending") != 0)
            break;
        json_t *later = wait_for_it(session, pair, err) ? ask(session, pair, err) : NULL;
        json_decref(comparison);
        comparison = later;
    }
    return comparison;
}

/* Joined from other runs is an answer too, unless a measurement of the two is waited for. */
static bool is_settled(const json_t *comparison, const struct hp_error *err, bool wanted)
{
    if (!comparison)
        return err->code != HP_NOT_FOUND || !wanted;
    return !wanted || strcmp(hp_json_string(comparison, "how", ""), "joined") != 0;
}

static json_t *find(struct cli_session *session, const struct pair *pair, struct hp_error *err)
{
    bool may_measure = hp_opt_flag(session->values, "measure");
    json_t *comparison = ask(session, pair, err);
    if (is_settled(comparison, err, may_measure || hp_opt_flag(session->values, "wait")))
        return comparison;
    json_decref(comparison);
    if (!wait_for_it(session, pair, err))
        return NULL;
    /* Asked again even where nothing was under way: it may have ended just now. */
    comparison = ask(session, pair, err);
    if (is_settled(comparison, err, may_measure))
        return comparison;
    json_decref(comparison);
    return measure(session, pair, err) ? ask(session, pair, err) : NULL;
}

static json_t *answer(struct cli_session *session, const struct pair *pair, struct hp_error *err)
{
    json_t *comparison = find(session, pair, err);
    bool wait = hp_opt_flag(session->values, "measure") || hp_opt_flag(session->values, "wait");
    return comparison && wait ? await_confirmation(session, pair, comparison, err) : comparison;
}

static json_t *ask_collector(const struct hp_values *values, struct hp_error *err)
{
    CLI_SESSION struct cli_session session = {0};
    __attribute__((cleanup(pair_clear))) struct pair pair = {0};
    bool ready = cli_session_open(&session, values, err) &&
                 (pair.base = cli_revision(&session, hp_arg(values, 0), err)) &&
                 (pair.head = cli_revision(&session, hp_arg(values, 1), err)) &&
                 (pair.repository = cli_repository(&session, err));
    return ready ? answer(&session, &pair, err) : NULL;
}

int cli_compare(const struct hp_values *values)
{
    struct hp_error err = {0};
    HP_JSON json_t *comparison = NULL;
    if (cli_here_usage(values, &err))
        comparison = hp_opt_flag(values, "here") ? cli_here_compare(values, &err)
                                                 : ask_collector(values, &err);
    bool json = hp_opt_flag(values, "json");
    if (!comparison && !err.message[0] && !json)
        return hp_exit_code(&err); /* the runner has told all */
    if (!comparison && !err.message[0])
        hp_fail(&err, err.code, "the runner measured nothing, and said why on stderr");
    if (!comparison)
        return cli_fail(values, &err);
    if (json)
        cli_print_json(comparison);
    else if (hp_opt_flag(values, "markdown"))
        cli_markdown_print(comparison, stdout);
    else
        cli_comparison_print(comparison);
    return cli_verdict_exit(hp_json_string(comparison, "verdict", NULL),
                            hp_json_string(comparison, "size", NULL),
                            hp_opt_flag(values, "strict"));
}
