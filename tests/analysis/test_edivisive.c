/* The proposing half of the detector against its definition: every split tried, every distance
 * counted; and the figures of what is kept against GSL. */
#include "analysis/changepoints.h"
#include "analysis/edivisive.h"
#include "tests/analysis/series.h"
#include "tests/suite.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct an_edivisive_space space;

/* The mid-rank of value[i], by counting. */
static double rank_of(const double *value, size_t n, size_t i)
{
    double below = 0, equal = 0;
    for (size_t j = 0; j < n; j++) {
        below += value[j] < value[i];
        equal += !(value[j] < value[i]) && !(value[j] > value[i]);
    }
    return below + (equal + 1) / 2;
}

/* The mean distance of the ranks from `a` to `b` (half open) and from `c` to `d`. */
static double mean_distance(const double *rank, size_t a, size_t b, size_t c, size_t d)
{
    double sum = 0, count = 0;
    for (size_t i = a; i < b; i++)
        for (size_t j = c; j < d; j++) {
            if (a == c && j <= i)
                continue;
            sum += fabs(rank[i] - rank[j]);
            count++;
        }
    return sum / count;
}

/* Matteson and James (2014), (5) with exponent 1 on ranks, in units of the mean distance. */
static double gain_of(const double *rank, size_t n, size_t split)
{
    double left = (double)split, right = (double)(n - split);
    double energy = 2 * mean_distance(rank, 0, split, split, n) -
                    mean_distance(rank, 0, split, 0, split) -
                    mean_distance(rank, split, n, split, n);
    double all = mean_distance(rank, 0, n, 0, n);
    return all > 0 ? left * right / (left + right) * energy / all : 0;
}

START_TEST(best_split_is_that_of_all)
{
    struct rng r = {601};
    for (int trial = 0; trial < 1500; trial++) {
        double value[AN_WINDOW], rank[AN_WINDOW], gain, best = 0;
        size_t least = 2 + rng_below(&r, 5), n = 1 + rng_below(&r, 45);
        for (size_t i = 0; i < n; i++)
            value[i] = (trial % 3 == 0   ? (double)rng_below(&r, 3)
                        : trial % 3 == 1 ? rng_any(&r)
                                         : rng_heavy(&r)) +
                       (i > n / 2 && trial % 2 ? 1 : 0);
        for (size_t i = 0; i < n; i++)
            rank[i] = rank_of(value, n, i);
        for (size_t k = least; k + least <= n; k++)
            best = fmax(best, gain_of(rank, n, k));
        size_t at = an_best_split(value, n, least, &gain, &space);
        ck_assert_double_eq_tol(gain, best, 1e-9 * fmax(1, best));
        if (at > 0) {
            ck_assert(at >= least && at + least <= n);
            ck_assert_double_eq_tol(gain_of(rank, n, at), best, 1e-9 * fmax(1, best));
        } else
            ck_assert_double_le(best, 1e-9);
    }
}
END_TEST

static double median(const double *value, size_t n)
{
    double work[AN_CP_REACH_MOST];
    return gsl_stats_median(memcpy(work, value, n * sizeof *value), 1, n);
}

/* What of a change point is told: levels of up to 60 points a side, not beyond the next one, or of
 * the nearest 24 alone, and their quotient. */
START_TEST(levels_are_medians_of_their_points)
{
    struct rng r = {602};
    struct an_cp_params params = an_cp_standard(true);
    size_t seen = 0;
    for (int trial = 0; trial < 300; trial++) {
        struct series s;
        struct an_changepoint found[SERIES_MOST];
        size_t count;
        series_make(&r, &s, (enum noise)(trial % NOISE_KINDS), false);
        ck_assert(an_changepoints(s.value, NULL, s.n, &params, found, SERIES_MOST, &count));
        for (size_t i = 0; i < count; i++) {
            size_t at = found[i].index, from = i ? found[i - 1].index : 0;
            size_t to = i + 1 < count ? found[i + 1].index : s.n;
            bool wide = false, near = false;
            for (size_t reach = 24; reach <= params.reach; reach += params.reach - 24) {
                size_t l = at - from < reach ? at - from : reach;
                size_t h = to - at < reach ? to - at : reach;
                bool same = fabs(median(s.value + at - l, l) - found[i].before) < 1e-9 &&
                            fabs(median(s.value + at, h) - found[i].after) < 1e-9;
                *(reach == 24 ? &near : &wide) = same;
            }
            ck_assert_msg(wide || near, "trial %d, change point %zu at %zu", trial, i, at);
            ck_assert_double_eq_tol(found[i].change, found[i].after / found[i].before - 1, 1e-9);
            ck_assert(found[i].p >= 0 && found[i].p <= params.p);
            seen++;
        }
    }
    ck_assert_uint_gt(seen, 300);
}
END_TEST

