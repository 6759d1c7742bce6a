/*
 * What two arms differ in beside their time, out of a workload of a result document, in the shapes
 * of COMPARISON. Pure; every answer is owned by the caller.
 */
#ifndef HP_CLI_HERE_DIFFERENCES_H
#define HP_CLI_HERE_DIFFERENCES_H

#include <jansson.h>

/* Measurements named PREFIXname whose values differ: [{"name", "base", "head"}]. */
json_t *here_differing(const json_t *workload, const char *prefix);

/* Options whose effective values differ. */
json_t *here_configuration(const json_t *workload);

/* The functions whose share of the profile moved by two points, the largest move first. */
json_t *here_profile(const json_t *workload);

/* A result's coverage in numbers; null where there is none. */
json_t *here_coverage(const json_t *found);

#endif
