/*
 * `hakperf-runner work`: deliver what the spool holds, claim, measure, spool, deliver, again and
 * again until told to stop. A job that is interrupted is given back, so that whoever claims next
 * has it at once; only where that fails too is it left to its lease.
 */
#include "runner/verbs.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http_client.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"
#include "runner/deliver.h"
#include "runner/job.h"
#include "runner/lease.h"
#include "runner/machine.h"
#include "runner/setup.h"
#include "runner/spool.h"

#include <string.h>
#include <sys/statvfs.h>

#define CLAIM_WAIT_S 1 /* so that a signal is answered within a second or two */
#define RELEASE_S 3
#define FREE_MIB 512
#define TOKEN_LIMIT 4096

struct worker {
    struct rn_setup setup;
    struct hp_http *http;
    char *server, *token;
    unsigned failures; /* of the collector, in a row */
};

/* Sleeps, but not through a signal. */
static void pause_for(double seconds)
{
    double until = hp_monotonic_s() + seconds;
    while (!rn_stop && hp_monotonic_s() < until)
        hp_sleep_ms(100);
}

static void back_off(struct worker *w, const struct hp_error *err)
{
    double seconds = rn_backoff(w->failures);
    /* Once when it goes, then only now and then: a collector may be away for a night. */
    if (w->failures == 0 || w->failures % 10 == 0)
        hp_log(HP_LOG_WARNING, "%s; trying again", err->message);
    w->failures++;
    pause_for(seconds);
}

static bool has_room(const struct worker *w)
{
    static bool told;
    struct statvfs fs;
    if (statvfs(w->setup.state, &fs) != 0)
        return true;
    bool room = (uint64_t)fs.f_bavail * fs.f_frsize >= (uint64_t)FREE_MIB << 20;
    if (!room && !told)
        hp_log(HP_LOG_ERROR, "less than %d MiB are free below %s; no jobs are claimed", FREE_MIB,
               w->setup.state);
    told = !room;
    return room;
}

/* A job, NULL with err->code HP_OK where there is none to do. */
static json_t *claim(struct worker *w, struct hp_error *err)
{
    HP_FREE char *path = hp_format("/api/v1/jobs/claim?wait=%d", CLAIM_WAIT_S);
    HP_JSON json_t *body =
        json_pack("{s:s, s:s}", "runner", w->setup.name, "version", HAKPERF_VERSION);
    HP_JSON json_t *job = NULL;
    *err = (struct hp_error){0};
    if (!path || !body) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    if (!hp_http_json(w->http, "POST", path, body, &job, NULL, err) || !job)
        return NULL;
    if (!hp_wire_check(HP_WIRE_JOB, job, err) ||
        !hp_wire_check(HP_WIRE_SUITE, json_object_get(job, "suite"), err)) {
        hp_error_context(err, "the collector gave a malformed job");
        return NULL;
    }
    return hp_take(job);
}

static bool fetch(struct worker *w, const json_t *job, const char *which, int *fd,
                  struct hp_error *err)
{
    const char *sha = hp_json_string(json_object_get(job, which), "sha", NULL);
    HP_FREE char *folder = hp_format("%s/runner", w->setup.state);
    if (!sha)
        return true;
    *fd = folder ? rn_source_download(w->http, hp_json_int(job, "job", 0),
                                      hp_json_int(job, "fence", 0), sha, folder, err)
                 : -1;
    return *fd >= 0;
}

/* The result of a job, NULL where there is none to deliver. */
static json_t *run_job(struct worker *w, const json_t *job, struct hp_error *err)
{
    struct rn_sources sources = RN_NO_SOURCES;
    json_t *result = NULL;
    if (fetch(w, job, "head", &sources.head, err) && fetch(w, job, "base", &sources.base, err) &&
        fetch(w, job, "driver", &sources.driver, err) &&
        fetch(w, job, "reference", &sources.reference, err))
        result = rn_job_run(&w->setup.runner, job, &sources, err);
    rn_sources_close(&sources);
    return result;
}

/* Writes the result to the spool. A full disk must not lose it: it is tried until there is room or
 * the runner is stopped. */
static void keep_result(const struct worker *w, const json_t *result)
{
    struct hp_error err = {0};
    for (unsigned failures = 0; !rn_spool_put(w->setup.state, result, &err); failures++) {
        hp_log_error(HP_LOG_ERROR, "a result cannot be kept", &err);
        if (rn_stop)
            return;
        pause_for(rn_backoff(failures));
    }
}

