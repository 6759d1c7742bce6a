/* Endpoints below /api/v1/repositories: look, queue, and what was measured. */
#include "collector/api.h"
#include "collector/auth.h"
#include "collector/counters.h"
#include "collector/look.h"
#include "collector/queue.h"
#include "collector/view.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

enum { REVS_MAX = 200 };

bool api_repository(struct service *service, struct db *db, const char *name, char id[DB_TEXT],
                    struct mirror *mirror, struct hp_error *err)
{
    DB_RESULT PGresult *row = db_pool_query(db, "repository_find.sql", DB_PARAMS(name), err);
    if (!row)
        return false;
    if (PQntuples(row) == 0) {
        hp_fail(err, HP_NOT_FOUND, "there is no repository '%.100s'", name);
        return hp_error_hint(err, "Apply a suite that names it: hakperf suite apply FILE.");
    }
    db_int(id, db_get_int(row, 0, 0));
    return mirror_init(mirror, service->state, name, err);
}

bool api_rev(const struct mirror *mirror, const char *name, const char *rev, char sha[GIT_SHA_TEXT],
             struct hp_error *err)
{
    return mirror_resolve(mirror, rev, sha, err) || hp_error_path(err, "%s", name);
}

/* The answer is a view's value, or its error. */
static bool answer_view(struct answer *answer, json_t *value, struct hp_error *err)
{
    return value && answer_json(answer, 200, value, err);
}

bool api_repositories(struct service *service, const struct request *request, struct answer *answer,
                      struct hp_error *err)
{
    (void)request;
    return answer_view(answer, view_repositories(service->reader, err), err);
}

bool api_look(struct service *service, const struct request *request, struct answer *answer,
              struct hp_error *err)
{
    const char *repository = request->arg[0];
    json_t *look = look_at(service, repository, true, err);
    counters_add(look ? COUNT_LOOKS : COUNT_LOOKS_FAILED);
    if (!look) {
        if (err->code == HP_LIMIT)
            answer->status = 429;
        return false;
    }
    auth_audit(service->db, request->who.name, request->address, "look", repository, look);
    return answer_json(answer, 200, look, err);
}

/* --- POST …/jobs ------------------------------------------------------------------------------ */

struct ask {
    struct service *service;
    struct mirror mirror;
    char id[DB_TEXT];
    bool looked;
    json_t *watch;
    json_t *queued;
};

/* A revision that the mirror does not know may have been pushed a moment ago. */
static bool resolve(struct ask *ask, const char *repository, const char *path, const char *rev,
                    char sha[GIT_SHA_TEXT], struct hp_error *err)
{
    if (mirror_resolve(&ask->mirror, rev, sha, err))
        return true;
    if (err->code != HP_NOT_FOUND || ask->looked)
        return hp_error_path(err, "%s", path);
    ask->looked = true;
    HP_JSON json_t *look = look_at(ask->service, repository, true, err);
    return look && api_rev(&ask->mirror, path, rev, sha, err);
}

/* Full queue: nothing of the request is queued. */
static bool check_room(struct ask *ask, struct db_conn *conn, size_t wanted, struct answer *answer,
                       struct hp_error *err)
{
    DB_RESULT PGresult *row = db_query(conn, "queue_waiting.sql", DB_PARAMS(ask->id), err);
    if (!row)
        return false;
    int64_t waiting = db_get_int(row, 0, 0), limit = ask->service->queue_limit;
    int64_t own = db_get_int(row, 0, 1), own_limit = ask->service->repository_queue_limit;
    if (waiting + (int64_t)wanted <= limit && own + (int64_t)wanted <= own_limit)
        return true;
    answer->status = 429;
    if (waiting + (int64_t)wanted > limit) {
        hp_fail(err, HP_LIMIT, "the queue is full: %lld jobs wait, %lld may", (long long)waiting,
                (long long)limit);
        return hp_error_hint(err, "Wait until some are done, or raise --queue-limit.");
    }
    hp_fail(err, HP_LIMIT, "the repository's queue is full: %lld of its jobs wait, %lld may",
            (long long)own, (long long)own_limit);
    return hp_error_hint(err, "Wait until some are done, or raise --repository-queue-limit.");
}

static bool add_job(struct ask *ask, struct db_conn *conn, const char *kind, const char *head,
                    const char *base, struct hp_error *err)
{
    struct queue_job job = {.repository = strtoll(ask->id, NULL, 10),
                            .kind = kind,
                            .head = head,
                            .base = base,
                            .priority = QUEUE_ASKED};
    int64_t id;
    bool added;
    if (!look_store_commit(conn, &ask->mirror, job.repository, head, ask->watch, err) ||
        (base && !look_store_commit(conn, &ask->mirror, job.repository, base, ask->watch, err)) ||
        !queue_add(conn, &job, &id, &added, err))
        return false;
    if (id == 0) {
        hp_fail(err, HP_CONFLICT, "this repository has no suite");
        return hp_error_hint(err, "Apply one: hakperf suite apply FILE.");
    }
    DB_RESULT PGresult *row = db_query(conn, "look_commit.sql", DB_PARAMS(ask->id, head), err);
    if (!row)
        return false;
    json_array_append_new(ask->queued, json_pack("{s:I, s:s, s:s}", "job", (json_int_t)id, "sha",
                                                 head, "subject", db_text(row, 0, 0)));
    return true;
}

