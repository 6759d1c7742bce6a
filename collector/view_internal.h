/*
 * What views share among themselves and with ingest: a comparison inside an open transaction.
 */
#ifndef HP_COLLECTOR_VIEW_INTERNAL_H
#define HP_COLLECTOR_VIEW_INTERNAL_H

#include "collector/view.h"

/* COMPARISON of run `run` of repository `repository` (its id), sentences included; the caller owns
 * it. NULL with HP_NOT_FOUND or an error of db.h. */
json_t *view_comparison(struct db_conn *conn, const char *repository, const char *run,
                        struct hp_error *err);

/* COMPARISON of two revisions that no run compared, out of what joins them ("how": "joined"); the
 * caller owns *out, which is NULL where nothing does. False: an error of db.h. */
bool view_joined(struct db_conn *conn, const char *repository, const char *base, const char *head,
                 json_t **out, struct hp_error *err);

/* The id of a repository as a parameter; HP_NOT_FOUND where there is none of that name. */
bool view_repository_id(struct db_conn *conn, const char *name, char id[DB_TEXT],
                        struct hp_error *err);

/* HP_INVALID (path "limit") unless 1 <= limit <= most. */
bool view_check_limit(int limit, int most, struct hp_error *err);

/* HP_NOT_FOUND where repository `id` has no such commit. */
bool view_need_commit(struct db_conn *conn, const char *id, const char *sha, struct hp_error *err);

#endif
