/*
 * From pairs to an estimate: how much head differs from base, and between which bounds that is
 * known. The test is the signed rank test whose variance is summed over clusters, because pairs
 * that share a code layout are not independent; the interval is the set of shifts the test does
 * not reject; the estimate is Hodges and Lehmann's, which on process times has half the standard
 * error of the mean. Pure functions: the caller owns every array, nothing is kept between calls,
 * any thread may call.
 */
#ifndef AN_ESTIMATE_H
#define AN_ESTIMATE_H

#include "analysis/median.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Standard deviation, as a log ratio, that re-linking alone gives to unchanged code. */
#define AN_LAYOUT_SD 0.0045

/* All but n and z are log ratios ln(head/base): 0 is no change, expm1() gives the fraction. */
struct an_estimate {
    size_t n;        /* pairs used */
    double estimate; /* Hodges-Lehmann */
    double low;      /* <= estimate; -INFINITY when the pairs cannot exclude anything */
    double high;     /* >= estimate; INFINITY likewise */
    double z;        /* signed rank statistic at no change, before any widening */
    /* The effect that such a run would have shown nine times in ten: half-width x (1 + 1.28/c). */
    double detectable;
};

/*
 * The clustered signed rank statistic of value[n] against `shift`:
 *
 *     x_i = value_i - shift,  S_j = sum over cluster j of sign(x_i) rank|x_i|,
 *     z = sum S_j / sqrt(sum S_j^2)
 *
 * with mid-ranks for ties and zeros ranked but given no sign (Pratt). With every cluster of size
 * one this is Wilcoxon's statistic with its exact null variance (Rosner, Glynn and Lee 2006 for
 * the clustered form). 0 when all S_j are 0.
 * cluster[n] holds a label for each value, any numbers; NULL: every value is its own cluster.
 * False, and *z unwritten, when n is 0, a value or shift is not finite, or memory ran out.
 */
AN_CHECKED bool an_signed_rank(const double *value, const uint32_t *cluster, size_t n, double shift,
                               double *z);

/* The median of all (value_i + value_j) / 2 with i <= j. Errors as an_median. */
AN_CHECKED bool an_hodges_lehmann(const double *value, size_t n, double *out);

/*
 * The whole estimate of log_ratio[n] = ln(head/base), one a pair, finite.
 * cluster: the layout number of each pair; NULL (or all different): unclustered.
 * critical: c > 0; [low, high] is the smallest interval that holds every shift with |z| <= c, but a
 * bound nearer to 0 than the rounding of the largest value, and not 0, is that rounding.
 * It is infinite when too few pairs or clusters can never reach |z| > c (at c = 3.70: fewer than
 * 14 clusters, or fewer than 18 unclustered pairs).
 * layout_sd: 0 when layouts were varied; AN_LAYOUT_SD when the build cannot be re-linked. Each side
 * of the interval is then widened by critical x layout_sd, in quadrature.
 * False, and nothing written, when n is 0, a value is not finite, critical is not finite and
 * positive, layout_sd is not finite or is negative, or memory ran out.
 */
AN_CHECKED bool an_estimate_pairs(const double *log_ratio, const uint32_t *cluster, size_t n,
                                  double critical, double layout_sd, struct an_estimate *out);

#endif
