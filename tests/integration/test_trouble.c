/*
 * What goes wrong, on the running service: a collector that is killed while a result is delivered,
 * results that are malformed, foreign or too large, revisions and repositories that are not there,
 * and benchmarks that crash, hang or talk nonsense. Each gets a clear answer, nothing is half
 * stored, and the service runs on. The tests run in their order and build on each other.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http_client.h"
#include "common/io.h"
#include "common/json.h"
#include "common/options.h"
#include "common/wire.h"
#include "tests/integration/planted.h"
#include "tests/suite.h"

#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static long runs_stored(void)
{
    char count[32];
    planted_query("SELECT count(*) FROM hakperf.runs", count, sizeof count);
    return atol(count);
}

/* The path of a finished document in the spool, "" if it is empty. */
static void spooled(char out[PATH_MAX])
{
    char pattern[PATH_MAX];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s/spool/*.json", house_state());
    out[0] = '\0';
    if (glob(pattern, 0, NULL, &found) == 0)
        snprintf(out, PATH_MAX, "%s", found.gl_pathv[0]);
    globfree(&found);
}

static bool wait_spool(bool empty, double seconds, char path[PATH_MAX])
{
    for (double end = hp_monotonic_s() + seconds; hp_monotonic_s() < end; usleep(500)) {
        spooled(path);
        if ((path[0] == '\0') == empty)
            return true;
    }
    return false;
}

static struct hp_http *socket_client(void)
{
    struct hp_error err;
    HP_FREE char *server = hp_format("unix:%s/run/collector.sock", house_state());
    struct hp_http *http = hp_http_new(server, NULL, &err);
    ck_assert_ptr_nonnull(http);
    return http;
}

/* Delivers a document; the status, with the error in err. */
static long deliver(const char *run, const char *text, size_t size, struct hp_error *err)
{
    HP_HTTP struct hp_http *http = socket_client();
    HP_BUFFER struct hp_buffer answer = {0};
    HP_FREE char *path = hp_format("/api/v1/runs/%s", run);
    long status = 0;
    *err = (struct hp_error){0};
    hp_http_bytes(http, "PUT", path, "application/json", text, size, 65536, &answer, &status, err);
    return status;
}

static long deliver_json(const json_t *document, struct hp_error *err)
{
    HP_FREE char *text = hp_json_text(document);
    return deliver(hp_json_string(document, "run", ""), text, strlen(text), err);
}

/* --- the tests ---------------------------------------------------------------------------------
 */

START_TEST(a_repository_is_registered)
{
    HP_OUTCOME struct hp_outcome pushed = {0}, applied = {0};
    planted_make();
    planted_push(&pushed, "base", "main");
    planted_apply(&applied, planted_sha("base"));
    ck_assert_exit(applied, HP_EXIT_OK);
    HAKPERF(waited, "queue", "--wait", "base");
    ck_assert_exit(waited, HP_EXIT_OK);
}
END_TEST

START_TEST(a_result_is_delivered_once)
{
    char path[PATH_MAX], count[32];
    struct hp_error err;
    HP_OUTCOME struct hp_outcome pushed = {0};
    HP_BUFFER struct hp_buffer result = {0};
    pid_t collector = house_pid("serve");
    ck_assert_int_gt(collector, 0);
    planted_edit("work.h", "PLANTED_ROUNDS 0", "PLANTED_ROUNDS 40");
    planted_commit("other", "Work more");
    planted_push(&pushed, "other", "main");
    ck_assert(wait_spool(false, 200, path));
    ck_assert_int_eq(kill(collector, SIGSTOP), 0); /* it cannot acknowledge any more */
    hp_sleep_ms(300);
    bool caught = hp_file_read(path, HP_WIRE_RESULT_LIMIT, &result, &err);
    ck_assert_int_eq(kill(collector, SIGKILL), 0);
    ck_assert_msg(caught, "%s", err.message);
    ck_assert(hp_file_replace(house_path("result.json"), result.data, result.size, 0644, &err));
    ck_assert(wait_spool(true, 60, path));
    ck_assert_int_ne(house_pid("serve"), collector);
    HP_JSON json_t *document = hp_json_parse(result.data, result.size, &err);
    HP_FREE char *sql = hp_format("SELECT count(*) FROM hakperf.runs WHERE run = '%s'",
                                  hp_json_string(document, "run", ""));
    planted_query(sql, count, sizeof count);
    ck_assert_str_eq(count, "1");
    HAKPERF(compared, "compare", "base", "other", "--wait");
    ck_assert_exit(compared, HP_EXIT_REGRESSED);
    HAKPERF(status, "status");
    ck_assert_has(&status.out, "0 queued, 0 running");
    ck_assert_int_eq(deliver_json(document, &err), 200); /* the second time is no news */
    planted_query(sql, count, sizeof count);
    ck_assert_str_eq(count, "1");
}
END_TEST

START_TEST(bad_results_are_refused)
{
    struct hp_error err;
    static const char other_run[] = "00000000-0000-4000-8000-000000000001";
    HP_JSON json_t *good = hp_json_read_file(house_path("result.json"), HP_WIRE_RESULT_LIMIT, &err);
    ck_assert_ptr_nonnull(good);
    long before = runs_stored();

    ck_assert_int_eq(deliver(other_run, "{\"run\":", 7, &err), 422);
    HP_JSON json_t *malformed = json_deep_copy(good);
    json_object_set_new(malformed, "run", json_string(other_run));
    json_object_set_new(malformed, "status", json_string("splendid"));
    ck_assert_int_eq(deliver_json(malformed, &err), 422);
    ck_assert_str_eq(err.path, "/status");

    HP_JSON json_t *foreign = json_deep_copy(good);
    json_object_set_new(foreign, "run", json_string(other_run));
    ck_assert_int_eq(deliver_json(foreign, &err), 422); /* its job announced another run */
    ck_assert_str_eq(err.path, "/run");
    json_object_set_new(foreign, "fence", json_integer(1000000));
    ck_assert_int_eq(deliver_json(foreign, &err), 422);
    ck_assert_str_eq(err.path, "/fence");
    json_object_set_new(foreign, "job", json_integer(999999));
    ck_assert_int_eq(deliver_json(foreign, &err), 404);
    json_object_set_new(foreign, "repository", json_string("nowhere"));
    long status = deliver_json(foreign, &err);
    ck_assert_msg(status >= 400 && status < 500, "status %ld", status);

    size_t size = HP_WIRE_RESULT_LIMIT + 1;
    HP_FREE char *large = malloc(size);
    memset(large, ' ', size);
    ck_assert_int_eq(deliver(other_run, large, size, &err), 413);

    HP_HTTP struct hp_http *stranger = hp_http_new(house_page(), NULL, &err);
    HP_JSON json_t *answer = NULL;
    ck_assert(!hp_http_json(stranger, "PUT", "/api/v1/runs/00000000-0000-4000-8000-000000000001",
                            foreign, &answer, &status, &err));
    ck_assert_int_eq(status, 401);
    ck_assert_int_eq(runs_stored(), before);
}
END_TEST

START_TEST(unknown_things_are_told)
{
    HAKPERF(compared, "compare", "base", "no-such-branch");
    ck_assert_exit(compared, HP_EXIT_NO_ANSWER);
    ck_assert_has(&compared.err, "no-such-branch");
    ck_assert_has(&compared.err, "HINT: ");
    /* Never measured side by side: told with what both were measured against. */
    HAKPERF(unmeasured, "compare", "other", "base");
    ck_assert_has(&unmeasured.out, "not side by side");
    HAKPERF(queued, "queue", "no-such-branch");
    ck_assert_exit(queued, HP_EXIT_NO_ANSWER);
    HAKPERF(report, "report", "no-such-branch");
    ck_assert_exit(report, HP_EXIT_NO_ANSWER);
    HAKPERF(elsewhere, "log", "--repository", "nowhere");
    ck_assert_exit(elsewhere, HP_EXIT_NO_ANSWER);
    ck_assert_has(&elsewhere.err, "nowhere");
    /* A folder that is no repository: nothing of it is kept. */
    ck_assert_int_eq(mkdir(house_path("empty"), 0755), 0);
    HAKPERF(applied, "suite", "apply", house_path("suite.json"), "--url", house_path("empty"),
            "--name", "empty");
    ck_assert_exit(applied, HP_EXIT_NO_ANSWER);
    ck_assert_has(&applied.err, "empty");
    struct hp_error err;
    HP_HTTP struct hp_http *http = socket_client();
    HP_JSON json_t *answer = NULL;
    ck_assert(hp_http_json(http, "GET", "/api/v1/repositories", NULL, &answer, NULL, &err));
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "repositories")), 1);
}
END_TEST

