/* Verdicts on counters and on the kernel's share. */
#include "analysis/counter.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 64 };

static uint64_t base[MOST], head[MOST];
static uint32_t seed[MOST];

/* ACE failures of a single-threaded workload: each seed has its own number and repeats it. */
static void repeating(uint64_t more)
{
    for (size_t i = 0; i < MOST; i++) {
        seed[i] = (uint32_t)(42 + i % 3);
        base[i] = 100 + i % 3;
        head[i] = base[i] + (i % 3 == 1 ? more : 0);
    }
}

static struct an_counted exact(enum an_better better)
{
    struct an_counted c;
    ck_assert(an_counter_exact(base, head, seed, MOST, better, &c));
    return c;
}

static void assert_says(struct an_counted c, enum an_verdict v, enum an_size size)
{
    ck_assert_str_eq(an_verdict_name(c.outcome.verdict), an_verdict_name(v));
    ck_assert_int_eq((int)c.outcome.size, (int)size);
}

START_TEST(exact_counters_differ_by_one)
{
    repeating(0);
    assert_says(exact(AN_LOWER), AN_EQUIVALENT, AN_SIZE_NONE);
    repeating(1);
    struct an_counted c = exact(AN_LOWER);
    assert_says(c, AN_REGRESSED, AN_RELEVANT);
    ck_assert(c.deterministic);
    ck_assert_double_eq_tol(c.low, 1.0 / 3, 1e-12);
    ck_assert_double_eq_tol(c.high, 1.0 / 3, 1e-12);
    assert_says(exact(AN_HIGHER), AN_IMPROVED, AN_RELEVANT);
    repeating((uint64_t)-1); /* wraps to one less */
    assert_says(exact(AN_LOWER), AN_IMPROVED, AN_RELEVANT);
    ck_assert_double_lt(exact(AN_LOWER).high, 0);
}
END_TEST

START_TEST(counters_that_do_not_repeat_are_not_judged_exactly)
{
    repeating(1);
    head[10]++;
    struct an_counted c = exact(AN_LOWER);
    ck_assert(!c.deterministic);
    assert_says(c, AN_INCONCLUSIVE, AN_SIZE_NONE);
    ck_assert(c.low == -INFINITY && c.high == INFINITY);
    repeating(0);
    base[63]++;
    ck_assert(!exact(AN_LOWER).deterministic);
    /* Without seeds all processes have to agree. */
    repeating(0);
    ck_assert(an_counter_exact(base, head, NULL, MOST, AN_LOWER, &c));
    ck_assert(!c.deterministic);
    ck_assert(an_counter_exact(base, head, NULL, 1, AN_LOWER, &c));
    ck_assert(c.deterministic && c.base == 100 && c.head == 100);
}
END_TEST

START_TEST(paired_counters_follow_the_signed_rank_test)
{
    struct rng r = {41};
    struct an_counted c;
    int raised = 0, false_alarms = 0;
    for (int trial = 0; trial < 200; trial++) {
        for (size_t i = 0; i < MOST; i++) {
            base[i] = 1000 + rng_below(&r, 100);
            head[i] = 1000 + rng_below(&r, 100);
        }
        ck_assert(an_counter_paired(base, head, NULL, MOST, 3.7, 0.05, AN_LOWER, &c));
        ck_assert(c.low <= c.high);
        assert_says(c, c.low > 0 || c.high < 0 ? c.outcome.verdict : AN_EQUIVALENT,
                    c.low > 0 || c.high < 0 ? AN_RELEVANT : AN_SIZE_NONE);
        false_alarms += c.outcome.verdict != AN_EQUIVALENT;
        for (size_t i = 0; i < MOST; i++)
            head[i] += 50;
        ck_assert(an_counter_paired(base, head, NULL, MOST, 3.7, 0.05, AN_LOWER, &c));
        raised += c.outcome.verdict == AN_REGRESSED && c.outcome.size == AN_RELEVANT;
    }
    ck_assert_int_le(false_alarms, 2);
    ck_assert_int_ge(raised, 195);
}
END_TEST

