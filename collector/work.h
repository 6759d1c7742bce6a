/*
 * The worker threads that answer requests: a fixed number, fed from two queues in the order of
 * arrival. Slow work (git) may hold only some of the threads, so that a repository which does not
 * answer leaves room for everything else.
 */
#ifndef HP_COLLECTOR_WORK_H
#define HP_COLLECTOR_WORK_H

#include "common/error.h"

#include <stdbool.h>

struct work_pool;

/* One piece of work; lies inside what it works on, which must outlive the call of `run`. */
struct work {
    struct work *next;
    void (*run)(struct work *work);
    bool slow;
};

/* Starts `threads` workers, of which at most `slow` do slow work at a time. */
struct work_pool *work_start(int threads, int slow, struct hp_error *err);

/* Any thread; never waits. */
void work_add(struct work_pool *pool, struct work *work);

/* Ends the workers when the queues are empty, then frees the pool. NULL is fine. */
void work_stop(struct work_pool *pool);

/* How many workers are busy, and how many pieces wait. */
void work_counts(struct work_pool *pool, int *busy, int *waiting);

#endif
