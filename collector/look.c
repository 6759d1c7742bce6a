#include "collector/look.h"

#include "collector/history.h"
#include "collector/look_internal.h"
#include "collector/queue.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

#include <string.h>

static const double LOOK_DEADLINE_S = 120;

/* One look on its way. */
struct look {
    struct service *service;
    const struct mirror *mirror;
    struct db_conn *conn;
    int64_t repository;
    char id[DB_TEXT];
    bool first;       /* nobody looked before */
    char *ref;        /* default ref, as of the last look; NULL: none */
    json_t *branches; /* that are watched; empty: all */
    json_t *watch;    /* paths */
    json_t *before;   /* ref → commit, as of the last look */
    json_t *known;    /* those commits */
    json_t *measured; /* of them, the tips of branches that were watched then */
    bool new_suite;   /* since the last look */
    bool lost;        /* the mirror lacks some of `known` */
    json_t *queued;
};

static void look_release(struct look *look)
{
    free(look->ref);
    json_decref(look->branches);
    json_decref(look->watch);
    json_decref(look->before);
    json_decref(look->known);
    json_decref(look->measured);
    json_decref(look->queued);
}

static json_t *field_json(const PGresult *row, int column)
{
    struct hp_error ignored;
    const char *text = db_text(row, 0, column);
    return text ? hp_json_parse(text, strlen(text), &ignored) : NULL;
}

static bool look_begin(struct look *look, const char *repository, struct hp_error *err)
{
    DB_RESULT PGresult *row = db_query(look->conn, "look_begin.sql", DB_PARAMS(repository), err);
    if (!row)
        return false;
    if (PQntuples(row) == 0)
        return hp_fail(err, HP_NOT_FOUND, "there is no repository '%s'", repository);
    look->repository = db_get_int(row, 0, 0);
    db_int(look->id, look->repository);
    look->first = db_get_bool(row, 0, 2);
    look->ref = db_text(row, 0, 3) ? strdup(db_text(row, 0, 3)) : NULL;
    look->branches = field_json(row, 4);
    look->watch = field_json(row, 5);
    look->before = field_json(row, 6);
    look->measured = field_json(row, 7);
    look->new_suite = db_get_bool(row, 0, 8);
    look->known = json_array();
    look->queued = json_array();
    const char *ref;
    json_t *sha;
    json_object_foreach (look->before, ref, sha) {
        json_array_append(look->known, sha);
    }
    return true;
}

/* --- queueing
 * -------------------------------------------------------------------------------------- */

static bool is_watched(const struct look *look, const char *branch)
{
    size_t i;
    json_t *name;
    json_array_foreach (look->branches, i, name) {
        if (strcmp(json_string_value(name), branch) == 0)
            return true;
    }
    return json_array_size(look->branches) == 0;
}

static bool queue_commit(struct look *look, const char *sha, int64_t priority, struct hp_error *err)
{
    struct queue_job job = {.repository = look->repository,
                            .kind = "commit",
                            .head = sha,
                            .priority = priority,
                            .once = true};
    int64_t id;
    bool added;
    if (!queue_add(look->conn, &job, &id, &added, err))
        return false;
    if (!added)
        return true;
    DB_RESULT PGresult *row =
        db_query(look->conn, "look_commit.sql", DB_PARAMS(look->id, sha), err);
    if (!row)
        return false;
    json_array_append_new(look->queued, json_pack("{s:I, s:s, s:s}", "job", (json_int_t)id, "sha",
                                                  sha, "subject", db_text(row, 0, 0)));
    return true;
}

static bool queue_line(struct look *look, const json_t *line, int64_t room, struct hp_error *err)
{
    int64_t priority = queue_look_priority();
    size_t i;
    json_t *sha;
    json_array_foreach (line, i, sha) {
        size_t queued = json_array_size(look->queued);
        if (queued >= LOOK_QUEUE_MAX)
            break;
        if ((int64_t)queued >= room) {
            hp_fail(err, HP_LIMIT, "the queue is full");
            return hp_error_hint(err, "The next look tries again; start more runners, or raise "
                                      "--queue-limit or --repository-queue-limit.");
        }
        if (!queue_commit(look, json_string_value(sha), priority, err))
            return false;
    }
    return true;
}

