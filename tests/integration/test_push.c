/*
 * The main job, end to end: a bare repository with planted commits, the hook, pushes with git, and
 * what each of the four people then sees. The tests run in their order and build on each other;
 * the history that they make is
 *
 *   base     a small allocator (tests/integration/planted)
 *   slow     its malloc does a known amount of work besides
 *   comment  a line of comment above code
 *   broken   does not compile
 */
#include "analysis/median.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http_client.h"
#include "common/io.h"
#include "common/json.h"
#include "common/options.h"
#include "tests/integration/planted.h"
#include "tests/suite.h"

#include <math.h>
#include <string.h>

static void make_history(void)
{
    planted_make();
    planted_edit("work.h", "PLANTED_ROUNDS 0", "PLANTED_ROUNDS 20");
    planted_commit("slow", "Work more in malloc");
    planted_edit("alloc.c", "void free(void *p)", "/* Gives a block back. */\nvoid free(void *p)");
    planted_commit("comment", "Say what free does");
    planted_edit("alloc.c", "    planted_work();", "    no_such_variable = size;");
    planted_commit("broken", "Break the build");
}

/* Waits until a text is in what the receiver of webhooks got. */
static bool webhook_tells(const char *text, double seconds)
{
    for (double end = hp_monotonic_s() + seconds; hp_monotonic_s() < end; hp_sleep_ms(100)) {
        HP_FREE char *bodies = house_webhooks();
        if (strstr(bodies, text))
            return true;
    }
    return false;
}

/* CPU seconds of the steady part of one direct execution with that library. */
static double steady(const char *library)
{
    HP_FREE char *preload = hp_format("LD_PRELOAD=%s", library);
    const char *argv[] = {"env", preload,  house_path("direct/bench"), "400000", "400",
                          "42",  "--json", house_path("direct/out"),   NULL};
    struct hp_error err;
    HP_OUTCOME struct hp_outcome outcome = {0};
    house_run(&outcome, NULL, 20, argv);
    ck_assert_exit(outcome, 0);
    HP_JSON json_t *out = hp_json_read_file(house_path("direct/out"), 65536, &err);
    return hp_json_number(json_object_get(out, "steady"), "cpu_s", NAN);
}

#define DIRECT_PAIRS 31

/* The planted change as this test measures it itself: the median ratio of interleaved pairs. */
static double planted_change(void)
{
    static const char script[] =
        "mkdir -p $2/src-$1 $2/lib-$1 && git archive $1 | tar -x -C $2/src-$1 && "
        "make -s -C $2/src-$1/lib OUT=$2/lib-$1 $2/lib-$1/liballoc.so && "
        "make -s -C $2/src-$1/lib OUT=$2 $2/bench";
    static const char *const revs[] = {"base", "slow"};
    double ratio[DIRECT_PAIRS], median = NAN;
    for (int i = 0; i < 2; i++) {
        const char *argv[] = {"sh", "-c", script, "sh", revs[i], house_path("direct"), NULL};
        HP_OUTCOME struct hp_outcome built = {0};
        house_run(&built, house_path("work"), 60, argv);
        ck_assert_exit(built, 0);
    }
    for (int i = 0; i < DIRECT_PAIRS; i++) {
        double base = steady(house_path("direct/lib-base/liballoc.so"));
        ratio[i] = base / steady(house_path("direct/lib-slow/liballoc.so"));
    }
    ck_assert(an_median(ratio, DIRECT_PAIRS, &median));
    return median - 1;
}

/* --- the tests ---------------------------------------------------------------------------------
 */

START_TEST(the_service_is_up)
{
    ck_assert_msg(!house_ready(), "%s", house_ready());
    HAKPERF(status, "status");
    ck_assert_exit(status, HP_EXIT_OK);
    HAKPERF(second, "up");
    ck_assert_exit(second, HP_EXIT_NO_ANSWER);
    ck_assert_has(&second.err, "hakperf up is already running");
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(house_page(), NULL, &err);
    HP_JSON json_t *answer = NULL;
    ck_assert(hp_http_json(http, "GET", "/healthz", NULL, &answer, NULL, &err));
    ck_assert(!hp_http_json(http, "GET", "/api/v1/status", NULL, &answer, NULL, &err));
    ck_assert_int_eq(err.code, HP_DENIED);
}
END_TEST

START_TEST(a_repository_is_registered)
{
    make_history();
    HP_OUTCOME struct hp_outcome early = {0};
    planted_push(&early, "base", "main");
    ck_assert_has(&early.err, "hakperf: not queued: ");
    HP_OUTCOME struct hp_outcome applied = {0}, again = {0};
    planted_apply(&applied, planted_sha("base"));
    ck_assert_exit(applied, HP_EXIT_OK);
    HP_JSON json_t *first = planted_json(&applied);
    ck_assert(hp_json_bool(first, "changed", false));
    ck_assert_str_eq(hp_json_string(first, "repository", ""), PLANTED);
    planted_apply(&again, planted_sha("base"));
    HP_JSON json_t *answer = planted_json(&again);
    ck_assert(!hp_json_bool(answer, "changed", true));
}
END_TEST

