/*
 * test_bench.c: the benchmark programs keep their contract: arguments, last line, JSON, errors.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const arms[] = {"hakmem", "system"};

START_TEST(test_throughput_line)
{
    for (int i = 0; i < 2; i++) {
        struct outcome *o =
            run_shell("%s/bench/bench_random_mixed_%s 300000 400 42", build_dir(), arms[i]);
        ck_assert(exited_with(o, 0));
        double ops, seconds;
        int end = 0;
        ck_assert_int_eq(sscanf(o->text, "Throughput = %lf ops/s [iter=300000 ws=400] time=%lfs%n",
                                &ops, &seconds, &end),
                         2);
        ck_assert_str_eq(o->text + end, "\n");
        ck_assert_double_gt(ops, 1000);
    }
}
END_TEST

START_TEST(test_json_fields)
{
    static const char *const fields[] = {"\"program\":\"bench_random_mixed\"",
                                         "\"iterations\":200000",
                                         "\"working_set\":1000",
                                         "\"seed\":7",
                                         "\"min_size\":20",
                                         "\"max_size\":300",
                                         "\"threads\":1",
                                         "\"operations\":200000",
                                         "\"wall_s\":",
                                         "\"cpu_s\":",
                                         "\"startup_cpu_s\":",
                                         "\"warm\":{\"operations\":50000,",
                                         "\"steady\":{\"operations\":150000,",
                                         "\"peak_rss_kib\":"};
    struct outcome *o = run_shell("%s/bench/bench_random_mixed_hakmem 200000 1000 7 20 300 "
                                  "--json /dev/fd/3 3>&1 >/dev/null",
                                  build_dir());
    ck_assert(exited_with(o, 0));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        ck_assert_msg(strstr(o->text, fields[i]), "%s is missing in %s", fields[i], o->text);
    o = run_shell("%s/bench/bench_random_mixed_hakmem 50000 --json /dev/fd/3 3>&1 >/dev/null",
                  build_dir());
    ck_assert(strstr(o->text, "\"steady\":null"));
}
END_TEST

/* The ticks of both modes come to the CPU time of the steady part, and a program that lives on its
 * own blocks is in user mode; what a profiler set is not taken from it. */
START_TEST(test_modes)
{
    struct outcome *o = run_shell(
        "%s/bench/bench_random_mixed_hakmem 5000000 400 --json /dev/fd/3 3>&1 >/dev/null | "
        "jq -r '.steady|(.user_s+.system_s)/.cpu_s|.>0.3 and .<3'; "
        "%s/bench/bench_random_mixed_hakmem 5000000 400 --json /dev/fd/3 3>&1 >/dev/null | "
        "jq -r '.steady|.system_s<.user_s'; "
        "perl -MTime::HiRes=setitimer,ITIMER_VIRTUAL -e 'setitimer(ITIMER_VIRTUAL,9);exec @ARGV' "
        "%s/bench/bench_random_mixed_hakmem 100000 400 --json /dev/fd/3 3>&1 >/dev/null | "
        "jq -r '.steady|has(\"user_s\")'",
        build_dir(), build_dir(), build_dir());
    ck_assert_str_eq(o->text, "true\ntrue\nfalse\n");
}
END_TEST

/* CPU time is exact where it is far shorter than a tick, though the modes are counted by ticks. */
START_TEST(test_cpu_time_is_exact)
{
    struct outcome *o = run_shell(
        "for i in 1 2 3 4 5 6 7 8 9 10; do %s/bench/bench_random_mixed_system 60000 400 $i --json "
        "/dev/fd/3 3>&1 >/dev/null; done | jq -s 'map(.warm.cpu_s, .steady.cpu_s)|all(. > 0)'",
        build_dir());
    ck_assert_str_eq(o->text, "true\n");
}
END_TEST

/* Time by mode is never less than none, not even by the sign of a zero. */
START_TEST(test_modes_are_no_less_than_nothing)
{
    struct outcome *o = run_shell(
        "for i in 1 2 3 4 5 6 7 8 9 10; do %s/bench/bench_random_mixed_system 60000 400 $i --json "
        "/dev/fd/3 3>&1 >/dev/null; done | tee /dev/stderr | grep -c -- :-",
        build_dir());
    ck_assert(strstr(o->text, "\"system_s\":"));
    ck_assert(strstr(o->text, "\n0\n"));
}
END_TEST

