/*
 * What explains a verdict and never delays it: once every workload has been decided, the untimed
 * passes run, the most telling first, until their time is up. What there was no time or no tool for
 * is missing with its reason.
 */
#ifndef RN_EXPLAIN_H
#define RN_EXPLAIN_H

#include "runner/cpus.h"
#include "runner/execute.h"
#include "runner/source.h"

/* What is to be explained, borrowed. */
struct rn_explained {
    const struct rn_room *room;
    const json_t *suite;
    struct rn_limits limits;
    const struct rn_sources *sources;
    const char *toolchain, *driver_hash;
    bool has_base;
    bool pairs_only; /* no passes: the pairs answer what was asked */
    const struct rn_cpus *cpus;
    json_t *workloads; /* objects of the result document, added to */
    json_t *warnings;  /* added to */
};

/*
 * Adds measurements, configuration, profiles, rss and coverage to the workloads that were measured;
 * *coverage is that of the run, owned by the caller. False only if the run was cancelled or this
 * machine failed.
 */
bool rn_explain(const struct rn_explained *asked, json_t **coverage, struct hp_error *err);

#endif
