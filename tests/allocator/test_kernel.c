/*
 * test_kernel.c: what the allocator asks of the kernel: little, given back, and refusable.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every mapping in turn is refused, alone and with all that follow: the program gets NULL with
 * ENOMEM or a block from elsewhere, and everything it holds stays right. */
START_TEST(test_every_map_failure)
{
    static const char *const modes[] = {"AT", "FROM"};
    struct outcome *o = run_shell("d=$(mktemp -d); HAKMEM_STATS_FILE=$d/s '%s' --probe survive 5 "
                                  "4000 >/dev/null; jq '.counters|.[\"os.mmap.calls\"]+"
                                  ".[\"os.mremap.calls\"]' $d/s; rm -rf $d",
                                  self_path());
    int calls = atoi(o->text);
    ck_assert_int_gt(calls, 5);
    bool refused = false;
    for (int n = 1; n <= calls; n++) {
        o = run_shell("HAKMEM_OS_FAIL_%s=%d '%s' --probe survive 5 4000", modes[_i], n,
                      self_path());
        ck_assert_msg(exited_with(o, 0), "mapping %d of %d", n, calls);
        refused |= !strstr(o->text, "refused 0\n");
    }
    ck_assert(_i == 0 || refused);
}
END_TEST

START_TEST(test_little_address_space)
{
    struct outcome *o = run_shell("ulimit -v 40000; '%s' --probe survive 9 20000", self_path());
    ck_assert(exited_with(o, 0));
}
END_TEST

static const size_t pair_sizes[] = {1,      8,       16,          100,     1000,   1024,
                                    1025,   4096,    33792,       52000,   65536,  65537,
                                    300000, 1 << 20, 1 << 20 | 1, 1800000, 2 << 20};

/* Pairs of one size need the kernel only at the start. */
START_TEST(test_pairs_need_few_calls)
{
    for (size_t i = 0; i < sizeof pair_sizes / sizeof *pair_sizes; i++) {
        struct outcome *o = run_shell("strace -f -o /dev/fd/3 -e trace='!none' '%s' --probe pairs "
                                      "%zu 2000 3>&1 >/dev/null | wc -l",
                                      self_path(), pair_sizes[i]);
        ck_assert_msg(atoi(o->text) < 100 && atoi(o->text) > 5, "%zu bytes: %s calls",
                      pair_sizes[i], o->text);
    }
}
END_TEST

/* The same in one process for some hundred sizes, every end of a class among them. */
START_TEST(test_all_sizes_need_few_calls)
{
    struct outcome *o =
        run_shell("strace -f -o /dev/fd/3 -e trace='!none' '%s' --probe sweep 3>&1 >/dev/null | "
                  "awk '/write.1, .size/ {n++; calls = 0} {if (n && ++calls > most) most = calls} "
                  "END {print n, most}'",
                  self_path());
    int count, most;
    ck_assert_int_eq(sscanf(o->text, "%d %d", &count, &most), 2);
    ck_assert_int_gt(count, 390);
    ck_assert_msg(most >= 1 && most < 100, "%d calls", most);
}
END_TEST

/* 1 GiB freed by the program: at most a tenth of the peak stays. */
START_TEST(test_memory_goes_back)
{
    static const char *const shapes[] = {"1024 0", "1024 100", "1024 5000", "1024 300000",
                                         "1024 small"};
    struct outcome *o = run_shell("'%s' --probe peak %s", self_path(), shapes[_i]);
    long peak, after;
    ck_assert_int_eq(sscanf(o->text, "peak %ld after %ld", &peak, &after), 2);
    ck_assert_int_gt(peak, 1 << 20);
    ck_assert_msg(after < peak / 10, "%s", o->text);
}
END_TEST

/* Seconds of CPU of ten runs with so many iterations. */
static void run_times(int iterations, double *user, double *sys)
{
    struct outcome *o = run_shell("bash -c 'TIMEFORMAT=\"%%U %%S\"; time for i in {1..10}; do "
                                  "%s/bench/bench_random_mixed_hakmem %d 8192 42 >/dev/null; done'",
                                  build_dir(), iterations);
    ck_assert_int_eq(sscanf(o->text, "%lf %lf", user, sys), 2);
}

