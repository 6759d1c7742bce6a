/*
 * Out of memory is an answer: with no address space left every function says false and writes
 * nothing. Each test runs in its own process (CK_FORK), which is what makes the limit harmless.
 */
#include "analysis/changepoints.h"
#include "analysis/checks.h"
#include "analysis/counter.h"
#include "analysis/suspect.h"
#include "analysis/verdict.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MANY = 2000000 };

static double value[MANY];
static bool flag[MANY];
static uint64_t count[MANY];

static void no_more_memory(void)
{
    /* Whatever is mapped stays usable; what is asked for from now on is refused. */
    struct rlimit none = {1 << 20, 1 << 20};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
    void *volatile probe = malloc(sizeof value);
    ck_assert_ptr_null(probe);
}

START_TEST(every_function_reports_it)
{
    union {
        double number;
        struct an_estimate estimate;
        struct an_decision decision;
        struct an_check check;
        struct an_counted counted;
        struct an_prediction prediction;
        size_t found;
    } out, untouched;
    struct an_plan plan = an_plan_standard(AN_MARGIN, 0);
    struct an_cp_params params = an_cp_standard(true);
    const uint32_t look[] = {MANY};
    double high = 77;
    plan.looks = look;
    plan.n_looks = 1;
    memset(&out, 0x5a, sizeof out);
    untouched = out;
    for (size_t i = 0; i < MANY; i++)
        value[i] = 0.5;
    no_more_memory();
    ck_assert(!an_median(value, MANY, &out.number));
    ck_assert(!an_median_interval(value, MANY, 0.95, &out.number, &high));
    ck_assert(!an_hodges_lehmann(value, MANY, &out.number));
    ck_assert(!an_signed_rank(value, NULL, MANY, 0, &out.number));
    ck_assert(!an_estimate_pairs(value, NULL, MANY, 3.7, 0, &out.estimate));
    ck_assert(!an_decide(value, NULL, MANY, AN_HIGHER, &plan, &out.decision));
    ck_assert(!an_decide_run(value, NULL, MANY, AN_HIGHER, &plan, &out.decision));
    ck_assert(!an_drift_check(value, MANY, &out.check));
    ck_assert(!an_order_check(value, flag, MANY, &out.check));
    ck_assert(!an_benjamini_hochberg(value, MANY, value) && value[0] == 0.5);
    ck_assert(!an_counter_exact(count, count, NULL, MANY, AN_LOWER, &out.counted));
    ck_assert(!an_counter_paired(count, count, NULL, MANY, 3.7, 0, AN_LOWER, &out.counted));
    ck_assert(!an_changepoints(value, NULL, MANY, &params, NULL, 0, &out.found));
    ck_assert(!an_predict(value, MANY, 0.99, 0, &out.prediction));
    ck_assert_mem_eq(&out, &untouched, sizeof out);
    ck_assert(high == 77);
}
END_TEST

HP_SUITE(analysis_memory)
{
    Suite *s = suite_create("analysis_memory");
    TCase *t = tcase_create("memory");
    /* A sanitizer's allocator ends the program instead of returning NULL. */
    const char *fork = getenv("CK_FORK");
    if (!UNDER_SANITIZER && !(fork && strcmp(fork, "no") == 0))
        tcase_add_test(t, every_function_reports_it);
    suite_add_tcase(s, t);
    return s;
}
