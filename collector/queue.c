#include "collector/queue.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

int64_t queue_look_priority(void)
{
    /* Seconds since 2020 stay below QUEUE_ASKED until 2083; two looks within one second differ, so
     * that the later push still goes first. */
    static _Atomic int64_t last;
    int64_t now = (int64_t)time(NULL) - 1577836800, before = last, next;
    do {
        next = now > before ? now : before + 1;
    } while (!atomic_compare_exchange_weak(&last, &before, next));
    return next;
}

/* An array literal of PostgreSQL. */
static char *numbers_text(const int64_t *numbers, size_t count)
{
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = hp_buffer_printf(&out, "{");
    for (size_t i = 0; i < count; i++)
        ok = ok && hp_buffer_printf(&out, "%s%lld", i ? "," : "", (long long)numbers[i]);
    ok = ok && hp_buffer_printf(&out, "}");
    return ok ? hp_take(out.data) : NULL;
}

static bool add_once(struct db_conn *conn, const struct queue_job *job, int64_t *id, bool *added,
                     struct hp_error *err)
{
    char repository[DB_TEXT], priority[DB_TEXT];
    HP_FREE char *depends_on = numbers_text(job->depends_on, job->depends_count);
    if (!depends_on)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    DB_RESULT PGresult *row =
        db_query(conn, "queue_add.sql",
                 DB_PARAMS(db_int(repository, job->repository), job->kind, job->head, job->base,
                           db_int(priority, job->priority), job->once ? "true" : "false",
                           depends_on, job->only_runner),
                 err);
    *id = 0;
    *added = false;
    if (!row)
        return false;
    if (PQntuples(row) > 0) {
        *id = db_get_int(row, 0, 0);
        *added = db_get_bool(row, 0, 1);
    }
    return true;
}

bool queue_add(struct db_conn *conn, const struct queue_job *job, int64_t *id, bool *added,
               struct hp_error *err)
{
    if (!add_once(conn, job, id, added, err))
        return false;
    /* Somebody else added the same job while this statement ran, and it does not see that row. */
    if (*id == 0 && !job->once)
        return add_once(conn, job, id, added, err);
    return true;
}

bool queue_self_tests(struct db *db, int64_t hours, int64_t *added, struct hp_error *err)
{
    char text[DB_TEXT];
    *added = 0;
    return hours <= 0 ||
           db_pool_run(db, "selftest_queue.sql", DB_PARAMS(db_int(text, hours)), added, err);
}

bool queue_fill_gaps(struct db *db, int64_t most, int64_t *added, struct hp_error *err)
{
    char places[DB_TEXT];
    *added = 0;
    return most == 0 ||
           db_pool_run(db, "queue_gaps.sql", DB_PARAMS(db_int(places, most)), added, err);
}

int64_t queue_ready(struct db *db, int64_t most, struct hp_error *err)
{
    char limit[DB_TEXT];
    DB_RESULT PGresult *row =
        db_pool_query(db, "queue_ready.sql", DB_PARAMS(db_int(limit, most)), err);
    return row ? db_get_int(row, 0, 0) : -1;
}

/* What queue_cancel.sql and queue_retry.sql answer. */
static bool judge_change(const PGresult *row, int64_t job, const char *what, const char *hint,
                         struct hp_error *err)
{
    if (PQntuples(row) == 0)
        return hp_fail(err, HP_NOT_FOUND, "there is no job %lld", (long long)job);
    if (db_get_bool(row, 0, 2))
        return true;
    hp_fail(err, HP_CONFLICT, "job %lld is %s: it cannot be %s", (long long)job, db_text(row, 0, 0),
            what);
    return hp_error_hint(err, "%s", hint);
}

bool queue_cancel(struct db *db, int64_t job, const char *who, struct hp_error *err)
{
    char number[DB_TEXT];
    DB_RESULT PGresult *row =
        db_pool_query(db, "queue_cancel.sql", DB_PARAMS(db_int(number, job), who), err);
    if (!row)
        return false;
    return judge_change(row, job, "cancelled", "Only what waits or runs can be called off.", err);
}

bool queue_retry(struct db *db, int64_t job, struct hp_error *err)
{
    char number[DB_TEXT];
    DB_RESULT PGresult *row =
        db_pool_query(db, "queue_retry.sql", DB_PARAMS(db_int(number, job)), err);
    if (!row && err->code == HP_CONFLICT) {
        hp_fail(err, HP_CONFLICT, "job %lld need not be repeated: the same work is queued already",
                (long long)job);
        return hp_error_hint(err, "`hakperf status` shows the queue.");
    }
    if (!row)
        return false;
    return judge_change(row, job, "repeated",
                        "What was given up or cancelled can; queue the commit itself to measure it "
                        "once more: hakperf queue REV.",
                        err);
}

