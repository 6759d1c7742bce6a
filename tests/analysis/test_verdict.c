/* The rules of measurement.md, one by one, on series whose intervals are known. */
#include "analysis/verdict.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <math.h>
#include <string.h>

enum { MOST = 1536 };

static double value[MOST];

/* The margin of 1 % as the plan has it. */
static double m(void)
{
    return log1p(0.01);
}

/* A constant series has the interval [x, x] from 14 pairs on. */
static void constant(double x)
{
    for (size_t i = 0; i < MOST; i++)
        value[i] = x;
}

/* Two halves at a and b, alternating: at 64 pairs the interval is [a, b]. */
static void halves(double a, double b)
{
    for (size_t i = 0; i < MOST; i++)
        value[i] = i % 2 ? a : b;
}

static struct an_decision decide_with(const struct an_plan *plan, size_t n)
{
    struct an_decision d;
    ck_assert(an_decide(value, NULL, n, AN_HIGHER, plan, &d));
    return d;
}

static struct an_decision decide(size_t n)
{
    struct an_plan plan = an_plan_standard(AN_MARGIN, 0);
    return decide_with(&plan, n);
}

static void assert_says(struct an_decision d, enum an_verdict v, enum an_size size, bool stop)
{
    ck_assert_str_eq(an_verdict_name(d.verdict), an_verdict_name(v));
    ck_assert_int_eq((int)d.size, (int)size);
    ck_assert_int_eq(d.stop, stop);
}

START_TEST(constants_are_those_of_the_protocol)
{
    const uint32_t looks[] = {64, 128, 256, 512, 1024, 1536};
    struct an_plan plan = an_plan_standard(AN_MARGIN, AN_LAYOUT_SD);
    ck_assert_uint_eq(plan.n_looks, 6);
    ck_assert_mem_eq(plan.looks, looks, sizeof looks);
    ck_assert(plan.critical == 3.70 && plan.futility_z == 2.0 && plan.early_below == 512);
    ck_assert_double_eq_tol(expm1(plan.margin), 0.01, 1e-15);
    ck_assert_double_eq_tol(expm1(plan.detectable_enough), 0.003, 1e-15);
    ck_assert(plan.layout_sd == 0.0045);
    struct an_plan confirm = an_plan_confirm(AN_MARGIN, 0);
    ck_assert(confirm.n_looks == 1 && confirm.looks[0] == 512 && confirm.critical == 3.70);
}
END_TEST

START_TEST(before_512_only_a_proven_relevant_change_stops)
{
    const size_t early[] = {64, 128, 256};
    for (size_t i = 0; i < 3; i++) {
        constant(-m());
        assert_says(decide(early[i]), AN_REGRESSED, AN_RELEVANT, true);
        constant(-m() * 0.999);
        assert_says(decide(early[i]), AN_REGRESSED, AN_SMALL, false);
        constant(0);
        assert_says(decide(early[i]), AN_EQUIVALENT, AN_SIZE_NONE, false);
        constant(m() * 0.999);
        assert_says(decide(early[i]), AN_IMPROVED, AN_SMALL, false);
        constant(m());
        assert_says(decide(early[i]), AN_IMPROVED, AN_RELEVANT, true);
    }
}
END_TEST

START_TEST(from_512_an_excluded_zero_stops)
{
    constant(-1e-9);
    assert_says(decide(512), AN_REGRESSED, AN_SMALL, true);
    assert_says(decide(1024), AN_REGRESSED, AN_SMALL, true);
    constant(1e-9);
    assert_says(decide(512), AN_IMPROVED, AN_SMALL, true);
    constant(0);
    assert_says(decide(512), AN_EQUIVALENT, AN_SIZE_NONE, true);
}
END_TEST

START_TEST(small_has_to_be_proven)
{
    halves(-2 * m(), -0.5 * m());
    assert_says(decide(64), AN_REGRESSED, AN_RELEVANT, false);
    halves(-0.9 * m(), -0.5 * m());
    assert_says(decide(64), AN_REGRESSED, AN_SMALL, false);
    halves(0.5 * m(), 2 * m());
    assert_says(decide(64), AN_IMPROVED, AN_RELEVANT, false);
    halves(-m() * 1.001, -m() / 2);
    assert_says(decide(64), AN_REGRESSED, AN_RELEVANT, false);
}
END_TEST

