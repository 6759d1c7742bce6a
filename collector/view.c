#include "collector/view.h"

#include "analysis/binomial.h"
#include "collector/view_internal.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/metrics.h"

#include <string.h>

/* A statement without parameters or with one, whose JSON is the answer. */
static json_t *answer(struct db *db, const char *file, int n, const char *const *params,
                      struct hp_error *err)
{
    json_t *out = NULL;
    if (db_pool_json(db, file, n, params, &out, err) && !out)
        hp_fail(err, HP_NOT_FOUND, "there is nothing to tell");
    return out;
}

bool view_check_limit(int limit, int most, struct hp_error *err)
{
    if (limit >= 1 && limit <= most)
        return true;
    hp_fail(err, HP_INVALID, "the limit must lie between 1 and %d, not %d", most, limit);
    return hp_error_path(err, "limit");
}

json_t *view_repositories(struct db *db, struct hp_error *err)
{
    return answer(db, "repositories.sql", DB_NO_PARAMS, err);
}

json_t *view_log(struct db *db, const char *repository, int limit, const char *before, bool watched,
                 struct hp_error *err)
{
    char id[DB_TEXT], count[DB_TEXT];
    json_t *out = NULL;
    if (!view_check_limit(limit, VIEW_LOG_LIMIT, err))
        return NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err) ||
        (before && !view_need_commit(conn, id, before, err)) ||
        !db_json(conn, "view_log.sql",
                 DB_PARAMS(id, db_int(count, limit), before, watched ? "t" : "f"), &out, err))
        return NULL;
    return out;
}

json_t *view_changepoints(struct db *db, const char *repository, const char *workload, int limit,
                          struct hp_error *err)
{
    char id[DB_TEXT], count[DB_TEXT];
    json_t *out = NULL;
    if (!view_check_limit(limit, VIEW_SERIES_LIMIT, err))
        return NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err) ||
        !db_json(conn, "view_changepoints.sql", DB_PARAMS(id, workload, db_int(count, limit)), &out,
                 err))
        return NULL;
    return out;
}

json_t *view_suspects(struct db *db, const char *repository, int limit, struct hp_error *err)
{
    char id[DB_TEXT], count[DB_TEXT];
    json_t *out = NULL;
    if (!view_check_limit(limit, VIEW_SERIES_LIMIT, err))
        return NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err) ||
        !db_json(conn, "view_suspects.sql", DB_PARAMS(id, db_int(count, limit)), &out, err))
        return NULL;
    return out;
}

/* The rate of false alarms, and what it is at most with 95 %. */
static void add_rate(json_t *aa)
{
    size_t n = (size_t)hp_json_int(aa, "comparisons", 0);
    size_t wrong = (size_t)hp_json_int(aa, "false_alarms", 0);
    json_object_set_new(aa, "rate", n ? json_real((double)wrong / (double)n) : json_null());
    json_object_set_new(aa, "upper", json_real(an_binomial_upper(wrong, n, 0.95)));
}

json_t *view_selftest(struct db *db, const char *repository, int days, struct hp_error *err)
{
    char id[DB_TEXT], count[DB_TEXT];
    json_t *out = NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err) ||
        !db_json(conn, "view_selftest.sql", DB_PARAMS(id, db_int(count, days)), &out, err))
        return NULL;
    add_rate(json_object_get(out, "aa"));
    return out;
}

json_t *view_status(struct db *db, struct hp_error *err)
{
    return answer(db, "view_status.sql", DB_PARAMS(HAKPERF_VERSION), err);
}

json_t *view_job(struct db *db, int64_t job, struct hp_error *err)
{
    char id[DB_TEXT];
    json_t *out = NULL;
    if (db_pool_json(db, "view_job.sql", DB_PARAMS(db_int(id, job)), &out, err) && !out)
        hp_fail(err, HP_NOT_FOUND, "there is no job %s", id);
    return out;
}

static bool check_word(const char *word, const char *const *words, const char *path,
                       struct hp_error *err)
{
    bool ok = !word;
    for (; !ok && *words; words++)
        ok = strcmp(word, *words) == 0;
    if (ok)
        return true;
    hp_fail(err, HP_INVALID, "there is no %s '%.40s'", path, word);
    return hp_error_path(err, "%s", path);
}

json_t *view_jobs(struct db *db, const struct view_jobs *which, struct hp_error *err)
{
    static const char *const states[] = {"queued", "running", "done", "dead", "cancelled", NULL};
    static const char *const kinds[] = {"commit", "compare", "confirm", "bisect", "backfill",
                                        "aa",     "canary",  "bridge",  NULL};
    char count[DB_TEXT], before[DB_TEXT], id[DB_TEXT];
    json_t *out = NULL;
    if (!view_check_limit(which->limit, VIEW_JOB_LIMIT, err) ||
        !check_word(which->state, states, "state", err) ||
        !check_word(which->kind, kinds, "kind", err))
        return NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || (which->repository && !view_repository_id(conn, which->repository, id, err)) ||
        !db_json(conn, "view_jobs.sql",
                 DB_PARAMS(db_int(count, which->limit), which->repository, which->state,
                           which->kind, which->before ? db_int(before, which->before) : NULL),
                 &out, err))
        return NULL;
    return out;
}

json_t *view_alerts(struct db *db, const struct view_alerts *which, struct hp_error *err)
{
    static const char *const states[] = {"open", "acknowledged", "resolved", "active", NULL};
    char count[DB_TEXT], before[DB_TEXT], id[DB_TEXT];
    json_t *out = NULL;
    if (!view_check_limit(which->limit, VIEW_ALERT_LIMIT, err) ||
        !check_word(which->state, states, "state", err))
        return NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || (which->repository && !view_repository_id(conn, which->repository, id, err)) ||
        !db_json(conn, "view_alerts.sql",
                 DB_PARAMS(db_int(count, which->limit), which->repository, which->state,
                           which->owner, which->before ? db_int(before, which->before) : NULL),
                 &out, err))
        return NULL;
    return out;
}

json_t *view_alert(struct db *db, int64_t alert, struct hp_error *err)
{
    char id[DB_TEXT];
    json_t *out = NULL;
    if (db_pool_json(db, "view_alert.sql", DB_PARAMS(db_int(id, alert)), &out, err) && !out) {
        hp_fail(err, HP_NOT_FOUND, "there is no alert %s", id);
        hp_error_hint(err, "`hakperf alerts` lists them.");
    }
    return out;
}
