/* The prediction interval: its parts against GSL, and how often it holds the next point. */
#include "analysis/student.h"
#include "analysis/suspect.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

START_TEST(quantile_is_that_of_gsl)
{
    const double freedom[] = {0.74, 1, 1.5, 2, 3.33, 5, 10, 30, 100, 1000, 1e5};
    const double p[] = {1e-9, 1e-4, 0.005, 0.1, 0.3, 0.6, 0.9, 0.975, 0.995, 0.9999};
    for (size_t i = 0; i < sizeof freedom / sizeof *freedom; i++) {
        for (size_t j = 0; j < sizeof p / sizeof *p; j++) {
            double q = an_student_quantile(p[j], freedom[i]);
            /* GSL's own inverse is less exact than its distribution function. */
            ck_assert_double_eq_tol(gsl_cdf_tdist_P(q, freedom[i]), p[j], 1e-9 * p[j] + 1e-15);
            double tail = gsl_cdf_tdist_Q(fabs(q), freedom[i]);
            ck_assert_double_eq_tol(an_student_tail(fabs(q), freedom[i]), tail, 1e-9 * tail);
            double mirrored = an_student_quantile(1 - p[j], freedom[i]);
            ck_assert_double_eq_tol(mirrored, -q, 1e-6 * fabs(q));
        }
    }
    ck_assert_double_eq_tol(an_student_tail(0, 3), 0.5, 1e-12);
    ck_assert(isnan(an_student_tail(-1, 3)) && isnan(an_student_tail(NAN, 3)) &&
              isnan(an_student_tail(1, 0)) && isnan(an_student_tail(1, INFINITY)));
    ck_assert(an_student_tail(1e200, 3) >= 0 && an_student_tail(INFINITY, 3) <= 0);
    ck_assert_double_eq_tol(an_student_quantile(0.975, 1), 12.706204736432095, 1e-8);
    ck_assert_double_eq_tol(an_student_quantile(0.5, 3), 0, 1e-9);
    ck_assert(isnan(an_student_quantile(0, 1)) && isnan(an_student_quantile(1, 1)));
    ck_assert(isnan(an_student_quantile(0.5, 0)) && isnan(an_student_quantile(NAN, 1)));
    ck_assert(isnan(an_student_quantile(0.5, INFINITY)));
}
END_TEST

static double next_value(struct rng *r, int kind, double *previous)
{
    double x = kind == 1 ? rng_heavy(r) : rng_normal(r);
    *previous = kind == 2 ? 0.4 * *previous + sqrt(1 - 0.16) * x : x;
    return *previous;
}

START_TEST(next_point_is_inside_as_often_as_said)
{
    const size_t sizes[] = {5, 8, 12, 20, 40, 80};
    const char *const kinds[] = {"normal", "heavy tails", "AR 0.4"};
    struct rng r = {101};
    printf("prediction interval at 0.99, share of next points inside\n  points        ");
    for (size_t k = 0; k < 6; k++)
        printf("%8zu", sizes[k]);
    for (int kind = 0; kind < 3; kind++) {
        printf("\n  %-14s", kinds[kind]);
        for (size_t k = 0; k < 6; k++) {
            const int trials = 10000;
            int inside = 0;
            for (int trial = 0; trial < trials; trial++) {
                double value[81], previous = 0;
                struct an_prediction prediction;
                for (size_t i = 0; i <= sizes[k]; i++)
                    value[i] = next_value(&r, kind, &previous);
                ck_assert(an_predict(value, sizes[k], 0.99, 0, &prediction));
                inside += !an_is_suspect(&prediction, value[sizes[k]]);
            }
            double share = (double)inside / trials;
            printf("%8.4f", share);
            /* One in twenty of the heavy points lies far outside by design. */
            ck_assert_double_ge(share, kind == 1 ? 0.95 : 0.98);
            if (kind == 0)
                ck_assert_double_eq_tol(share, 0.99, sizes[k] < 20 ? 0.009 : 0.005);
        }
    }
    printf("\n");
}
END_TEST

START_TEST(a_step_is_a_suspect_and_outliers_in_the_segment_do_not_hide_it)
{
    struct rng r = {102};
    double value[40];
    struct an_prediction prediction;
    for (size_t i = 0; i < 40; i++)
        value[i] = 100 + rng_normal(&r) + (i % 10 == 3 ? 40 : 0);
    ck_assert(an_predict(value, 40, 0.99, 0, &prediction));
    ck_assert(an_is_suspect(&prediction, 105) && an_is_suspect(&prediction, 95));
    ck_assert(!an_is_suspect(&prediction, 100));
    ck_assert_double_eq_tol(prediction.centre, 100, 1);
    ck_assert_uint_eq(prediction.n, 40);
}
END_TEST

/* Two levels 5 standard deviations apart, one point in five on the lower: how many next points are
 * called suspects. */
static double called(struct rng *r, size_t n, double off)
{
    const int trials = 4000;
    int out = 0;
    for (int trial = 0; trial < trials; trial++) {
        double value[81];
        struct an_prediction p;
        for (size_t i = 0; i <= n; i++)
            value[i] = rng_normal(r) - (rng_uniform(r) < 0.2 ? 8 : 0);
        ck_assert(an_predict(value, n, 0.999, 0, &p));
        out += an_is_suspect(&p, value[n] + off);
    }
    return (double)out / trials;
}

