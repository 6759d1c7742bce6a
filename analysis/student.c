#include "analysis/student.h"

#include "analysis/order.h"

#include <math.h>
#include <stdint.h>

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

double an_student_tail(double t, double freedom)
{
    if (!(t >= 0) || !(freedom > 0) || !isfinite(freedom))
        return NAN;
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
        if (an_student_tail(an_from_ordinal(middle), freedom) > tail)
            low = middle;
        else
            high = middle;
    }
    return p < 0.5 ? -an_from_ordinal(high) : an_from_ordinal(high);
}
