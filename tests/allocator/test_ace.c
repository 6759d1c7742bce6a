/*
 * test_ace.c: every size has a tier and a class, and each cause of failure has its own door.
 */
#include "hakmem.h"
#include "support.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sizes 0 to 4 MiB, each of them: the class is stated, holds the size, wastes at most a fifth of
 * the block above 128 bytes, and never gets smaller. */
START_TEST(test_every_size_has_a_class)
{
    struct hak_size_class k, before = {"tiny", 0, 8};
    for (size_t n = 0; n <= 4u << 20; n++) {
        bool ok = hak_size_class(n, &k);
        const char *tier = n <= 1024 ? "tiny" : n < 2u << 20 ? "ace" : "big";
        if (!ok || strcmp(k.tier, tier) != 0 || k.block_size < n ||
            k.block_size < before.block_size || (n > 128 && k.block_size * 4 > n * 5))
            ck_abort_msg("size %zu: tier %s, class %d, %zu bytes", n, k.tier, k.class_index,
                         k.block_size);
        before = k;
    }
    ck_assert(!hak_size_class((size_t)-1, &k));
}
END_TEST

/* What is promised is what is given: at both borders of every class, and at every 97th size. */
START_TEST(test_classes_are_what_is_served)
{
    struct hak_size_class k, next;
    for (size_t n = 0; n < 4u << 20; n++) {
        hak_size_class(n, &k);
        hak_size_class(n + 1, &next);
        if (n % 97 != 0 && k.class_index == next.class_index)
            continue;
        void *p = malloc(n);
        if (malloc_usable_size(p) != k.block_size)
            ck_abort_msg("size %zu: %zu bytes, not %zu", n, malloc_usable_size(p), k.block_size);
        free(p);
    }
}
END_TEST

/* The classes that the first HAKMEM named are all there. */
START_TEST(test_named_classes)
{
    static const unsigned named[] = {
        8,         16,        32,        64,       128,        256,        512,       1024,
        2 << 10,   4 << 10,   8 << 10,   16 << 10, 32 << 10,   40 << 10,   52 << 10,  64 << 10,
        128 << 10, 256 << 10, 512 << 10, 1 << 20,  1280 << 10, 1536 << 10, 1792 << 10};
    struct hak_size_class k;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        ck_assert(hak_size_class(named[i], &k));
        ck_assert_uint_eq(k.block_size, named[i]);
    }
}
END_TEST

/* Runs a probe and gives one cause's counter and what was said. */
static unsigned long long failures(const char *variables, const char *probe, const char *cause,
                                   const char *trace)
{
    struct outcome *o = run_shell("d=$(mktemp -d); HAKMEM_ACE_TRACE=1 HAKMEM_STATS_FILE=$d/s %s "
                                  "'%s' --probe %s 2>$d/err >$d/out; echo $?; grep -c '^.ACE-FAIL. "
                                  "%s size=' $d/err; jq '.counters.\"ace.fail.%s\"' $d/s; "
                                  "jq '[.ace_failures[].count]|add+0' $d/s; rm -rf $d",
                                  variables, self_path(), probe, trace, cause);
    int status;
    unsigned long long lines, count, sum;
    ck_assert_msg(sscanf(o->text, "%d %llu %llu %llu", &status, &lines, &count, &sum) == 4, "%s",
                  o->text);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(lines, count);
    ck_assert_uint_eq(sum, count);
    return count;
}

/* Which class failed and for which size is told, the next tier serves, and telling it allocates
 * nothing: with and without the trace the same blocks are given out. */
START_TEST(test_failure_is_told_and_served)
{
    struct outcome *o = run_shell(
        "d=$(mktemp -d); for t in 0 1; do HAKMEM_ACE_TRACE=$t HAKMEM_WMAX_MID=1.01 "
        "HAKMEM_STATS_FILE=$d/$t '%s' --probe pairs 33792 50 >/dev/null 2>&1; jq '.classes, "
        ".counters' $d/$t >$d/c$t; done; cmp $d/c0 $d/c1 && jq -c '[.ace_failures[]|"
        "select(.size==33792)|.cause,.count,(.class|tostring)], .counters.\"big.allocs\">=50' "
        "$d/1; "
        "rm -rf $d",
        self_path());
    struct hak_size_class k;
    ck_assert(hak_size_class(33792, &k));
    char expected[100];
    snprintf(expected, sizeof expected, "[\"threshold\",50,\"%d\"]\ntrue\n", k.class_index);
    ck_assert_str_eq(o->text, expected);
}
END_TEST

/* In a debug build the start of the program has a few requests of that size of its own. */
START_TEST(test_threshold)
{
    unsigned long long n =
        failures("HAKMEM_WMAX_MID=1.01", "pairs 33792 100", "threshold", "Threshold");
    ck_assert(n >= 100 && n < 110);
    n = failures("HAKMEM_WMAX_LARGE=1.001", "pairs 1700000 50", "threshold", "Threshold");
    ck_assert_uint_eq(n, 50);
}
END_TEST

START_TEST(test_exhaustion)
{
    /* Blocks held beside each other: the first of each class is within a cap of 1. */
    ck_assert_uint_gt(
        failures("HAKMEM_ACE_POOL_CAP=1", "survive 3 3000", "exhaustion", "Exhaustion"), 50);
    ck_assert_uint_eq(
        failures("HAKMEM_ACE_POOL_CAP=1", "pairs 5000 100", "exhaustion", "Exhaustion"), 0);
}
END_TEST

START_TEST(test_mapfail)
{
    /* Under a limit of address space the last SuperSlab does not fit, the smaller mapping of the
     * next tier does. */
    struct outcome *o = run_shell("ulimit -v 120000; HAKMEM_ACE_TRACE=1 '%s' --probe peak 200 "
                                  "100000 2>&1 | grep -c 'ACE-FAIL. MapFail size=100000 class='",
                                  self_path());
    ck_assert_int_gt(atoi(o->text), 0);
}
END_TEST

START_TEST(test_no_failure_by_default)
{
    struct outcome *o = run_shell("d=$(mktemp -d); HAKMEM_STATS_FILE=$d/s "
                                  "%s/bench/bench_random_mixed_hakmem 10000000 8192 42 >/dev/null; "
                                  "jq -c '.ace_failures,.counters[\"ss.fallback\"]' $d/s; "
                                  "rm -rf $d",
                                  build_dir());
    ck_assert_str_eq(o->text, "[]\n0\n");
}
END_TEST

Suite *suite_ace(void)
{
    Suite *s = suite_create("ace");
    TCase *t = tcase_create("ace");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_every_size_has_a_class);
    tcase_add_test(t, test_classes_are_what_is_served);
    tcase_add_test(t, test_named_classes);
    tcase_add_test(t, test_failure_is_told_and_served);
    tcase_add_test(t, test_threshold);
    tcase_add_test(t, test_exhaustion);
    tcase_add_test(t, test_mapfail);
    tcase_add_test(t, test_no_failure_by_default);
    suite_add_tcase(s, t);
    return s;
}
