/* The checks that void a run and the correction for many metrics, against GSL and enumeration. */
#include "analysis/checks.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 300 };

static void fill(struct rng *r, double *value, size_t n, bool ties)
{
    for (size_t i = 0; i < n; i++)
        value[i] = ties ? floor(2 * rng_normal(r)) : rng_normal(r);
}

START_TEST(drift_is_spearmans_correlation)
{
    struct rng r = {31};
    double value[MOST], order[MOST], work[2 * MOST];
    for (size_t i = 0; i < MOST; i++)
        order[i] = (double)i;
    for (int trial = 0; trial < 500; trial++) {
        struct an_check check;
        size_t n = 5 + rng_below(&r, MOST - 5);
        fill(&r, value, n, trial % 2);
        value[0] = -100; /* never constant: GSL divides by zero there */
        double rho = gsl_stats_spearman(value, 1, order, 1, n, work);
        ck_assert(an_drift_check(value, n, &check));
        ck_assert_double_eq_tol(check.z, rho * sqrt((double)n - 1), 1e-9);
    }
}
END_TEST

/* The rank sum over all choices of which pairs had head first: its mean and variance. */
START_TEST(order_has_the_variance_of_all_choices)
{
    struct rng r = {32};
    for (int trial = 0; trial < 300; trial++) {
        size_t n = 2 + rng_below(&r, 9), k = 0;
        double value[10], rank[10], sum = 0, mean = 0, square = 0, choices = 0;
        bool first[10];
        fill(&r, value, n, trial % 2);
        for (size_t i = 0; i < n; i++) {
            first[i] = rng_below(&r, 2);
            k += first[i];
            rank[i] = 0.5;
            for (size_t j = 0; j < n; j++)
                rank[i] += value[j] < value[i] ? 1 : value[j] > value[i] ? 0 : 0.5;
            sum += first[i] ? rank[i] : 0;
        }
        for (uint32_t chosen = 0; chosen < 1u << n; chosen++) {
            if ((size_t)__builtin_popcount(chosen) != k)
                continue;
            double of_choice = 0;
            for (size_t i = 0; i < n; i++)
                of_choice += chosen >> i & 1 ? rank[i] : 0;
            choices++;
            mean += of_choice;
            square += of_choice * of_choice;
        }
        mean /= choices;
        double variance = square / choices - mean * mean;
        struct an_check check;
        ck_assert(an_order_check(value, first, n, &check));
        ck_assert_double_eq_tol(check.z, variance > 1e-9 ? (sum - mean) / sqrt(variance) : 0, 1e-9);
    }
}
END_TEST

START_TEST(checks_see_what_they_are_for)
{
    struct rng r = {33};
    double value[512];
    bool first[512];
    struct an_check check;
    for (size_t i = 0; i < 512; i++) {
        first[i] = rng_below(&r, 2);
        value[i] = rng_normal(&r);
    }
    ck_assert(an_drift_check(value, 512, &check) && check.passed);
    ck_assert(an_order_check(value, first, 512, &check) && check.passed);
    for (size_t i = 0; i < 512; i++)
        value[i] += 1.5 * (double)i / 512;
    ck_assert(an_drift_check(value, 512, &check) && !check.passed && check.z > 0);
    for (size_t i = 0; i < 512; i++)
        value[i] += (first[i] ? -0.75 : 0.75) - 1.5 * (double)i / 512;
    ck_assert(an_order_check(value, first, 512, &check) && !check.passed && check.z < 0);
    ck_assert(an_drift_check(value, 512, &check) && check.passed);
}
END_TEST

/* 20,000 quiet runs: at p < 1e-2 the real error is the nominal one, and 1e-4 stays rare. */
START_TEST(checks_keep_their_error)
{
    struct rng r = {34};
    const int trials = 20000;
    int drift = 0, order = 0, voided = 0;
    for (int trial = 0; trial < trials; trial++) {
        double value[128];
        bool first[128];
        struct an_check a, b;
        for (size_t i = 0; i < 128; i++) {
            value[i] = rng_heavy(&r);
            first[i] = rng_below(&r, 2);
        }
        ck_assert(an_drift_check(value, 128, &a) && an_order_check(value, first, 128, &b));
        drift += a.p < 0.01;
        order += b.p < 0.01;
        voided += !a.passed + !b.passed;
    }
    printf("drift and order checks, 128 pairs: nominal 0.0100, real %.4f and %.4f; voided %d of "
           "%d (nominal %.1f)\n",
           (double)drift / trials, (double)order / trials, voided, trials, 2e-4 * trials);
    /* Four standard errors of 200 expected are 57; of 4 expected, at most 15 (p < 1e-5). */
    ck_assert(abs(drift - 200) < 57 && abs(order - 200) < 57);
    ck_assert_int_le(voided, 15);
}
END_TEST

