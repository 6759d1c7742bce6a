/* Comparisons: of a run, of a commit with its parent, and of two revisions. */
#include "collector/view_internal.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/telling/sentence.h"

#include <string.h>

json_t *view_comparison(struct db_conn *conn, const char *repository, const char *run,
                        struct hp_error *err)
{
    json_t *comparison = NULL;
    if (!db_json(conn, "view_comparison.sql", DB_PARAMS(repository, run), &comparison, err))
        return NULL;
    if (!comparison) {
        hp_fail(err, HP_NOT_FOUND, "there is no run %s", run);
        return NULL;
    }
    if (!sentence_add(comparison, err)) {
        json_decref(comparison);
        return NULL;
    }
    /* What only the sentence needed. */
    json_object_del(comparison, "against_parent");
    json_object_del(comparison, "status");
    json_object_set_new(comparison, "how", json_string("measured"));
    json_object_set_new(comparison, "measure", json_null());
    return comparison;
}

/* The id of a repository as a parameter. */
bool view_repository_id(struct db_conn *conn, const char *name, char id[DB_TEXT],
                        struct hp_error *err)
{
    DB_RESULT PGresult *row = db_query(conn, "view_repository.sql", DB_PARAMS(name), err);
    if (!row)
        return false;
    if (PQntuples(row) > 0) {
        db_int(id, db_get_int(row, 0, 0));
        return true;
    }
    hp_fail(err, HP_NOT_FOUND, "there is no repository %s", name);
    return hp_error_hint(err, "`hakperf suite apply FILE` registers one; `hakperf status` lists "
                              "what is there.");
}

bool view_need_commit(struct db_conn *conn, const char *id, const char *sha, struct hp_error *err)
{
    DB_RESULT PGresult *row = db_query(conn, "view_is_commit.sql", DB_PARAMS(id, sha), err);
    if (!row)
        return false;
    if (PQntuples(row) > 0)
        return true;
    hp_fail(err, HP_NOT_FOUND, "commit %.12s is not known here", sha);
    return hp_error_hint(err, "Push it, or tell the collector to look: `hakperf queue`.");
}

json_t *view_commit(struct db *db, const char *repository, const char *sha, struct hp_error *err)
{
    char id[DB_TEXT];
    HP_JSON json_t *found = NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err) ||
        !view_need_commit(conn, id, sha, err) ||
        !db_json(conn, "view_commit.sql", DB_PARAMS(id, sha), &found, err))
        return NULL;
    const char *run = hp_json_string(found, "run_id", NULL);
    json_t *comparison = json_null();
    if (run && hp_json_bool(found, "compared", false) &&
        !(comparison = view_comparison(conn, id, run, err)))
        return NULL;
    json_object_set_new(found, "comparison", comparison);
    json_t *passes = json_null();
    if (run && !db_json(conn, "view_passes.sql", DB_PARAMS(id, run), &passes, err))
        return NULL;
    json_object_set_new(found, "passes", passes);
    json_object_del(found, "run_id");
    json_object_del(found, "compared");
    return hp_take(found);
}

json_t *view_profile(struct db *db, const char *repository, const char *sha, const char *workload,
                     struct hp_error *err)
{
    char id[DB_TEXT];
    HP_JSON json_t *found = NULL;
    json_t *profile = NULL;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err) ||
        !view_need_commit(conn, id, sha, err) ||
        !db_json(conn, "view_commit.sql", DB_PARAMS(id, sha), &found, err))
        return NULL;
    const char *run = hp_json_string(found, "run_id", NULL);
    if (!run) {
        hp_fail(err, HP_NOT_FOUND, "commit %.12s was not measured", sha);
        hp_error_hint(err, "Measure it with `hakperf queue %.12s`.", sha);
        return NULL;
    }
    return db_json(conn, "view_profile.sql", DB_PARAMS(id, run, workload), &profile, err) ? profile
                                                                                          : NULL;
}

/* Why there is no comparison, and what to do about it. */
static void tell_missing(const PGresult *row, const char *base, const char *head,
                         struct hp_error *err)
{
    const char *state = db_text(row, 0, 2);
    hp_fail(err, HP_NOT_FOUND, "no run compared %.7s with %.7s", head, base);
    if (!state)
        hp_error_hint(err, "Measure them with `hakperf queue --compare %.12s %.12s`.", base, head);
    else if (strcmp(state, "dead") == 0)
        hp_error_hint(err, "Job %s for them was given up; `hakperf status` tells why.",
                      db_text(row, 0, 1));
    else
        hp_error_hint(err, "Job %s for them is %s; ask again when it is done.", db_text(row, 0, 1),
                      state);
}

json_t *view_compare(struct db *db, const char *repository, const char *base, const char *head,
                     struct hp_error *err)
{
    char id[DB_TEXT];
    if (strcmp(base, head) == 0) {
        hp_fail(err, HP_INVALID, "both revisions are %.12s", head);
        hp_error_hint(err, "Name two different commits.");
        hp_error_path(err, "head");
        return NULL;
    }
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn || !view_repository_id(conn, repository, id, err) ||
        !view_need_commit(conn, id, base, err) || !view_need_commit(conn, id, head, err))
        return NULL;
    DB_RESULT PGresult *row = db_query(conn, "view_find.sql", DB_PARAMS(id, base, head), err);
    if (!row)
        return NULL;
    if (db_text(row, 0, 0))
        return view_comparison(conn, id, db_text(row, 0, 0), err);
    json_t *joined;
    if (!view_joined(conn, id, base, head, &joined, err))
        return NULL;
    if (!joined)
        tell_missing(row, base, head, err);
    return joined;
}
