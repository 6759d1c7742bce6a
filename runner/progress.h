/*
 * What the runner is doing now: shown as one line on a terminal, and remembered so that the thread
 * that renews the lease can tell the collector. One thread sets, any thread may read.
 */
#ifndef RN_PROGRESS_H
#define RN_PROGRESS_H

#include <jansson.h>
#include <stdint.h>

struct rn_progress;

/* NULL without memory. */
struct rn_progress *rn_progress_new(void);
void rn_progress_free(struct rn_progress *progress);

/* Sets and shows. `total` 0: unknown. */
void rn_progress_set(struct rn_progress *progress, const char *stage, int64_t done, int64_t total,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Removes the line from the terminal. */
void rn_progress_hide(void);

/* {"stage", "done", "total", "text"}, owned by the caller; NULL without memory. */
json_t *rn_progress_json(struct rn_progress *progress);

#endif
