/*
 * test_stats.c: the statistics file says exactly what a program did, and what it was told.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs a command with HAKMEM_STATS_FILE set and evaluates a jq filter on what it wrote. */
static const char *stats_of(const char *command, const char *filter)
{
    struct outcome *o = run_shell("d=$(mktemp -d) && HAKMEM_STATS_FILE=$d/s %s >/dev/null && "
                                  "ls $d && jq -c '%s' $d/s; rm -rf $d",
                                  command, filter);
    ck_assert(exited_with(o, 0));
    ck_assert_msg(strncmp(o->text, "s\n", 2) == 0, "one file is left, not: %s", o->text);
    return o->text + 2;
}

static const char *bench(const char *variables, const char *args)
{
    static char command[1024];
    snprintf(command, sizeof command, "%s %s/bench/bench_random_mixed_hakmem %s", variables,
             build_dir(), args);
    return command;
}

START_TEST(test_counts_are_exact)
{
    /* 1000 rounds of one size: the bench allocates every slot it finds empty. */
    const char *text = stats_of(bench("HAKMEM_TINY_USE_SUPERSLAB=1", "100000 1 1 100 100"),
                                "[.classes[]|select(.size==112)|.allocs,.frees]");
    unsigned long long allocs, frees;
    ck_assert_int_eq(sscanf(text, "[%llu,%llu]", &allocs, &frees), 2);
    ck_assert_uint_eq(allocs, 50000);
    ck_assert_uint_eq(frees, 50000);
}
END_TEST

START_TEST(test_format_and_config)
{
    ck_assert_str_eq(stats_of(bench("", "1000"), ".format"), "\"hakmem-stats-v1\"\n");
    ck_assert_str_eq(stats_of(bench("HAKMEM_SUPERSLAB_SIZE=4M", "1000"),
                              ".config.HAKMEM_SUPERSLAB_SIZE, .config.HAKMEM_ACE_TRACE"),
                     "{\"value\":\"4M\",\"source\":\"environment\",\"ignored\":false}\n"
                     "{\"value\":\"0\",\"source\":\"default\",\"ignored\":false}\n");
    ck_assert(strstr(
        stats_of(bench("HAKMEM_SUPERSLAB_SIZE=3 2>&-", "1000"), ".config.HAKMEM_SUPERSLAB_SIZE"),
        "\"value\":\"2M\",\"source\":\"environment\",\"ignored\":true"));
    ck_assert_str_eq(
        stats_of(bench("", "1000"),
                 "[.classes[0]|.tier,.class,.size],(.counters|has(\"os.mmap.calls\"))"),
        "[\"tiny\",0,8]\ntrue\n");
}
END_TEST

/* One thread, one seed: the same counts each time, adaptive capacities included. */
START_TEST(test_counts_repeat)
{
    static char first[1 << 16];
    static const char *const filter = ".classes, .ace_failures, .counters";
    const char *text = stats_of(bench("", "300000 2000 7 16 60000"), filter);
    snprintf(first, sizeof first, "%s", text);
    ck_assert_str_eq(stats_of(bench("", "300000 2000 7 16 60000"), filter), first);
}
END_TEST

START_TEST(test_pid_in_the_name)
{
    struct outcome *o = run_shell("d=$(mktemp -d) && cd $d && HAKMEM_STATS_FILE='a%%p.b' "
                                  "LD_PRELOAD=%s/lib/libhakmem.so /bin/ls >/dev/null; "
                                  "echo $?; ls | grep -c '^a[0-9]*[.]b$'; rm -rf $d",
                                  build_dir());
    ck_assert_str_eq(o->text, "0\n1\n");
    o = run_shell("HAKMEM_STATS_FILE=/nonexistent/x '%s' --probe malloc", self_path());
    ck_assert(exited_with(o, 0));
    ck_assert(strstr(o->text, "cannot write the statistics to /nonexistent/x"));
}
END_TEST

Suite *suite_stats(void)
{
    Suite *s = suite_create("stats");
    TCase *t = tcase_create("stats");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_counts_are_exact);
    tcase_add_test(t, test_format_and_config);
    tcase_add_test(t, test_counts_repeat);
    tcase_add_test(t, test_pid_in_the_name);
    suite_add_tcase(s, t);
    return s;
}