START_TEST(zero_within_a_wide_interval_is_inconclusive)
{
    halves(-2 * m(), m() / 2);
    assert_says(decide(64), AN_INCONCLUSIVE, AN_SIZE_NONE, false);
    halves(-m() / 2, m() / 2);
    assert_says(decide(64), AN_EQUIVALENT, AN_SIZE_NONE, false);
    /* Exactly the margin is still within it. */
    halves(-m(), m());
    assert_says(decide(64), AN_EQUIVALENT, AN_SIZE_NONE, false);
    halves(-m() * 1.001, m());
    assert_says(decide(64), AN_INCONCLUSIVE, AN_SIZE_NONE, false);
}
END_TEST

/* One standard-normal series, scaled and moved so that 0 is inside but |z| is chosen. */
static void leaning(double half_width, double z)
{
    struct rng r = {21};
    struct an_estimate e;
    for (size_t i = 0; i < MOST; i++)
        value[i] = rng_normal(&r);
    ck_assert(an_estimate_pairs(value, NULL, 512, 3.7, 0, &e));
    double scale = half_width / ((e.high - e.low) / 2);
    for (size_t i = 0; i < MOST; i++)
        value[i] = (value[i] - e.estimate) * scale + half_width * z / 3.7;
}

START_TEST(equivalence_needs_little_lean_or_a_fine_interval)
{
    double fine = log1p(0.003) / (1 + 1.28 / 3.7);
    leaning(0.5 * m(), 1.9);
    assert_says(decide(512), AN_EQUIVALENT, AN_SIZE_NONE, true);
    leaning(0.5 * m(), 2.2);
    ck_assert_double_gt(decide(512).estimate.z, 2);
    assert_says(decide(512), AN_EQUIVALENT, AN_SIZE_NONE, false);
    leaning(0.5 * m(), -2.2);
    assert_says(decide(512), AN_EQUIVALENT, AN_SIZE_NONE, false);
    leaning(0.99 * fine, 2.2);
    assert_says(decide(512), AN_EQUIVALENT, AN_SIZE_NONE, true);
    leaning(1.01 * fine, 2.2);
    assert_says(decide(512), AN_EQUIVALENT, AN_SIZE_NONE, false);
    leaning(1.2 * m(), 0);
    assert_says(decide(512), AN_INCONCLUSIVE, AN_SIZE_NONE, false);
}
END_TEST

START_TEST(last_look_always_stops)
{
    struct an_plan plan = an_plan_standard(AN_MARGIN, 0);
    plan.futility_z = 0;
    plan.detectable_enough = -1;
    constant(0);
    assert_says(decide_with(&plan, 1024), AN_EQUIVALENT, AN_SIZE_NONE, false);
    assert_says(decide_with(&plan, 1536), AN_EQUIVALENT, AN_SIZE_NONE, true);
    leaning(3 * m(), 0);
    assert_says(decide(1024), AN_INCONCLUSIVE, AN_SIZE_NONE, false);
    assert_says(decide(1536), AN_INCONCLUSIVE, AN_SIZE_NONE, true);
}
END_TEST

START_TEST(one_layout_cannot_be_equivalent_and_stops_asking)
{
    struct an_plan plan = an_plan_standard(AN_MARGIN, AN_LAYOUT_SD);
    ck_assert(plan.critical * plan.layout_sd > plan.margin);
    constant(0);
    assert_says(decide_with(&plan, 256), AN_INCONCLUSIVE, AN_SIZE_NONE, false);
    assert_says(decide_with(&plan, 512), AN_INCONCLUSIVE, AN_SIZE_NONE, true);
    /* Beyond the widening a change is still seen, and called relevant. */
    constant(-0.03);
    assert_says(decide_with(&plan, 64), AN_REGRESSED, AN_RELEVANT, true);
    constant(-0.017);
    assert_says(decide_with(&plan, 64), AN_REGRESSED, AN_RELEVANT, false);
    /* With a margin above the widening it can be. */
    plan = an_plan_standard(0.05, AN_LAYOUT_SD);
    constant(0);
    assert_says(decide_with(&plan, 512), AN_EQUIVALENT, AN_SIZE_NONE, true);
}
END_TEST

