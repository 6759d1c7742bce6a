/*
 * Is there a step at this place: the tests that a candidate of e-divisive splitting must pass, and
 * its best location. Used by an_changepoints alone. The caller owns the workspace.
 */
#ifndef AN_STEP_H
#define AN_STEP_H

#include "analysis/changepoints.h"
#include "analysis/ranksum.h"

#include <stdbool.h>
#include <stddef.h>

struct an_step_space {
    struct an_ranksum_space ranksum;
    double work[2 * AN_CP_REACH_MOST];
};

struct an_step {
    size_t index;         /* the first point of the new level */
    double before, after; /* medians of up to `reach` points a side */
    double strength;      /* |z| of the rank test, corrected for autocorrelation */
    double p;             /* its exact chance, corrected likewise; only where kept */
    bool kept;            /* every test agrees that this is a change point */
};

/*
 * Judges a step at `at` of value[n] between the neighbouring change points (or ends) from and to,
 * each at least params->min_segment away: value[from .. at) against value[at .. to), up to
 * params->reach a side. The step is first moved to where the two levels fit best. Points beyond the
 * neighbours tell only whether both levels are modes of the noise.
 */
struct an_step an_step_judge(const double *value, size_t n, size_t from, size_t at, size_t to,
                             const struct an_cp_params *params, struct an_step_space *space);

#endif