START_TEST(failures_that_appear_are_seen)
{
    struct an_counted c;
    memset(base, 0, sizeof base);
    memset(head, 0, sizeof head);
    ck_assert(an_counter_paired(base, head, NULL, MOST, 3.7, 0.05, AN_LOWER, &c));
    assert_says(c, AN_EQUIVALENT, AN_SIZE_NONE);
    /* Some in a few processes prove nothing; in half of them they do. */
    for (size_t i = 0; i < 5; i++)
        head[i * 12] = 3;
    ck_assert(an_counter_paired(base, head, NULL, MOST, 3.7, 0.05, AN_LOWER, &c));
    ck_assert(c.outcome.verdict != AN_REGRESSED);
    for (size_t i = 0; i < MOST; i++)
        head[i] = 1 + i % 7;
    ck_assert(an_counter_paired(base, head, NULL, MOST, 3.7, 0.05, AN_LOWER, &c));
    assert_says(c, AN_REGRESSED, AN_RELEVANT);
    ck_assert(an_counter_paired(head, base, NULL, MOST, 3.7, 0.05, AN_LOWER, &c));
    assert_says(c, AN_IMPROVED, AN_RELEVANT);
}
END_TEST

START_TEST(share_has_newcombes_interval)
{
    /* Newcombe 1998, table II, method 10: 56/70 against 48/80, then 9/10 against 3/10. */
    struct an_counted c;
    ck_assert(
        an_kernel_share((struct an_samples){48, 80}, (struct an_samples){56, 70}, 1.959964, &c));
    ck_assert_double_eq_tol(c.low, 0.0524, 5e-5);
    ck_assert_double_eq_tol(c.high, 0.3339, 5e-5);
    ck_assert(
        an_kernel_share((struct an_samples){3, 10}, (struct an_samples){9, 10}, 1.959964, &c));
    ck_assert_double_eq_tol(c.low, 0.1705, 5e-5);
    ck_assert_double_eq_tol(c.high, 0.8090, 5e-5);
}
END_TEST

/* The proportion, above or below x of n, at which x is c standard deviations away: the score
 * interval by its definition, solved by bisection. */
