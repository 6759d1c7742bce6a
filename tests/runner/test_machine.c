/* Facts that stay, and the parser of /proc/stat. */
#include "common/json.h"
#include "runner/machine.h"
#include "runner/preflight.h"
#include "tests/suite.h"

#include <string.h>

START_TEST(facts_do_not_change_by_themselves)
{
    json_t *first = rn_machine(), *second = rn_machine();
    const json_t *facts = json_object_get(first, "facts");
    ck_assert(json_equal(first, second));
    ck_assert_uint_eq(strlen(hp_json_string(first, "fingerprint", "")), 64);
    ck_assert(json_integer_value(json_object_get(facts, "cpus")) >= 1);
    ck_assert_int_eq(json_integer_value(json_object_get(facts, "memory_mib")) % 512, 0);
    ck_assert(json_is_string(json_object_get(facts, "kernel")));
    ck_assert_ptr_null(json_object_get(facts, "bogomips"));
    ck_assert_ptr_null(json_object_get(facts, "mhz"));
    json_decref(first);
    json_decref(second);
}
END_TEST

START_TEST(stolen_time)
{
    static const char text[] = "cpu  10 0 20 300 0 0 0 9 0 0\n"
                               "cpu0 4 1 10 150 2 0 1 2 7 7\n"
                               "cpu1 6 0 10 150 0 0 0 7 0 0\n"
                               "cpu12 1 1 1 1 1 1 1 1 0 0\nintr 5\n";
    double total, steal;
    ck_assert(rn_read_stat(text, 0, &total, &steal));
    ck_assert_double_eq(total, 170);
    ck_assert_double_eq(steal, 2);
    ck_assert(rn_read_stat(text, 1, &total, &steal));
    ck_assert_double_eq(steal, 7);
    ck_assert(rn_read_stat(text, 12, &total, &steal));
    ck_assert_double_eq(total, 8);
    ck_assert(!rn_read_stat(text, 2, &total, &steal));
    ck_assert(!rn_read_stat("", 0, &total, &steal));
    ck_assert(!rn_read_stat("cpu0 1 2 3", 0, &total, &steal));
}
END_TEST

START_TEST(cpus)
{
    struct hp_error err = {0};
    ck_assert_int_ge(rn_choose_cpu(-1, &err), 0);
    ck_assert_int_eq(rn_choose_cpu(4000 % CPU_SETSIZE, &err), -1);
    ck_assert_int_eq(err.code, HP_USAGE);
    int cpu = rn_choose_cpu(-1, &err);
    cpu_set_t before, now;
    rn_step_aside(cpu, &before);
    ck_assert_int_eq(sched_getaffinity(0, sizeof now, &now), 0);
    ck_assert(CPU_COUNT(&before) == 1 || !CPU_ISSET((size_t)cpu, &now));
    rn_step_back(&before);
    ck_assert_int_eq(sched_getaffinity(0, sizeof now, &now), 0);
    ck_assert(CPU_EQUAL(&before, &now));
}
END_TEST

HP_SUITE(runner_machine)
{
    Suite *s = suite_create("runner_machine");
    TCase *t = tcase_create("machine");
    tcase_add_test(t, facts_do_not_change_by_themselves);
    tcase_add_test(t, stolen_time);
    tcase_add_test(t, cpus);
    suite_add_tcase(s, t);
    return s;
}
