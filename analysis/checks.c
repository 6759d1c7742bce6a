#include "analysis/checks.h"

#include "analysis/order.h"

#include <math.h>
#include <stdlib.h>

static struct an_check check_of(double z)
{
    double p = an_two_sided_p(z);
    return (struct an_check){.z = z, .p = p, .passed = p >= AN_CHECK_P};
}

/* The values ranked, each with its place in the run; NULL as the checks return false. */
static struct an_ranked *ranked_copy(const double *value, size_t n, double *ties)
{
    if (n == 0 || !an_all_finite(value, n))
        return NULL;
    struct an_ranked *item = calloc(n, sizeof *item);
    if (!item)
        return NULL;
    for (size_t i = 0; i < n; i++)
        item[i] = (struct an_ranked){.value = value[i], .index = i};
    *ties = an_rank(item, n);
    return item;
}

bool an_drift_check(const double *log_ratio, size_t n, struct an_check *out)
{
    double ties;
    struct an_ranked *item = ranked_copy(log_ratio, n, &ties);
    if (!item)
        return false;
    double nd = (double)n, middle = (nd + 1) / 2, product = 0;
    for (size_t i = 0; i < n; i++)
        product += (item[i].rank - middle) * ((double)item[i].index + 1 - middle);
    free(item);
    /* Sums of squares of ranks about their mean; ties lower that of the values alone. */
    double of_order = (nd * nd * nd - nd) / 12, of_values = of_order - ties / 12;
    bool defined = n >= 3 && of_values > 0;
    *out = check_of(defined ? product / sqrt(of_order) / sqrt(of_values) * sqrt(nd - 1) : 0);
    return true;
}

bool an_order_check(const double *log_ratio, const bool *head_first, size_t n, struct an_check *out)
{
    double ties, first = 0, rank_sum = 0;
    struct an_ranked *item = ranked_copy(log_ratio, n, &ties);
    if (!item)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (head_first[item[i].index]) {
            first++;
            rank_sum += item[i].rank;
        }
    }
    free(item);
    double nd = (double)n, second = nd - first;
    double variance = 0;
    if (first > 0 && second > 0)
        variance = first * second / 12 * (nd + 1 - ties / (nd * (nd - 1)));
    *out = check_of(variance > 0 ? (rank_sum - first * (nd + 1) / 2) / sqrt(variance) : 0);
    return true;
}

bool an_benjamini_hochberg(const double *p, size_t n, double *adjusted)
{
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(p[i] >= 0 && p[i] <= 1))
            return false;
    double ties;
    struct an_ranked *item = ranked_copy(p, n, &ties);
    if (!item)
        return false;
    double least = 1;
    for (size_t i = n; i-- > 0;) {
        least = fmin(least, item[i].value * (double)n / (double)(i + 1));
        adjusted[item[i].index] = least;
    }
    free(item);
    return true;
}