/* A commit on `other` whose malloc does `statement` after some calls, pushed to its own branch. */
static void push_defect(const char *tag, const char *statement)
{
    HP_OUTCOME struct hp_outcome pushed = {0};
    HP_FREE char *code = hp_format(
        "static int calls;\n    if (++calls == 5000)\n        %s;\n    unsigned value = 1",
        statement);
    GIT(back, "checkout", "-q", "other");
    planted_edit("work.h", "unsigned value = 1", code);
    planted_commit(tag, tag);
    planted_push(&pushed, tag, tag);
    ck_assert_has(&pushed.err, "1 commit queued");
}

static void expect_failed(const char *rev, const char *reason)
{
    HAKPERF(compared, "compare", "other", rev, "--wait");
    ck_assert_exit(compared, HP_EXIT_NO_ANSWER);
    HAKPERF(report, "report", rev);
    ck_assert_exit(report, HP_EXIT_NO_ANSWER);
    ck_assert_has(&report.out, "failed");
    ck_assert_has(&report.out, reason);
}

START_TEST(benchmarks_that_crash_or_hang_fail)
{
    push_defect("crash", "__builtin_trap()");
    push_defect("hang", "for (;;)\n            __asm__ volatile(\"\")");
    expect_failed("crash", "signal 4");
    expect_failed("hang", "killed after");
}
END_TEST

