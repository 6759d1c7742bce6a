/* The median and its interval, and the order statistics under them, against GSL. */
#include "analysis/median.h"
#include "analysis/order.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

enum { MOST = 400 };

/* Series of every kind: continuous, full of ties, constant, sorted, reversed. */
static size_t make_series(struct rng *r, double *value)
{
    size_t n = 1 + rng_below(r, MOST), kind = rng_below(r, 5);
    for (size_t i = 0; i < n; i++) {
        double x = rng_normal(r);
        double kinds[] = {x, floor(3 * x), 7.25, (double)i, -(double)i};
        value[i] = kinds[kind];
    }
    return n;
}

START_TEST(median_is_that_of_gsl)
{
    struct rng r = {1};
    double value[MOST], sorted[MOST], out;
    for (int trial = 0; trial < 2000; trial++) {
        size_t n = make_series(&r, value);
        memcpy(sorted, value, n * sizeof *value);
        gsl_sort(sorted, 1, n);
        ck_assert(an_median(value, n, &out));
        ck_assert_double_eq_tol(out, gsl_stats_median_from_sorted_data(sorted, 1, n), 1e-12);
    }
}
END_TEST

START_TEST(select_and_sort_agree)
{
    struct rng r = {2};
    double value[MOST], sorted[MOST];
    for (int trial = 0; trial < 2000; trial++) {
        size_t n = make_series(&r, value), k = rng_below(&r, n);
        memcpy(sorted, value, n * sizeof *value);
        an_sort(sorted, n);
        ck_assert_double_eq(an_select(value, n, k), sorted[k]);
        bool ascends = true, parted = true;
        for (size_t i = 1; i < n; i++)
            ascends = ascends && sorted[i - 1] <= sorted[i];
        for (size_t i = 0; i < k; i++)
            parted = parted && value[i] <= value[k];
        ck_assert(ascends && parted);
    }
}
END_TEST

/* The definition with GSL's binomial distribution: the largest k that keeps the confidence. */
START_TEST(interval_has_the_rank_of_the_binomial)
{
    for (unsigned n = 1; n <= MOST; n++) {
        double value[MOST], low, high, confidences[] = {0.51, 0.95, 0.999};
        for (unsigned i = 0; i < n; i++)
            value[i] = (double)((i * 7919u) % 1000003u % n + 1);
        gsl_sort(value, 1, n);
        for (size_t c = 0; c < 3; c++) {
            unsigned k = 0;
            while (k <= n / 2 && 2 * gsl_cdf_binomial_P(k, 0.5, n) <= 1 - confidences[c])
                k++;
            ck_assert(an_median_interval(value, n, confidences[c], &low, &high));
            if (k == 0) {
                ck_assert(isinf(low) && low < 0 && isinf(high) && high > 0);
                continue;
            }
            ck_assert_double_eq(low, value[k - 1]);
            ck_assert_double_eq(high, value[n - k]);
        }
    }
}
END_TEST

START_TEST(interval_covers_as_often_as_it_says)
{
    struct rng r = {3};
    int covered = 0;
    const int trials = 20000;
    for (int trial = 0; trial < trials; trial++) {
        double value[41], low, high;
        for (size_t i = 0; i < 41; i++)
            value[i] = rng_normal(&r);
        ck_assert(an_median_interval(value, 41, 0.95, &low, &high));
        covered += low <= 0 && 0 <= high;
    }
    /* The exact coverage at n = 41 is 0.9725; 4 standard errors are 0.0046. */
    ck_assert_double_eq_tol((double)covered / trials, 0.9725, 0.0047);
}
END_TEST

START_TEST(smallest_samples_for_a_confidence)
{
    double value[6] = {5, 4, 6, 2, 3, 1}, low, high;
    ck_assert(an_median_interval(value, 5, 0.95, &low, &high));
    ck_assert(low == -INFINITY && high == INFINITY);
    ck_assert(an_median_interval(value, 6, 0.95, &low, &high));
    ck_assert(low == 1 && high == 6);
    /* The chance to miss is exactly one half. */
    ck_assert(an_median_interval(value, 2, 0.5, &low, &high));
    ck_assert(low == 4 && high == 5);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    double value[3] = {1, 2, 3}, out = 77, low = 77, high = 77;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    ck_assert(!an_median(value, 0, &out));
    ck_assert(!an_median_interval(value, 0, 0.95, &low, &high));
    const double confidences[] = {0, 1, -1, 2, NAN};
    for (size_t i = 0; i < 5; i++)
        ck_assert(!an_median_interval(value, 3, confidences[i], &low, &high));
    for (size_t i = 0; i < 3; i++) {
        value[i] = bad[i];
        ck_assert(!an_median(value, 3, &out));
        ck_assert(!an_median_interval(value, 3, 0.95, &low, &high));
        value[i] = 1;
    }
    ck_assert(out == 77 && low == 77 && high == 77);
}
END_TEST

START_TEST(ordinals_keep_the_order)
{
    struct rng r = {4};
    const double edge[] = {-INFINITY, -1e308, -1, -0x1p-1074, 0, 0x1p-1074, 1, 1e308, INFINITY};
    for (size_t i = 1; i < sizeof edge / sizeof *edge; i++)
        ck_assert(an_ordinal(edge[i - 1]) < an_ordinal(edge[i]));
    ck_assert(an_ordinal(-0.0) == an_ordinal(0.0));
    ck_assert(an_ordinal(0x1p-1074) - an_ordinal(-0x1p-1074) == 2);
    for (int i = 0; i < 1000; i++) {
        double x = rng_normal(&r);
        ck_assert_double_eq(an_from_ordinal(an_ordinal(x)), x);
    }
}
END_TEST

START_TEST(two_sided_p_is_that_of_gsl)
{
    for (int i = -900; i <= 900; i++) {
        double z = i / 100.0;
        double expected = 2 * gsl_cdf_ugaussian_Q(fabs(z));
        ck_assert_double_eq_tol(an_two_sided_p(z), expected, 1e-9 * expected);
    }
}
END_TEST

HP_SUITE(analysis_median)
{
    Suite *s = suite_create("analysis_median");
    TCase *t = tcase_create("median");
    tcase_add_test(t, median_is_that_of_gsl);
    tcase_add_test(t, interval_has_the_rank_of_the_binomial);
    tcase_add_test(t, interval_covers_as_often_as_it_says);
    tcase_add_test(t, smallest_samples_for_a_confidence);
    tcase_add_test(t, bad_input_changes_nothing);
    suite_add_tcase(s, t);
    t = tcase_create("order");
    tcase_add_test(t, select_and_sort_agree);
    tcase_add_test(t, ordinals_keep_the_order);
    tcase_add_test(t, two_sided_p_is_that_of_gsl);
    suite_add_tcase(s, t);
    return s;
}