START_TEST(only_looks_count)
{
    constant(-0.5);
    assert_says(decide(63), AN_INCONCLUSIVE, AN_SIZE_NONE, false);
    ck_assert_uint_eq(decide(63).estimate.n, 63);
    ck_assert_uint_eq(decide(127).estimate.n, 64);
    ck_assert_uint_eq(decide(1535).estimate.n, 1024);
    struct an_plan plan = an_plan_confirm(AN_MARGIN, 0);
    assert_says(decide_with(&plan, 511), AN_INCONCLUSIVE, AN_SIZE_NONE, false);
    assert_says(decide_with(&plan, 1536), AN_REGRESSED, AN_RELEVANT, true);
    ck_assert_uint_eq(decide_with(&plan, 1536).estimate.n, 512);
}
END_TEST

START_TEST(a_run_ends_at_its_first_stop)
{
    struct an_plan plan = an_plan_standard(AN_MARGIN, 0);
    struct an_decision d;
    constant(-0.5);
    ck_assert(an_decide_run(value, NULL, MOST, AN_HIGHER, &plan, &d));
    ck_assert_uint_eq(d.estimate.n, 64);
    assert_says(d, AN_REGRESSED, AN_RELEVANT, true);
    constant(0);
    ck_assert(an_decide_run(value, NULL, MOST, AN_HIGHER, &plan, &d));
    ck_assert_uint_eq(d.estimate.n, 512);
    ck_assert(an_decide_run(value, NULL, 300, AN_HIGHER, &plan, &d));
    ck_assert_uint_eq(d.estimate.n, 256);
    assert_says(d, AN_EQUIVALENT, AN_SIZE_NONE, false);
    ck_assert(an_decide_run(value, NULL, 10, AN_HIGHER, &plan, &d));
    ck_assert_uint_eq(d.estimate.n, 10);
    assert_says(d, AN_INCONCLUSIVE, AN_SIZE_NONE, false);
}
END_TEST

START_TEST(lower_is_better_flips_the_word_not_the_sign)
{
    struct an_plan plan = an_plan_standard(AN_MARGIN, 0);
    struct an_decision d;
    constant(0.05);
    ck_assert(an_decide(value, NULL, 64, AN_LOWER, &plan, &d));
    assert_says(d, AN_REGRESSED, AN_RELEVANT, true);
    ck_assert_double_eq(d.estimate.estimate, 0.05);
    constant(-0.005);
    ck_assert(an_decide(value, NULL, 512, AN_LOWER, &plan, &d));
    assert_says(d, AN_IMPROVED, AN_SMALL, true);
}
END_TEST

START_TEST(bad_plans_and_pairs_change_nothing)
{
    const uint32_t falling[] = {64, 64}, from_zero[] = {0, 64};
    struct an_plan good = an_plan_standard(AN_MARGIN, 0), plan[8];
    struct an_decision d, untouched;
    memset(&d, 0x5a, sizeof d);
    untouched = d;
    constant(0);
    for (size_t i = 0; i < 8; i++)
        plan[i] = good;
    plan[0].n_looks = 0;
    plan[1].looks = falling;
    plan[1].n_looks = 2;
    plan[2].looks = from_zero;
    plan[2].n_looks = 2;
    plan[3] = an_plan_standard(0, 0);
    plan[4] = an_plan_standard(-0.01, 0);
    plan[5] = an_plan_standard(NAN, 0);
    plan[6] = an_plan_standard(0.01, -1);
    plan[7].critical = 0;
    for (size_t i = 0; i < 8; i++) {
        ck_assert(!an_decide(value, NULL, MOST, AN_HIGHER, &plan[i], &d));
        ck_assert(!an_decide_run(value, NULL, MOST, AN_HIGHER, &plan[i], &d));
    }
    ck_assert(!an_decide(value, NULL, 0, AN_HIGHER, &good, &d));
    value[5] = NAN;
    ck_assert(!an_decide(value, NULL, MOST, AN_HIGHER, &good, &d));
    ck_assert(!an_decide_run(value, NULL, MOST, AN_HIGHER, &good, &d));
    ck_assert_mem_eq(&d, &untouched, sizeof d);
}
END_TEST

START_TEST(a_fresh_run_confirms_in_the_same_direction)
{
    struct an_estimate first = {.estimate = -0.02}, up = {.estimate = 0.02}, none = {0};
    struct an_estimate fresh = {.z = -2.33}, weak = {.z = -2.32}, other = {.z = 2.33};
    ck_assert(an_confirms(&first, &fresh));
    ck_assert(!an_confirms(&first, &weak));
    ck_assert(!an_confirms(&first, &other));
    ck_assert(an_confirms(&up, &other));
    ck_assert(!an_confirms(&up, &fresh));
    ck_assert(!an_confirms(&none, &other));
}
END_TEST