START_TEST(test_bad_arguments)
{
    static const char *const bad[] = {"0",    "-5",          "ten",      "1 0",
                                      "10x",  "1 1 0",       "1 1 1 0",  "1 1 1 200 100",
                                      "--no", "1 1 1 1 1 1", "5 --json", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct outcome *o = run_shell("%s/bench/bench_random_mixed_hakmem %s", build_dir(), bad[i]);
        ck_assert(exited_with(o, 2));
        ck_assert(strstr(o->text, "bench_random_mixed: "));
        ck_assert(!strstr(o->text, "Throughput"));
    }
    ck_assert(exited_with(run_shell("%s/bench/bench_random_mixed_hakmem --help", build_dir()), 0));
}
END_TEST

START_TEST(test_null_is_an_error)
{
    for (int i = 0; i < 2; i++) {
        struct outcome *o = run_shell("%s/bench/bench_random_mixed_%s 10 2 42 1000000000000 "
                                      "1000000000000",
                                      build_dir(), arms[i]);
        ck_assert(exited_with(o, 1));
        ck_assert(strstr(o->text, "malloc returned NULL at iteration 0 for 1000000000000 bytes"));
    }
}
END_TEST

START_TEST(test_independent_size)
{
    struct outcome *o = run_shell("%s/bench/bench_random_mixed_hakmem 100000 1024 5 "
                                  "--independent-size",
                                  build_dir());
    ck_assert(exited_with(o, 0));
}
END_TEST

static const char *const programs[] = {"random_mixed 20000",
                                       "mid 5000 100",
                                       "mid 2000 20 1 2048 2097152",
                                       "mt 20000 100 1 2 50",
                                       "larson 5000 100 1 2 3",
                                       "realloc 2000 10",
                                       "ace 10 20"};

/* Every program reports valid JSON with the common fields, with either allocator. */
START_TEST(test_every_program)
{
    for (int i = 0; i < 2; i++) {
        char name[32];
        const char *rest = strchr(programs[_i], ' ');
        snprintf(name, sizeof name, "%.*s", (int)(rest - programs[_i]), programs[_i]);
        struct outcome *o = run_shell("%s/bench/bench_%s_%s %s --json /dev/fd/3 3>&1 >/dev/null | "
                                      "jq -r '[.program,.threads>0,.operations>0,.wall_s>0,"
                                      ".cpu_s>0,.startup_cpu_s>=0,has(\"warm\"),has(\"steady\"),"
                                      ".peak_rss_kib>0,.retained_rss_kib>0 and .retained_rss_kib<="
                                      ".peak_rss_kib]|map(tostring)|join(\" \")'",
                                      build_dir(), name, arms[i], rest);
        char expected[100];
        snprintf(expected, sizeof expected,
                 "bench_%s true true true true true true true true true\n", name);
        ck_assert_str_eq(o->text, expected);
    }
}
END_TEST

START_TEST(test_ace_program_meets_each_cause)
{
    static const char *const doors[][2] = {
        {"HAKMEM_WMAX_MID=1.01", "Threshold"},
        {"HAKMEM_ACE_POOL_CAP=1", "Exhaustion"},
        {"ulimit -v 60000;", "MapFail"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct outcome *o = run_shell("export HAKMEM_ACE_TRACE=1; %s %s/bench/bench_ace_hakmem 1 "
                                      "2000 2>&1 | grep -c '^.ACE-FAIL. %s size=33792 class='",
                                      doors[i][0], build_dir(), doors[i][1]);
        ck_assert_msg(atoi(o->text) > 0, "%s: %s", doors[i][1], o->text);
    }
}
END_TEST

Suite *suite_bench(void)
{
    Suite *s = suite_create("bench");
    TCase *t = tcase_create("bench");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_throughput_line);
    tcase_add_test(t, test_json_fields);
    tcase_add_test(t, test_modes);
    tcase_add_test(t, test_cpu_time_is_exact);
    tcase_add_test(t, test_modes_are_no_less_than_nothing);
    tcase_add_test(t, test_bad_arguments);
    tcase_add_test(t, test_null_is_an_error);
    tcase_add_test(t, test_independent_size);
    tcase_add_loop_test(t, test_every_program, 0, sizeof programs / sizeof *programs);
    tcase_add_test(t, test_ace_program_meets_each_cause);
    suite_add_tcase(s, t);
    return s;
}
