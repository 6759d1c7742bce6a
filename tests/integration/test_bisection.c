/*
 * A real search for the commit that did it: a series of measured commits, a push of which only the
 * newest is measured, and that one is slow, though not against its own parent. The service must
 * suspect it, put it beside the last good one, halve the stretch past a commit that does not build,
 * confirm what is left, and only then tell. Some minutes: `make check-bisection`; without
 * HAKPERF_BISECTION set it has no tests.
 *
 *   base, m1 … m9   alike
 *   s1              alike, never measured by the push
 *   s2              does not compile
 *   s3              its malloc works more: this one did it
 *   s4              alike
 *   s5              alike; measured
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/options.h"
#include "tests/integration/planted.h"
#include "tests/suite.h"

#include <string.h>

#define MEASURED 9
#define SKIPPED 4
/* Most of a search on a busy machine. */
#define PATIENCE_S 1500

/* Other code at the end of the library, which nothing runs. */
static void mark(const char *tag)
{
    HP_FREE char *line = hp_format("/* the end */\nint mark_%s(void)\n{\n    return 1;\n}\n", tag);
    planted_edit("alloc.c", "/* the end */\n", line);
    planted_commit(tag, tag);
}

static void wait_for(const char *sql, const char *answer)
{
    char now[512] = "";
    for (double end = hp_monotonic_s() + PATIENCE_S; hp_monotonic_s() < end; hp_sleep_ms(1000)) {
        planted_query(sql, now, sizeof now);
        if (strcmp(now, answer) == 0)
            return;
    }
    ck_abort_msg("%s is still \"%s\", not \"%s\"", sql, now, answer);
}

static const char idle[] = "SELECT count(*) FROM hakperf.jobs WHERE state IN ('queued', 'running')";

START_TEST(a_series_is_measured)
{
    char name[8];
    planted_make();
    planted_edit("alloc.c", "void *memalign(", "/* the end */\nvoid *memalign(");
    planted_commit("start", "A place for marks");
    HP_OUTCOME struct hp_outcome early = {0}, applied = {0}, pushed = {0};
    planted_push(&early, "start", "main");
    planted_reference("base");
    planted_apply(&applied, planted_sha("base"));
    ck_assert_exit(applied, HP_EXIT_OK);
    for (int i = 1; i <= MEASURED; i++) {
        snprintf(name, sizeof name, "m%d", i);
        mark(name);
    }
    planted_push(&pushed, "m9", "main");
    wait_for("SELECT count(*) FROM hakperf.runs WHERE status = 'measured' AND kind = 'commit'",
             "9");
    wait_for(idle, "0");
    char points[64];
    planted_query("SELECT count(*) FROM hakperf.series('" PLANTED "', 'mixed/400')", points,
                  sizeof points);
    ck_assert_int_ge(atoi(points), MEASURED);
}
END_TEST

/* Calls off the jobs of commits that nobody is to measure now. */
static void skip(const char *tag)
{
    char job[32];
    HP_FREE char *sql =
        hp_format("SELECT job FROM hakperf.jobs WHERE head = left('%s', 7)", planted_sha(tag));
    planted_query(sql, job, sizeof job);
    HAKPERF(cancelled, "queue", "--cancel", job);
    ck_assert_exit(cancelled, HP_EXIT_OK);
}

START_TEST(only_the_newest_of_a_push_is_measured)
{
    static const char *const skipped[SKIPPED] = {"s4", "s3", "s2", "s1"};
    mark("s1");
    planted_edit("alloc.c", "    planted_work();", "    no_such_variable = size;");
    planted_commit("s2", "Break the build");
    planted_edit("alloc.c", "    no_such_variable = size;", "    planted_work();");
    planted_edit("work.h", "PLANTED_ROUNDS 0", "PLANTED_ROUNDS 400");
    planted_commit("s3", "Work more in malloc");
    mark("s4");
    mark("s5");
    HP_OUTCOME struct hp_outcome pushed = {0};
    planted_push(&pushed, "s5", "main");
    HP_FREE char *queued = hp_format("SELECT count(*) FROM hakperf.jobs WHERE head = left('%s', 7)",
                                     planted_sha("s5"));
    wait_for(queued, "1");
    for (int i = 0; i < SKIPPED; i++)
        skip(skipped[i]);
    HP_FREE char *measured =
        hp_format("SELECT count(*) FROM hakperf.runs WHERE status = 'measured' AND head_sha = '%s'",
                  planted_sha("s5"));
    wait_for(measured, "1");
    char verdict[64];
    planted_query("SELECT verdict FROM hakperf.history WHERE subject = 's5'", verdict,
                  sizeof verdict);
    /* Without layouts small changes cannot be excluded; it is no regression. */
    ck_assert_msg(strcmp(verdict, "equivalent") == 0 || strcmp(verdict, "inconclusive") == 0, "%s",
                  verdict);
}
END_TEST

START_TEST(the_commit_that_did_it_is_found_and_told)
{
    char row[512];
    wait_for("SELECT string_agg(state, ',') FROM hakperf.suspects", "found");
    planted_query("SELECT concat_ws(' ', good, bad, high, skipped, budget < 14, budget >= 8) FROM "
                  "hakperf.suspects",
                  row, sizeof row);
    HP_FREE char *expected =
        hp_format("%.7s %.7s %.7s 1 t t", planted_sha("m9"), planted_sha("s5"), planted_sha("s3"));
    ck_assert_str_eq(row, expected);
    planted_query("SELECT reason FROM hakperf.suspects", row, sizeof row);
    ck_assert_msg(strstr(row, "or one of the 1 before it that cannot be measured") != NULL, "%s",
                  row);
    wait_for(idle, "0");
    planted_query("SELECT string_agg(subject, ',') FROM hakperf.alerts", row, sizeof row);
    ck_assert_str_eq(row, "Work more in malloc");
    planted_query("SELECT string_agg(kind, ' ' ORDER BY measured) FROM hakperf.runs WHERE kind IN "
                  "('bisect', 'confirm')",
                  row, sizeof row);
    ck_assert_msg(strncmp(row, "bisect bisect", 13) == 0 && strstr(row, "bisect confirm"), "%s",
                  row);
    HP_FREE char *told = house_webhooks();
    ck_assert_ptr_nonnull(strstr(told, planted_sha("s3")));
    ck_assert_ptr_null(strstr(told, "refuted"));
}
END_TEST

HP_SUITE_AT(integration_bisection, HP_SUITE_LAST)
{
    Suite *s = suite_create("integration_bisection");
    if (!getenv("HAKPERF_BISECTION"))
        return s;
    TCase *t = tcase_create("bisection");
    tcase_add_unchecked_fixture(t, house_open, house_close);
    tcase_set_timeout(t, 2 * PATIENCE_S);
    tcase_add_test(t, a_series_is_measured);
    tcase_add_test(t, only_the_newest_of_a_push_is_measured);
    tcase_add_test(t, the_commit_that_did_it_is_found_and_told);
    suite_add_tcase(s, t);
    return s;
}