START_TEST(a_slow_commit_regressed)
{
    HP_OUTCOME struct hp_outcome pushed = {0};
    planted_push(&pushed, "slow", "main");
    HP_FREE char *line = hp_format("hakperf: 1 commit queued, newest %.10s Work more in malloc",
                                   planted_sha("slow"));
    ck_assert_has(&pushed.err, line);
    ck_assert(pushed.wall_s < 10);
    HAKPERF(compared, "compare", "base", "slow", "--wait", "--json");
    ck_assert_exit(compared, HP_EXIT_REGRESSED);
    HP_JSON json_t *comparison = planted_json(&compared);
    const json_t *workload = json_array_get(json_object_get(comparison, "workloads"), 0);
    ck_assert_str_eq(hp_json_string(comparison, "verdict", ""), "regressed");
    ck_assert_str_eq(hp_json_string(comparison, "size", ""), "relevant");
    ck_assert_str_eq(hp_json_string(workload, "workload", ""), "mixed/400");
    double change = hp_json_number(workload, "change", NAN);
    double direct = planted_change(); /* only now: it would disturb the service's own pairs */
    ck_assert_msg(direct < -0.05 && fabs(log1p(change) - log1p(direct)) < 0.15,
                  "the service says %.3f, measured directly %.3f", change, direct);
    ck_assert(hp_json_number(workload, "high", NAN) < 0);
    ck_assert_int_ge(hp_json_int(workload, "pairs", 0), 64);
    HAKPERF(text, "compare", "base", "slow");
    ck_assert_exit(text, HP_EXIT_REGRESSED);
    ck_assert_has(&text.out, "mixed/400");
    ck_assert_has(&text.out, "regressed, relevant");
    /* --wait waited for the fresh run too, and only then anybody is told. */
    ck_assert_str_eq(hp_json_string(comparison, "confirmation", ""), "confirmed");
    ck_assert_has(&text.out, "; confirmed by a fresh run.");
    char kinds[64];
    planted_query("SELECT string_agg(kind, ' ' ORDER BY measured) FROM hakperf.runs "
                  "WHERE head_sha <> base_sha",
                  kinds, sizeof kinds);
    ck_assert_msg(strstr(kinds, "commit confirm") != NULL, "%s", kinds);
    ck_assert(webhook_tells(planted_sha("slow"), 15));
    HAKPERF(alerts, "alerts");
    ck_assert_has(&alerts.out, hp_json_string(json_object_get(comparison, "head"), "short", "?"));
}
END_TEST

START_TEST(a_comment_is_identical)
{
    HP_OUTCOME struct hp_outcome pushed = {0};
    planted_push(&pushed, "comment", "main");
    HAKPERF(compared, "compare", "slow", "comment", "--wait", "--json");
    ck_assert_exit(compared, HP_EXIT_OK);
    HP_JSON json_t *comparison = planted_json(&compared);
    ck_assert_str_eq(hp_json_string(comparison, "verdict", ""), "identical");
    /* No run put it beside the base: the two runs in between are joined. */
    HAKPERF(direct, "compare", "base", "slow", "--json");
    HAKPERF(far, "compare", "base", "comment", "--json");
    ck_assert_exit(far, HP_EXIT_REGRESSED);
    HP_JSON json_t *near_one = planted_json(&direct);
    HP_JSON json_t *joined = planted_json(&far);
    ck_assert_str_eq(hp_json_string(joined, "how", ""), "joined");
    const json_t *a = json_array_get(json_object_get(near_one, "workloads"), 0);
    const json_t *b = json_array_get(json_object_get(joined, "workloads"), 0);
    ck_assert_double_eq_tol(hp_json_number(a, "change", 0), hp_json_number(b, "change", 1), 1e-9);
    ck_assert_ptr_nonnull(strstr(hp_json_string(joined, "sentence", ""), "not side by side"));
}
END_TEST

START_TEST(a_broken_commit_failed)
{
    HP_OUTCOME struct hp_outcome pushed = {0};
    planted_push(&pushed, "broken", "main");
    HAKPERF(compared, "compare", "comment", "broken", "--wait", "--json");
    ck_assert_exit(compared, HP_EXIT_NO_ANSWER);
    HP_JSON json_t *comparison = planted_json(&compared);
    ck_assert_str_eq(hp_json_string(comparison, "verdict", ""), "failed");
    HAKPERF(report, "report", "broken");
    ck_assert_exit(report, HP_EXIT_NO_ANSWER);
    ck_assert_has(&report.out, "no_such_variable");
    char stored[64];
    planted_query(
        "SELECT count(*) > 0 FROM hakperf.runs WHERE failure_log LIKE '%no_such_variable%'", stored,
        sizeof stored);
    ck_assert_str_eq(stored, "t");
}
END_TEST

START_TEST(log_and_view_show_the_history)
{
    HAKPERF(log, "log");
    ck_assert_exit(log, HP_EXIT_OK);
    static const char *const words[] = {"regressed, relevant", "identical", "failed",
                                        "Work more in malloc", "Break the build"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ck_assert_has(&log.out, words[i]);
    char row[256];
    planted_query("SELECT verdict, size, throughput > 0, kernel_share >= 0, change_percent < -5 "
                  "FROM hakperf.history WHERE subject = 'Work more in malloc'",
                  row, sizeof row);
    ck_assert_str_eq(row, "regressed|relevant|t|t|t");
    planted_query("SELECT string_agg(state, ' ' ORDER BY committed, subject) FROM hakperf.history",
                  row, sizeof row);
    ck_assert_msg(strstr(row, "identical") && strstr(row, "failed"), "%s", row);
    HAKPERF(status, "status");
    ck_assert_has(&status.out, "0 queued, 0 running");
}
END_TEST

HP_SUITE_AT(integration_push, HP_SUITE_LAST)
{
    Suite *s = suite_create("integration_push");
    TCase *t = tcase_create("push");
    tcase_add_unchecked_fixture(t, house_open, house_close);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, the_service_is_up);
    tcase_add_test(t, a_repository_is_registered);
    tcase_add_test(t, a_slow_commit_regressed);
    tcase_add_test(t, a_comment_is_identical);
    tcase_add_test(t, a_broken_commit_failed);
    tcase_add_test(t, log_and_view_show_the_history);
    suite_add_tcase(s, t);
    return s;
}
