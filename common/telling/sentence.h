/*
 * A comparison in one sentence that a person can act on: what changed, by how much, how sure that
 * is, what else moved with it, whether the changed code ran, and whether a fresh run found it
 * again. The same text serves terminal, page, alert, message and Markdown. Pure: looks at nothing
 * but the COMPARISON (common/wire/README.md) that it is given; any thread.
 */
#ifndef HP_COMMON_TELLING_SENTENCE_H
#define HP_COMMON_TELLING_SENTENCE_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Of a COMPARISON: the workload whose verdict is the run's, of several the one that changed most;
 * borrowed, NULL where none was timed. */
const json_t *sentence_deciding_workload(const json_t *comparison);

/* Adds "sentence" and "basis" (common/telling/basis.h) to a COMPARISON, "sentence" and "cause" to
 * each of its workloads, from what they hold; "against_parent" (true: say "its parent") is read
 * where it is there. False only without memory. */
bool sentence_add(json_t *comparison, struct hp_error *err);

#endif