/* What came to the branch since the watched branches were looked at, though other branches may have
 * had it before. Where none was watched, and under a new suite, the present state is measured. */
static bool queue_branch(struct look *look, const struct mirror_tip *tip, int64_t room,
                         struct hp_error *err)
{
    bool fresh = look->first || look->lost || json_array_size(look->measured) == 0;
    HP_JSON json_t *line = history_line(look->mirror, tip->sha, look->measured, look->watch,
                                        fresh ? 1 : LOOK_QUEUE_MAX, err);
    if (!line || !queue_line(look, line, room, err))
        return false;
    if (!look->new_suite || fresh)
        return true;
    HP_JSON json_t *none = json_array();
    HP_JSON json_t *newest = history_line(look->mirror, tip->sha, none, look->watch, 1, err);
    return newest && queue_line(look, newest, room, err);
}

static bool queue_new(struct look *look, const struct mirror_tips *tips, struct hp_error *err)
{
    DB_RESULT PGresult *row = db_query(look->conn, "queue_waiting.sql", DB_PARAMS(look->id), err);
    if (!row)
        return false;
    int64_t room = look->service->queue_limit - db_get_int(row, 0, 0);
    int64_t own = look->service->repository_queue_limit - db_get_int(row, 0, 1);
    room = own < room ? own : room;
    for (size_t i = 0; i < tips->count; i++)
        if (is_watched(look, tips->rows[i].branch) &&
            !queue_branch(look, &tips->rows[i], room, err))
            return false;
    return true;
}

/* --- the look itself
 * ---------------------------------------------------------------------------------- */

static json_t *tips_object(const struct mirror_tips *tips)
{
    json_t *object = json_object();
    for (size_t i = 0; i < tips->count; i++) {
        HP_FREE char *ref = hp_format("refs/heads/%s", tips->rows[i].branch);
        if (!ref || json_object_set_new(object, ref, json_string(tips->rows[i].sha)) != 0)
            hp_log(HP_LOG_WARNING, "branch with a name that is not UTF-8 is left out");
    }
    return object;
}

/* The first watched branch that exists, else the one that HEAD names, else the first. */
static char *default_ref(const struct look *look, const struct mirror_tips *tips)
{
    size_t i;
    json_t *name;
    json_array_foreach (look->branches, i, name) {
        for (size_t t = 0; t < tips->count; t++)
            if (strcmp(tips->rows[t].branch, json_string_value(name)) == 0)
                return hp_format("refs/heads/%s", tips->rows[t].branch);
    }
    HP_FREE char *head = mirror_head(look->mirror);
    for (size_t t = 0; head && t < tips->count; t++)
        if (strcmp(tips->rows[t].branch, head) == 0)
            return hp_format("refs/heads/%s", head);
    return tips->count > 0 ? hp_format("refs/heads/%s", tips->rows[0].branch) : NULL;
}

static bool store_look(struct look *look, const struct mirror_tips *tips, const json_t *now,
                       struct hp_error *err)
{
    HP_FREE char *text = hp_json_text(now);
    HP_JSON json_t *watched = json_array();
    for (size_t i = 0; i < tips->count; i++)
        if (is_watched(look, tips->rows[i].branch))
            json_array_append_new(watched, json_sprintf("refs/heads/%s", tips->rows[i].branch));
    HP_FREE char *watched_text = hp_json_text(watched);
    return look_name_unasked(look->conn, look->mirror, look->id, err) &&
           look_store_unseen(look->conn, look->mirror, look->id, tips, look->known, look->watch,
                             err) &&
           queue_new(look, tips, err) &&
           db_run(look->conn, "look_tips.sql", DB_PARAMS(look->id, text, watched_text), NULL, err);
}

bool look_fetch(struct service *service, const struct mirror *mirror, const char *repository,
                struct hp_error *err)
{
    DB_RESULT PGresult *row =
        db_pool_query(service->db, "repository_find.sql", DB_PARAMS(repository), err);
    if (!row)
        return false;
    if (PQntuples(row) == 0) {
        hp_fail(err, HP_NOT_FOUND, "there is no repository '%s'", repository);
        return hp_error_hint(err, "Apply a suite that names it: hakperf suite apply FILE.");
    }
    return mirror_fetch(mirror, db_text(row, 0, 1), err);
}