/* The standing workload: few system calls, little time in the kernel, memory near glibc's. */
START_TEST(test_random_mixed_limits)
{
    /* A debug build loads what prints backtraces. */
    int limit = getenv("ALLOCATOR_DEBUG") ? 130 : 100;
    struct outcome *o = run_shell("strace -f -o /dev/fd/3 %s/bench/bench_random_mixed_hakmem "
                                  "10000000 8192 42 3>&1 >/dev/null | wc -l",
                                  build_dir());
    ck_assert_msg(atoi(o->text) > 5 && atoi(o->text) <= limit, "%s calls", o->text);
    o = run_shell("for a in hakmem system; do %s/bench/bench_random_mixed_$a 10000000 8192 42 "
                  "--json /dev/fd/3 3>&1 >/dev/null; done | jq -s '.[0].peak_rss_kib/"
                  ".[1].peak_rss_kib*100|floor'",
                  build_dir());
    ck_assert_msg(atoi(o->text) > 20 && atoi(o->text) <= 150, "%s %% of glibc's memory", o->text);
    /* The kernel counts time by ticks of 4 ms, so runs are summed; what the start of any process
     * costs is no part of it, and of five sums the one that was disturbed least counts. */
    double least = 1;
    for (int i = 0; i < 5; i++) {
        double user, sys, start_user, start_sys;
        run_times(10000000, &user, &sys);
        run_times(10, &start_user, &start_sys);
        double kernel = sys > start_sys ? sys - start_sys : 0;
        double share = kernel / (user + sys - start_user - start_sys);
        least = share < least ? share : least;
    }
    ck_assert_msg(least <= 0.05, "kernel share %.3f", least);
}
END_TEST

/* The sum of these counters after so many phases of a size (0: of ten sizes in turn). */
static int after_phases(int phases, size_t size, const char *counters)
{
    char of[32] = "";
    if (size)
        snprintf(of, sizeof of, "%zu", size);
    struct outcome *o =
        run_shell("d=$(mktemp -d); HAKMEM_STATS_FILE=$d/s '%s' --probe phases %d %s; "
                  "jq '.counters|%s' $d/s; rm -rf $d",
                  self_path(), phases, of, counters);
    return atoi(o->text);
}

/* What one size left empty serves the next, as slabs and as whole SuperSlabs. */
START_TEST(test_empty_slabs_are_reused)
{
    int one = after_phases(1, 0, ".\"ss.created\""), ten = after_phases(10, 0, ".\"ss.created\"");
    ck_assert_msg(one > 0 && ten <= one + 1, "%d, then %d SuperSlabs", one, ten);
    ck_assert_int_gt(after_phases(10, 0, ".\"tiny.slabs_released\""), 200);
    one = after_phases(1, 1500000, ".\"ss.created\"");
    ck_assert_int_eq(after_phases(5, 1500000, ".\"ss.created\""), one);
    ck_assert_int_ge(after_phases(5, 1500000, ".\"ss.reused\""), 4);
}
END_TEST

/* Capacities adapt to what is asked of them, by counts alone: the same again is the same. */
START_TEST(test_capacity_adapts)
{
    int once = after_phases(1, 5000, ".\"ace.capacity.grown\"");
    int grown = after_phases(100, 5000, ".\"ace.capacity.grown\"");
    ck_assert_msg(once > 0 && grown > once, "%d, then %d", once, grown);
    ck_assert_int_eq(after_phases(100, 5000, ".\"ace.capacity.grown\""), grown);
}
END_TEST

START_TEST(test_prewarm)
{
    struct outcome *o = run_shell("HAKMEM_PREWARM=3 '%s' --probe prewarm 9 40", self_path());
    ck_assert_str_eq(o->text, "40 3\n");
    o = run_shell("'%s' --probe prewarm 1000 4", self_path());
    ck_assert_str_eq(o->text, "0 0\n");
    o = run_shell("HAKMEM_OS_FAIL_FROM=1 '%s' --probe prewarm 9 4 2>/dev/null", self_path());
    ck_assert_str_eq(o->text, "0 0\n");
}
END_TEST

/* Without SuperSlabs to be had, Tiny goes on by the legacy path and says so. */
START_TEST(test_backend_gives_up)
{
    bool said = false;
    for (int n = 1; n <= 40 && !said; n++) {
        struct outcome *o = run_shell("HAKMEM_SUPERSLAB_SIZE=512K HAKMEM_OS_FAIL_AT=%d '%s' "
                                      "--probe pairs 100 1",
                                      n, self_path());
        ck_assert(exited_with(o, 0));
        /* A debug build allocates before main, and other sizes. */
        said = strstr(o->text, getenv("ALLOCATOR_DEBUG") ? "[SS_BACKEND] shared_fail→legacy cls="
                                                         : "[SS_BACKEND] shared_fail→legacy cls=7");
    }
    ck_assert(said);
}
END_TEST

/* The limits of time are there to end what hangs: a machine with other work is slow. */
Suite *suite_kernel(void)
{
    Suite *s = suite_create("kernel");
    TCase *t = tcase_create("refusals");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, test_every_map_failure, 0, 2);
    tcase_add_test(t, test_little_address_space);
    suite_add_tcase(s, t);
    t = tcase_create("limits");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, test_pairs_need_few_calls);
    tcase_add_test(t, test_all_sizes_need_few_calls);
    tcase_add_loop_test(t, test_memory_goes_back, 0, 5);
    tcase_add_test(t, test_random_mixed_limits);
    suite_add_tcase(s, t);
    t = tcase_create("backend");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, test_empty_slabs_are_reused);
    tcase_add_test(t, test_capacity_adapts);
    tcase_add_test(t, test_prewarm);
    tcase_add_test(t, test_backend_gives_up);
    suite_add_tcase(s, t);
    return s;
}
