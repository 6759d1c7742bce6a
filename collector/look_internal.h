/* What the two files of a look share. */
#ifndef HP_COLLECTOR_LOOK_INTERNAL_H
#define HP_COLLECTOR_LOOK_INTERNAL_H

#include "collector/mirror.h"

#include "collector/db.h"

/* Stores what `tips` reach and `known` (names) do not, in repository `id`, on a connection with an
 * open transaction; `watch` as in history_read. */
bool look_store_unseen(struct db_conn *conn, const struct mirror *mirror, const char *id,
                       const struct mirror_tips *tips, const json_t *known, const json_t *watch,
                       struct hp_error *err);

/* Asks for the patch ids of some commits of the last history that were never asked for them: stored
 * by an older version, or while git failed. Originals before what takes them back; some at a time.
 */
bool look_name_unasked(struct db_conn *conn, const struct mirror *mirror, const char *id,
                       struct hp_error *err);

#endif