static bool claim_next(struct db *db, const char *runner, const char *version, int64_t lease_s,
                       json_t **document, struct hp_error *err)
{
    char lease[DB_TEXT];
    return db_pool_json(db, "queue_claim.sql", DB_PARAMS(runner, db_int(lease, lease_s), version),
                        document, err);
}

json_t *queue_claim(struct db *db, const char *runner, const char *version,
                    const struct queue_lease *lease, struct hp_error *err)
{
    HP_JSON json_t *document = NULL;
    int64_t released = 0, dead = 0;
    if (!claim_next(db, runner, version, lease->seconds, &document, err))
        return NULL;
    if (!document &&
        (!queue_expire(db, lease->max_attempts, &released, &dead, err) ||
         (released > 0 && !claim_next(db, runner, version, lease->seconds, &document, err))))
        return NULL;
    if (!document) {
        err->code = HP_OK;
        return NULL;
    }
    if (!hp_wire_check(HP_WIRE_JOB, document, err)) {
        hp_error_context(err, "job %lld", (long long)hp_json_int(document, "job", 0));
        err->code = HP_INTERNAL;
        return NULL;
    }
    return hp_take(document);
}

static bool lost(struct hp_error *err, int64_t job)
{
    hp_fail(err, HP_CONFLICT, "job %lld is no longer this runner's", (long long)job);
    return hp_error_hint(err, "The job was called off, or its lease ended before it was renewed.");
}

bool queue_progress(struct db *db, int64_t job, int64_t fence, const json_t *progress,
                    int64_t lease_s, struct hp_error *err)
{
    char number[DB_TEXT], token[DB_TEXT], lease[DB_TEXT];
    HP_FREE char *text = hp_json_text(progress);
    DB_RESULT PGresult *row = db_pool_query(
        db, "queue_progress.sql",
        DB_PARAMS(db_int(number, job), db_int(token, fence), text, db_int(lease, lease_s)), err);
    if (!row)
        return false;
    return PQntuples(row) > 0 || lost(err, job);
}

bool queue_release(struct db *db, int64_t job, int64_t fence, const char *reason,
                   struct hp_error *err)
{
    char number[DB_TEXT], token[DB_TEXT];
    DB_RESULT PGresult *row = db_pool_query(
        db, "queue_release.sql", DB_PARAMS(db_int(number, job), db_int(token, fence), reason), err);
    if (!row)
        return false;
    return PQntuples(row) > 0 || lost(err, job);
}

bool queue_refused(struct db *db, int64_t job, int64_t fence, const char *reason,
                   int64_t max_attempts, struct hp_error *err)
{
    char number[DB_TEXT], token[DB_TEXT], most[DB_TEXT];
    DB_RESULT PGresult *row = db_pool_query(
        db, "queue_refused.sql",
        DB_PARAMS(db_int(number, job), db_int(token, fence), reason, db_int(most, max_attempts)),
        err);
    return row != NULL;
}

char *queue_source(struct db *db, int64_t job, int64_t fence, const char *sha, char **driver_url,
                   struct hp_error *err)
{
    *driver_url = NULL;
    char number[DB_TEXT], token[DB_TEXT];
    DB_RESULT PGresult *row = db_pool_query(
        db, "queue_source.sql", DB_PARAMS(db_int(number, job), db_int(token, fence), sha), err);
    if (!row)
        return NULL;
    if (PQntuples(row) == 0) {
        hp_fail(err, HP_NOT_FOUND, "there is no job %lld", (long long)job);
        return NULL;
    }
    if (!db_get_bool(row, 0, 1)) {
        lost(err, job);
        return NULL;
    }
    if (!db_get_bool(row, 0, 2)) {
        hp_fail(err, HP_NOT_FOUND, "commit %.64s does not belong to job %lld", sha, (long long)job);
        return NULL;
    }
    const char *url = db_text(row, 0, 3);
    *driver_url = url ? strdup(url) : NULL;
    char *name = !url || *driver_url ? strdup(db_text(row, 0, 0)) : NULL;
    if (!name)
        hp_fail(err, HP_SYSTEM, "out of memory");
    return name;
}

bool queue_expire(struct db *db, int64_t max_attempts, int64_t *released, int64_t *dead,
                  struct hp_error *err)
{
    char attempts[DB_TEXT];
    DB_RESULT PGresult *row =
        db_pool_query(db, "queue_expire.sql", DB_PARAMS(db_int(attempts, max_attempts)), err);
    if (!row)
        return false;
    *released = db_get_int(row, 0, 0);
    *dead = db_get_int(row, 0, 1);
    if (*released + *dead > 0)
        hp_log(HP_LOG_WARNING, "leases ended: %lld jobs wait again, %lld are dead",
               (long long)*released, (long long)*dead);
    return true;
}
