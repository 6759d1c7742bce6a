/*
 * Which way two revisions were compared, in words: side by side, through the reference that both
 * runs share, or along their parents. One text for terminal, page and Markdown. Pure; any thread.
 */
#ifndef HP_COMMON_TELLING_BASIS_H
#define HP_COMMON_TELLING_BASIS_H

#include <jansson.h>
#include <stdbool.h>

/* Adds "basis" to a COMPARISON from its "how", its verdict and its workloads: "side by side, 64 to
 * 512 pairs", "not side by side: through the reference of both runs", "not side by side: added up
 * over 4 commits"; null where nothing was compared. False only without memory. */
bool basis_add(json_t *comparison);

#endif
