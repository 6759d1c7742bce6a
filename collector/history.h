/*
 * Reading a mirror's commits: which are new, what each is, and which of them are to be measured.
 * All order is topological, parents first, so that what is stored can count on what is below it.
 *
 * Results are JSON arrays, the form in which they go to the database in one statement.
 */
#ifndef HP_COLLECTOR_HISTORY_H
#define HP_COLLECTOR_HISTORY_H

#include "collector/mirror.h"

/* Most paths that are kept of one commit. */
#define HISTORY_PATHS 1000

/* Commits that a branch's tip reaches and no commit of `known` (JSON array of names; those that
 * the mirror does not have are passed over): names, parents first. The caller owns the result. */
json_t *history_unseen(const struct mirror *mirror, const struct mirror_tips *tips,
                       const json_t *known, struct hp_error *err);

/* Whether the mirror lacks one of the commits named (JSON array). */
bool history_lacks(const struct mirror *mirror, const json_t *shas, bool *lacks,
                   struct hp_error *err);

/* What `count` commits of that array, from `first` on, are, in that order:
 *   {"sha", "parents": [sha…], "author", "email", "subject", "time": seconds, "paths": [path…],
 *    "watched": bool, "says": sha}
 * `paths` are those that differ from the first parent (all of a root commit's), at most
 * HISTORY_PATHS; `watched` says whether one of all of them lies in `watch` (JSON array; empty:
 * always true); `says`, which may be missing, is the commit that the message says is reverted. Text
 * that is not UTF-8 is made so. The caller owns the result. */
json_t *history_read(const struct mirror *mirror, const json_t *shas, size_t first, size_t count,
                     const json_t *watch, struct hp_error *err);

/* The newest `max` commits of the first-parent line of `tip` that no commit of `known` reaches and
 * that touch a path of `watch` (JSON array; folders end with a slash; empty: any path), newest
 * first. The caller owns the result. */
json_t *history_line(const struct mirror *mirror, const char *tip, const json_t *known,
                     const json_t *watch, int max, struct hp_error *err);

#endif
