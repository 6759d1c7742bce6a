#include "common/cleanup.h"
#include "common/json.h"
#include "common/telling/sentence.h"
#include "tests/suite.h"

#include <string.h>

static struct hp_error err;

/* A comparison as short as the sentence needs it, by text with ' for ". */
static json_t *from_text(const char *text)
{
    char copy[4096];
    size_t n = strlen(text);
    ck_assert_uint_lt(n, sizeof copy);
    for (size_t i = 0; i <= n; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    json_t *value = hp_json_parse(copy, n, &err);
    ck_assert_msg(value != NULL, "%s", err.message);
    return value;
}

#define ENDS "'head': {'short': '8c1f2e0'}, 'base': {'short': '1405df6'}, 'against_parent': true, "
#define WORKLOAD "'workload': 'random_mixed/8192', 'metric': 'throughput', 'pairs': 64, "

static const struct {
    const char *comparison, *sentence;
} golden[] = {
    /* Regressed, with all that moved. */
    {"{'verdict': 'regressed', 'size': 'relevant', " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'regressed', 'size': 'relevant', 'change': -0.3105, 'low': -0.319, 'high': -0.302,"
     "'kernel_share': {'base': 0.02, 'head': 0.32}, 'ace_failures': {'base': 0, 'head': 73385},"
     "'counters': [{'name': 'ace.fail.threshold', 'base': 0, 'head': 73385},"
     "{'name': 'sys.munmap', 'base': 3, 'head': 74112}, {'name': 'x', 'base': 10, 'head': 11}],"
     "'configuration': []}]}",
     "8c1f2e0 is 31 % slower than its parent on random_mixed/8192 (interval 30.2 to 31.9 %, 64 "
     "pairs): sys.munmap rose from 3 to 74,112, kernel share rose from 2 % to 32 %, ACE Threshold "
     "failures "
     "rose from 0 to 73,385."},
    /* System calls by kind say it; the counter of the same calls is not told twice. Both ran. */
    {"{'verdict': 'regressed', 'size': 'relevant', 'confirmation': 'confirmed', " ENDS
     "'reason': null, 'coverage': {'functions': 2, 'functions_executed': 2}, 'workloads': "
     "[{" WORKLOAD
     "'verdict': 'regressed', 'size': 'relevant', 'change': -0.3105, 'low': -0.319, 'high': -0.302,"
     "'kernel_share': {'base': 0.02, 'head': 0.32}, 'ace_failures': {'base': 0, 'head': 0},"
     "'counters': [{'name': 'sys.munmap', 'base': 3, 'head': 74112}],"
     "'syscalls': [{'name': 'munmap', 'base': 3, 'head': 74112}, {'name': 'brk', 'base': 3, "
     "'head': 1}], 'configuration': []}]}",
     "8c1f2e0 is 31 % slower than its parent on random_mixed/8192 (interval 30.2 to 31.9 %, 64 "
     "pairs): munmap calls rose from 3 to 74,112, kernel share rose from 2 % to 32 %; both changed "
     "functions ran; confirmed by a fresh run."},
    /* Too slow for the passes, and not by all of its speed: another workload knows the option. */
    {"{'verdict': 'regressed', 'size': 'relevant', " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'regressed', 'size': 'relevant', 'change': -0.9985, 'low': -0.9988, 'high': "
     "-0.9979, 'kernel_share': {'base': 0.15, 'head': 0.71}, 'ace_failures': {'base': null, "
     "'head': null}, 'counters': [], 'configuration': []}, {'workload': 'b', 'metric': "
     "'throughput', 'pairs': 64, 'verdict': 'equivalent', 'size': null, 'change': 0, 'low': "
     "-0.002, 'high': 0.002, 'counters': [], 'configuration': [{'name': 'HAKMEM_WMAX_MID', "
     "'base': '1.25', 'head': '1.05'}]}]}",
     "8c1f2e0 is 99.9 % slower than its parent on random_mixed/8192 (interval 99.8 to 99.9 %, 64 "
     "pairs): HAKMEM_WMAX_MID from 1.25 to 1.05, kernel share rose from 15 % to 71 %; it is the "
     "only one of 2 workloads with this verdict."},
    /* CPU time shows little of a lock that is held longer: what threads wait is told beside it. */
    {"{'verdict': 'regressed', 'size': 'relevant', " ENDS "'reason': null, 'workloads': [{"
     "'workload': 'mt/remote', 'metric': 'throughput', 'pairs': 64, 'verdict': 'regressed', "
     "'size': 'relevant', 'change': -0.031, 'low': -0.042, 'high': -0.019, 'metrics': [{'metric': "
     "'voluntary_switches', 'gates': true, 'size': 'relevant', 'base_value': 12, 'head_value': "
     "212.2}, {'metric': 'wall', 'change': 0.504}], 'counters': [], 'configuration': []}]}",
     "8c1f2e0 is 3.1 % slower than its parent on mt/remote (interval 1.9 to 4.2 %, 64 pairs), "
     "waits more often, 212 times instead of 12 in the same work, and takes 50 % longer by the "
     "clock."},
    /* What changed never ran: that comes first. */
    {"{'verdict': 'equivalent', 'size': null, " ENDS "'reason': null, "
     "'coverage': {'functions': 3, 'functions_executed': 0}, 'workloads': [{" WORKLOAD
     "'verdict': 'equivalent', 'size': null, 'change': 0.0003, 'low': -0.0021, 'high': 0.0034}]}",
     "0 of 3 changed functions ran in any workload; 8c1f2e0 performs like its parent on "
     "random_mixed/8192: it is between 0.21 % slower and 0.34 % faster (64 pairs)."},
    /* Only where the code lies moved: said, and no more than said. */
    {"{'verdict': 'equivalent', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'equivalent', 'size': null, 'change': 0.0003, 'low': -0.0021, 'high': 0.0034, "
     "'shipped': {'change': -0.045, 'low': -0.05, 'high': -0.04, 'pairs': 64, "
     "'layout_suspect': true}}]}",
     "8c1f2e0 performs like its parent on random_mixed/8192: it is between 0.21 % slower and 0.34 "
     "% faster (64 pairs); the build as shipped alone is 4.5 % slower, which points to where its "
     "code lies, not to the change."},
    {"{'verdict': 'regressed', 'size': 'small', " ENDS "'reason': null, "
     "'coverage': {'functions': 3, 'functions_executed': 2}, 'workloads': [{" WORKLOAD
     "'verdict': 'regressed', 'size': 'small', 'change': -0.004, 'low': -0.006, 'high': -0.002, "
     "'instructions': {'base': 36.5, 'head': 37.25}}]}",
     "8c1f2e0 is 0.40 % slower than its parent on random_mixed/8192 (interval 0.20 to 0.60 %, 64 "
     "pairs): instructions for each operation rose from 36.5 to 37.25; 2 of 3 changed functions "
     "ran."},
    /* An option, a function of the profile; the one changed function ran; not yet confirmed. */
    {"{'verdict': 'regressed', 'size': 'relevant', 'confirmation': 'pending', " ENDS
     "'reason': null, 'coverage': {'functions': 1, 'functions_executed': 1}, 'workloads': "
     "[{" WORKLOAD
     "'verdict': 'regressed', 'size': 'relevant', 'change': -0.053, 'low': -0.066, 'high': -0.041, "
     "'profile': [{'name': 'tiny_refill', 'base': 0.03, 'head': 0.21}], 'configuration': [{'name': "
     "'HAKMEM_A', 'base': '1', 'head': '0'}, {'name': 'HAKMEM_B', 'base': '1', 'head': '0'}]}]}",
     "8c1f2e0 is 5.3 % slower than its parent on random_mixed/8192 (interval 4.1 to 6.6 %, 64 "
     "pairs): HAKMEM_A from 1 to 0 (and 1 more option), tiny_refill takes 21 % of the time instead "
     "of 3 %; the changed function ran; waiting for confirmation by a fresh run."},
    /* Refuted: the verdict is inconclusive, the workload keeps what it said. */
    {"{'verdict': 'inconclusive', 'size': null, 'confirmation': 'refuted', " ENDS
     "'reason': null, 'workloads': [{" WORKLOAD "'verdict': 'regressed', 'size': 'relevant', "
     "'change': -0.012, 'low': -0.02, 'high': -0.004}]}",
     "A fresh run did not confirm that 8c1f2e0 is 1.2 % slower than its parent on "
     "random_mixed/8192 (interval 0.40 to 2.00 %, 64 pairs)."},
    {"{'verdict': 'regressed', 'size': 'relevant', 'confirmation': 'unanswered', " ENDS
     "'reason': null, 'workloads': [{" WORKLOAD "'verdict': 'regressed', 'size': 'relevant', "
     "'change': -0.02, 'low': -0.03, 'high': -0.011}]}",
     "8c1f2e0 is 2.0 % slower than its parent on random_mixed/8192 (interval 1.1 to 3.0 %, 64 "
     "pairs); not confirmed, because the fresh run could not be made."},
    /* The kernel's share decided, with and without a known time. */
    {"{'verdict': 'regressed', 'size': 'relevant', " ENDS "'reason': null, 'workloads': [{"
     "'workload': 'larson', 'metric': 'kernel_share', 'verdict': 'regressed', 'size': 'relevant', "
     "'change': 1.5, 'base_value': 0.021, 'head_value': 0.053, 'metrics': [{'metric': "
     "'throughput', "
     "'verdict': 'equivalent'}]}]}",
     "8c1f2e0 spends more of its time in the kernel than its parent on larson: 5.3 % instead of "
     "2.1 %, at the same speed."},
    {"{'verdict': 'improved', 'size': 'relevant', " ENDS "'reason': null, 'workloads': [{"
     "'workload': 'larson', 'metric': 'kernel_share', 'verdict': 'improved', 'size': 'relevant', "
     "'change': -0.6, 'base_value': 0.053, 'head_value': 0.021, 'metrics': [{'metric': "
     "'throughput', 'verdict': 'inconclusive'}]}]}",
     "8c1f2e0 spends less of its time in the kernel than its parent on larson: 2.1 % instead of "
     "5.3 %."},
    {"{'verdict': 'regressed', 'size': 'relevant', " ENDS "'reason': null, 'workloads': [{"
     "'workload': 'larson', 'metric': 'ace_failures', 'verdict': 'regressed', 'size': 'relevant', "
     "'change': null, 'base_value': 0, 'head_value': 73385, 'metrics': []}]}",
     "8c1f2e0 has more ACE failures than its parent on larson: 73,385 instead of 0 in the same "
     "work."},
    /* Improved a little, nothing else moved, another base. */
    {"{'verdict': 'improved', 'size': 'small', 'head': {'short': '8c1f2e0'}, "
     "'base': {'short': '1405df6'}, 'against_parent': false, 'reason': null, 'workloads': "
     "[{" WORKLOAD "'verdict': 'improved', 'size': 'small', 'change': 0.0042, 'low': 0.0011, "
     "'high': 0.0074, 'kernel_share': {'base': 0.02, 'head': 0.025}, "
     "'ace_failures': {'base': 0, 'head': 0}, 'counters': [], 'configuration': []}]}",
     "8c1f2e0 is 0.42 % faster than 1405df6 on random_mixed/8192 (interval 0.11 to 0.74 %, 64 "
     "pairs)."},
    /* A setting that differs is told. */
    {"{'verdict': 'improved', 'size': 'relevant', " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'improved', 'size': 'relevant', 'change': 0.053, 'low': 0.041, 'high': 0.066, "
     "'kernel_share': {'base': null, 'head': null}, 'ace_failures': {'base': null, 'head': null}, "
     "'counters': [], 'configuration': [{'name': 'HAKMEM_X', 'base': null, 'head': '1'}]}]}",
     "8c1f2e0 is 5.3 % faster than its parent on random_mixed/8192 (interval 4.1 to 6.6 %, 64 "
     "pairs): HAKMEM_X from nothing to 1."},
    {"{'verdict': 'equivalent', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'equivalent', 'size': null, 'change': 0.0003, 'low': -0.0021, 'high': 0.0034}]}",
     "8c1f2e0 performs like its parent on random_mixed/8192: it is between 0.21 % slower and "
     "0.34 % faster (64 pairs)."},
    {"{'verdict': 'inconclusive', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'inconclusive', 'size': null, 'change': 0.001, 'low': -0.008, 'high': 0.014, "
     "'detectable': 0.0152}]}",
     "8c1f2e0 may be faster or slower than its parent on random_mixed/8192: it is between 0.80 % "
     "slower and 1.40 % faster (64 pairs); a change of 1.5 % would most likely have been seen."},
    {"{'verdict': 'inconclusive', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'inconclusive', 'size': null, 'change': 0.001, 'low': null, 'high': null}]}",
     "64 pairs are too few to tell 8c1f2e0 from its parent on random_mixed/8192."},
    /* Another metric than the time, by its name. */
    {"{'verdict': 'equivalent', 'size': null, " ENDS "'reason': null, 'workloads': [{'workload': "
     "'larson', 'metric': 'peak_rss', 'pairs': 512, 'verdict': 'equivalent', 'size': null, "
     "'change': 0.0003, 'low': -0.0021, 'high': 0.0034}]}",
     "8c1f2e0 performs like its parent on larson: it is between 0.21 % lower and 0.34 % higher in "
     "peak_rss (512 pairs)."},
    {"{'verdict': 'identical', 'size': null, " ENDS "'reason': null, 'workloads': []}",
     "8c1f2e0 builds to the same code as its parent, so nothing was timed."},
    {"{'verdict': 'failed', 'size': null, " ENDS
     "'reason': 'building head failed: make: exit code 2', 'workloads': []}",
     "8c1f2e0 could not be measured: building head failed: make: exit code 2."},
    /* One workload of two failed. */
    {"{'verdict': 'failed', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'failed', 'size': null, 'reason': 'killed by signal 11'}, {'workload': 'larson', "
     "'verdict': 'equivalent', 'size': null, 'low': 0, 'high': 0.001, 'pairs': 512}]}",
     "8c1f2e0 could not be measured on random_mixed/8192: killed by signal 11; it is the only one "
     "of 2 workloads with this verdict."},
    {"{'verdict': 'equivalent', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'equivalent', 'size': null, 'low': -0.004, 'high': 0.002}, {'workload': 'larson', "
     "'verdict': 'equivalent', 'size': null, 'low': -0.001, 'high': 0.0061, 'pairs': 512}]}",
     "8c1f2e0 performs like its parent on both workloads: none differs by more than 0.61 %."},
    /* Memory that grew while the time did not: the workload where it grew most. Too little, or not
     * proven, is not told. */
    {"{'verdict': 'equivalent', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'equivalent', 'size': null, 'low': -0.004, 'high': 0.002, 'metrics': [{'metric': "
     "'peak_rss', 'verdict': 'regressed', 'base_value': 4096, 'head_value': 6144}, {'metric': "
     "'retained_rss', 'verdict': 'regressed', 'base_value': 4608, 'head_value': 18432}]}, "
     "{'workload': 'larson', 'verdict': 'equivalent', 'size': null, 'low': -0.001, 'high': 0.0061, "
     "'pairs': 512, 'metrics': [{'metric': 'peak_rss', 'verdict': 'regressed', 'base_value': 4096, "
     "'head_value': 5120}]}]}",
     "8c1f2e0 performs like its parent on both workloads: none differs by more than 0.61 %; "
     "retained RSS rose from 4.5 to 18.0 MiB on random_mixed/8192."},
    {"{'verdict': 'equivalent', 'size': null, " ENDS "'reason': null, 'workloads': [{" WORKLOAD
     "'verdict': 'equivalent', 'size': null, 'low': -0.004, 'high': 0.002, 'metrics': [{'metric': "
     "'peak_rss', 'verdict': 'inconclusive', 'base_value': 4096, 'head_value': 6144}, {'metric': "
     "'retained_rss', 'verdict': 'regressed', 'base_value': 4096, 'head_value': 4196}]}]}",
     "8c1f2e0 performs like its parent on random_mixed/8192: it is between 0.40 % slower and 0.20 "
     "% faster (64 pairs)."},
    {"{'verdict': null, 'size': null, 'head': {'short': '8c1f2e0'}, 'base': null, "
     "'against_parent': true, 'reason': null, 'workloads': []}",
     "8c1f2e0 was measured, and has no parent to be compared with."},
};

START_TEST(golden_sentences)
{
    HP_JSON json_t *comparison = from_text(golden[_i].comparison);
    ck_assert(sentence_add(comparison, &err));
    ck_assert_str_eq(hp_json_string(comparison, "sentence", ""), golden[_i].sentence);
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w) {
        const char *sentence = hp_json_string(w, "sentence", "");
        ck_assert_ptr_nonnull(strstr(sentence, hp_json_string(w, "workload", "?")));
        ck_assert_int_eq(sentence[strlen(sentence) - 1], '.');
        ck_assert_ptr_null(strstr(sentence, "significant"));
        /* What else moved is told as company, and only of a change. */
        const char *cause = hp_json_string(w, "cause", NULL);
        if (cause)
            ck_assert_int_eq(strncmp(cause, "together with: ", 15), 0);
    }
}
END_TEST

