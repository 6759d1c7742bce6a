/*
 * Mann and Whitney's rank sum test of two samples, exact where the normal approximation cannot
 * reach small chances: change points are often judged by five new points. The caller owns the
 * workspace; values must be finite.
 */
#ifndef AN_RANKSUM_H
#define AN_RANKSUM_H

#include "analysis/order.h"

#include <stddef.h>

/* Up to so many values in the smaller sample the chance is exact, given the ties. */
#define AN_RANKSUM_EXACT 10
/* The most values in both samples together. */
#define AN_RANKSUM_MOST 128

struct an_ranksum_space {
    struct an_ranked item[AN_RANKSUM_MOST];
    /* ways[k][s]: how many choices of k ranks sum to half of s, up to the mean. */
    double ways[AN_RANKSUM_EXACT + 1][AN_RANKSUM_EXACT * (AN_RANKSUM_MOST + 1) + 1];
};

struct an_ranksum {
    double z; /* positive where the right sample is larger; 0 when all values are equal */
    double p; /* two-sided, at most 1 */
};

/*
 * Compares left[n_left] with right[n_right], each 1 or more, together at most AN_RANKSUM_MOST.
 * z is the normal approximation with the correction for ties. p is twice the chance of a rank sum
 * at least so far on the same side: over all choices of which ranks are the smaller sample's when
 * that has up to AN_RANKSUM_EXACT values, from z otherwise.
 */
struct an_ranksum an_ranksum(const double *left, size_t n_left, const double *right, size_t n_right,
                             struct an_ranksum_space *space);

/* z alone, which is what most comparisons need. */
double an_ranksum_z(const double *left, size_t n_left, const double *right, size_t n_right,
                    struct an_ranksum_space *space);

#endif
