/*
 * What a commit changed, as a name: git's patch id, which stays the same when a change is rebased
 * or cherry-picked. The id of the inverse change tells reverts: a commit reverts the one whose
 * patch id is its inverse. Merges and roots have none.
 */
#ifndef HP_COLLECTOR_PATCHES_H
#define HP_COLLECTOR_PATCHES_H

#include "collector/mirror.h"

/* Adds "patch_id" and "inverse_id" to those of `commits` (as history_read gives them) that have a
 * patch id. A batch whose differences are larger than 256 MiB gets none: HP_LIMIT. */
bool patches_add(const struct mirror *mirror, json_t *commits, struct hp_error *err);

#endif