/* The one that changed most speaks for all. */
START_TEST(largest_change_decides)
{
    HP_JSON json_t *comparison = from_text(
        "{'verdict': 'regressed', 'size': 'relevant', 'workloads': ["
        "{'workload': 'a', 'verdict': 'regressed', 'size': 'small', 'change': -0.9},"
        "{'workload': 'b', 'verdict': 'regressed', 'size': 'relevant', 'change': -0.02},"
        "{'workload': 'c', 'verdict': 'regressed', 'size': 'relevant', 'change': -0.05}]}");
    ck_assert_str_eq(hp_json_string(sentence_deciding_workload(comparison), "workload", ""), "c");
    HP_JSON json_t *none = from_text("{'verdict': 'failed', 'size': null, 'workloads': []}");
    ck_assert_ptr_null(sentence_deciding_workload(none));
}
END_TEST

#define MEASURED "{'verdict': 'equivalent', 'how': 'measured', 'workloads': "
#define JOINED "{'verdict': 'equivalent', 'how': 'joined', 'workloads': "

/* Which way the two were compared; NULL: nothing was. */
static const struct {
    const char *comparison, *basis;
} bases[] = {
    {MEASURED "[{'pairs': 64}]}", "side by side, 64 pairs"},
    {MEASURED "[{'pairs': 64}, {'pairs': null}, {'pairs': 512}]}", "side by side, 64 to 512 pairs"},
    {MEASURED "[{'pairs': null}]}", NULL},
    {"{'verdict': 'identical', 'how': 'measured', 'workloads': [{'pairs': 0}]}",
     "by their code, which is the same"},
    {"{'verdict': 'failed', 'how': 'measured', 'workloads': []}", NULL},
    {JOINED "[{'pairs': 512, 'how': {'way': 'reference'}}]}",
     "not side by side: through the reference of both runs"},
    {JOINED "[{'pairs': 512, 'how': {'way': 'parents', 'commits': 4}}, "
            "{'pairs': 64, 'how': {'way': 'parents', 'commits': 4}}]}",
     "not side by side: added up over 4 commits"},
    {JOINED "[{'pairs': 512, 'how': {'way': 'parents', 'commits': 1}}, "
            "{'pairs': 64, 'how': {'way': 'reference'}}, {'how': {'way': 'reference'}}]}",
     "not side by side: through the reference of both runs (2 of 3 workloads), added up over 1 "
     "commit (1 of 3)"},
};

START_TEST(the_way_is_told)
{
    HP_JSON json_t *comparison = from_text(bases[_i].comparison);
    ck_assert(sentence_add(comparison, &err));
    ck_assert_pstr_eq(hp_json_string(comparison, "basis", NULL), bases[_i].basis);
    ck_assert_ptr_nonnull(json_object_get(comparison, "basis"));
}
END_TEST

HP_SUITE(sentence)
{
    Suite *s = suite_create("sentence");
    TCase *t = tcase_create("words");
    tcase_add_loop_test(t, golden_sentences, 0, (int)(sizeof golden / sizeof golden[0]));
    tcase_add_test(t, largest_change_decides);
    tcase_add_loop_test(t, the_way_is_told, 0, (int)(sizeof bases / sizeof bases[0]));
    suite_add_tcase(s, t);
    return s;
}
