/*
 * Reads what `perf stat -j` writes: one JSON object a line, in the dialects of perf 5.x to 6.x:
 * numbers as strings or as numbers, with a decimal point or a comma, `<not supported>` and
 * `<not counted>`, event names with or without the modifier that perf adds, comment lines, lines
 * cut off in the middle. What cannot be read is missing with a reason, never 0.
 */
#ifndef RN_PERF_STAT_H
#define RN_PERF_STAT_H

#include <jansson.h>
#include <stddef.h>

/* The events that are asked for, for -e; the list ends with NULL. */
extern const char *const rn_perf_events[];

/*
 * One measurement {"arm", "metric": "perf:EVENT", "value", "n", "missing"} for each event, appended
 * to `measurements`. `text` is the whole output of perf. A counter that ran only part of the time
 * is already scaled by perf; under half of the time it counts as missing.
 */
void rn_perf_read(const char *text, size_t size, const char *arm, json_t *measurements);

/* The same rows, all missing for one reason (at most 256 bytes). */
void rn_perf_missing(const char *arm, const char *reason, json_t *measurements);

#endif
