/*
 * Order statistics and ranks, the tools the rest of analysis/ is built with. The functions work in
 * place on arrays of the caller, allocate nothing and cannot fail; values must be finite.
 */
#ifndef AN_ORDER_H
#define AN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether none of value[n] is NaN or infinite. */
bool an_all_finite(const double *value, size_t n);

/* Sorts ascending. */
void an_sort(double *value, size_t n);

/* The k-th smallest (k < n, from 0). Reorders the array: what precedes value[k] is not greater. */
double an_select(double *value, size_t n, size_t k);

/* The median, n > 0. Reorders the array. */
double an_median_in_place(double *value, size_t n);

/*
 * Doubles in their order as integers, so that bisection between any two ends within 64 steps, even
 * around 0. -0 and 0 are the same; an_from_ordinal is the inverse.
 */
int64_t an_ordinal(double x);
double an_from_ordinal(int64_t ordinal);

/* A value and where it came from, to rank without losing its place. */
struct an_ranked {
    double value;
    size_t index;
    double rank; /* 1 .. n, the mean rank where values are equal */
};

/*
 * Sorts item[n] by value and fills in the ranks. Returns the sum over groups of t equal values of
 * t^3 - t, the correction for ties that rank statistics need.
 */
double an_rank(struct an_ranked *item, size_t n);

/* The two-sided chance of |z| or more under the standard normal distribution. */
double an_two_sided_p(double z);

#endif
