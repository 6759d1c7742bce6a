/*
 * What the runner is doing now: shown as one line on a terminal, and remembered so that the thread
 * that renews the lease can tell the collector. One thread sets, any thread may read.
 */
#ifndef RN_PROGRESS_H
#define RN_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct rn_progress;

/* NULL without memory. */
struct rn_progress *rn_progress_new(void);
void rn_progress_free(struct rn_progress *progress);

/* Sets and shows. `total` 0: unknown. */
void rn_progress_set(struct rn_progress *progress, const char *stage, int64_t done, int64_t total,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* How far the pairs of a workload are. */
struct rn_pairs_progress {
    const char *workload;
    int64_t done, most;
    double left_s;    /* at most so long */
    bool known;       /* whether the interval holds */
    double low, high; /* fractions */
    double estimate, margin;
};

/* The same for pairs: on a terminal with a bar, and the interval drawn as it closes in. */
void rn_progress_pairs(struct rn_progress *progress, const struct rn_pairs_progress *pairs);

#define RN_SCALE 25
/*
 * Draws an interval on a scale of three margins to both sides, RN_SCALE characters wide:
 * "........:...(=|)....:.........", with ":" at the margins, "|" at no change, "=" within the
 * interval and "o" at the estimate; "<" or ">" where it goes beyond. Before it is known, the scale
 * alone.
 */
void rn_scale(const struct rn_pairs_progress *pairs, char out[RN_SCALE + 1]);

/* Nothing is shown any more; the collector is told all the same. */
void rn_progress_mute(struct rn_progress *progress, bool mute);

/* Removes the line from the terminal. */
void rn_progress_hide(void);

/* {"stage", "done", "total", "text"}, owned by the caller; NULL without memory. */
json_t *rn_progress_json(struct rn_progress *progress);

#endif
