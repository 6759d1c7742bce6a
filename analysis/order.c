#include "analysis/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool an_all_finite(const double *value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(value[i]))
            return false;
    return true;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void an_sort(double *value, size_t n)
{
    if (n > 1)
        qsort(value, n, sizeof *value, by_value);
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Puts the median of three at the middle, so that sorted and constant series are not the worst. */
static double pivot_of(double *value, size_t left, size_t right)
{
    size_t middle = left + (right - left) / 2;
    if (value[middle] < value[left])
        swap(&value[middle], &value[left]);
    if (value[right] < value[left])
        swap(&value[right], &value[left]);
    if (value[right] < value[middle])
        swap(&value[right], &value[middle]);
    return value[middle];
}

double an_select(double *value, size_t n, size_t k)
{
    size_t left = 0, right = n - 1;
    while (left < right) {
        double pivot = pivot_of(value, left, right);
        size_t i = left, j = right;
        while (i <= j) {
            while (value[i] < pivot)
                i++;
            while (value[j] > pivot)
                j--;
            if (i > j)
                break;
            swap(&value[i++], &value[j]);
            if (j == 0)
                break;
            j--;
        }
        if (k <= j && j < right)
            right = j;
        else if (k >= i)
            left = i;
        else
            break;
    }
    return value[k];
}

double an_median_in_place(double *value, size_t n)
{
    double upper = an_select(value, n, n / 2);
    if (n % 2)
        return upper;
    double lower = value[0];
    for (size_t i = 1; i < n / 2; i++)
        lower = fmax(lower, value[i]);
    return 0.5 * lower + 0.5 * upper;
}

int64_t an_ordinal(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >= 0 ? bits : INT64_MIN - bits;
}

double an_from_ordinal(int64_t ordinal)
{
    int64_t bits = ordinal >= 0 ? ordinal : INT64_MIN - ordinal;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int by_ranked_value(const void *left, const void *right)
{
    return by_value(&((const struct an_ranked *)left)->value,
                    &((const struct an_ranked *)right)->value);
}

double an_rank(struct an_ranked *item, size_t n)
{
    double ties = 0;
    if (n > 1)
        qsort(item, n, sizeof *item, by_ranked_value);
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && item[end].value <= item[i].value)
            end++;
        double t = (double)(end - i);
        double rank = (double)i + (t + 1) / 2;
        ties += t * t * t - t;
        for (; i < end; i++)
            item[i].rank = rank;
    }
    return ties;
}

double an_two_sided_p(double z)
{
    return erfc(fabs(z) / 1.41421356237309504880);
}
