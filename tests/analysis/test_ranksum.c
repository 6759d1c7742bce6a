/* The rank sum test against all choices of which values belong to which sample. */
#include "analysis/ranksum.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdio.h>

static struct an_ranksum_space space;

struct chances {
    double z, p;
};

/* Ranks by counting, then every subset of the size of the right sample. */
static struct chances enumerate(const double *value, size_t n_left, size_t n)
{
    double rank[16], sum = 0, mean = 0, square = 0, low = 0, high = 0, choices = 0;
    for (size_t i = 0; i < n; i++) {
        rank[i] = 0.5;
        for (size_t j = 0; j < n; j++)
            rank[i] += value[j] < value[i] ? 1 : value[j] > value[i] ? 0 : 0.5;
        sum += i >= n_left ? rank[i] : 0;
    }
    for (uint32_t chosen = 0; chosen < 1u << n; chosen++) {
        if ((size_t)__builtin_popcount(chosen) != n - n_left)
            continue;
        double of_choice = 0;
        for (size_t i = 0; i < n; i++)
            of_choice += chosen >> i & 1 ? rank[i] : 0;
        choices++;
        mean += of_choice;
        square += of_choice * of_choice;
        low += of_choice <= sum;
        high += of_choice >= sum;
    }
    mean /= choices;
    double variance = square / choices - mean * mean;
    return (struct chances){.z = variance > 1e-9 ? (sum - mean) / sqrt(variance) : 0,
                            .p = fmin(1, 2 * fmin(low, high) / choices)};
}

START_TEST(chance_is_that_of_all_choices)
{
    struct rng r = {61};
    for (int trial = 0; trial < 600; trial++) {
        size_t n = 2 + rng_below(&r, 12), n_left = 1 + rng_below(&r, n - 1);
        double value[16], shift = 2 * rng_normal(&r);
        for (size_t i = 0; i < n; i++) {
            double x = rng_normal(&r) + (i >= n_left ? shift : 0);
            value[i] = trial % 3 == 0 ? x : trial % 3 == 1 ? floor(2 * x) : 5;
        }
        struct chances should = enumerate(value, n_left, n);
        struct an_ranksum is = an_ranksum(value, n_left, value + n_left, n - n_left, &space);
        ck_assert_double_eq_tol(is.z, should.z, 1e-9);
        ck_assert_double_eq_tol(is.p, should.p, 1e-9);
        ck_assert_double_eq(an_ranksum_z(value, n_left, value + n_left, n - n_left, &space), is.z);
    }
}
END_TEST

/* Complete separation is one choice of all there are, on either side. */
START_TEST(separated_samples_of_every_size)
{
    double low[AN_RANKSUM_MOST], high[AN_RANKSUM_MOST];
    for (size_t i = 0; i < AN_RANKSUM_MOST; i++) {
        low[i] = (double)i;
        high[i] = 1000 + (double)i;
    }
    for (size_t small = 1; small <= AN_RANKSUM_EXACT; small++) {
        for (size_t large = small; small + large <= AN_RANKSUM_MOST; large++) {
            double one = exp(-gsl_sf_lnchoose((unsigned)(small + large), (unsigned)small));
            double p = fmin(1, 2 * one);
            struct an_ranksum up = an_ranksum(low, large, high, small, &space);
            struct an_ranksum down = an_ranksum(high, small, low, large, &space);
            ck_assert_double_eq_tol(up.p, p, 1e-9 * p);
            ck_assert_double_eq_tol(down.p, p, 1e-9 * p);
            ck_assert(up.z > 0 && down.z < 0);
        }
    }
}
END_TEST

START_TEST(large_samples_use_the_normal_distribution)
{
    struct rng r = {62};
    double value[AN_RANKSUM_MOST];
    for (size_t i = 0; i < AN_RANKSUM_MOST; i++)
        value[i] = rng_normal(&r);
    struct an_ranksum s = an_ranksum(value, 64, value + 64, 64, &space);
    ck_assert_double_eq_tol(s.p, an_two_sided_p(s.z), 1e-15);
    /* Where it takes over, it does not claim more than the exact test just before does. */
    for (size_t i = 0; i < 60; i++)
        value[i] = i < 40 ? (double)i : 1000 + (double)i;
    struct an_ranksum exact = an_ranksum(value, 40, value + 40, 10, &space);
    struct an_ranksum normal = an_ranksum(value, 40, value + 40, 11, &space);
    ck_assert_double_gt(normal.p, exact.p);
}
END_TEST

START_TEST(it_keeps_its_error)
{
    struct rng r = {63};
    static const size_t sizes[][2] = {{5, 5}, {8, 24}, {24, 24}, {60, 60}};
    enum { RUNS = 4000 };
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t beyond = 0, n = sizes[k][0] + sizes[k][1];
        for (int run = 0; run < RUNS; run++) {
            double value[AN_RANKSUM_MOST];
            for (size_t i = 0; i < n; i++) /* every second time with ties */
                value[i] = run % 2 ? round(2 * rng_normal(&r)) : rng_normal(&r);
            beyond +=
                an_ranksum(value, sizes[k][0], value + sizes[k][0], sizes[k][1], &space).p <= 0.01;
        }
        printf("rank sum, %zu and %zu points, no step: nominal at most 0.0100, real %.4f\n",
               sizes[k][0], sizes[k][1], (double)beyond / RUNS);
        /* 40 expected; 63 or more are a surprise of one in 10^3. */
        ck_assert_uint_lt(beyond, 63);
    }
}
END_TEST

HP_SUITE(analysis_ranksum)
{
    Suite *s = suite_create("analysis_ranksum");
    TCase *t = tcase_create("ranksum");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, chance_is_that_of_all_choices);
    tcase_add_test(t, separated_samples_of_every_size);
    tcase_add_test(t, large_samples_use_the_normal_distribution);
    tcase_add_test(t, it_keeps_its_error);
    suite_add_tcase(s, t);
    return s;
}