START_TEST(a_second_mode_is_no_suspect)
{
    struct rng r = {103};
    printf("two modes, one point in five in the lower: next points called suspects\n");
    for (size_t n = 20; n <= 80; n *= 2) {
        double quiet = called(&r, n, 0), between = called(&r, n, -20);
        printf("  %zu points: %.4f; 20 standard deviations lower: %.4f\n", n, quiet, between);
        /* Where fewer than three points were in the lower mode, it is not known. */
        ck_assert_double_le(quiet, n < 40 ? 0.06 : 0.012);
        ck_assert_double_ge(between, n < 40 ? 0.97 : 0.99);
    }
    /* What lies between the modes, and beyond both, is out of the ordinary all the same. */
    double value[40];
    struct an_prediction p;
    for (size_t i = 0; i < 40; i++)
        value[i] = 100 + rng_normal(&r) - (i % 5 == 3 ? 20 : 0);
    ck_assert(an_predict(value, 40, 0.999, 0, &p));
    ck_assert(!an_is_suspect(&p, 100) && !an_is_suspect(&p, 80));
    ck_assert(an_is_suspect(&p, 90) && an_is_suspect(&p, 70) && an_is_suspect(&p, 110));
    /* Outliers all over the place are no mode. */
    for (size_t i = 0; i < 40; i++)
        value[i] = 100 + rng_normal(&r) - (i % 10 == 3 ? 20 + 20 * (double)i : 0);
    ck_assert(an_predict(value, 40, 0.999, 0, &p));
    ck_assert(isnan(p.below_low) && isnan(p.above_low));
}
END_TEST

/* Every part by GSL: median, MAD, Student's quantile. */
START_TEST(the_interval_follows_its_definition)
{
    struct rng r = {104};
    for (int trial = 0; trial < 2000; trial++) {
        double value[60], work[60];
        size_t n = 3 + rng_below(&r, 57);
        for (size_t i = 0; i < n; i++)
            value[i] = trial % 3 ? 100 + rng_heavy(&r) : (double)rng_below(&r, 4);
        double centre = gsl_stats_median(memcpy(work, value, n * sizeof *work), 1, n);
        double mad = gsl_stats_mad(value, 1, n, work), mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += fabs(value[i] - centre) / (double)n;
        double s = mad > 0 ? mad : sqrt(M_PI / 2) * mean;
        double confidence = 0.9 + 0.0999 * rng_uniform(&r);
        double t = an_student_quantile((1 + confidence) / 2, 0.37 * ((double)n - 1));
        /* The quantile by its definition: GSL's own inverse is less exact than its distribution. */
        ck_assert_double_eq_tol(gsl_cdf_tdist_Q(t, 0.37 * ((double)n - 1)), (1 - confidence) / 2,
                                1e-9 * (1 - confidence));
        double half = t * s * (double)n / ((double)n - 0.8) * sqrt(1 + M_PI / (2 * (double)n));
        struct an_prediction p;
        ck_assert(an_predict(value, n, confidence, 0, &p));
        ck_assert_double_eq_tol(p.centre, centre, 1e-9);
        ck_assert_double_eq_tol(p.high, centre + half, 1e-9 * fmax(1, fabs(half)));
        ck_assert_double_eq_tol(p.low, centre - half, 1e-9 * fmax(1, fabs(half)));
    }
}
END_TEST

START_TEST(few_equal_and_almost_equal_points)
{
    double value[10] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    struct an_prediction p;
    ck_assert(an_predict(value, 1, 0.99, 0, &p));
    ck_assert(p.low == -INFINITY && p.high == INFINITY && p.centre == 5);
    ck_assert(an_predict(value, 2, 0.99, 0, &p) && p.high == INFINITY);
    ck_assert(!an_is_suspect(&p, 1e300));
    ck_assert(an_predict(value, 10, 0.99, 0, &p) && p.low == 5 && p.high == 5);
    ck_assert(an_is_suspect(&p, 5.0001) && !an_is_suspect(&p, 5));
    ck_assert(an_predict(value, 10, 0.99, 0.003, &p));
    ck_assert(!an_is_suspect(&p, 5.002) && an_is_suspect(&p, 5.004));
    /* The MAD is 0, the noise is not. */
    value[3] = 6;
    value[7] = 4;
    ck_assert(an_predict(value, 10, 0.99, 0, &p) && p.low < 5 && p.high > 5);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    double value[5] = {1, 2, 3, 4, 5};
    const double bad[] = {0, 1, -1, NAN, INFINITY};
    struct an_prediction p, untouched;
    memset(&p, 0x5a, sizeof p);
    untouched = p;
    ck_assert(!an_predict(value, 0, 0.99, 0, &p));
    for (size_t i = 0; i < 5; i++) {
        ck_assert(!an_predict(value, 5, bad[i], 0, &p));
        if (i >= 2)
            ck_assert(!an_predict(value, 5, 0.99, bad[i], &p));
    }
    value[4] = NAN;
    ck_assert(!an_predict(value, 5, 0.99, 0, &p));
    ck_assert_mem_eq(&p, &untouched, sizeof p);
}
END_TEST

HP_SUITE(analysis_suspect)
{
    Suite *s = suite_create("analysis_suspect");
    TCase *t = tcase_create("prediction");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, quantile_is_that_of_gsl);
    tcase_add_test(t, next_point_is_inside_as_often_as_said);
    tcase_add_test(t, a_step_is_a_suspect_and_outliers_in_the_segment_do_not_hide_it);
    tcase_add_test(t, a_second_mode_is_no_suspect);
    tcase_add_test(t, the_interval_follows_its_definition);
    tcase_add_test(t, few_equal_and_almost_equal_points);
    tcase_add_test(t, bad_input_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