START_TEST(layout_is_suspected_when_only_one_layout_moved)
{
    struct an_estimate moved = {.estimate = -0.03, .low = -0.04, .high = -0.02};
    struct an_estimate unsure = {.estimate = -0.03, .low = -0.07, .high = 0.01};
    struct an_estimate still = {.estimate = -0.001, .low = -0.004, .high = 0.002};
    ck_assert(an_layout_suspect(&moved, &still, 0.01));
    ck_assert(!an_layout_suspect(&moved, &moved, 0.01));
    ck_assert(!an_layout_suspect(&unsure, &still, 0.01));
    ck_assert(!an_layout_suspect(&still, &still, 0.01));
}
END_TEST

/* From worst to best, as measurement.md lists them. */
static const struct an_outcome order[] = {
    {AN_FAILED, AN_SIZE_NONE},     {AN_REGRESSED, AN_RELEVANT},  {AN_INCONCLUSIVE, AN_SIZE_NONE},
    {AN_REGRESSED, AN_SMALL},      {AN_IMPROVED, AN_RELEVANT},   {AN_IMPROVED, AN_SMALL},
    {AN_EQUIVALENT, AN_SIZE_NONE}, {AN_IDENTICAL, AN_SIZE_NONE},
};
enum { OUTCOMES = sizeof order / sizeof *order };

START_TEST(rollup_is_the_worst_wherever_it_stands)
{
    for (size_t i = 0; i < OUTCOMES; i++) {
        for (size_t j = 0; j < OUTCOMES; j++) {
            struct an_outcome three[3] = {order[OUTCOMES - 1], order[i], order[j]}, worst;
            ck_assert(an_rollup(three, 3, &worst));
            ck_assert_mem_eq(&worst, &order[i < j ? i : j], sizeof worst);
        }
    }
    struct an_outcome untouched = {AN_FAILED, AN_SMALL};
    ck_assert(!an_rollup(order, 0, &untouched));
    ck_assert(untouched.verdict == AN_FAILED && untouched.size == AN_SMALL);
}
END_TEST

