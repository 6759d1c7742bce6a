/*
 * The wire documents: the versioned JSON documents that the three programs exchange, each
 * described by common/wire/NAME.schema.json, which every program carries inside itself.
 */
#ifndef HP_COMMON_WIRE_H
#define HP_COMMON_WIRE_H

#include "common/embedded.h"
#include "common/error.h"

#define HP_WIRE_SUITE "suite-v1.schema.json"
#define HP_WIRE_JOB "job-v1.schema.json"
#define HP_WIRE_RESULT "result-v1.schema.json"
#define HP_WIRE_ERROR "error-v1.schema.json"

/* Largest documents that are read, in bytes. */
#define HP_WIRE_SUITE_LIMIT (1 << 20)
#define HP_WIRE_JOB_LIMIT (2 << 20)
#define HP_WIRE_RESULT_LIMIT (64 << 20)

extern const struct hp_embedded wire_data[];

/* Checks a parsed document against the schema of that name. HP_INVALID with the path. */
bool hp_wire_check(const char *schema, const json_t *document, struct hp_error *err);

/* Appends an error body for each mistake; see hp_schema_check_all. */
bool hp_wire_check_all(const char *schema, const json_t *document, json_t *mistakes,
                       struct hp_error *err);

/* Parses and checks; the caller owns the result. */
json_t *hp_wire_parse(const char *schema, const char *text, size_t size, struct hp_error *err);

/* Identity of a suite: hash of its canonical JSON. */
bool hp_suite_hash(const json_t *suite, char out[65], struct hp_error *err);

/* Identity of one workload of a suite: hash of all that is executed (its program, arguments,
 * environment, seeds, threads, iterations, the recipes and the preload), without what only judges
 * (margin, max_pairs, budget, metric, timeout) or is built beside (coverage, canary). Two suites
 * that execute the same share the series. */
bool hp_workload_hash(const json_t *suite, const json_t *workload, char out[65],
                      struct hp_error *err);

#endif
