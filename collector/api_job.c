/* The runner's endpoints: claim, source, progress, result. */
#include "collector/api.h"
#include "collector/auth.h"
#include "collector/counters.h"
#include "collector/ingest.h"
#include "collector/look.h"
#include "collector/queue.h"
#include "collector/view.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bool api_job_number(const char *text, int64_t *out, struct hp_error *err)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < 1)
        return hp_fail(err, HP_NOT_FOUND, "there is no job '%.40s'", text);
    *out = value;
    return true;
}

static const char *need_text(const json_t *body, const char *key, size_t most, struct hp_error *err)
{
    const char *text = hp_json_string(body, key, NULL);
    if (text && *text && strlen(text) <= most)
        return text;
    hp_fail(err, HP_INVALID, "'%s' must be a text of 1 to %zu bytes", key, most);
    hp_error_path(err, "/%s", key);
    return NULL;
}

static bool need_number(const json_t *body, const char *key, int64_t *out, struct hp_error *err)
{
    const json_t *value = json_object_get(body, key);
    *out = json_integer_value(value);
    if (json_is_integer(value) && *out >= 1)
        return true;
    hp_fail(err, HP_INVALID, "'%s' must be a whole number from 1 on", key);
    return hp_error_path(err, "/%s", key);
}

bool api_claim(struct service *service, const struct request *request, struct answer *answer,
               struct hp_error *err)
{
    int64_t wait = 0;
    HP_JSON json_t *body = request_json(request, err);
    const char *runner = body ? need_text(body, "runner", 128, err) : NULL;
    const char *version = runner ? need_text(body, "version", 64, err) : NULL;
    if (!version || !request_int(request, "wait", 0, 30, 0, &wait, err))
        return false;
    struct queue_lease lease = {service->lease_s, service->max_attempts};
    json_t *job = queue_claim(service->db, runner, version, &lease, err);
    if (job) {
        counters_add(COUNT_CLAIMED);
        return answer_json(answer, 200, job, err);
    }
    if (err->code != HP_OK)
        return false;
    answer->status = 204;
    if (!request->waited)
        answer->park_s = (double)wait;
    return true;
}

bool api_source(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    int64_t job = 0, fence = 0;
    const char *sha = request->arg[1];
    if (!api_job_number(request->arg[0], &job, err) ||
        !request_int(request, "fence", 1, INT64_MAX, 0, &fence, err))
        return false;
    if (fence == 0 && !request_need(request, "fence", err))
        return false;
    HP_FREE char *url = NULL;
    HP_FREE char *repository = queue_source(service->db, job, fence, sha, &url, err);
    MIRROR struct mirror mirror = {0};
    if (!repository || !(url ? mirror_init_driver(&mirror, service->state, url, err)
                             : mirror_init(&mirror, service->state, repository, err)))
        return false;
    HP_FD int fd = server_file(service->server, err);
    struct stat st;
    if (fd < 0)
        return false;
    /* Another collector queued it, and this one has not fetched since. */
    if (!mirror_archive(&mirror, sha, fd, err) &&
        (err->code != HP_NOT_FOUND ||
         !(url ? mirror_fetch(&mirror, url, err) : look_fetch(service, &mirror, repository, err)) ||
         !mirror_archive(&mirror, sha, fd, err)))
        return false;
    if (fstat(fd, &st) != 0)
        return hp_fail_errno(err, "cannot read the archive");
    answer->content_type = "application/x-tar";
    answer->size = (size_t)st.st_size;
    answer->fd = hp_take_fd(&fd);
    return true;
}

/* {"fence", "stage", "done", "total", "text"}: what is shown of a job that runs. */
static json_t *read_progress(const json_t *body, struct hp_error *err)
{
    const char *stage = need_text(body, "stage", 64, err);
    if (!stage)
        return NULL;
    const json_t *text = json_object_get(body, "text");
    if (json_is_string(text) && json_string_length(text) > 512) {
        hp_fail(err, HP_INVALID, "'text' is longer than 512 bytes");
        hp_error_path(err, "/text");
        return NULL;
    }
    return json_pack("{s:s, s:I, s:I, s:s}", "stage", stage, "done",
                     (json_int_t)hp_json_int(body, "done", 0), "total",
                     (json_int_t)hp_json_int(body, "total", 0), "text",
                     hp_json_string(body, "text", ""));
}

