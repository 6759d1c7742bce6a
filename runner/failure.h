/*
 * How a run or a workload failed, as the result document tells it: the stage, whose fault it is,
 * one line for people and the end of what the program printed. A failure of the measured code is a
 * finding, not an error: it is stored and shown. The caller owns the JSON.
 */
#ifndef RN_FAILURE_H
#define RN_FAILURE_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/* Of a program's output, the last so many bytes are kept in a result. */
#define RN_LOG_LIMIT 65536

/* `arm` NULL: nobody's; `log` NULL: none. The message is cut to one line. NULL without memory. */
json_t *rn_failure(const char *stage, const char *arm, const char *message, const json_t *log);

/* A failure from an error of ours: stage "runner" or as given, with the hint behind the message. */
json_t *rn_failure_of(const char *stage, const char *arm, const struct hp_error *err);

/* The last RN_LOG_LIMIT bytes as a JSON string; null where there is nothing. */
json_t *rn_log_tail(const char *text, size_t size);

/* The line that tells most about why a build failed: the first that says "error:", else the first
 * that says "error", else the last one; "" for an empty log. */
void rn_telling_line(const char *log, size_t size, char *out, size_t room);

#endif