/* From the definition: the least p_j n / rank(j) over all p_j that are not smaller. */
START_TEST(adjusted_p_follows_the_definition)
{
    struct rng r = {35};
    for (int trial = 0; trial < 500; trial++) {
        double p[40], adjusted[40];
        size_t n = 1 + rng_below(&r, 40);
        for (size_t i = 0; i < n; i++)
            p[i] = trial % 2 ? floor(10 * rng_uniform(&r)) / 10 : pow(rng_uniform(&r), 3);
        ck_assert(an_benjamini_hochberg(p, n, adjusted));
        for (size_t i = 0; i < n; i++) {
            double least = 1;
            for (size_t j = 0; j < n; j++) {
                size_t up_to = 0;
                for (size_t l = 0; l < n; l++)
                    up_to += p[l] <= p[j];
                if (p[j] >= p[i])
                    least = fmin(least, p[j] * (double)n / (double)up_to);
            }
            ck_assert_double_eq_tol(adjusted[i], least, 1e-9);
        }
    }
}
END_TEST

START_TEST(example_of_the_paper)
{
    /* Benjamini and Hochberg 1995, section 4.2: at 0.05 the four smallest of these are kept. */
    const double p[] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000};
    double adjusted[15];
    size_t kept = 0;
    ck_assert(an_benjamini_hochberg(p, 15, adjusted));
    for (size_t i = 0; i < 15; i++)
        kept += adjusted[i] <= 0.05;
    ck_assert_uint_eq(kept, 4);
    double in_place[15];
    memcpy(in_place, p, sizeof p);
    ck_assert(an_benjamini_hochberg(in_place, 15, in_place));
    ck_assert_mem_eq(in_place, adjusted, sizeof adjusted);
}
END_TEST

START_TEST(edges_and_bad_input)
{
    double value[20] = {0}, p[2] = {0.5, NAN}, adjusted[2] = {77, 77};
    bool first[20] = {0};
    struct an_check check;
    /* Constant, one pair, one order only: nothing to see, nothing to void. */
    ck_assert(an_drift_check(value, 20, &check) && check.z == 0 && check.passed);
    ck_assert(an_drift_check(value, 1, &check) && check.z == 0 && check.p == 1);
    ck_assert(an_order_check(value, first, 20, &check) && check.z == 0 && check.passed);
    value[0] = 1;
    ck_assert(an_order_check(value, first, 20, &check) && check.z == 0);
    ck_assert(an_order_check(value, first, 1, &check) && check.z == 0);
    memset(&check, 0x5a, sizeof check);
    struct an_check untouched = check;
    ck_assert(!an_drift_check(value, 0, &check) && !an_order_check(value, first, 0, &check));
    value[7] = INFINITY;
    ck_assert(!an_drift_check(value, 20, &check) && !an_order_check(value, first, 20, &check));
    ck_assert_mem_eq(&check, &untouched, sizeof check);
    ck_assert(!an_benjamini_hochberg(p, 0, adjusted) && !an_benjamini_hochberg(p, 2, adjusted));
    p[1] = 1.5;
    ck_assert(!an_benjamini_hochberg(p, 2, adjusted));
    p[1] = -0.1;
    ck_assert(!an_benjamini_hochberg(p, 2, adjusted));
    ck_assert(adjusted[0] == 77 && adjusted[1] == 77);
}
END_TEST

HP_SUITE(analysis_checks)
{
    Suite *s = suite_create("analysis_checks");
    TCase *t = tcase_create("checks");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, drift_is_spearmans_correlation);
    tcase_add_test(t, order_has_the_variance_of_all_choices);
    tcase_add_test(t, checks_see_what_they_are_for);
    tcase_add_test(t, checks_keep_their_error);
    tcase_add_test(t, adjusted_p_follows_the_definition);
    tcase_add_test(t, example_of_the_paper);
    tcase_add_test(t, edges_and_bad_input);
    suite_add_tcase(s, t);
    return s;
}
