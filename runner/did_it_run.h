/*
 * Did it run: builds the head with coverage, executes every workload once with that library, and
 * holds what was executed against the difference of base and head. Both happen in the sandbox; what
 * was executed is kept in the build cache, since it depends on the head alone.
 */
#ifndef RN_DID_IT_RUN_H
#define RN_DID_IT_RUN_H

#include "runner/execute.h"
#include "runner/source.h"

/* What is asked for, borrowed. */
struct rn_covered {
    const struct rn_room *room;
    const json_t *suite;
    struct rn_limits limits;
    const struct rn_sources *sources;
    const char *toolchain;
    const char *driver_hash;
    const json_t *results; /* the workloads' objects of the result document */
    double budget_s;       /* for all of it; builds that take longer are ended */
};

/*
 * Adds "coverage" to every object of `results`, and *coverage of the whole run, owned by the
 * caller; where nothing can be known they say why. False only if the run was cancelled or this
 * machine failed.
 */
bool rn_did_it_run(const struct rn_covered *asked, json_t **coverage, struct hp_error *err);

#endif
