/*
 * From a series to its change points: where the level stepped and stayed. Candidates come from
 * e-divisive splitting (Matteson and James 2014) of overlapping windows, on ranks so that outliers
 * weigh little. A candidate is kept only where all of these agree: a local rank test, made stricter
 * where neighbouring points resemble each other; the step in units of the local noise; the step
 * itself; enough points on both levels; a fit clearly better than that of a straight line, for a
 * drift is not a step; and levels that the series does not visit time and again, for those are
 * modes of its noise. Where neighbours resemble each other, the size of a step may tell it as well
 * as its ranks. Where the far points spoil it, the nearest 24 a side may tell a step
 * alone, at a much smaller chance. The noise is always that around the point itself, so that a
 * large step does not hide the next one. Pure functions: the caller owns every array, nothing is
 * kept between calls, any thread may call.
 */
#ifndef AN_CHANGEPOINTS_H
#define AN_CHANGEPOINTS_H

#include "analysis/median.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most points a side that params.reach may ask for. */
#define AN_CP_REACH_MOST 60
/* How many points an appended one may still move change points in. */
#define AN_CP_SETTLED 192

struct an_cp_params {
    size_t min_segment; /* points a level needs, from 2; fewer are outliers */
    size_t reach;       /* points a side that judge a step, min_segment to AN_CP_REACH_MOST */
    double p;           /* largest chance of the rank test, in (0, 1) */
    double mads;        /* smallest step in local median absolute deviations, >= 0 */
    double step;        /* smallest step, >= 0: a fraction of the level, or a log ratio */
    bool relative;      /* true: raw values, steps in fractions; false: log ratios */
};

struct an_changepoint {
    size_t index;  /* the first point of the new level */
    double before; /* median of the up to `reach` points before, not beyond the last change point;
                      of up to 24 where these alone told it */
    double after;  /* median of the up to `reach` points from index on, likewise */
    double change; /* after / before - 1 as a fraction; NAN where relative and before is 0 */
    double p;      /* of the rank test, corrected for autocorrelation */
};

/* The standard parameters, for raw values (relative) or log ratios. */
struct an_cp_params an_cp_standard(bool relative);

/*
 * The change points of value[n] in ascending order: the first min(cap, *found) into out, their
 * number into *found. epoch[n] (NULL: one epoch) names the epoch of each point: the series is split
 * where it changes, each part is judged alone, and the seam itself is never a change point.
 * n may be 0 or 1: there are none. Time grows as n (10,000 points: about 10 ms).
 * False, and nothing written, when a value is not finite, a parameter is out of range, or memory
 * ran out. out may be NULL when cap is 0.
 */
AN_CHECKED bool an_changepoints(const double *value, const uint32_t *epoch, size_t n,
                                const struct an_cp_params *params, struct an_changepoint *out,
                                size_t cap, size_t *found);

/*
 * The same after points were appended, without looking at the whole series again: known[n_known]
 * are all change points of the first n_before points. Those before the last AN_CP_SETTLED points
 * stand as they are; the rest is found anew from the end of the series. More than AN_CP_SETTLED / 4
 * points at once, or n_before 0, are answered by an_changepoints. out must not overlap known.
 * Errors as there, and when n_before > n or known does not ascend below n_before.
 */
AN_CHECKED bool an_changepoints_append(const double *value, const uint32_t *epoch, size_t n,
                                       size_t n_before, const struct an_changepoint *known,
                                       size_t n_known, const struct an_cp_params *params,
                                       struct an_changepoint *out, size_t cap, size_t *found);

#endif