bool api_progress(struct service *service, const struct request *request, struct answer *answer,
                  struct hp_error *err)
{
    int64_t job = 0, fence = 0;
    HP_JSON json_t *body = request_json(request, err);
    if (!body || !api_job_number(request->arg[0], &job, err) ||
        !need_number(body, "fence", &fence, err))
        return false;
    HP_JSON json_t *progress = read_progress(body, err);
    if (!progress || !queue_progress(service->db, job, fence, progress, service->lease_s, err))
        return false;
    return answer_json(answer, 200,
                       json_pack("{s:I}", "lease_seconds", (json_int_t)service->lease_s), err);
}

bool api_release(struct service *service, const struct request *request, struct answer *answer,
                 struct hp_error *err)
{
    int64_t job = 0, fence = 0;
    HP_JSON json_t *body = request_json(request, err);
    const char *reason = body ? need_text(body, "reason", 512, err) : NULL;
    if (!reason || !api_job_number(request->arg[0], &job, err) ||
        !need_number(body, "fence", &fence, err) ||
        !queue_release(service->db, job, fence, reason, err))
        return false;
    return answer_json(answer, 200, json_pack("{s:I}", "released", (json_int_t)job), err);
}

/* The job after it was changed. */
static bool answer_changed(struct service *service, const struct request *request, int64_t job,
                           const char *action, struct answer *answer, struct hp_error *err)
{
    auth_audit(service->db, request->who.name, request->address, action, request->arg[0], NULL);
    json_t *state = view_job(service->db, job, err);
    return state && answer_json(answer, 200, state, err);
}

bool api_job_cancel(struct service *service, const struct request *request, struct answer *answer,
                    struct hp_error *err)
{
    int64_t job = 0;
    return api_job_number(request->arg[0], &job, err) &&
           queue_cancel(service->db, job, request->who.name, err) &&
           answer_changed(service, request, job, "cancel", answer, err);
}

bool api_job_retry(struct service *service, const struct request *request, struct answer *answer,
                   struct hp_error *err)
{
    int64_t job = 0;
    return api_job_number(request->arg[0], &job, err) && queue_retry(service->db, job, err) &&
           answer_changed(service, request, job, "retry", answer, err);
}

/* The runner will not send this one again, so the job need not wait for the end of its lease. */
static void end_attempt(struct service *service, const json_t *result, const struct hp_error *why)
{
    struct hp_error err = {0};
    HP_FREE char *reason = hp_format("%s%s%s", why->message, why->path[0] ? " at " : "", why->path);
    if (!reason ||
        !queue_refused(service->db, hp_json_int(result, "job", 0), hp_json_int(result, "fence", 0),
                       reason, service->max_attempts, &err))
        hp_log_error(HP_LOG_WARNING, "a job whose result was refused waits for its lease", &err);
}

static bool take_result(struct service *service, const struct request *request,
                        const json_t *result, struct ingest_outcome *outcome, struct hp_error *err)
{
    if (!hp_wire_check(HP_WIRE_RESULT, result, err))
        return false;
    if (strcmp(hp_json_string(result, "run", ""), request->arg[0]) != 0) {
        hp_fail(err, HP_INVALID, "the document is of another run than the address");
        return hp_error_path(err, "/run");
    }
    struct ingest_sender sender = {request->who.name, request->address};
    return ingest_result_from(service->db, result, &sender, outcome, err);
}

static bool ingest(struct service *service, const struct request *request,
                   struct ingest_outcome *outcome, struct hp_error *err)
{
    HP_JSON json_t *result = request_json(request, err);
    if (!result)
        return false;
    bool taken = take_result(service, request, result, outcome, err);
    if (!taken && err->code == HP_INVALID)
        end_attempt(service, result, err);
    return taken;
}

bool api_run_put(struct service *service, const struct request *request, struct answer *answer,
                 struct hp_error *err)
{
    struct ingest_outcome outcome = {0};
    if (!ingest(service, request, &outcome, err)) {
        counters_add(COUNT_REFUSED);
        return false;
    }
    counters_add(outcome.stored ? COUNT_STORED : COUNT_STORED_BEFORE);
    if (outcome.voided)
        counters_add(COUNT_VOIDED);
    json_t *body = json_pack("{s:s, s:b, s:s}", "run", request->arg[0], "stored", outcome.stored,
                             "verdict", outcome.verdict);
    return answer_json(answer, outcome.stored ? 201 : 200, body, err);
}
