/* Estimates put together: sums, errors, and small regressions that add up. */
#include "analysis/chain.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double c = 3.7;

static struct an_estimate around(double estimate, double below, double above)
{
    return (struct an_estimate){
        .n = 512, .estimate = estimate, .low = estimate - below, .high = estimate + above};
}

START_TEST(steps_add_and_errors_add_in_quadrature)
{
    struct an_estimate step[3] = {around(0.01, 0.003, 0.006), around(-0.002, 0.004, 0.008),
                                  around(0, 0, 0)};
    struct an_estimate out;
    step[1].n = 64;
    ck_assert(an_chain(step, 3, c, &out));
    ck_assert_double_eq_tol(out.estimate, 0.008, 1e-15);
    ck_assert_double_eq_tol(out.low, 0.008 - 0.005, 1e-15);
    ck_assert_double_eq_tol(out.high, 0.008 + 0.010, 1e-15);
    ck_assert_double_eq_tol(out.z, c * 0.008 / 0.005, 1e-12);
    ck_assert_double_eq_tol(out.detectable, 0.0075 * (1 + 1.28 / c), 1e-15);
    ck_assert_uint_eq(out.n, 64);
    /* One step is itself. */
    ck_assert(an_chain(step, 1, c, &out));
    ck_assert_double_eq_tol(out.low, step[0].low, 1e-15);
    ck_assert_double_eq_tol(out.high, step[0].high, 1e-15);
}
END_TEST

START_TEST(through_the_reference_is_a_difference)
{
    struct an_estimate base = around(0.30, 0.003, 0.004), head = around(0.28, 0.004, 0.003), out;
    ck_assert(an_through_reference(&base, &head, c, &out));
    ck_assert_double_eq_tol(out.estimate, -0.02, 1e-15);
    ck_assert_double_eq_tol(out.low, -0.02 - hypot(0.004, 0.004), 1e-15);
    ck_assert_double_eq_tol(out.high, -0.02 + hypot(0.003, 0.003), 1e-15);
    struct an_estimate back;
    ck_assert(an_through_reference(&head, &base, c, &back));
    ck_assert_double_eq_tol(back.estimate, -out.estimate, 1e-15);
    ck_assert_double_eq_tol(back.low, -out.high, 1e-15);
    ck_assert_double_eq_tol(back.z, -out.z, 1e-9);
}
END_TEST

START_TEST(the_tighter_way_is_taken)
{
    struct an_estimate wide = around(0.02, 0.02, 0.02), narrow = around(0.02, 0.01, 0.01);
    ck_assert_ptr_eq(an_tighter(&wide, &narrow), &narrow);
    ck_assert_ptr_eq(an_tighter(&narrow, &wide), &narrow);
    ck_assert(an_is_tight(&narrow, 0.01) && !an_is_tight(&wide, 0.01));
    struct an_estimate step[2] = {narrow, around(0, INFINITY, INFINITY)}, out;
    ck_assert(an_chain(step, 2, c, &out));
    ck_assert(out.low == -INFINITY && out.high == INFINITY && out.z == 0);
    ck_assert(!an_is_tight(&out, 0.01));
    ck_assert_ptr_eq(an_tighter(&out, &wide), &wide);
}
END_TEST

/* Simulated: chains of ten steps with normal errors cover the truth as often as one step does. */
START_TEST(coverage_is_carried_along)
{
    struct rng r = {111};
    const int trials = 20000;
    int covered = 0;
    for (int trial = 0; trial < trials; trial++) {
        struct an_estimate step[10], out;
        double truth = 0;
        for (size_t i = 0; i < 10; i++) {
            double effect = 0.01 * rng_normal(&r), se = 0.001 * (1 + rng_uniform(&r));
            truth += effect;
            step[i] = around(effect + se * rng_normal(&r), 2 * se, 2 * se);
        }
        ck_assert(an_chain(step, 10, 2, &out));
        covered += out.low <= truth && truth <= out.high;
    }
    double share = (double)covered / trials;
    printf("chains of ten steps: nominal coverage 0.9545, real %.4f\n", share);
    ck_assert_double_eq_tol(share, 0.9545, 4 * sqrt(0.0455 * 0.9545 / trials));
}
END_TEST

enum { MOST = 12 };
static struct an_estimate step[MOST];
static struct an_outcome outcome[MOST];