static bool add_revs(struct ask *ask, struct db_conn *conn, const json_t *shas,
                     struct answer *answer, struct hp_error *err)
{
    if (!check_room(ask, conn, json_array_size(shas), answer, err))
        return false;
    size_t i;
    json_t *sha;
    json_array_foreach (shas, i, sha) {
        if (!add_job(ask, conn, "commit", json_string_value(sha), NULL, err))
            return false;
    }
    return true;
}

static bool add_in_transaction(struct ask *ask, const json_t *shas, const char *base,
                               struct answer *answer, struct hp_error *err)
{
    DB_CONN struct db_conn *conn = db_acquire(ask->service->db, err);
    if (!conn || !db_begin(conn, err) ||
        !db_json(conn, "repository_watch.sql", DB_PARAMS(ask->id), &ask->watch, err))
        return false;
    bool ok = base ? check_room(ask, conn, 1, answer, err) &&
                         add_job(ask, conn, "compare", json_string_value(json_array_get(shas, 0)),
                                 base, err)
                   : add_revs(ask, conn, shas, answer, err);
    return ok && db_commit(conn, err);
}

static bool bad_body(struct hp_error *err)
{
    hp_fail(err, HP_INVALID, "the body is neither {\"revs\": [...]} nor {\"base\", \"head\"}");
    return hp_error_hint(err, "Give 1 to %d revisions, or two to compare.", REVS_MAX);
}

static bool add_asked(struct ask *ask, const char *repository, const json_t *body,
                      struct answer *answer, struct hp_error *err)
{
    const char *base = hp_json_string(body, "base", NULL),
               *head = hp_json_string(body, "head", NULL);
    const json_t *revs = json_object_get(body, "revs");
    bool compare = base && head;
    size_t count = json_array_size(revs), i;
    if ((compare ? 2u : 1u) != json_object_size(body) ||
        (!compare && (count < 1 || count > REVS_MAX)))
        return bad_body(err);
    HP_JSON json_t *shas = json_array();
    char sha[GIT_SHA_TEXT], base_sha[GIT_SHA_TEXT] = "";
    json_t *rev;
    if (compare) {
        if (!resolve(ask, repository, "/base", base, base_sha, err) ||
            !resolve(ask, repository, "/head", head, sha, err))
            return false;
        json_array_append_new(shas, json_string(sha));
    }
    json_array_foreach (revs, i, rev) {
        char path[32];
        snprintf(path, sizeof path, "/revs/%zu", i);
        if (!json_is_string(rev))
            return bad_body(err);
        if (!resolve(ask, repository, path, json_string_value(rev), sha, err))
            return false;
        json_array_append_new(shas, json_string(sha));
    }
    return add_in_transaction(ask, shas, compare ? base_sha : NULL, answer, err);
}

