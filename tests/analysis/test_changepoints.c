/* The detector: properties on series whose steps are exactly known; test_labelled.c has the rest.
 */
#include "analysis/changepoints.h"
#include "tests/analysis/series.h"
#include "tests/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FOUND_MOST = 2000 };

static struct an_changepoint found[FOUND_MOST], again[FOUND_MOST];

static size_t detect(const double *value, size_t n)
{
    struct an_cp_params params = an_cp_standard(true);
    size_t count;
    ck_assert(an_changepoints(value, NULL, n, &params, found, FOUND_MOST, &count));
    ck_assert_uint_le(count, FOUND_MOST);
    return count;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

START_TEST(clean_steps_are_found_where_they_are)
{
    double value[300];
    for (size_t at = 5; at <= 295; at++) {
        for (size_t i = 0; i < 300; i++)
            value[i] = i < at ? 100 : 102;
        ck_assert_uint_eq(detect(value, 300), 1);
        ck_assert_uint_eq(found[0].index, at);
        ck_assert(found[0].before == 100 && found[0].after == 102);
        ck_assert_double_eq_tol(found[0].change, 0.02, 1e-12);
        ck_assert(found[0].p > 0 && found[0].p <= 2e-5);
    }
}
END_TEST

START_TEST(a_stair_is_found_step_by_step)
{
    struct rng r = {71};
    double value[600], level = 100;
    for (size_t i = 0; i < 600; i++) {
        level += i > 0 && i % 60 == 0 ? 5 : 0;
        value[i] = level + 0.3 * rng_normal(&r);
    }
    ck_assert_uint_eq(detect(value, 600), 9);
    for (size_t k = 0; k < 9; k++)
        ck_assert_uint_eq(found[k].index, 60 * (k + 1));
}
END_TEST

/* A bump shows in no comparison of everything before with everything after. */
START_TEST(there_and_back_again)
{
    struct rng r = {72};
    double value[200];
    for (size_t i = 0; i < 200; i++)
        value[i] = (i >= 90 && i < 105 ? 110 : 100) + rng_normal(&r);
    ck_assert_uint_eq(detect(value, 200), 2);
    ck_assert(found[0].index == 90 && found[1].index == 105);
    ck_assert(found[0].change > 0.08 && found[1].change < -0.07);
}
END_TEST

/* A step of 100 % must not hide one of 3 %, twelve points later. */
START_TEST(a_large_step_does_not_hide_the_next)
{
    struct rng r = {73};
    double value[120];
    for (size_t i = 0; i < 120; i++)
        value[i] = (i < 60 ? 100 : i < 72 ? 200 : 206) + 0.5 * rng_normal(&r);
    ck_assert_uint_eq(detect(value, 120), 2);
    ck_assert(found[0].index == 60 && found[1].index == 72);
}
END_TEST

START_TEST(outliers_are_not_change_points)
{
    struct rng r = {74};
    struct an_cp_params params = an_cp_standard(true);
    size_t burst = params.min_segment - 1, flagged = 0;
    for (int trial = 0; trial < 1000; trial++) {
        double value[200];
        for (size_t i = 0; i < 200; i++)
            value[i] = 100 + rng_normal(&r);
        /* One point too short to be a level, anywhere, also at the ends. */
        size_t at = rng_below(&r, 200 - burst + 1);
        for (size_t i = at; i < at + burst; i++)
            value[i] += 50;
        size_t count = detect(value, 200);
        flagged += count > 0;
        for (size_t i = 0; i < count; i++)
            ck_assert_double_lt(fabs(found[i].change), 0.1);
    }
    /* As often as without the burst, see test_labelled.c. */
    ck_assert_uint_le(flagged, 10);
}
END_TEST

START_TEST(less_than_a_percent_is_not_a_step)
{
    double value[200];
    for (size_t i = 0; i < 200; i++)
        value[i] = i < 100 ? 100 : 100.99;
    ck_assert_uint_eq(detect(value, 200), 0);
    for (size_t i = 100; i < 200; i++)
        value[i] = 101;
    ck_assert_uint_eq(detect(value, 200), 1);
    /* Log ratios: the same step is a difference. */
    struct an_cp_params params = an_cp_standard(false);
    size_t count;
    for (size_t i = 0; i < 200; i++)
        value[i] = i < 100 ? 0.3 : 0.3 + log1p(0.0101);
    ck_assert(an_changepoints(value, NULL, 200, &params, found, FOUND_MOST, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_double_eq_tol(found[0].change, 0.0101, 1e-12);
    for (size_t i = 100; i < 200; i++)
        value[i] = 0.3 + log1p(0.0099);
    ck_assert(an_changepoints(value, NULL, 200, &params, found, FOUND_MOST, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(zero_and_negative_levels)
{
    double value[100];
    for (size_t i = 0; i < 100; i++)
        value[i] = i < 50 ? 0 : 3;
    ck_assert_uint_eq(detect(value, 100), 1);
    ck_assert(found[0].index == 50 && isnan(found[0].change));
    for (size_t i = 0; i < 100; i++)
        value[i] = i < 50 ? -10 : -20;
    ck_assert_uint_eq(detect(value, 100), 1);
    ck_assert_double_eq_tol(found[0].change, 1, 1e-12);
    for (size_t i = 0; i < 100; i++)
        value[i] = i < 50 ? -1e300 : 1e300;
    ck_assert_uint_eq(detect(value, 100), 1);
}
END_TEST

static void assert_same_places(const struct an_changepoint *a, const struct an_changepoint *b,
                               size_t n, size_t offset)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(a[i].index + offset, b[i].index);
}

START_TEST(scale_and_offset_do_not_matter)
{
    struct rng r = {75};
    struct an_cp_params ratio = an_cp_standard(false);
    for (int trial = 0; trial < 100; trial++) {
        struct series s;
        double scaled[SERIES_MOST];
        size_t plain_count, count;
        series_make(&r, &s, (enum noise)(trial % NOISE_KINDS), false);
        plain_count = detect(s.value, s.n);
        memcpy(again, found, sizeof found);
        for (size_t i = 0; i < s.n; i++)
            scaled[i] = 1024 * s.value[i];
        ck_assert_uint_eq(detect(scaled, s.n), plain_count);
        assert_same_places(found, again, plain_count, 0);

        for (size_t i = 0; i < s.n; i++)
            scaled[i] = round(0x1p30 * log(s.value[i])) * 0x1p-30;
        ck_assert(an_changepoints(scaled, NULL, s.n, &ratio, again, FOUND_MOST, &plain_count));
        for (size_t i = 0; i < s.n; i++)
            scaled[i] += 16;
        ck_assert(an_changepoints(scaled, NULL, s.n, &ratio, found, FOUND_MOST, &count));
        ck_assert_uint_eq(count, plain_count);
        assert_same_places(found, again, count, 0);
    }
}
END_TEST

START_TEST(change_points_keep_their_distance)
{
    struct rng r = {76};
    for (size_t min_segment = 2; min_segment <= 20; min_segment += 3) {
        struct an_cp_params params = an_cp_standard(true);
        params.min_segment = min_segment;
        params.p = 0.01;
        params.mads = 0.5;
        for (int trial = 0; trial < 50; trial++) {
            struct series s;
            size_t count, last = 0;
            series_make(&r, &s, (enum noise)(trial % NOISE_KINDS), false);
            ck_assert(an_changepoints(s.value, NULL, s.n, &params, found, FOUND_MOST, &count));
            for (size_t i = 0; i < count; i++) {
                ck_assert_uint_ge(found[i].index, last + min_segment);
                last = found[i].index;
            }
            ck_assert_uint_ge(s.n, count > 0 ? last + min_segment : 0);
        }
    }
}
END_TEST

START_TEST(epochs_are_judged_alone)
{
    struct rng r = {77};
    struct an_cp_params params = an_cp_standard(true);
    for (int trial = 0; trial < 50; trial++) {
        struct series a, b;
        double both[2 * SERIES_MOST];
        uint32_t epoch[2 * SERIES_MOST];
        size_t count, of_a, of_b;
        series_make(&r, &a, NOISE_NORMAL, false);
        series_make(&r, &b, NOISE_HEAVY, false);
        for (size_t i = 0; i < a.n + b.n; i++) {
            both[i] = i < a.n ? a.value[i] : 3 * b.value[i - a.n];
            epoch[i] = i < a.n ? 7 : 3;
        }
        ck_assert(an_changepoints(both, epoch, a.n + b.n, &params, found, FOUND_MOST, &count));
        ck_assert(an_changepoints(a.value, NULL, a.n, &params, again, FOUND_MOST, &of_a));
        assert_same_places(again, found, of_a, 0);
        ck_assert(an_changepoints(both + a.n, NULL, b.n, &params, again, FOUND_MOST, &of_b));
        ck_assert_uint_eq(count, of_a + of_b);
        assert_same_places(again, found + of_a, of_b, a.n);
    }
}
END_TEST

START_TEST(room_for_fewer_than_there_are)
{
    struct an_cp_params params = an_cp_standard(true);
    double value[300], level = 100;
    for (size_t i = 0; i < 300; i++) {
        level += i > 0 && i % 60 == 0 ? 10 : 0;
        value[i] = level;
    }
    size_t count;
    memset(again, 0x5a, sizeof again);
    ck_assert(an_changepoints(value, NULL, 300, &params, NULL, 0, &count));
    ck_assert_uint_eq(count, 4);
    ck_assert(an_changepoints(value, NULL, 300, &params, again, 2, &count));
    ck_assert_uint_eq(count, 4);
    ck_assert(again[0].index == 60 && again[1].index == 120);
    ck_assert_uint_eq(again[2].index, 0x5a5a5a5a5a5a5a5au);
}
END_TEST

START_TEST(short_and_constant_series_have_none)
{
    double value[500];
    for (size_t i = 0; i < 500; i++)
        value[i] = 7;
    for (size_t n = 0; n <= 500; n++)
        ck_assert_uint_eq(detect(value, n), 0);
    for (size_t i = 0; i < 12; i++)
        value[i] = i < 6 ? 1 : 2;
    /* Twelve points: even complete separation is not rare enough. */
    ck_assert_uint_eq(detect(value, 12), 0);
    ck_assert_uint_eq(detect(value, 9), 0);
}
END_TEST

/* Nothing overflows into a crash, an endless search or points out of order. */
START_TEST(any_finite_values)
{
    struct rng r = {91};
    struct an_cp_params params[2] = {an_cp_standard(true), an_cp_standard(false)};
    for (int trial = 0; trial < 300; trial++) {
        double value[400];
        size_t count, n = rng_below(&r, 400), at = rng_below(&r, 400);
        for (size_t i = 0; i < 400; i++)
            value[i] = trial % 3 == 0 ? rng_any(&r)
                       : trial % 3 == 1
                           ? (i < at ? -1 : 1) * (1.6e308 + 1e307 * rng_normal(&r) / 10)
                           : (i < at ? 3 : 9) * 5e-324 * (double)(1 + rng_below(&r, 2));
        for (int kind = 0; kind < 2; kind++) {
            ck_assert(an_changepoints(value, NULL, n, &params[kind], found, FOUND_MOST, &count));
            for (size_t i = 0; i < count; i++)
                ck_assert(found[i].index < n && found[i].p <= params[kind].p &&
                          (i == 0 || found[i].index > found[i - 1].index));
        }
    }
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    double value[50] = {0};
    struct an_cp_params good = an_cp_standard(true), bad[10];
    size_t count = 77;
    for (size_t i = 0; i < 10; i++)
        bad[i] = good;
    bad[0].min_segment = 1;
    bad[1].min_segment = good.reach + 1;
    bad[2].reach = AN_CP_REACH_MOST + 1;
    bad[3].p = 0;
    bad[4].p = 1;
    bad[5].p = NAN;
    bad[6].mads = -1;
    bad[7].mads = INFINITY;
    bad[8].step = NAN;
    bad[9].step = -0.1;
    memset(again, 0x5a, sizeof again);
    memcpy(found, again, sizeof found);
    for (size_t i = 0; i < 10; i++) {
        ck_assert(!an_changepoints(value, NULL, 50, &bad[i], found, FOUND_MOST, &count));
        ck_assert(!an_changepoints_append(value, NULL, 50, 49, NULL, 0, &bad[i], found, 9, &count));
    }
    const double wrong[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        value[49 * (i % 2)] = wrong[i];
        ck_assert(!an_changepoints(value, NULL, 50, &good, found, FOUND_MOST, &count));
        ck_assert(!an_changepoints_append(value, NULL, 50, 49, NULL, 0, &good, found, 9, &count));
        value[0] = value[49] = 0;
    }
    const struct an_changepoint late = {.index = 49}, twice[2] = {{.index = 5}, {.index = 5}};
    ck_assert(!an_changepoints_append(value, NULL, 50, 51, NULL, 0, &good, found, 9, &count));
    ck_assert(!an_changepoints_append(value, NULL, 50, 49, &late, 1, &good, found, 9, &count));
    ck_assert(!an_changepoints_append(value, NULL, 50, 49, twice, 2, &good, found, 9, &count));
    ck_assert_uint_eq(count, 77);
    ck_assert_mem_eq(found, again, sizeof found);
}
END_TEST

/* Point by point against all at once, over series with steps, outliers and epochs. */
START_TEST(appending_comes_to_the_same)
{
    struct rng r = {78};
    struct an_cp_params params = an_cp_standard(true);
    size_t equal = 0, asked = 0, far = 0;
    for (int trial = 0; trial < 12; trial++) {
        static double value[2 * SERIES_MOST];
        static uint32_t epoch[2 * SERIES_MOST];
        struct series a, b;
        size_t n_known = 0, count;
        series_make(&r, &a, (enum noise)(trial % NOISE_KINDS), false);
        series_make(&r, &b, (enum noise)(trial % NOISE_KINDS), false);
        size_t n = a.n + b.n;
        for (size_t i = 0; i < n; i++) {
            value[i] = i < a.n ? a.value[i] : b.value[i - a.n];
            epoch[i] = trial % 2 && i >= a.n;
        }
        static struct an_changepoint known[FOUND_MOST];
        for (size_t m = 1; m <= n; m++) {
            ck_assert(an_changepoints_append(value, epoch, m, m - 1, known, n_known, &params, again,
                                             FOUND_MOST, &n_known));
            memcpy(known, again, n_known * sizeof *known);
        }
        ck_assert(an_changepoints(value, epoch, n, &params, found, FOUND_MOST, &count));
        for (size_t i = 0; i < count; i++) {
            size_t distance = SERIES_MOST;
            for (size_t j = 0; j < n_known; j++) {
                size_t d = found[i].index > known[j].index ? found[i].index - known[j].index
                                                           : known[j].index - found[i].index;
                distance = d < distance ? d : distance;
            }
            asked++;
            equal += distance == 0;
            far += distance > 5;
        }
        ck_assert_uint_le(n_known, count + 1);
    }
    printf("appended point by point: %zu of %zu change points at the same place, %zu beyond 5 "
           "points\n",
           equal, asked, far);
    ck_assert_uint_ge(100 * equal, 95 * asked);
    ck_assert_uint_le(100 * far, 3 * asked);
}
END_TEST

START_TEST(long_series_are_quick)
{
    struct rng r = {79};
    struct an_cp_params params = an_cp_standard(true);
    enum { LONG = 10000, VERY_LONG = 1000000 };
    static double value[VERY_LONG];
    double level = 0;
    for (size_t i = 0; i < VERY_LONG; i++) {
        level += i % 150 == 149 ? 0.04 * rng_normal(&r) : 0;
        value[i] = 100 * exp(fmod(level, 50) + 0.01 * rng_heavy(&r));
    }
    double start = seconds();
    size_t count = detect(value, LONG);
    double whole = seconds() - start, appended = 0, mean = 0;
    memcpy(again, found, sizeof found);
    for (size_t n = LONG - 100; n < LONG; n++) {
        size_t known = 0, after;
        while (known < count && again[known].index < n)
            known++;
        double best = 1;
        for (int i = 0; i < 3; i++) {
            start = seconds();
            ck_assert(an_changepoints_append(value, NULL, n + 1, n, again, known, &params, found,
                                             FOUND_MOST, &after));
            best = fmin(best, seconds() - start);
        }
        appended = fmax(appended, best);
        mean += best / 100;
    }
    start = seconds();
    ck_assert(an_changepoints(value, NULL, VERY_LONG, &params, NULL, 0, &count));
    printf("10,000 points: %.1f ms; an appended one: %.2f, at most %.2f ms; a million: %.1f s, %zu "
           "change points\n",
           1e3 * whole, 1e3 * mean, 1e3 * appended, seconds() - start, count);
    ck_assert_double_lt(whole, TIME_SCALE * 0.05);
    ck_assert_double_lt(mean, TIME_SCALE * 0.001);
}
END_TEST

/* Where every place is as good as the next: nothing may be removed one by one. */
START_TEST(series_that_look_the_same_everywhere_are_quick)
{
    struct an_cp_params params = an_cp_standard(true);
    enum { LONG = 400000 };
    static double value[LONG];
    for (int shape = 0; shape < 3; shape++) {
        size_t count;
        for (size_t i = 0; i < LONG; i++)
            value[i] = shape == 0   ? (double)i
                       : shape == 1 ? (double)(i % 40)
                                    : exp((double)i / 1e4);
        double start = seconds();
        ck_assert(an_changepoints(value, NULL, LONG, &params, NULL, 0, &count));
        ck_assert_double_lt(seconds() - start, TIME_SCALE * 2); /* took 0.5 */
    }
}
END_TEST

HP_SUITE(analysis_changepoints)
{
    Suite *s = suite_create("analysis_changepoints");
    TCase *t = tcase_create("properties");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, clean_steps_are_found_where_they_are);
    tcase_add_test(t, a_stair_is_found_step_by_step);
    tcase_add_test(t, there_and_back_again);
    tcase_add_test(t, a_large_step_does_not_hide_the_next);
    tcase_add_test(t, outliers_are_not_change_points);
    tcase_add_test(t, less_than_a_percent_is_not_a_step);
    tcase_add_test(t, zero_and_negative_levels);
    tcase_add_test(t, scale_and_offset_do_not_matter);
    tcase_add_test(t, change_points_keep_their_distance);
    tcase_add_test(t, epochs_are_judged_alone);
    tcase_add_test(t, appending_comes_to_the_same);
    suite_add_tcase(s, t);
    t = tcase_create("edges");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, room_for_fewer_than_there_are);
    tcase_add_test(t, short_and_constant_series_have_none);
    tcase_add_test(t, any_finite_values);
    tcase_add_test(t, bad_input_changes_nothing);
    tcase_add_test(t, long_series_are_quick);
    tcase_add_test(t, series_that_look_the_same_everywhere_are_quick);
    suite_add_tcase(s, t);
    return s;
}