/* Commits with these effects in percent, each measured to +-0.2 %. */
static size_t commits(const double *percent, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        step[i] = around(log1p(percent[i] / 100), 0.002, 0.002);
        outcome[i] = an_judge(&step[i], AN_HIGHER, log1p(0.01));
    }
    return n;
}

static struct an_accumulated accumulate(size_t n)
{
    struct an_accumulated a;
    ck_assert(an_accumulate(step, outcome, n, AN_HIGHER, log1p(0.01), c, &a));
    return a;
}

START_TEST(three_small_ones_are_one)
{
    const double percent[] = {0, -0.4, 0.05, -0.4, -0.4, 0};
    struct an_accumulated a = accumulate(commits(percent, 6));
    ck_assert_uint_eq(a.members, 3);
    ck_assert(a.first == 1 && a.last == 4);
    double sum = 3 * log1p(-0.004) + log1p(0.0005);
    ck_assert_double_eq_tol(a.total.estimate, sum, 1e-12);
    ck_assert_double_eq_tol(a.total.high, sum + 0.004, 1e-12);
    struct an_outcome as_one = an_judge(&a.total, AN_HIGHER, log1p(0.01));
    ck_assert(as_one.verdict == AN_REGRESSED && as_one.size == AN_RELEVANT);
}
END_TEST

START_TEST(two_small_ones_below_the_margin_are_not_told)
{
    const double percent[] = {-0.4, -0.4};
    ck_assert_uint_eq(accumulate(commits(percent, 2)).members, 0);
    const double none[] = {0, 0.1, -0.1, 0};
    ck_assert_uint_eq(accumulate(commits(none, 4)).members, 0);
    const double gains[] = {0.5, 0.5, 0.5};
    ck_assert_uint_eq(accumulate(commits(gains, 3)).members, 0);
    /* Where lower is better the same series is a loss. */
    struct an_accumulated a;
    for (size_t i = 0; i < 3; i++)
        outcome[i] = an_judge(&step[i], AN_LOWER, log1p(0.01));
    ck_assert(an_accumulate(step, outcome, 3, AN_LOWER, log1p(0.01), c, &a));
    ck_assert_uint_eq(a.members, 3);
}
END_TEST

START_TEST(a_gain_in_between_counts_against_it)
{
    const double percent[] = {-0.6, 0.6, -0.6};
    ck_assert_uint_eq(accumulate(commits(percent, 3)).members, 0);
    /* The stretch begins where the most was lost, not before the gain. */
    const double later[] = {-0.4, 0.8, -0.6, -0.6};
    struct an_accumulated a = accumulate(commits(later, 4));
    ck_assert(a.members == 2 && a.first == 2 && a.last == 3);
}
END_TEST

START_TEST(stretches_end_at_what_was_told_by_itself)
{
    const double percent[] = {-0.6, -0.6, -3, -0.6, -0.6};
    struct an_accumulated a = accumulate(commits(percent, 5));
    ck_assert(a.members == 2 && a.first == 3 && a.last == 4);
    const double gap[] = {-0.6, -0.6, 0, -0.6};
    commits(gap, 4);
    outcome[2].verdict = AN_FAILED;
    step[2] = (struct an_estimate){.estimate = NAN};
    ck_assert_uint_eq(accumulate(4).members, 0);
    outcome[2].verdict = AN_INCONCLUSIVE;
    ck_assert_uint_eq(accumulate(4).members, 0);
    /* A newer failure does not hide what was known before it. */
    const double newer[] = {-0.6, -0.6, 0};
    commits(newer, 3);
    outcome[2].verdict = AN_FAILED;
    ck_assert_uint_eq(accumulate(3).members, 2);
}
END_TEST

static bool is_wall(struct an_outcome o)
{
    return o.verdict == AN_FAILED || o.verdict == AN_INCONCLUSIVE ||
           ((o.verdict == AN_REGRESSED || o.verdict == AN_IMPROVED) && o.size == AN_RELEVANT);
}

static bool is_little(size_t i)
{
    return outcome[i].verdict == AN_REGRESSED && outcome[i].size == AN_SMALL;
}

/* The stretch by trying all: from any small regression to the newest, without a wall in between,
 * proven, at least the margin, the largest loss of them. */