START_TEST(a_driver_that_talks_nonsense_fails)
{
    HP_OUTCOME struct hp_outcome pushed = {0}, applied = {0};
    GIT(back, "checkout", "-q", "base");
    planted_edit("bench.c", "    fprintf(f,", "    fputs(\"nonsense \", f);\n    fprintf(f,");
    planted_commit("nonsense", "Talk nonsense");
    planted_push(&pushed, "nonsense", "driver");
    planted_apply(&applied, planted_sha("nonsense"));
    ck_assert_exit(applied, HP_EXIT_OK);
    HAKPERF(waited, "queue", "--wait", "other");
    ck_assert_exit(waited, HP_EXIT_OK);
    HAKPERF(report, "report", "other");
    ck_assert_exit(report, HP_EXIT_NO_ANSWER);
    ck_assert_has(&report.out, "failed");
    HAKPERF(status, "status");
    ck_assert_exit(status, HP_EXIT_OK);
}
END_TEST

HP_SUITE_AT(integration_trouble, HP_SUITE_LAST)
{
    Suite *s = suite_create("integration_trouble");
    TCase *t = tcase_create("trouble");
    tcase_add_unchecked_fixture(t, house_open, house_close);
    tcase_set_timeout(t, 400);
    tcase_add_test(t, a_repository_is_registered);
    tcase_add_test(t, a_result_is_delivered_once);
    tcase_add_test(t, bad_results_are_refused);
    tcase_add_test(t, unknown_things_are_told);
    tcase_add_test(t, benchmarks_that_crash_or_hang_fail);
    tcase_add_test(t, a_driver_that_talks_nonsense_fails);
    suite_add_tcase(s, t);
    return s;
}
