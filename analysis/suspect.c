#include "analysis/suspect.h"

#include "analysis/order.h"
#include "analysis/student.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The standard deviation of a normal distribution with this spread; reorders the array. */
static double robust_deviation(double *value, size_t n, double centre)
{
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        value[i] = fabs(value[i] - centre);
        mean += value[i] / (double)n;
    }
    double mad = an_median_in_place(value, n);
    double s = mad > 0 ? 1.482602218505602 * mad : sqrt(M_PI / 2) * mean;
    return s * (double)n / ((double)n - 0.8);
}

/* The points of segment[n] on the far side of `bound`: whether they are a mode of their own. */
static bool second_mode(const double *segment, size_t n, double bound, bool above, double half,
                        double *work, double *low, double *high)
{
    size_t out = 0, near = 0;
    for (size_t i = 0; i < n; i++)
        if (above ? segment[i] > bound : segment[i] < bound)
            work[out++] = segment[i];
    if (out < 3)
        return false;
    double centre = an_median_in_place(work, out);
    for (size_t i = 0; i < out; i++)
        near += fabs(work[i] - centre) <= half;
    if (near < 3 || 10 * near < n)
        return false;
    *low = centre - half;
    *high = centre + half;
    return true;
}

bool an_predict(const double *segment, size_t n, double confidence, double least,
                struct an_prediction *out)
{
    if (n == 0 || !an_all_finite(segment, n) || !(confidence > 0 && confidence < 1) ||
        !(least >= 0 && isfinite(least)))
        return false;
    double *work = calloc(n, sizeof *work);
    if (!work)
        return false;
    memcpy(work, segment, n * sizeof *work);
    double nd = (double)n, centre = an_median_in_place(work, n), half = INFINITY;
    if (n >= 3) {
        double t = an_student_quantile((1 + confidence) / 2, 0.37 * (nd - 1));
        half = t * robust_deviation(work, n, centre) * sqrt(1 + M_PI / (2 * nd));
    }
    half = fmax(half, least);
    *out = (struct an_prediction){.centre = centre,
                                  .low = centre - half,
                                  .high = centre + half,
                                  .below_low = NAN,
                                  .below_high = NAN,
                                  .above_low = NAN,
                                  .above_high = NAN,
                                  .n = n};
    second_mode(segment, n, out->low, false, half, work, &out->below_low, &out->below_high);
    second_mode(segment, n, out->high, true, half, work, &out->above_low, &out->above_high);
    free(work);
    return true;
}

bool an_is_suspect(const struct an_prediction *prediction, double value)
{
    const struct an_prediction *p = prediction;
    if (value >= p->low && value <= p->high)
        return false;
    return !(value >= p->below_low && value <= p->below_high) &&
           !(value >= p->above_low && value <= p->above_high);
}
