/*
 * Is the newest point of a series out of the ordinary: a prediction interval from the points since
 * the last change point. A point outside is a suspect, no more: a paired re-measurement against its
 * parent decides before anyone is told. Pure functions: the caller owns every array, nothing is
 * kept between calls, any thread may call.
 */
#ifndef AN_SUSPECT_H
#define AN_SUSPECT_H

#include "analysis/median.h"

#include <stdbool.h>
#include <stddef.h>

struct an_prediction {
    double centre;    /* median of the segment */
    double low, high; /* between these the next point is expected ... */
    /* ... or here: a second mode on either side, that the segment was in before. NAN: none. */
    double below_low, below_high, above_low, above_high;
    size_t n; /* points of the segment */
};

/*
 * Where the next point after segment[n] (one epoch, since the last change point, without the point
 * in question) lies with the given confidence, in (0, 1): median +- t s sqrt(1 + pi / 2n). s is
 * 1.4826 MAD n / (n - 0.8), which outliers do not move (Croux and Rousseeuw 1992); t is Student's
 * quantile with 0.37 (n - 1) degrees of freedom, the efficiency of the MAD; pi / 2n is the error of
 * the median. Where more than half of the points are equal, the mean absolute deviation takes the
 * place of the MAD. `least` >= 0 is the smallest half-width, in the unit of the values: what nobody
 * would re-measure. Fewer than 3 points predict nothing: the interval is infinite.
 * Noise has two modes on many machines (a cache that falls this way or that): where at least 3
 * points and a tenth of all lie outside on one side, within a half-width of their own median, that
 * median with the same half-width is a second interval. What stays there is for the change points
 * to tell. False, and *out unwritten, when n is 0, a value is not finite, confidence or least is
 * out of range, or memory ran out.
 */
AN_CHECKED bool an_predict(const double *segment, size_t n, double confidence, double least,
                           struct an_prediction *out);

/* Whether a value lies outside the interval, and outside the second modes. */
bool an_is_suspect(const struct an_prediction *prediction, double value);

#endif