/* A counted metric counts where it is proven and relevant; of equals the time decides. */
START_TEST(counted_metrics_gate_with_the_time)
{
    static const struct {
        struct an_outcome timed, counted, comes_to;
        int decided_by;
    } cases[] = {
        {{AN_EQUIVALENT, AN_SIZE_NONE},
         {AN_REGRESSED, AN_RELEVANT},
         {AN_REGRESSED, AN_RELEVANT},
         1},
        {{AN_EQUIVALENT, AN_SIZE_NONE},
         {AN_REGRESSED, AN_SMALL},
         {AN_EQUIVALENT, AN_SIZE_NONE},
         -1},
        {{AN_EQUIVALENT, AN_SIZE_NONE}, {AN_IMPROVED, AN_RELEVANT}, {AN_IMPROVED, AN_RELEVANT}, 1},
        {{AN_EQUIVALENT, AN_SIZE_NONE},
         {AN_INCONCLUSIVE, AN_SIZE_NONE},
         {AN_EQUIVALENT, AN_SIZE_NONE},
         -1},
        {{AN_REGRESSED, AN_RELEVANT}, {AN_REGRESSED, AN_RELEVANT}, {AN_REGRESSED, AN_RELEVANT}, -1},
        {{AN_REGRESSED, AN_SMALL}, {AN_REGRESSED, AN_RELEVANT}, {AN_REGRESSED, AN_RELEVANT}, 1},
        {{AN_INCONCLUSIVE, AN_SIZE_NONE},
         {AN_IMPROVED, AN_RELEVANT},
         {AN_INCONCLUSIVE, AN_SIZE_NONE},
         -1},
        {{AN_INCONCLUSIVE, AN_SIZE_NONE},
         {AN_REGRESSED, AN_RELEVANT},
         {AN_REGRESSED, AN_RELEVANT},
         1},
        /* Less user time raises the kernel's share, and is no fault. */
        {{AN_IMPROVED, AN_RELEVANT}, {AN_REGRESSED, AN_RELEVANT}, {AN_IMPROVED, AN_RELEVANT}, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct an_counted_gate counted[2] = {{{AN_EQUIVALENT, AN_SIZE_NONE}, true},
                                                   {cases[i].counted, true}};
        int decided_by = 7;
        struct an_outcome got = an_gate(cases[i].timed, counted, 2, &decided_by);
        ck_assert_msg(got.verdict == cases[i].comes_to.verdict &&
                          got.size == cases[i].comes_to.size && decided_by == cases[i].decided_by,
                      "case %zu", i);
    }
    /* Threads that sleep use less CPU time: no excuse for waiting. */
    const struct an_counted_gate waits = {{AN_REGRESSED, AN_RELEVANT}, false};
    int decided_by;
    struct an_outcome got =
        an_gate((struct an_outcome){AN_IMPROVED, AN_RELEVANT}, &waits, 1, &decided_by);
    ck_assert(got.verdict == AN_REGRESSED && got.size == AN_RELEVANT && decided_by == 0);
}
END_TEST

START_TEST(a_plan_is_limited)
{
    uint32_t only = 0;
    struct an_plan plan = an_plan_standard(0.01, 0);
    an_plan_limit(&plan, 1536, &only);
    ck_assert_uint_eq(plan.n_looks, 6);
    an_plan_limit(&plan, 300, &only);
    ck_assert_uint_eq(plan.n_looks, 3);
    ck_assert_uint_eq(plan.looks[2], 256);
    plan = an_plan_confirm(0.01, 0);
    an_plan_limit(&plan, 100, &only);
    ck_assert_uint_eq(plan.n_looks, 1);
    ck_assert_uint_eq(plan.looks[0], 100);
}
END_TEST

START_TEST(exit_codes)
{
    const int plain[OUTCOMES] = {3, 1, 3, 0, 0, 0, 0, 0},
              strict[OUTCOMES] = {3, 1, 3, 1, 0, 0, 0, 0};
    for (size_t i = 0; i < OUTCOMES; i++) {
        ck_assert_int_eq(an_exit_code(order[i], false), plain[i]);
        ck_assert_int_eq(an_exit_code(order[i], true), strict[i]);
    }
}
END_TEST

START_TEST(names_and_back)
{
    for (int v = AN_IDENTICAL; v <= AN_FAILED; v++) {
        enum an_verdict back = AN_FAILED;
        ck_assert(an_verdict_parse(an_verdict_name((enum an_verdict)v), &back));
        ck_assert_int_eq((int)back, v);
    }
    enum an_verdict untouched = AN_IMPROVED;
    const char *const bad[] = {NULL, "", "Regressed", "regresse", "regressedd"};
    for (size_t i = 0; i < 5; i++)
        ck_assert(!an_verdict_parse(bad[i], &untouched));
    ck_assert(untouched == AN_IMPROVED);
    ck_assert_str_eq(an_verdict_name((enum an_verdict)99), "failed");
    ck_assert_str_eq(an_size_name(AN_SMALL), "small");
    ck_assert_str_eq(an_size_name(AN_RELEVANT), "relevant");
    ck_assert_ptr_null(an_size_name(AN_SIZE_NONE));
}
END_TEST

HP_SUITE(analysis_verdict)
{
    Suite *s = suite_create("analysis_verdict");
    TCase *t = tcase_create("looks");
    tcase_add_test(t, constants_are_those_of_the_protocol);
    tcase_add_test(t, before_512_only_a_proven_relevant_change_stops);
    tcase_add_test(t, from_512_an_excluded_zero_stops);
    tcase_add_test(t, small_has_to_be_proven);
    tcase_add_test(t, zero_within_a_wide_interval_is_inconclusive);
    tcase_add_test(t, equivalence_needs_little_lean_or_a_fine_interval);
    tcase_add_test(t, last_look_always_stops);
    tcase_add_test(t, one_layout_cannot_be_equivalent_and_stops_asking);
    tcase_add_test(t, only_looks_count);
    tcase_add_test(t, a_run_ends_at_its_first_stop);
    tcase_add_test(t, lower_is_better_flips_the_word_not_the_sign);
    tcase_add_test(t, bad_plans_and_pairs_change_nothing);
    suite_add_tcase(s, t);
    t = tcase_create("outcome");
    tcase_add_test(t, a_fresh_run_confirms_in_the_same_direction);
    tcase_add_test(t, layout_is_suspected_when_only_one_layout_moved);
    tcase_add_test(t, rollup_is_the_worst_wherever_it_stands);
    tcase_add_test(t, counted_metrics_gate_with_the_time);
    tcase_add_test(t, a_plan_is_limited);
    tcase_add_test(t, exit_codes);
    tcase_add_test(t, names_and_back);
    suite_add_tcase(s, t);
    return s;
}
