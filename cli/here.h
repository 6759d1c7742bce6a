/*
 * `hakperf compare --here`: two revisions of the current checkout measured on the spot by
 * `hakperf-runner measure`, without collector or database. The answer has the shape of the
 * collector's COMPARISON. One thread.
 */
#ifndef HP_CLI_HERE_H
#define HP_CLI_HERE_H

#include "common/options.h"

#include <jansson.h>

/* Whether an option was given that only --here understands, without it: HP_USAGE. */
bool cli_here_usage(const struct hp_values *values, struct hp_error *err);

/*
 * Measures and compares hp_arg 0 and 1; a relevant regression is measured once more. COMPARISON,
 * owned by the caller. NULL with err where there is none: no checkout, no suite, interrupted, or
 * the runner failed, which has then said why on stderr (err->message empty).
 */
json_t *cli_here_compare(const struct hp_values *values, struct hp_error *err);

#endif
