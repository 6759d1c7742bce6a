#include "analysis/median.h"

#include "analysis/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *finite_copy(const double *value, size_t n)
{
    if (n == 0 || !an_all_finite(value, n))
        return NULL;
    double *copy = calloc(n, sizeof *copy);
    if (copy)
        memcpy(copy, value, n * sizeof *copy);
    return copy;
}

bool an_median(const double *value, size_t n, double *out)
{
    double *copy = finite_copy(value, n);
    if (!copy)
        return false;
    *out = an_median_in_place(copy, n);
    free(copy);
    return true;
}

/* ln of the chance of k heads in n tosses; lgamma_r because lgamma writes a global. */
static double log_binomial_half(size_t n, size_t k)
{
    int sign;
    double nd = (double)n, kd = (double)k;
    return lgamma_r(nd + 1, &sign) - lgamma_r(kd + 1, &sign) - lgamma_r(nd - kd + 1, &sign) -
           nd * 0.69314718055994530942;
}

/* The largest k with P(Binomial(n, 1/2) < k) <= tail; 0 when there is none above it. */
static size_t binomial_rank(size_t n, double tail)
{
    /* Forty standard deviations below the middle nothing is left to add up. */
    double reach = 20 * sqrt((double)n);
    double start = (double)n / 2 - reach;
    size_t k = start > 0 ? (size_t)start : 0;
    for (double below = 0; k <= n / 2; k++) {
        below += exp(log_binomial_half(n, k));
        /* Rounding must not decide where the chance is exactly the tail, as at n = 2, 0.5. */
        if (below > tail * (1 + 1e-9))
            break;
    }
    return k;
}

bool an_median_interval(const double *value, size_t n, double confidence, double *low, double *high)
{
    if (!(confidence > 0 && confidence < 1))
        return false;
    double *copy = finite_copy(value, n);
    if (!copy)
        return false;
    size_t k = binomial_rank(n, (1 - confidence) / 2);
    *low = k > 0 ? an_select(copy, n, k - 1) : -INFINITY;
    *high = k > 0 ? an_select(copy, n, n - k) : INFINITY;
    free(copy);
    return true;
}
