/*
 * The worker threads that answer requests: a fixed number, fed from a queue a kind in the order of
 * arrival. Plain work goes first, and may hold all threads. Slow work (git) may hold only some, so
 * that a repository which does not answer leaves room for everything else; heavy work (results)
 * only as many as there is machine for: more at a time would not be done sooner, and whoever asks
 * for little would wait behind all of it.
 */
#ifndef HP_COLLECTOR_WORK_H
#define HP_COLLECTOR_WORK_H

#include "common/error.h"

#include <stdbool.h>

struct work_pool;

enum work_kind { WORK_PLAIN, WORK_HEAVY, WORK_SLOW, WORK_KINDS };

/* One piece of work; lies inside what it works on, which must outlive the call of `run`. */
struct work {
    struct work *next;
    void (*run)(struct work *work);
    enum work_kind kind;
};

/* Starts `threads` workers, of which at most `heavy` and `slow` do such work at a time, and one
 * less than all of them both together, where there are two at least. */
struct work_pool *work_start(int threads, int heavy, int slow, struct hp_error *err);

/* Any thread; never waits. */
void work_add(struct work_pool *pool, struct work *work);

/* Ends the workers when the queues are empty, then frees the pool. NULL is fine. */
void work_stop(struct work_pool *pool);

/* How many workers are busy, and how many pieces wait. */
void work_counts(struct work_pool *pool, int *busy, int *waiting);

#endif
