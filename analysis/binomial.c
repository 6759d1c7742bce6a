#include "analysis/binomial.h"

#include <math.h>

/* The chance of exactly k of n, by logarithms: n may be large. */
static double chance_of(double k, double n, double p)
{
    int sign;
    return exp(lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign) +
               k * log(p) + (n - k) * log1p(-p));
}

/* The sum of chances from k outwards, away from the mean, where each term is smaller than the last.
 */
static double sum_up(double k, double n, double p)
{
    double term = chance_of(k, n, p), sum = 0;
    for (; k <= n && term > sum * 1e-18; k++) {
        sum += term;
        term *= (n - k) / (k + 1) * p / (1 - p);
    }
    return sum;
}

static double sum_down(double k, double n, double p)
{
    double term = chance_of(k, n, p), sum = 0;
    for (; k >= 0 && term > sum * 1e-18; k--) {
        sum += term;
        term *= k / (n - k + 1) * (1 - p) / p;
    }
    return sum;
}

double an_binomial_tail(size_t k, size_t n, double p)
{
    double kd = (double)k, nd = (double)n;
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (k == 0 || (p >= 1 && k <= n))
        return 1;
    if (k > n || p <= 0)
        return 0;
    return kd > nd * p ? sum_up(kd, nd, p) : 1 - sum_down(kd - 1, nd, p);
}

double an_binomial_upper(size_t k, size_t n, double confidence)
{
    if (!(confidence > 0 && confidence < 1))
        return NAN;
    if (k >= n)
        return 1;
    double low = 0, high = 1;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        double middle = (low + high) / 2;
        if (an_binomial_tail(k + 1, n, middle) < confidence)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}
