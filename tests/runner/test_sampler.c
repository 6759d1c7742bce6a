/* The coin that orders the pairs, and the plan of a workload. */
#include "common/json.h"
#include "runner/sampler.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>

#define FLIPS 1536
#define COINS 400

/* Standard deviations of a count of n fair flips from its mean. */
static double deviation(double count, double n)
{
    return (count - n / 2) / sqrt(n / 4);
}

START_TEST(the_coin_is_fair)
{
    double all = 0, worst = 0;
    for (uint32_t seed = 0; seed < COINS; seed++) {
        double heads = 0;
        for (size_t k = 0; k < FLIPS; k++)
            heads += rn_coin(seed * 2654435761u, k);
        all += heads;
        worst = fmax(worst, fabs(deviation(heads, FLIPS)));
    }
    ck_assert_double_lt(fabs(deviation(all, (double)FLIPS * COINS)), 4);
    /* The largest of 400: beyond 5 once in 4,000 such tests, never below 2 if it is a coin. */
    ck_assert_double_lt(worst, 5);
    ck_assert_double_gt(worst, 2);
}
END_TEST

/* A disturbance of any short period must meet both orders equally. */
START_TEST(the_coin_has_no_period)
{
    for (size_t lag = 1; lag <= 64; lag++) {
        double same = 0, n = 0;
        for (uint32_t seed = 1; seed <= COINS; seed++) {
            for (size_t k = 0; k + lag < FLIPS; k += 7) {
                same += rn_coin(seed, k) == rn_coin(seed, k + lag);
                n++;
            }
        }
        ck_assert_double_lt(fabs(deviation(same, n)), 5);
    }
}
END_TEST

/* And at each place in a run, over the runs; neighbouring seeds are independent. */
START_TEST(the_coin_is_fair_at_every_place)
{
    for (size_t k = 0; k < FLIPS; k++) {
        double heads = 0, same = 0;
        for (uint32_t seed = 0; seed < COINS; seed++) {
            heads += rn_coin(seed, k);
            same += rn_coin(seed, k) == rn_coin(seed + 1, k);
        }
        ck_assert_double_lt(fabs(deviation(heads, COINS)), 5);
        ck_assert_double_lt(fabs(deviation(same, COINS)), 5);
    }
}
END_TEST

START_TEST(the_coin_can_be_drawn_again)
{
    /* SplitMix64 from state 0 begins with e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f,
     * f88bb8a8724c81ec, 1b39896a51a8749b (the published reference). */
    static const bool expected[] = {true, false, false, true, false};
    for (size_t k = 0; k < 5; k++)
        ck_assert_int_eq(rn_coin(0, k), expected[k]);
}
END_TEST

static struct rn_plan plan_of(const char *workload, bool has_base, uint32_t ceiling)
{
    struct hp_error err;
    struct rn_plan plan;
    struct rn_runner runner = {.max_pairs = ceiling, .budget_s = 30};
    const struct rn_room room = {.runner = &runner};
    json_t *json = fx_json(workload);
    const struct rn_workload w = {.room = &room, .json = json};
    ck_assert(rn_plan_of(&w, has_base, &plan, &err));
    json_decref(json);
    return plan;
}

START_TEST(plans)
{
    struct rn_plan plan = plan_of("{}", true, 0);
    ck_assert_double_eq(plan.margin, 0.01);
    ck_assert_uint_eq(plan.max_pairs, 1536);
    ck_assert_uint_eq(plan.n_seeds, 3);
    ck_assert_int_eq(plan.seeds[2], 44);
    ck_assert_int_eq(plan.second, RN_BASE);
    plan = plan_of("{'margin': 0.05, 'max_pairs': 512, 'seeds': [7]}", true, 128);
    ck_assert_double_eq(plan.margin, 0.05);
    ck_assert_uint_eq(plan.max_pairs, 128);
    ck_assert_uint_eq(plan.n_seeds, 1);
    plan = plan_of("{}", false, 0);
    ck_assert_uint_eq(plan.max_pairs, 64);
    ck_assert_int_eq(plan.second, RN_CONTROL);
    ck_assert_double_eq(plan_of("{}", true, 0).budget_s, 30);
    ck_assert_double_eq(plan_of("{'budget_s': 2.5}", true, 0).budget_s, 2.5);
    ck_assert_double_eq(plan_of("{'budget_s': 600}", true, 0).budget_s, 30);
    ck_assert_double_eq(plan_of("{}", true, 0).limit_s, 30);
    ck_assert_double_eq(plan_of("{'budget_s': 2.5}", true, 0).limit_s, 5);
    ck_assert_double_eq(plan_of("{'budget_s': 20}", true, 0).limit_s, 30);
    ck_assert_uint_ne(plan_of("{}", true, 0).coin_seed, plan_of("{}", true, 0).coin_seed);
}
END_TEST

/* At the budget what is known is said; what is not gets as long again. */
START_TEST(time_is_up)
{
    struct rn_samples *out = calloc(1, sizeof *out);
    struct rn_plan plan = {.budget_s = 10, .limit_s = 20, .max_pairs = 1536};
    ck_assert_ptr_nonnull(out);
    out->max_pairs = plan.max_pairs;
    out->spent_s = 9;
    out->decision.verdict = AN_EQUIVALENT;
    ck_assert_double_eq(rn_time_up(&plan, out), 0);
    out->spent_s = 11;
    ck_assert_double_eq(rn_time_up(&plan, out), 10);
    out->decision.verdict = AN_INCONCLUSIVE;
    ck_assert_double_eq(rn_time_up(&plan, out), 0);
    out->spent_s = 21;
    ck_assert_double_eq(rn_time_up(&plan, out), 20);
    out->spent_s = 11;
    out->max_pairs = 64;
    ck_assert_double_eq(rn_time_up(&plan, out), 10);
    plan = (struct rn_plan){.max_pairs = 1536};
    out->spent_s = 1e6;
    ck_assert_double_eq(rn_time_up(&plan, out), 0);
    free(out);
}
END_TEST

HP_SUITE(runner_sampler)
{
    Suite *s = suite_create("runner_sampler");
    TCase *t = tcase_create("plan");
    tcase_add_test(t, the_coin_is_fair);
    tcase_add_test(t, the_coin_has_no_period);
    tcase_add_test(t, the_coin_is_fair_at_every_place);
    tcase_add_test(t, the_coin_can_be_drawn_again);
    tcase_add_test(t, plans);
    tcase_add_test(t, time_is_up);
    suite_add_tcase(s, t);
    return s;
}
