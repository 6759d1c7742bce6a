/* Tails and bounds of the binomial distribution against GSL. */
#include "analysis/binomial.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

START_TEST(tails_agree_with_the_oracle)
{
    struct rng r = {501};
    for (int trial = 0; trial < 20000; trial++) {
        size_t n = 1 + rng_below(&r, trial % 3 ? 40 : 4000), k = rng_below(&r, n + 2);
        double p = trial % 2 ? rng_uniform(&r) : 0.01 * rng_uniform(&r);
        double oracle = k == 0 ? 1 : gsl_cdf_binomial_Q((unsigned)k - 1, p, (unsigned)n);
        double ours = an_binomial_tail(k, n, p);
        ck_assert_msg(fabs(ours - oracle) <= 1e-9 * fmax(oracle, 1e-3), "%zu of %zu, %g: %g, %g", k,
                      n, p, ours, oracle);
    }
}
END_TEST

START_TEST(bounds_leave_the_chance_that_they_say)
{
    struct rng r = {502};
    for (int trial = 0; trial < 2000; trial++) {
        size_t n = 1 + rng_below(&r, 500), k = rng_below(&r, n);
        double upper = an_binomial_upper(k, n, 0.95);
        ck_assert_double_eq_tol(gsl_cdf_binomial_P((unsigned)k, upper, (unsigned)n), 0.05, 1e-9);
    }
    ck_assert_double_eq_tol(an_binomial_upper(0, 100, 0.95), 1 - pow(0.05, 0.01), 1e-12);
}
END_TEST

START_TEST(edges_and_bad_input)
{
    ck_assert(an_binomial_tail(0, 0, 0.5) >= 1 && an_binomial_tail(1, 0, 0.5) <= 0);
    ck_assert(an_binomial_tail(3, 3, 1) >= 1 && an_binomial_tail(1, 3, 0) <= 0);
    ck_assert(an_binomial_upper(0, 0, 0.95) >= 1 && an_binomial_upper(7, 7, 0.95) >= 1);
    static const double bad[] = {NAN, INFINITY, -0.1, 1.1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert(isnan(an_binomial_tail(1, 2, bad[i])));
        ck_assert(isnan(an_binomial_upper(1, 2, bad[i])));
    }
}
END_TEST

HP_SUITE(analysis_binomial)
{
    Suite *s = suite_create("analysis_binomial");
    TCase *t = tcase_create("binomial");
    tcase_add_test(t, tails_agree_with_the_oracle);
    tcase_add_test(t, bounds_leave_the_chance_that_they_say);
    tcase_add_test(t, edges_and_bad_input);
    suite_add_tcase(s, t);
    return s;
}