/* Another collector may have looked at a later state than this mirror has. What is gone after a
 * fetch was taken back, and the mirror made anew since: then nobody can say what is new. */
static bool catch_up(struct look *look, const char *repository, struct hp_error *err)
{
    bool lacks;
    if (!history_lacks(look->mirror, look->known, &lacks, err))
        return false;
    return !lacks || (look_fetch(look->service, look->mirror, repository, err) &&
                      history_lacks(look->mirror, look->known, &look->lost, err));
}

static bool run_look(struct look *look, const char *repository, int64_t *known,
                     struct hp_error *err)
{
    MIRROR_TIPS struct mirror_tips tips = {0};
    if (!look_begin(look, repository, err) || !catch_up(look, repository, err) ||
        !mirror_tips(look->mirror, &tips, err))
        return false;
    HP_JSON json_t *now = tips_object(&tips);
    HP_FREE char *ref = default_ref(look, &tips);
    bool same_tips = json_equal(now, look->before) && !look->first && !look->new_suite;
    bool same_ref = ref && look->ref && strcmp(ref, look->ref) == 0;
    if (!same_tips && !store_look(look, &tips, now, err))
        return false;
    DB_RESULT PGresult *row = db_query(look->conn, "look_end.sql", DB_PARAMS(look->id, ref), err);
    if (!row)
        return false;
    *known = db_get_int(row, 0, 0);
    return (same_tips && same_ref) ||
           db_run(look->conn, "mainline_refresh.sql", DB_PARAMS(look->id), NULL, err);
}

static bool look_in_transaction(struct look *look, const char *repository, int64_t *known,
                                struct hp_error *err)
{
    DB_CONN struct db_conn *conn = db_acquire(look->service->db, err);
    if (!conn)
        return false;
    db_set_timeout(conn, LOOK_DEADLINE_S);
    look->conn = conn;
    return db_begin(conn, err) && run_look(look, repository, known, err) && db_commit(conn, err);
}

static void note_failure(struct service *service, const char *repository,
                         const struct hp_error *why)
{
    struct hp_error err;
    if (!db_pool_run(service->db, "look_failed.sql", DB_PARAMS(repository, why->message), NULL,
                     &err))
        hp_log_error(HP_LOG_WARNING, "noting a failed look", &err);
}

json_t *look_at(struct service *service, const char *repository, bool fetch, struct hp_error *err)
{
    MIRROR struct mirror mirror = {0};
    if (!mirror_init(&mirror, service->state, repository, err))
        return NULL;
    struct look look = {.service = service, .mirror = &mirror};
    int64_t known = 0;
    bool ok = (!fetch || look_fetch(service, &mirror, repository, err)) &&
              look_in_transaction(&look, repository, &known, err);
    json_t *answer = NULL;
    if (ok) {
        size_t queued = json_array_size(look.queued);
        answer = json_pack("{s:O, s:I}", "queued", look.queued, "known", (json_int_t)known);
        if (queued > 0) {
            hp_log(HP_LOG_INFO, "%s: %zu new commits queued", repository, queued);
            if (service->server)
                server_wake(service->server, (unsigned)queued);
        }
    } else if (err->code != HP_NOT_FOUND) {
        note_failure(service, repository, err);
    }
    look_release(&look);
    return answer;
}

void look_at_all(struct service *service)
{
    struct hp_error err = {0};
    DB_RESULT PGresult *rows = db_pool_query(service->db, "look_list.sql", DB_NO_PARAMS, &err);
    if (!rows)
        hp_log_error(HP_LOG_WARNING, "looking at the repositories", &err);
    for (int i = 0; rows && i < PQntuples(rows); i++) {
        const char *name = db_text(rows, i, 0);
        HP_JSON json_t *answer = look_at(service, name, true, &err);
        if (!answer)
            hp_log_error(HP_LOG_WARNING, name, &err);
    }
}
