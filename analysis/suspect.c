#include "analysis/suspect.h"

#include "analysis/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A term of Lentz's continued fraction must not be zero. */
static double not_zero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8). */
static double beta_fraction(double x, double a, double b)
{
    double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), result = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / not_zero(1 + even * d);
        c = not_zero(1 + even / c);
        result *= d * c;
        d = 1 / not_zero(1 + odd * d);
        c = not_zero(1 + odd / c);
        result *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return result;
}

/* The regularised incomplete beta function; y is 1 - x, given apart so that it keeps its digits. */
static double incomplete_beta(double x, double y, double a, double b)
{
    int sign;
    if (!(x > 0))
        return 0;
    if (!(y > 0))
        return 1;
    double log_front =
        lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) + b * log(y);
    if (x < (a + 1) / (a + b + 2))
        return exp(log_front) * beta_fraction(x, a, b) / a;
    return 1 - exp(log_front) * beta_fraction(y, b, a) / b;
}

/* The chance that Student's t exceeds `t` >= 0. */
static double student_tail(double t, double freedom)
{
    double square = t * t, sum = freedom + square;
    return incomplete_beta(freedom / sum, square / sum, freedom / 2, 0.5) / 2;
}

double an_student_quantile(double p, double freedom)
{
    if (!(p > 0 && p < 1) || !(freedom > 0) || !isfinite(freedom))
        return NAN;
    double tail = p < 0.5 ? p : 1 - p;
    /* Bisection over all positive doubles: few degrees of freedom have enormous quantiles. */
    int64_t low = 0, high = an_ordinal(1e150);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (student_tail(an_from_ordinal(middle), freedom) > tail)
            low = middle;
        else
            high = middle;
    }
    return p < 0.5 ? -an_from_ordinal(high) : an_from_ordinal(high);
}

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