static double score_bound(double x, double n, double c, bool upper)
{
    double p = x / n, low = upper ? p : 0, high = upper ? 1 : p;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        bool inside = fabs(p - middle) <= c * sqrt(middle * (1 - middle) / n);
        *(inside == upper ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

START_TEST(share_follows_its_definition)
{
    struct rng r = {43};
    for (int trial = 0; trial < 5000; trial++) {
        struct an_samples b = {.all = 1 + rng_below(&r, trial % 2 ? 5 : 5000)};
        struct an_samples h = {.all = 1 + rng_below(&r, trial % 2 ? 5 : 5000)};
        b.in_kernel = rng_below(&r, b.all + 1);
        h.in_kernel = rng_below(&r, h.all + 1);
        double c = 0.5 + 4 * rng_uniform(&r), x = (double)b.in_kernel, y = (double)h.in_kernel;
        double n = (double)b.all, m = (double)h.all, by = y / m - x / n;
        double below =
            hypot(y / m - score_bound(y, m, c, false), score_bound(x, n, c, true) - x / n);
        double above =
            hypot(score_bound(y, m, c, true) - y / m, x / n - score_bound(x, n, c, false));
        struct an_counted out;
        ck_assert(an_kernel_share(b, h, c, &out));
        ck_assert_double_eq_tol(out.low, by - below, 1e-9);
        ck_assert_double_eq_tol(out.high, by + above, 1e-9);
    }
}
END_TEST

/* p (1 - p) over the variance of a ratio of sums, that by GSL, and never more than ticks. */
START_TEST(samples_follow_their_definition)
{
    struct rng r = {44};
    for (int trial = 0; trial < 3000; trial++) {
        double user[60], kernel[60], residual[60], all = 0, in_kernel = 0;
        size_t n = 2 + rng_below(&r, 58);
        for (size_t i = 0; i < n; i++) {
            user[i] = AN_TICK_S * (double)rng_below(&r, 9);
            kernel[i] = trial % 2 ? AN_TICK_S * (double)rng_below(&r, 4) : 0.01 * rng_uniform(&r);
            all += user[i] + kernel[i];
            in_kernel += kernel[i];
        }
        if (!(all > 0))
            continue;
        double share = in_kernel / all, mean = all / (double)n;
        for (size_t i = 0; i < n; i++)
            residual[i] = kernel[i] - share * (user[i] + kernel[i]);
        double variance = gsl_stats_variance(residual, 1, n) / (double)n / (mean * mean);
        double worth = all / AN_TICK_S;
        if (variance > 0)
            worth = fmin(worth, share * (1 - share) / variance);
        struct an_samples out;
        ck_assert(an_share_samples(user, kernel, n, &out));
        /* Whole samples, rounded down; where it is whole already the last digit decides. */
        ck_assert(out.all >= 1 && (double)out.all <= fmax(1, worth) * (1 + 1e-9) &&
                  (double)out.all > worth * (1 - 1e-9) - 1);
        ck_assert_double_eq_tol((double)out.in_kernel, share * (double)out.all, 0.5 + 1e-9);
    }
}
END_TEST

/* The interval is that of the differences as pairs; totals over the seeds where they repeat. */
START_TEST(counters_are_pairs_of_differences)
{
    struct rng r = {45};
    for (int trial = 0; trial < 400; trial++) {
        double by[MOST];
        uint32_t layout[MOST];
        struct an_counted c;
        struct an_estimate e;
        for (size_t i = 0; i < MOST; i++) {
            base[i] = rng_below(&r, 20) << (trial % 2 ? 0 : 45);
            head[i] = rng_below(&r, 20) << (trial % 2 ? 0 : 45);
            by[i] = (double)head[i] - (double)base[i];
            layout[i] = (uint32_t)(i % 16);
        }
        ck_assert(an_counter_paired(base, head, layout, MOST, 2, 0.05, AN_LOWER, &c));
        ck_assert(an_estimate_pairs(by, layout, MOST, 2, 0, &e));
        ck_assert_double_eq_tol(c.low, e.low, 1e-9 * fmax(1, fabs(e.low)));
        ck_assert_double_eq_tol(c.high, e.high, 1e-9 * fmax(1, fabs(e.high)));
        double total = 0;
        for (size_t i = 0; i < MOST; i++) {
            seed[i] = (uint32_t)(i % 4);
            base[i] = base[i % 4];
            head[i] = head[i % 4];
            total += i < 4 ? (double)head[i] - (double)base[i] : 0;
        }
        ck_assert(an_counter_exact(base, head, seed, MOST, AN_LOWER, &c) && c.deterministic);
        ck_assert_double_eq_tol(c.low, total / 4, 1e-9 * fmax(1, fabs(total)));
    }
}
END_TEST

static struct an_counted share(uint64_t b, uint64_t h, uint64_t all)
{
    struct an_counted c;
    ck_assert(an_kernel_share((struct an_samples){b, all}, (struct an_samples){h, all}, 3.7, &c));
    return c;
}

START_TEST(share_counts_from_two_points)
{
    assert_says(share(20000, 20000, 100000), AN_EQUIVALENT, AN_SIZE_NONE);
    assert_says(share(20000, 22000, 100000), AN_REGRESSED, AN_RELEVANT);
    assert_says(share(20000, 21900, 100000), AN_REGRESSED, AN_SMALL);
    assert_says(share(32000, 2000, 100000), AN_IMPROVED, AN_RELEVANT);
    assert_says(share(200, 220, 1000), AN_INCONCLUSIVE, AN_SIZE_NONE);
    assert_says(share(0, 0, 100000), AN_EQUIVALENT, AN_SIZE_NONE);
    assert_says(share(1000, 1000, 1000), AN_EQUIVALENT, AN_SIZE_NONE);
    assert_says(share(0, 1000, 1000), AN_REGRESSED, AN_RELEVANT);
}
END_TEST

/* A tick a sample where processes differ by no more than ticks explain, fewer where they do. */
START_TEST(times_become_samples)
{
    struct rng r = {7};
    double user[400], kernel[400];
    struct an_samples even, uneven, none = {1, 2};
    for (size_t i = 0; i < 400; i++) {
        user[i] = kernel[i] = 0;
        for (int tick = 0; tick < 5; tick++)
            *(rng_uniform(&r) < 0.2 ? &kernel[i] : &user[i]) += AN_TICK_S;
    }
    ck_assert(an_share_samples(user, kernel, 400, &even));
    ck_assert_double_eq_tol((double)even.all, 2000, 250);
    ck_assert_double_eq_tol((double)even.in_kernel / (double)even.all, 0.2, 0.03);
    for (size_t i = 0; i < 400; i++) {
        user[i] = i % 5 ? 0.02 : 0;
        kernel[i] = i % 5 ? 0 : 0.02;
    }
    ck_assert(an_share_samples(user, kernel, 400, &uneven));
    ck_assert_double_eq_tol((double)uneven.all, 400, 5);
    kernel[3] = NAN;
    ck_assert(!an_share_samples(user, kernel, 400, &none));
    kernel[3] = -1;
    ck_assert(!an_share_samples(user, kernel, 400, &none));
    ck_assert(!an_share_samples(user, kernel, 0, &none));
    user[0] = kernel[0] = 0;
    ck_assert(!an_share_samples(user, kernel, 1, &none));
    ck_assert_uint_eq(none.all, 2);
}
END_TEST

/* Shares of the same arms, from 512 processes of five ticks each: how often they are called changed
 * at the bound that gates. */
START_TEST(equal_shares_are_not_called_changed)
{
    struct rng r = {11};
    double user[2][512], kernel[2][512];
    size_t changed = 0, runs = 2000;
    for (size_t run = 0; run < runs; run++) {
        struct an_samples s[2];
        struct an_counted c;
        for (int arm = 0; arm < 2; arm++) {
            for (size_t i = 0; i < 512; i++) {
                user[arm][i] = kernel[arm][i] = 0;
                for (int tick = 0; tick < 5; tick++)
                    *(rng_uniform(&r) < 0.05 ? &kernel[arm][i] : &user[arm][i]) += AN_TICK_S;
            }
            ck_assert(an_share_samples(user[arm], kernel[arm], 512, &s[arm]));
        }
        ck_assert(an_kernel_share(s[0], s[1], 3.70, &c));
        changed += c.outcome.size == AN_RELEVANT;
    }
    printf("kernel share, no effect: %zu of %zu called relevantly changed (nominal 0.0002)\n",
           changed, runs);
    ck_assert_uint_le(changed, 3);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    struct an_counted c, untouched;
    memset(&c, 0x5a, sizeof c);
    untouched = c;
    repeating(0);
    ck_assert(!an_counter_exact(base, head, seed, 0, AN_LOWER, &c));
    ck_assert(!an_counter_paired(base, head, NULL, 0, 3.7, 0.05, AN_LOWER, &c));
    ck_assert(!an_counter_paired(base, head, NULL, MOST, 0, 0.05, AN_LOWER, &c));
    ck_assert(!an_counter_paired(base, head, NULL, MOST, 3.7, -1, AN_LOWER, &c));
    ck_assert(!an_counter_paired(base, head, NULL, MOST, 3.7, NAN, AN_LOWER, &c));
    struct an_samples good = {1, 2}, none = {0, 0}, too_many = {3, 2};
    ck_assert(!an_kernel_share(good, none, 3.7, &c) && !an_kernel_share(none, good, 3.7, &c));
    ck_assert(!an_kernel_share(too_many, good, 3.7, &c) &&
              !an_kernel_share(good, too_many, 3.7, &c));
    ck_assert(!an_kernel_share(good, good, -1, &c) && !an_kernel_share(good, good, NAN, &c));
    ck_assert_mem_eq(&c, &untouched, sizeof c);
}
END_TEST

HP_SUITE(analysis_counter)
{
    Suite *s = suite_create("analysis_counter");
    TCase *t = tcase_create("counter");
    tcase_add_test(t, share_follows_its_definition);
    tcase_add_test(t, samples_follow_their_definition);
    tcase_add_test(t, counters_are_pairs_of_differences);
    tcase_add_test(t, exact_counters_differ_by_one);
    tcase_add_test(t, counters_that_do_not_repeat_are_not_judged_exactly);
    tcase_add_test(t, paired_counters_follow_the_signed_rank_test);
    tcase_add_test(t, failures_that_appear_are_seen);
    suite_add_tcase(s, t);
    t = tcase_create("share");
    tcase_add_test(t, share_has_newcombes_interval);
    tcase_add_test(t, share_counts_from_two_points);
    tcase_add_test(t, times_become_samples);
    tcase_add_test(t, equal_shares_are_not_called_changed);
    tcase_add_test(t, bad_input_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
