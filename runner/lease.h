/*
 * A thread that tells the collector, every third of the lease, what the runner is doing, and so
 * keeps the job its own. It has a client of its own. When the collector says that the job is
 * another's by now, it sets `lost` and stops everything through `cancel`.
 */
#ifndef RN_LEASE_H
#define RN_LEASE_H

#include "common/error.h"
#include "runner/progress.h"

#include <stdbool.h>
#include <stdint.h>

struct rn_lease;

/* Begins to renew. `server` and `token` as in hp_http_new, borrowed, like progress and cancel,
 * until rn_lease_end. `cpu`: the thread keeps off it; -1: wherever. NULL with err. */
struct rn_lease *rn_lease_begin(const char *server, const char *token, const json_t *job,
                                struct rn_progress *progress, int cpu, volatile int *cancel,
                                struct hp_error *err);

/* Ends the thread and frees it. True if the lease was lost. NULL: false. */
bool rn_lease_end(struct rn_lease *lease);

#endif