/* Noise of two levels, whichever point is on which: no step where none is, and the step of both. */
START_TEST(two_modes_are_no_steps)
{
    struct rng r = {603};
    struct an_cp_params params = an_cp_standard(true);
    size_t flagged = 0, found_it = 0;
    const size_t trials = 400, n = 200;
    for (size_t trial = 0; trial < 2 * trials; trial++) {
        double value[200], share = 0.1 + 0.3 * rng_uniform(&r), gap = 0.02 + 0.06 * rng_uniform(&r);
        bool step = trial >= trials;
        struct an_changepoint found[200];
        size_t count;
        for (size_t i = 0; i < n; i++)
            value[i] = 100 * exp(0.002 * rng_normal(&r) - (rng_uniform(&r) < share ? gap : 0) -
                                 (step && i >= 100 ? 2 * gap : 0));
        ck_assert(an_changepoints(value, NULL, n, &params, found, 200, &count));
        flagged += !step && count > 0;
        found_it += step && count == 1 && found[0].index >= 98 && found[0].index <= 102;
    }
    printf("two modes: %zu of %zu quiet series flagged; a step of twice their distance found, and "
           "nothing else, in %zu of %zu\n",
           flagged, trials, found_it, trials);
    ck_assert_uint_le(100 * flagged, 8 * trials);
    ck_assert_uint_ge(100 * found_it, 90 * trials);
}
END_TEST

/* Modes that stay for some points are no steps to and fro; a step between the two that stays is. */
START_TEST(modes_that_stay_are_no_steps)
{
    struct rng r = {604};
    struct an_cp_params params = an_cp_standard(true);
    size_t told = 0, found_it = 0;
    const size_t trials = 200, n = 300;
    for (size_t trial = 0; trial < trials; trial++) {
        double value[300], there[300];
        struct an_changepoint found[300];
        size_t count, mode = 0, left = 12;
        for (size_t i = 0; i < n; i++) {
            if (left-- == 0) {
                mode = 1 - mode;
                left = 11 + rng_below(&r, 5);
            }
            value[i] = (mode ? 103 : 100) + 0.3 * rng_normal(&r);
            there[i] = (i >= 150 ? 103 : 100) + 0.3 * rng_normal(&r);
        }
        ck_assert(an_changepoints(value, NULL, n, &params, found, 300, &count));
        told += count;
        ck_assert(an_changepoints(there, NULL, n, &params, found, 300, &count));
        found_it += count == 1 && found[0].index == 150;
    }
    printf("modes that stay for 12 to 16 points: %zu steps told in %zu series\n", told, trials);
    ck_assert_uint_le(100 * told, 10 * trials);
    ck_assert_uint_ge(100 * found_it, 99 * trials);
}
END_TEST

/* Ten million points, as long as no history will ever be: an answer, and the right one. */
START_TEST(ten_million_points)
{
    enum { MANY = 10000000 };
    struct an_cp_params params = an_cp_standard(true);
    double *value = malloc(MANY * sizeof *value);
    struct an_changepoint found[4];
    size_t count;
    ck_assert_ptr_nonnull(value);
    for (size_t i = 0; i < MANY; i++)
        value[i] = i < MANY / 3 ? 100 : i < MANY / 2 ? 104 : 101;
    ck_assert(an_changepoints(value, NULL, MANY, &params, found, 4, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(found[0].index, MANY / 3);
    ck_assert_uint_eq(found[1].index, MANY / 2);
    free(value);
}
END_TEST

HP_SUITE(analysis_edivisive)
{
    Suite *s = suite_create("analysis_edivisive");
    TCase *t = tcase_create("splits");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, best_split_is_that_of_all);
    tcase_add_test(t, levels_are_medians_of_their_points);
    tcase_add_test(t, two_modes_are_no_steps);
    tcase_add_test(t, modes_that_stay_are_no_steps);
    tcase_add_test(t, ten_million_points);
    suite_add_tcase(s, t);
    return s;
}