static struct an_accumulated of_all_stretches(size_t n, double margin)
{
    struct an_accumulated best = {0};
    size_t last = n;
    for (size_t i = 0; i < n; i++)
        last = is_little(i) ? i : last;
    for (size_t first = 0; last < n && first < last; first++) {
        struct an_accumulated a = {.first = first, .last = last};
        bool open = is_little(first);
        for (size_t i = first; i <= last; i++) {
            open = open && !is_wall(outcome[i]);
            a.members += is_little(i);
        }
        if (!open)
            continue;
        ck_assert(an_chain(step + first, last - first + 1, c, &a.total));
        if (a.total.high < 0 && a.total.estimate <= -margin &&
            (best.members == 0 || a.total.estimate < best.total.estimate))
            best = a;
    }
    return best;
}

START_TEST(the_stretch_is_the_best_of_all)
{
    struct rng r = {604};
    size_t found = 0;
    for (int trial = 0; trial < 20000; trial++) {
        size_t n = 1 + rng_below(&r, 9);
        for (size_t i = 0; i < n; i++) {
            double half = 0.001 + 0.003 * rng_uniform(&r);
            step[i] = around(0.006 * rng_normal(&r) - 0.003, half, half);
            outcome[i] = an_judge(&step[i], AN_HIGHER, log1p(0.01));
            if (rng_uniform(&r) < 0.05)
                outcome[i] = (struct an_outcome){AN_FAILED, AN_SIZE_NONE};
        }
        struct an_accumulated is = accumulate(n), should = of_all_stretches(n, log1p(0.01));
        ck_assert_uint_eq(is.members, should.members);
        ck_assert(is.first == should.first && is.last == should.last);
        ck_assert_double_eq_tol(is.total.estimate, should.total.estimate, 1e-9);
        ck_assert_double_eq_tol(is.total.low, should.total.low, 1e-9);
        ck_assert_double_eq_tol(is.total.high, should.total.high, 1e-9);
        found += is.members > 0;
    }
    ck_assert_uint_gt(found, 1000);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    struct an_estimate good = around(0, 1, 1), out, untouched, bad[4] = {good, good, good, good};
    struct an_accumulated a, same;
    memset(&out, 0x5a, sizeof out);
    memset(&a, 0x5a, sizeof a);
    untouched = out;
    same = a;
    bad[0].estimate = NAN;
    bad[1].low = NAN;
    bad[2].high = -0.5;
    bad[3].estimate = INFINITY;
    for (size_t i = 0; i < 4; i++) {
        ck_assert(!an_chain(&bad[i], 1, c, &out));
        ck_assert(!an_through_reference(&good, &bad[i], c, &out));
        ck_assert(!an_through_reference(&bad[i], &good, c, &out));
        struct an_outcome o = {AN_EQUIVALENT, AN_SIZE_NONE};
        ck_assert(!an_accumulate(&bad[i], &o, 1, AN_HIGHER, 0.01, c, &a));
    }
    struct an_outcome o = {AN_EQUIVALENT, AN_SIZE_NONE};
    ck_assert(!an_chain(&good, 0, c, &out) && !an_chain(&good, 1, 0, &out));
    ck_assert(!an_chain(&good, 1, NAN, &out) && !an_through_reference(&good, &good, -1, &out));
    ck_assert(!an_accumulate(&good, &o, 0, AN_HIGHER, 0.01, c, &a));
    ck_assert(!an_accumulate(&good, &o, 1, AN_HIGHER, 0, c, &a));
    ck_assert(!an_accumulate(&good, &o, 1, AN_HIGHER, NAN, c, &a));
    ck_assert(!an_accumulate(&good, &o, 1, AN_HIGHER, 0.01, 0, &a));
    ck_assert_mem_eq(&out, &untouched, sizeof out);
    ck_assert_mem_eq(&a, &same, sizeof a);
}
END_TEST

HP_SUITE(analysis_chain)
{
    Suite *s = suite_create("analysis_chain");
    TCase *t = tcase_create("chain");
    tcase_add_test(t, steps_add_and_errors_add_in_quadrature);
    tcase_add_test(t, through_the_reference_is_a_difference);
    tcase_add_test(t, the_tighter_way_is_taken);
    tcase_add_test(t, coverage_is_carried_along);
    suite_add_tcase(s, t);
    t = tcase_create("accumulate");
    tcase_add_test(t, three_small_ones_are_one);
    tcase_add_test(t, two_small_ones_below_the_margin_are_not_told);
    tcase_add_test(t, a_gain_in_between_counts_against_it);
    tcase_add_test(t, stretches_end_at_what_was_told_by_itself);
    tcase_add_test(t, the_stretch_is_the_best_of_all);
    tcase_add_test(t, bad_input_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
