/*
 * The median of a sample and an interval for it that assumes no distribution: what a series point
 * and every "n, median, interval" of the store are made of. Pure functions: the caller owns every
 * array, nothing is kept between calls, any thread may call.
 */
#ifndef AN_MEDIAN_H
#define AN_MEDIAN_H

#include <stdbool.h>
#include <stddef.h>

/* A result that must be looked at: the outputs are unwritten when it is false. */
#define AN_CHECKED __attribute__((warn_unused_result))

/*
 * The middle value of value[n], or the mean of the two middle ones. The array is left as it is.
 * False, and *out unwritten, when n is 0, a value is not finite, or memory ran out.
 */
AN_CHECKED bool an_median(const double *value, size_t n, double *out);

/*
 * The order statistics x(k) and x(n+1-k) with the largest k for which the chance of missing the
 * median, 2 P(Binomial(n, 1/2) < k), is at most 1 - confidence; exact for any continuous
 * distribution of independent values, conservative with ties. When n is too small for that
 * confidence (n < 6 at 0.95), *low is -INFINITY and *high is INFINITY.
 * confidence lies strictly between 0 and 1. False, and nothing written, as for an_median.
 */
AN_CHECKED bool an_median_interval(const double *value, size_t n, double confidence, double *low,
                                   double *high);

#endif
