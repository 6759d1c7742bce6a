/*
 * Is a run to be believed, and which of many side results are: checks that void a run, and the
 * correction for looking at many metrics at once. Pure functions: the caller owns every array,
 * nothing is kept between calls, any thread may call.
 */
#ifndef AN_CHECKS_H
#define AN_CHECKS_H

#include "analysis/median.h"

#include <stdbool.h>
#include <stddef.h>

/* A run whose check is less likely than this is void and is repeated once. */
#define AN_CHECK_P 1e-4

struct an_check {
    double z;    /* standard normal when nothing is wrong */
    double p;    /* two-sided chance of such a z */
    bool passed; /* p >= AN_CHECK_P */
};

/*
 * Whether the effect changed while the run went on (one arm warmed up, throttled, was disturbed):
 * Spearman's rank correlation of log_ratio[n] with its order, z = rho sqrt(n - 1). Passes with
 * z = 0 for n < 3 or a constant series. False, and *out unwritten, when n is 0, a value is not
 * finite, or memory ran out.
 */
AN_CHECKED bool an_drift_check(const double *log_ratio, size_t n, struct an_check *out);

/*
 * Whether it mattered which arm of a pair ran first: Mann and Whitney's rank sum of the pairs in
 * which head was first against the others, normal approximation with the correction for ties.
 * Passes with z = 0 when either group is empty or all values are equal. Errors as an_drift_check.
 */
AN_CHECKED bool an_order_check(const double *log_ratio, const bool *head_first, size_t n,
                               struct an_check *out);

/*
 * Benjamini and Hochberg's adjusted p-values: showing every metric with adjusted[i] <= q keeps the
 * expected share of false ones at q. adjusted may be p itself. False, and nothing written, when n
 * is 0, a p is not within [0, 1], or memory ran out.
 */
AN_CHECKED bool an_benjamini_hochberg(const double *p, size_t n, double *adjusted);

#endif