bool api_jobs_add(struct service *service, const struct request *request, struct answer *answer,
                  struct hp_error *err)
{
    const char *repository = request->arg[0];
    HP_JSON json_t *body = request_json(request, err);
    struct ask ask = {.service = service};
    if (!body || !api_repository(service, service->db, repository, ask.id, &ask.mirror, err))
        return false;
    ask.queued = json_array();
    bool ok = add_asked(&ask, repository, body, answer, err);
    if (ok) {
        auth_audit(service->db, request->who.name, request->address, "queue", repository, body);
        server_wake(service->server, (unsigned)json_array_size(ask.queued));
        ok = answer_json(answer, 200, json_pack("{s:O}", "queued", ask.queued), err);
    }
    json_decref(ask.queued);
    json_decref(ask.watch);
    mirror_release(&ask.mirror);
    return ok;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A whole name that the store knows needs no git: pages and scripts ask by it. */
static bool read_rev(struct service *service, const struct mirror *mirror, const char *id,
                     const char *name, const char *rev, char sha[GIT_SHA_TEXT],
                     struct hp_error *err)
{
    if (strlen(rev) != 40 || rev[strspn(rev, "0123456789abcdef")])
        return api_rev(mirror, name, rev, sha, err);
    DB_RESULT PGresult *row =
        db_pool_query(service->reader, "view_is_commit.sql", DB_PARAMS(id, rev), err);
    if (!row)
        return false;
    if (PQntuples(row) == 0)
        return api_rev(mirror, name, rev, sha, err);
    snprintf(sha, GIT_SHA_TEXT, "%s", rev);
    return true;
}

bool api_log(struct service *service, const struct request *request, struct answer *answer,
             struct hp_error *err)
{
    MIRROR struct mirror mirror = {0};
    char id[DB_TEXT], sha[GIT_SHA_TEXT];
    int64_t limit, watched;
    const char *before = request_param(request, "before");
    if (!request_int(request, "limit", 1, VIEW_LOG_LIMIT, 20, &limit, err) ||
        !request_int(request, "watched", 0, 1, 0, &watched, err) ||
        !api_repository(service, service->reader, request->arg[0], id, &mirror, err) ||
        (before && !read_rev(service, &mirror, id, "before", before, sha, err)))
        return false;
    return answer_rows(answer, request,
                       view_log(service->reader, request->arg[0], (int)limit, before ? sha : NULL,
                                watched != 0, err),
                       "commits",
                       "sha,subject,author,time,state,verdict,size,change,throughput,kernel_share,"
                       "ace_failures,workload,reason,reverts,metric,value,unit",
                       err);
}

bool api_commit(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    MIRROR struct mirror mirror = {0};
    char id[DB_TEXT], sha[GIT_SHA_TEXT];
    if (!api_repository(service, service->reader, request->arg[0], id, &mirror, err) ||
        !read_rev(service, &mirror, id, "rev", request->arg[1], sha, err))
        return false;
    return answer_view(answer, view_commit(service->reader, request->arg[0], sha, err), err);
}

bool api_profile(struct service *service, const struct request *request, struct answer *answer,
                 struct hp_error *err)
{
    MIRROR struct mirror mirror = {0};
    char id[DB_TEXT], sha[GIT_SHA_TEXT];
    if (!api_repository(service, service->reader, request->arg[0], id, &mirror, err) ||
        !read_rev(service, &mirror, id, "rev", request->arg[1], sha, err))
        return false;
    return answer_view(answer,
                       view_profile(service->reader, request->arg[0], sha,
                                    request_param(request, "workload"), err),
                       err);
}

bool api_compare(struct service *service, const struct request *request, struct answer *answer,
                 struct hp_error *err)
{
    MIRROR struct mirror mirror = {0};
    char id[DB_TEXT], base_sha[GIT_SHA_TEXT], head_sha[GIT_SHA_TEXT];
    const char *base = request_need(request, "base", err);
    const char *head = base ? request_need(request, "head", err) : NULL;
    if (!head || !api_repository(service, service->reader, request->arg[0], id, &mirror, err) ||
        !read_rev(service, &mirror, id, "base", base, base_sha, err) ||
        !read_rev(service, &mirror, id, "head", head, head_sha, err))
        return false;
    return answer_rows(
        answer, request, view_compare(service->reader, request->arg[0], base_sha, head_sha, err),
        "workloads",
        "workload,verdict,size,metric,unit,better,base_value,head_value,change,low,high,pairs,"
        "detectable,kernel_share.base,kernel_share.head,ace_failures.base,ace_failures.head,reason",
        err);
}

bool api_series(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    int64_t limit;
    bool csv;
    if (!request_int(request, "limit", 1, VIEW_SERIES_LIMIT, 500, &limit, err) ||
        !request_csv(request, &csv, err))
        return false;
    const char *workload = request_param(request, "workload"),
               *metric = request_param(request, "metric");
    if (csv)
        return answer_rows(
            answer, request,
            view_series(service->reader, request->arg[0], workload, metric, (int)limit, err),
            "points",
            "sha,subject,time,value,low,high,verdict,run,ratio,ratio_low,ratio_high,"
            "machine",
            err);
    answer_header(answer, "Vary", "Accept");
    return answer_text(answer, view_series_text(service->reader, request->arg[0], workload, metric,
                                                (int)limit, err));
}

bool api_changepoints(struct service *service, const struct request *request, struct answer *answer,
                      struct hp_error *err)
{
    int64_t limit;
    if (!request_int(request, "limit", 1, VIEW_SERIES_LIMIT, 100, &limit, err))
        return false;
    return answer_rows(answer, request,
                       view_changepoints(service->reader, request->arg[0],
                                         request_param(request, "workload"), (int)limit, err),
                       "changepoints",
                       "sha,subject,time,workload,metric,epoch,before,after,change,p,found", err);
}

bool api_suspects(struct service *service, const struct request *request, struct answer *answer,
                  struct hp_error *err)
{
    int64_t limit;
    if (!request_int(request, "limit", 1, VIEW_SERIES_LIMIT, 100, &limit, err))
        return false;
    return answer_rows(
        answer, request, view_suspects(service->reader, request->arg[0], (int)limit, err),
        "suspects", "id,created,workload,state,good,bad,low,high,job,evidence,budget,reason", err);
}

bool api_selftest(struct service *service, const struct request *request, struct answer *answer,
                  struct hp_error *err)
{
    int64_t days;
    return request_int(request, "days", 1, 3650, 30, &days, err) &&
           answer_view(answer, view_selftest(service->reader, request->arg[0], (int)days, err),
                       err);
}