/* Soon, or not at all: whoever stops this runner waits for it. */
static void give_back(struct worker *w, const json_t *job)
{
    struct hp_error err = {0};
    HP_FREE char *path =
        hp_format("/api/v1/jobs/%lld/release", (long long)hp_json_int(job, "job", 0));
    HP_JSON json_t *answer = NULL;
    HP_JSON json_t *body =
        json_pack("{s:I, s:s}", "fence", (json_int_t)hp_json_int(job, "fence", 0), "reason",
                  "it was stopped before the job was done");
    hp_http_timeout(w->http, RELEASE_S);
    if (path && body && hp_http_json(w->http, "POST", path, body, &answer, NULL, &err))
        hp_log(HP_LOG_INFO, "stopped; the job waits for another runner");
    else
        hp_log(HP_LOG_WARNING, "stopped; the job is left to its lease: %s", err.message);
}

static void do_job(struct worker *w, const json_t *job)
{
    struct hp_error err = {0};
    const json_t *head = json_object_get(job, "head");
    int cpu = rn_choose_cpu(w->setup.runner.cpu, &err);
    hp_log(HP_LOG_INFO, "job %lld: %.12s %.80s", (long long)hp_json_int(job, "job", 0),
           hp_json_string(head, "sha", ""), hp_json_string(head, "subject", ""));
    struct rn_lease *lease =
        rn_lease_begin(w->server, w->token, job, w->setup.runner.progress, cpu, &rn_stop, &err);
    HP_JSON json_t *result = lease ? run_job(w, job, &err) : NULL;
    bool lost = rn_lease_end(lease);
    if (lost)
        rn_stop_clear(); /* only the job was to stop */
    if (result && !lost)
        keep_result(w, result);
    else if (rn_stop)
        give_back(w, job);
    else if (!lost)
        hp_log_error(HP_LOG_ERROR, "the job could not be done and is left to its lease", &err);
    /* What fails here at once, like a full disk, must not fail again at once. */
    if (!result && !lost)
        pause_for(5);
}

/* One turn. True if a job was done. */
static bool turn(struct worker *w)
{
    struct hp_error err = {0};
    if (!rn_deliver_all(w->http, w->setup.state, &err)) {
        back_off(w, &err);
        return false;
    }
    if (!has_room(w)) {
        pause_for(10);
        return false;
    }
    HP_JSON json_t *job = claim(w, &err);
    if (!job && err.code != HP_OK) {
        back_off(w, &err);
        return false;
    }
    if (w->failures > 0)
        hp_log(HP_LOG_INFO, "the collector at %s answers again", w->server);
    w->failures = 0;
    if (!job)
        return false;
    do_job(w, job);
    return true;
}

/* The last chance of a result that was made just before the end. */
static bool deliver_rest(struct worker *w)
{
    struct hp_error err = {0};
    hp_http_timeout(w->http, 5);
    return rn_deliver_all(w->http, w->setup.state, &err);
}

/* Until stopped; with `once` until one job was done and delivered, or there is none to do. */
static int work(struct worker *w, bool once)
{
    hp_log(HP_LOG_INFO, "runner %s works for %s", w->setup.name, w->server);
    rn_spool_clean(w->setup.state);
    while (!rn_stop) {
        bool done = turn(w);
        if (once && (done || w->failures == 0))
            break;
    }
    if (!once)
        return HP_EXIT_OK;
    return deliver_rest(w) ? HP_EXIT_OK : HP_EXIT_NO_ANSWER;
}

static bool read_token(struct worker *w, const char *path, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    if (!path)
        return true;
    if (!hp_file_read(path, TOKEN_LIMIT, &text, err))
        return hp_error_context(err, "the token");
    const char *token = hp_buffer_text(&text);
    size_t n = strcspn(token, "\r\n \t");
    if (n == 0)
        return hp_fail(err, HP_INVALID, "the token file %s is empty", path);
    w->token = strndup(token, n);
    return w->token || hp_fail(err, HP_SYSTEM, "out of memory");
}

static bool connect_to(struct worker *w, const char *server, struct hp_error *err)
{
    w->server = server ? strdup(server) : hp_format("unix:%s/run/collector.sock", w->setup.state);
    if (!w->server)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    w->http = hp_http_new(w->server, w->token, err);
    return w->http != NULL;
}

int rn_work_verb(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct worker w = {0};
    int code;
    /* The token may be readable by root alone. */
    bool ok = rn_setup_make(&w.setup, values, &err) &&
              read_token(&w, hp_opt(values, "token-file"), &err) && rn_setup_drop(&w.setup, &err) &&
              connect_to(&w, hp_opt(values, "server"), &err);
    code = ok ? work(&w, hp_opt_flag(values, "once")) : rn_report(&err);
    hp_http_free(w.http);
    free(w.server);
    if (w.token)
        explicit_bzero(w.token, strlen(w.token));
    free(w.token);
    rn_setup_clear(&w.setup);
    return code;
}
