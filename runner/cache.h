/*
 * Built artifacts by content: STATE/runner/cache/KEY/ holds entry.json and the artifacts. Entries
 * are made beside their place and renamed, so several runners may share the folder; an entry that
 * is damaged counts as absent. The time of last use of an entry is that of its entry.json.
 */
#ifndef RN_CACHE_H
#define RN_CACHE_H

#include "common/error.h"
#include "common/hash.h"

#include <jansson.h>
#include <stdint.h>

/* Copies the artifacts of an entry to `into` (a folder that exists) and returns its entry.json,
 * owned by the caller. NULL: not there. */
json_t *rn_cache_fetch(const char *state, const char *key, const char *into);

/* Keeps the artifacts that `entry.artifacts` ([{"path", "hash"}]) names below `from`. */
bool rn_cache_store(const char *state, const char *key, const char *from, const json_t *entry,
                    struct hp_error *err);

/* Removes the entries that were not used for longest until at most `limit_mib` remain. */
void rn_cache_trim(const char *state, int64_t limit_mib);

/* Whether a path of a recipe stays below the folder it is meant for. */
bool rn_path_is_safe(const char *path);

/* Copies a file with its mode, making the folders above `to`. */
bool rn_copy_file(const char *from, const char *to, struct hp_error *err);

#endif
