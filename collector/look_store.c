/* Storing the commits that a look found. */
#include "collector/history.h"
#include "collector/look.h"
#include "collector/look_internal.h"
#include "collector/patches.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

enum { BATCH = 200, PATCHES = 2000 };

/* A commit's position is its first parent's and one; parents come first in a batch, and those of
 * earlier batches are in the store. */
static bool set_positions(struct db_conn *conn, const char *id, json_t *commits,
                          struct hp_error *err)
{
    HP_JSON json_t *wanted = json_array();
    size_t i;
    json_t *commit;
    json_array_foreach (commits, i, commit) {
        json_array_append(wanted, json_array_get(json_object_get(commit, "parents"), 0));
    }
    HP_FREE char *text = hp_json_text(wanted);
    HP_JSON json_t *positions = NULL;
    if (!db_json(conn, "look_positions.sql", DB_PARAMS(id, text), &positions, err))
        return false;
    json_array_foreach (commits, i, commit) {
        const char *parent =
            json_string_value(json_array_get(json_object_get(commit, "parents"), 0));
        int64_t position = parent ? hp_json_int(positions, parent, -1) + 1 : 0;
        json_object_set_new(commit, "position", json_integer(position));
        json_object_set(positions, hp_json_string(commit, "sha", ""),
                        json_object_get(commit, "position"));
    }
    return true;
}

/* Without them a revert is still told by its message. False where git failed. */
static bool name_patches(const struct mirror *mirror, json_t *commits)
{
    struct hp_error err = {0};
    if (patches_add(mirror, commits, &err))
        return true;
    hp_log_error(HP_LOG_WARNING, "patch ids", &err);
    return false;
}

bool look_name_unasked(struct db_conn *conn, const struct mirror *mirror, const char *id,
                       struct hp_error *err)
{
    char reach[DB_TEXT], most[DB_TEXT];
    HP_JSON json_t *commits = NULL;
    if (!db_json(conn, "look_unasked.sql",
                 DB_PARAMS(id, db_int(reach, PATCHES), db_int(most, BATCH)), &commits, err))
        return false;
    if (json_array_size(commits) == 0)
        return true;
    /* What fails today fails tomorrow: a difference that is too large is not asked for each minute.
     */
    name_patches(mirror, commits);
    HP_FREE char *text = hp_json_text(commits);
    return db_run(conn, "look_asked.sql", DB_PARAMS(id, text), NULL, err) &&
           db_run(conn, "look_reverts.sql", DB_PARAMS(id, text), NULL, err);
}

bool look_store_unseen(struct db_conn *conn, const struct mirror *mirror, const char *id,
                       const struct mirror_tips *tips, const json_t *known, const json_t *watch,
                       struct hp_error *err)
{
    HP_JSON json_t *unseen = history_unseen(mirror, tips, known, err);
    if (!unseen)
        return false;
    size_t all = json_array_size(unseen);
    for (size_t at = 0; at < all; at += BATCH) {
        size_t count = all - at < BATCH ? all - at : BATCH;
        HP_JSON json_t *commits = history_read(mirror, unseen, at, count, watch, err);
        if (!commits || !set_positions(conn, id, commits, err))
            return false;
        /* Old history that nobody measures need not name its changes. */
        bool asked = all - at <= PATCHES && name_patches(mirror, commits);
        HP_FREE char *text = hp_json_text(commits);
        if (!db_run(conn, "look_commits.sql", DB_PARAMS(id, text, asked ? "true" : "false"), NULL,
                    err) ||
            !db_run(conn, "look_reverts.sql", DB_PARAMS(id, text), NULL, err))
            return false;
    }
    return true;
}

bool look_store_commit(struct db_conn *conn, const struct mirror *mirror, int64_t repository,
                       const char *sha, const json_t *watch, struct hp_error *err)
{
    char id[DB_TEXT];
    db_int(id, repository);
    DB_RESULT PGresult *row = db_query(conn, "look_commit.sql", DB_PARAMS(id, sha), err);
    if (!row)
        return false;
    if (PQntuples(row) > 0)
        return true;
    HP_JSON json_t *known = NULL;
    if (!db_json(conn, "look_known.sql", DB_PARAMS(id), &known, err))
        return false;
    struct mirror_tip tip = {0};
    snprintf(tip.sha, sizeof tip.sha, "%s", sha);
    struct mirror_tips tips = {&tip, 1};
    return look_store_unseen(conn, mirror, id, &tips, known, watch, err);
}
