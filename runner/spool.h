/*
 * Results on disk until the collector has acknowledged them: STATE/spool/RUN.json, written whole or
 * not at all. What the collector refuses for good moves to STATE/spool/refused/ with the reason
 * beside it (RUN.error.json), so that nothing is thrown away and nothing is tried for ever.
 */
#ifndef RN_SPOOL_H
#define RN_SPOOL_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes a result under its run id. */
bool rn_spool_put(const char *state, const json_t *result, struct hp_error *err);

/* The run ids in the spool, oldest first. The caller frees it with rn_spool_free. An unreadable
 * folder is an error, an absent one is empty. */
bool rn_spool_list(const char *state, char ***runs, size_t *count, struct hp_error *err);
void rn_spool_free(char **runs, size_t count);

/* The file of a run; the caller frees it. NULL without memory. */
char *rn_spool_path(const char *state, const char *run);

/* Forgets a run that was acknowledged. */
bool rn_spool_remove(const char *state, const char *run, struct hp_error *err);

/* Sets a run aside with the reason. */
bool rn_spool_refuse(const char *state, const char *run, const struct hp_error *reason,
                     struct hp_error *err);

/* Removes what a crash left half written. */
void rn_spool_clean(const char *state);

#endif
