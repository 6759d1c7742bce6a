/* What gates beside the time: waiting, where a workload has threads. */
#include "common/cleanup.h"
#include "common/json.h"
#include "common/judging/beside.h"
#include "tests/suite.h"

#include <string.h>

#define PAIRS 64

static void add(json_t *samples, const char *arm, const char *metric, double typical, double spread)
{
    json_t *values = json_array();
    for (int i = 0; i < PAIRS; i++)
        json_array_append_new(values, json_real(typical + spread * (i * 37 % 11 - 5)));
    json_array_append_new(
        samples, json_pack("{s:s, s:s, s:o}", "arm", arm, "metric", metric, "values", values));
}

/* A workload whose head waits `waits` times instead of 12 and takes `longer` times as long. */
static json_t *workload(double waits, double longer)
{
    json_t *samples = json_array(), *layouts = json_array();
    for (int i = 0; i < PAIRS; i++)
        json_array_append_new(layouts, json_integer(i));
    add(samples, "base", "voluntary_switches", 12, 1);
    add(samples, "head", "voluntary_switches", waits, -1);
    add(samples, "base", "wall", 0.02, 0.0002);
    add(samples, "head", "wall", 0.02 * longer, -0.0002);
    return json_pack("{s:o, s:{s:o}, s:{s:f}}", "samples", samples, "pairs", "layout", layouts,
                     "plan", "layout_sd", 0.0);
}

static const struct hp_judged *judged_of(const json_t *w, const char *metric, bool threads)
{
    static struct hp_judged judged[HP_BESIDE_MOST];
    size_t n = hp_judge_beside(w, threads, 3.7, judged);
    const struct hp_judged *found = NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(judged[i].name, metric) == 0) {
            ck_assert_msg(!found, "told twice");
            found = &judged[i];
        }
    return found;
}

static const struct hp_judged *waiting(const json_t *w, bool threads)
{
    return judged_of(w, "voluntary_switches", threads);
}

START_TEST(waiting_gates_with_threads)
{
    HP_JSON json_t *slow = workload(200, 1.5);
    const struct hp_judged *m = waiting(slow, true);
    ck_assert(m && m->gates && !m->excusable);
    ck_assert(m->outcome.verdict == AN_REGRESSED && m->outcome.size == AN_RELEVANT);
    ck_assert_double_eq_tol(m->head - m->base, 188, 1);
    HP_JSON json_t *fast = workload(2, 0.8);
    m = waiting(fast, true);
    ck_assert(m && m->gates && m->outcome.verdict == AN_IMPROVED);
    m = waiting(slow, false);
    ck_assert(m && !m->gates);
}
END_TEST

/* More waits that cost no time are told, and are no regression that anybody is woken for. */
START_TEST(waiting_that_costs_nothing_is_small)
{
    HP_JSON json_t *w = workload(200, 1);
    const struct hp_judged *m = waiting(w, true);
    ck_assert(m && m->gates);
    ck_assert(m->outcome.verdict == AN_REGRESSED && m->outcome.size == AN_SMALL);
}
END_TEST

START_TEST(the_same_waits_do_not_gate)
{
    HP_JSON json_t *w = workload(12, 1.5);
    const struct hp_judged *m = waiting(w, true);
    ck_assert(!m || !m->gates);
}
END_TEST

/* Most of a short process's kernel time is its start: what gates is the steady part's share, and
 * whole processes only where a driver tells no more. */
START_TEST(the_kernels_share_is_of_the_steady_part)
{
    HP_JSON json_t *w = workload(12, 1);
    json_t *samples = json_object_get(w, "samples");
    const struct hp_judged *m;
    for (int i = 0; i < 2; i++) {
        add(samples, i ? "head" : "base", "user_cpu", 0.012, 0);
        add(samples, i ? "head" : "base", "system_cpu", i ? 0.012 : 0.004, 0);
    }
    m = judged_of(w, "kernel_share", false);
    ck_assert(m && m->gates && m->outcome.verdict == AN_REGRESSED);
    ck_assert_double_eq_tol(m->head, 0.5, 0.01);
    for (int i = 0; i < 2; i++)
        add(samples, i ? "head" : "base", "steady_user_cpu", 0.4, 0);
    add(samples, "base", "steady_system_cpu", 0.005, 0);
    m = judged_of(w, "kernel_share", false);
    ck_assert_double_eq_tol(m->head, 0.5, 0.01);
    add(samples, "head", "steady_system_cpu", 0.005, 0);
    m = judged_of(w, "kernel_share", false);
    ck_assert(m && m->gates && m->outcome.verdict == AN_EQUIVALENT);
    ck_assert_double_eq_tol(m->head, 0.012, 0.002);
    ck_assert_double_eq_tol(m->base, 0.012, 0.002);
}
END_TEST

HP_SUITE(beside)
{
    Suite *s = suite_create("beside");
    TCase *t = tcase_create("waits");
    tcase_add_test(t, waiting_gates_with_threads);
    tcase_add_test(t, waiting_that_costs_nothing_is_small);
    tcase_add_test(t, the_same_waits_do_not_gate);
    tcase_add_test(t, the_kernels_share_is_of_the_steady_part);
    suite_add_tcase(s, t);
    return s;
}
