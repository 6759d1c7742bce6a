/*
 * Did it run: what of a diff was executed. The pure part: a diff (diff.h) and what gcov counted
 * (gcov.h) become the `coverage` of a result document.
 */
#ifndef RN_COVERAGE_H
#define RN_COVERAGE_H

#include "runner/diff.h"

#include <jansson.h>

/* The coverage of one workload; the caller owns it, NULL without memory. `files` as rn_gcov_read
 * makes them. */
json_t *rn_coverage_of(const struct rn_diff *diff, const json_t *files);

/* The same where nothing is known, and why (cut to what the wire allows). */
json_t *rn_coverage_missing(const char *reason);

/* Adds the counts of one workload to those of another, so that rn_coverage_of tells of any. */
void rn_coverage_add(json_t *sum, const json_t *files);

/* "2 of 3 changed functions ran", "none of the 3 changed functions ran in any workload", …: one
 * line for people about the coverage of a run. The caller frees it; NULL without memory. */
char *rn_coverage_sentence(const json_t *coverage);

#endif
