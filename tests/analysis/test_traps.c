/*
 * How measurements go wrong, each by the method that a plain script would use, beside the one that
 * is used here: on the same simulated machine the first sees changes that are not there.
 * tests/runner/README.md lists the traps that need a machine.
 */
#include "analysis/estimate.h"
#include "analysis/verdict.h"
#include "runner/sampler.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <math.h>
#include <stdio.h>

enum { RUNS = 400, PAIRS = 128, SAMPLES = 2 * PAIRS };

static bool differs(const double *value, const uint32_t *cluster, size_t n, double critical)
{
    double z;
    ck_assert(an_signed_rank(value, cluster, n, 0, &z));
    return fabs(z) > critical;
}

/* Of RUNS, how often the trap and the method here see something where nothing is. */
static void tell(const char *trap, size_t trapped, size_t here)
{
    printf("%s: false alarms %.1f %%, here %.1f %%\n", trap, 100.0 * (double)trapped / RUNS,
           100.0 * (double)here / RUNS);
}

/* The machine's own course, one value a sample: a random walk. */
static void drift(struct rng *r, double course[SAMPLES])
{
    double at = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        course[i] = at += 0.2 * rng_normal(r);
}

START_TEST(one_arm_after_the_other_on_a_drifting_machine)
{
    struct rng r = {11};
    double course[SAMPLES], after[PAIRS], beside[PAIRS];
    size_t trapped = 0, here = 0;
    for (uint32_t run = 0; run < RUNS; run++) {
        drift(&r, course);
        for (size_t i = 0; i < SAMPLES; i++)
            course[i] += rng_normal(&r);
        for (size_t k = 0; k < PAIRS; k++) {
            bool swapped = rn_coin(run, k);
            after[k] = course[PAIRS + k] - course[k];
            beside[k] = (swapped ? -1 : 1) * (course[2 * k] - course[2 * k + 1]);
        }
        trapped += differs(after, NULL, PAIRS, 1.96);
        here += differs(beside, NULL, PAIRS, 1.96);
    }
    tell("A...A then B...B", trapped, here);
    ck_assert_uint_gt(trapped, RUNS / 2);
    ck_assert_uint_lt(here, RUNS / 10); /* 5 % and 4.6 standard deviations */
}
END_TEST

START_TEST(a_fixed_order_against_a_disturbance_of_its_period)
{
    static const double disturbed[] = {1, 0, 0, 1}; /* every fourth sample and the next */
    struct rng r = {12};
    double fixed[PAIRS], coin[PAIRS];
    size_t trapped = 0, here = 0;
    for (uint32_t run = 0; run < RUNS; run++) {
        for (size_t k = 0; k < PAIRS; k++) {
            double first = rng_normal(&r) + disturbed[2 * k % 4];
            double second = rng_normal(&r) + disturbed[(2 * k + 1) % 4];
            fixed[k] = k % 2 ? second - first : first - second; /* ABBA */
            coin[k] = rn_coin(run, k) ? second - first : first - second;
        }
        trapped += differs(fixed, NULL, PAIRS, 2.576);
        here += differs(coin, NULL, PAIRS, 2.576);
    }
    tell("ABBA in fixed order", trapped, here);
    ck_assert_uint_gt(trapped, RUNS / 2);
    ck_assert_uint_lt(here, RUNS / 25);
}
END_TEST

/* A process has its own level (pages, addresses), and what is sampled inside it shares that. */
START_TEST(samples_of_one_process_taken_as_independent)
{
    enum { PROCESSES = 32, INSIDE = PAIRS / PROCESSES };
    struct rng r = {13};
    double inside[PAIRS], level[PAIRS];
    uint32_t process[PAIRS];
    size_t trapped = 0, here = 0;
    for (uint32_t run = 0; run < RUNS; run++) {
        for (size_t k = 0; k < PAIRS; k++) {
            process[k] = (uint32_t)(k / INSIDE);
            level[k] = k % INSIDE ? level[k - 1] : 2 * rng_normal(&r);
            inside[k] = level[k] + rng_normal(&r);
        }
        trapped += differs(inside, NULL, PAIRS, 1.96);
        here += differs(inside, process, PAIRS, 1.96);
    }
    tell("samples of a process as independent", trapped, here);
    ck_assert_uint_gt(trapped, RUNS / 5);
    ck_assert_uint_lt(here, RUNS / 10);
}
END_TEST

START_TEST(looking_until_it_is_significant)
{
    enum { MOST = 1536 };
    static double value[MOST];
    struct rng r = {14};
    const struct an_plan plan = an_plan_standard(AN_MARGIN, 0);
    size_t trapped = 0, here = 0;
    for (uint32_t run = 0; run < RUNS; run++) {
        bool peeked = false, looked = false;
        for (size_t k = 0; k < MOST; k++)
            value[k] = rng_heavy(&r);
        for (size_t n = 64; n <= MOST && !peeked; n += 64)
            peeked = differs(value, NULL, n, 1.96);
        for (size_t i = 0; i < plan.n_looks; i++)
            looked = looked || differs(value, NULL, plan.looks[i], plan.critical);
        trapped += peeked;
        here += looked;
    }
    tell("peeking until p < 0.05", trapped, here);
    ck_assert_uint_gt(trapped, RUNS / 5);
    ck_assert_uint_le(here, RUNS / 100);
}
END_TEST

/* Noise with bursts, as it was measured: the mean follows them. */
START_TEST(the_mean_of_log_ratios)
{
    struct rng r = {15};
    double value[PAIRS], squares[2] = {0};
    for (uint32_t run = 0; run < RUNS; run++) {
        double mean = 0, centre;
        for (size_t k = 0; k < PAIRS; k++) {
            value[k] = rng_heavy(&r);
            mean += value[k] / PAIRS;
        }
        ck_assert(an_hodges_lehmann(value, PAIRS, &centre));
        squares[0] += mean * mean;
        squares[1] += centre * centre;
    }
    printf("standard error of the mean %.2f times that of Hodges-Lehmann\n",
           sqrt(squares[0] / squares[1]));
    ck_assert_double_gt(sqrt(squares[0] / squares[1]), 1.3);
}
END_TEST

HP_SUITE(analysis_traps)
{
    Suite *s = suite_create("analysis_traps");
    TCase *t = tcase_create("traps");
    tcase_add_test(t, one_arm_after_the_other_on_a_drifting_machine);
    tcase_add_test(t, a_fixed_order_against_a_disturbance_of_its_period);
    tcase_add_test(t, samples_of_one_process_taken_as_independent);
    tcase_add_test(t, looking_until_it_is_significant);
    tcase_add_test(t, the_mean_of_log_ratios);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    return s;
}
