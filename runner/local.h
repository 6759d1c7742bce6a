/*
 * What a run without collector measures: a local repository (or one that git can clone) and a suite
 * or job document become a job and its sources. Everything that only the caller may read is read
 * here, before a run gives up rights. One thread.
 */
#ifndef RN_LOCAL_H
#define RN_LOCAL_H

#include "common/options.h"
#include "runner/source.h"

#include <jansson.h>

struct rn_local {
    const struct hp_values *values; /* of the verb `measure`, borrowed */
    char *repository;               /* a folder; below `clone` if it was cloned */
    char *named;                    /* what it was called: an absolute path, or a URL */
    char *clone;                    /* temporary folder, or NULL */
    char *driver; /* the driver's repository, a folder, where it is another one; else NULL */
    json_t *job;
    struct rn_sources sources;
};

/* Fills all but `values`, which the caller has set; nameless files are made in `folder`.
 * rn_local_clear is due in any case. */
bool rn_local_open(struct rn_local *local, const char *folder, struct hp_error *err);
void rn_local_clear(struct rn_local *local);

#endif
