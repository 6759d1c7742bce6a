/* The work verb of the real program against a collector by script. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/process.h"
#include "common/wire.h"
#include "runner/job.h"
#include "runner/source.h"
#include "runner/spool.h"
#include "tests/runner/fixture.h"
#include "tests/runner/responder.h"
#include "tests/suite.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define RUN "0b9d1f0e-6d5e-4d6c-9d3a-0000000000aa"

/* The job that a collector would give for two of the repository's tags. */
static char *job_text(const char *base, const char *head)
{
    struct hp_error err = {0};
    struct rn_commit commits[3];
    const char *const revs[] = {base, head, "plain"};
    HP_FREE char *repository = fx_path("repo");
    HP_FREE char *path = fx_path("suite.json");
    HP_JSON json_t *suite = hp_json_read_file(path, 100000, &err);
    char hash[65];
    ck_assert(hp_suite_hash(suite, hash, &err));
    for (int i = 0; i < 3; i++)
        ck_assert(rn_source_resolve(repository, revs[i], &commits[i], &err));
    HP_JSON json_t *job = json_pack(
        "{s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:O, s:s, "
        "s:i}",
        "format", "hakperf-job-v1", "job", 5, "fence", 3, "attempt", 1, "run", RUN, "kind",
        "commit", "repository", "t", "base", "sha", commits[0].sha, "subject", "b", "head", "sha",
        commits[1].sha, "subject", "h", "driver", "sha", commits[2].sha, "subject", "d", "suite",
        suite, "suite_hash", hash, "lease_seconds", 3600);
    return hp_json_text(job);
}

/* The answer to a request for the source of a tag; its body belongs to the caller. */
static struct answer source(const char *rev)
{
    struct hp_error err = {0};
    HP_FREE char *repository = fx_path("repo");
    HP_FD int fd = rn_source_archive(repository, rev, fx.folder, &err);
    off_t size = lseek(fd, 0, SEEK_END);
    char *bytes = malloc((size_t)size);
    ck_assert_int_eq(pread(fd, bytes, (size_t)size, 0), size);
    return (struct answer){200, bytes, (size_t)size};
}

static void free_sources(const struct answer *script)
{
    for (int i = 1; i <= 3; i++)
        free((void *)script[i].body);
}

static struct hp_outcome work_once(const struct responder *responder)
{
    struct hp_error err = {0};
    struct hp_outcome outcome;
    const char *const argv[] = {fx.runner.launcher, "work",     "--state",
                                fx.runner.state,    "--server", responder_url(responder),
                                "--once",           NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder, .timeout_s = 30};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    return outcome;
}

/* A self-test of the commit plain, by a recipe that plants a slowdown where CANARY is set: one look
 * at so many pairs, and `details` for its workloads. */
static json_t *self_test_of(const char *kind, int pairs, json_t *details)
{
    size_t i;
    json_t *workload;
    struct hp_error err = {0};
    HP_FREE char *text = job_text("plain", "plain");
    HP_FREE char *repository = fx_path("repo");
    HP_JSON json_t *job = hp_json_parse(text, strlen(text), &err);
    json_t *recipe = json_object_get(json_object_get(job, "suite"), "recipe");
    json_object_del(recipe, "coverage");
    json_object_set_new(recipe, "commands",
                        json_pack("[[s, s, s]]", "sh", "-c",
                                  "echo \"#define SPIN ${CANARY:-0}\" >c.h && cc -O2 -g -shared "
                                  "-fPIC -include c.h -o {out}/x.so lib.c"));
    json_object_set_new(
        recipe, "canary",
        json_pack("{s:{s:s}, s:f}", "environment", "CANARY", "40", "slowdown", 0.5));
    json_object_set_new(job, "kind", json_string(kind));
    json_object_set_new(job, "plan", json_pack("{s:[i], s:f}", "looks", pairs, "critical", 3.7));
    json_array_foreach (json_object_get(json_object_get(job, "suite"), "workloads"), i, workload)
        json_object_update(workload, details);
    json_decref(details);
    HP_FD int head = rn_source_archive(repository, "plain", fx.folder, &err);
    HP_FD int base = rn_source_archive(repository, "plain", fx.folder, &err);
    HP_FD int driver = rn_source_archive(repository, "plain", fx.folder, &err);
    const struct rn_sources sources = {
        .head = head, .base = base, .driver = driver, .reference = -1};
    json_t *result = rn_job_run(&fx.runner, job, &sources, &err);
    ck_assert_msg(result != NULL, "%s", err.message);
    return result;
}

static json_t *self_test(const char *kind)
{
    return self_test_of(kind, 64, NULL);
}

static const char *decided(const json_t *result)
{
    const json_t *w = json_array_get(json_object_get(result, "workloads"), 0);
    return hp_json_string(json_object_get(w, "decision"), "verdict", "");
}

static const char *code_of(const json_t *result, size_t arm)
{
    return hp_json_string(json_array_get(json_object_get(result, "arms"), arm), "code_hash", "");
}

START_TEST(a_build_is_measured_against_itself)
{
    HP_JSON json_t *result = self_test("aa");
    ck_assert_str_eq(hp_json_string(result, "status", ""), "measured");
    ck_assert_str_eq(code_of(result, 0), code_of(result, 1));
    ck_assert_str_ne(decided(result), "regressed");
    ck_assert_str_ne(decided(result), "");
}
END_TEST

/* Of a commit that became a hundred times slower: its one look comes forward when the time is up,
 * a headline run that would not end is not begun, and the passes take what there is time for. */
START_TEST(a_slow_commit_takes_its_time_and_no_more)
{
    fx.runner.passes_s = 15;
    HP_JSON json_t *result = self_test_of(
        "aa", 512,
        json_pack("{s:f, s:I}", "budget_s", 0.05, "headline_iterations", (json_int_t)100000000000));
    const json_t *w = json_array_get(json_object_get(result, "workloads"), 0);
    size_t i, untold = 0, counted = 0;
    bool told = false, fewer = false;
    json_t *row;
    ck_assert_str_eq(hp_json_string(result, "status", ""), "measured");
    ck_assert_str_eq(decided(result), "inconclusive");
    ck_assert_int_eq(hp_json_int(json_object_get(w, "pairs"), "count", 0), 64);
    ck_assert_int_eq(hp_json_int(json_object_get(w, "plan"), "max_pairs", 0), 64);
    json_array_foreach (json_object_get(result, "warnings"), i, row) {
        fewer = fewer || strstr(json_string_value(row), " of 100000000000 iterations, because");
        told = told || strstr(json_string_value(row), "because the time of 0.05 s was up");
    }
    ck_assert(told && fewer);
    json_array_foreach (json_object_get(w, "measurements"), i, row) {
        const char *metric = hp_json_string(row, "metric", "");
        untold += strcmp(metric, "headline") == 0 &&
                  strncmp(hp_json_string(row, "missing", ""), "it would take about ", 20) == 0;
        counted += strcmp(metric, "syscalls") == 0 && hp_json_number(row, "value", 0) > 0;
    }
    ck_assert_uint_eq(untold, 3);
    ck_assert_uint_eq(counted, 2);
}
END_TEST

START_TEST(a_canary_is_slower_than_its_own_commit)
{
    HP_JSON json_t *result = self_test("canary");
    ck_assert_str_eq(hp_json_string(result, "status", ""), "measured");
    ck_assert_str_ne(code_of(result, 0), code_of(result, 1));
    ck_assert_str_eq(decided(result), "regressed");
}
END_TEST

START_TEST(claims_measures_and_delivers)
{
    HP_FREE char *job = job_text("plain", "comment");
    const struct answer script[] = {
        {200, job, 0}, source("comment"), source("plain"), source("plain"), {201, "{}", 0}};
    struct responder *responder = responder_start(script, 5);
    HP_OUTCOME struct hp_outcome outcome = work_once(responder);
    HP_FREE char *seen = responder_stop(responder);
    ck_assert_msg(outcome.exit_code == 0, "%s", hp_buffer_text(&outcome.err));
    ck_assert_ptr_nonnull(strstr(seen, "POST /api/v1/jobs/claim?wait="));
    ck_assert_ptr_nonnull(strstr(seen, "/api/v1/jobs/5/source/"));
    ck_assert_ptr_nonnull(strstr(seen, "?fence=3 HTTP/1.1"));
    ck_assert_ptr_nonnull(strstr(seen, "PUT /api/v1/runs/" RUN " HTTP/1.1"));
    ck_assert_ptr_nonnull(strstr(seen, "\"status\":\"identical\""));
    ck_assert(!fx_exists("state/spool/" RUN ".json"));
    ck_assert(!fx_exists("state/runner/work"));
    free_sources(script);
}
END_TEST

START_TEST(a_result_outlives_the_collector)
{
    HP_FREE char *job = job_text("plain", "broken");
    const struct answer script[] = {
        {200, job, 0}, source("broken"), source("plain"), source("plain"), {0, NULL, 0}};
    struct responder *responder = responder_start(script, 5);
    HP_OUTCOME struct hp_outcome first = work_once(responder);
    free(responder_stop(responder));
    ck_assert_int_eq(first.exit_code, 3);
    ck_assert(fx_exists("state/spool/" RUN ".json"));
    const struct answer later[] = {{201, "{}", 0}, {204, NULL, 0}};
    responder = responder_start(later, 2);
    HP_OUTCOME struct hp_outcome second = work_once(responder);
    HP_FREE char *seen = responder_stop(responder);
    ck_assert_msg(second.exit_code == 0, "%s", hp_buffer_text(&second.err));
    ck_assert_ptr_nonnull(strstr(seen, "\"status\":\"failed\""));
    ck_assert(!fx_exists("state/spool/" RUN ".json"));
    free_sources(script);
}
END_TEST

START_TEST(a_job_lost_on_the_way_is_left_alone)
{
    HP_FREE char *job = job_text("plain", "comment");
    const struct answer script[] = {
        {200, job, 0},
        {409, "{\"code\":\"conflict\",\"message\":\"late\",\"hint\":null,\"path\":null}", 0}};
    struct responder *responder = responder_start(script, 2);
    HP_OUTCOME struct hp_outcome outcome = work_once(responder);
    free(responder_stop(responder));
    ck_assert(!fx_exists("state/spool/" RUN ".json"));
    ck_assert_msg(strstr(hp_buffer_text(&outcome.err), "left to its lease") != NULL, "%s",
                  hp_buffer_text(&outcome.err));
}
END_TEST

/* SIGTERM in the middle of a job: it is given back at once, not left to its lease. */
START_TEST(a_stopped_runner_gives_its_job_back)
{
    struct hp_error err = {0};
    struct hp_child child;
    HP_FREE char *job = job_text("plain", "slow");
    const struct answer ok = {200, "{}", 0};
    const struct answer script[] = {
        {200, job, 0}, source("slow"), source("plain"), source("plain"), ok, ok, ok, ok, ok, ok};
    struct responder *responder = responder_start(script, 10);
    const char *const argv[] = {
        fx.runner.launcher,       "work", "--state", fx.runner.state, "--server",
        responder_url(responder), NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder};
    ck_assert_msg(hp_child_start(&command, false, false, &child, &err), "%s", err.message);
    for (int i = 0; i < 3000 && !fx_exists("state/runner/work/plan.json"); i++)
        hp_sleep_ms(10);
    int status = hp_child_stop(&child, SIGTERM, 10);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    HP_FREE char *seen = responder_stop(responder);
    const char *release = strstr(seen, "POST /api/v1/jobs/5/release");
    ck_assert_msg(release != NULL, "%s", seen);
    ck_assert_ptr_nonnull(strstr(release, "\"fence\":3"));
    ck_assert(!fx_exists("state/spool/" RUN ".json"));
    free_sources(script);
}
END_TEST

/* The work verb with its state on a disk of 8 MiB of its own, which `fill` fills first. */
static struct hp_outcome work_on_small_disk(const struct responder *responder, const char *fill)
{
    struct hp_error err = {0};
    struct hp_outcome outcome;
    HP_FREE char *script =
        hp_format("mkdir -p \"$1\"/runner/cache \"$1\"/runner/suites \"$1\"/spool/refused && "
                  "cp kept.json \"$1\"/spool/" RUN ".json && { %s; } && exec \"$0\" work --state "
                  "\"$1\" --server \"$2\"",
                  fill);
    const char *const argv[] = {"bwrap",
                                "--die-with-parent",
                                "--dev-bind",
                                "/",
                                "/",
                                "--size",
                                "8388608",
                                "--tmpfs",
                                fx.runner.state,
                                "sh",
                                "-c",
                                script,
                                fx.runner.launcher,
                                fx.runner.state,
                                responder_url(responder),
                                NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder, .timeout_s = 8};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    return outcome;
}

/* A disk that is full to the last byte: what was measured is delivered, no job is asked for, and
 * the runner lives on, saying so once. */
START_TEST(a_full_disk_stops_claiming)
{
    struct hp_error err = {0};
    HP_JSON json_t *kept = hp_json_read_file("common/wire/examples/result-v1.json", 1 << 20, &err);
    json_object_set_new(kept, "run", json_string(RUN));
    HP_FREE char *text = hp_json_text(kept);
    fx_write("kept.json", text, 0644);
    const struct answer script[] = {{201, "{}", 0}, {204, NULL, 0}};
    struct responder *responder = responder_start(script, 2);
    HP_OUTCOME struct hp_outcome outcome =
        work_on_small_disk(responder, "! cat /dev/zero >\"$1\"/filler");
    HP_FREE char *seen = responder_stop(responder);
    const char *told = hp_buffer_text(&outcome.err);
    ck_assert_msg(outcome.timed_out, "%s: %s", hp_outcome_text(&outcome), told);
    ck_assert_msg(strstr(told, "No space left on device") != NULL, "%s", told);
    const char *why = strstr(told, "MiB are free below");
    ck_assert_msg(why != NULL && strstr(why + 1, "MiB are free below") == NULL, "%s", told);
    ck_assert_msg(strstr(seen, "PUT /api/v1/runs/" RUN) != NULL, "%s", seen);
    ck_assert_msg(strstr(seen, "/jobs/claim") == NULL, "%s", seen);
}
END_TEST

START_TEST(a_malformed_job)
{
    const struct answer script[] = {{200, "{\"format\":\"hakperf-job-v9\"}", 0}, {204, NULL, 0}};
    struct responder *responder = responder_start(script, 2);
    HP_OUTCOME struct hp_outcome outcome = work_once(responder);
    free(responder_stop(responder));
    ck_assert_int_eq(outcome.exit_code, 0);
    ck_assert_msg(strstr(hp_buffer_text(&outcome.err), "malformed job") != NULL, "%s",
                  hp_buffer_text(&outcome.err));
}
END_TEST

START_TEST(waits_for_a_collector_that_is_away_and_stops_when_told)
{
    struct hp_error err = {0};
    struct hp_child child;
    const char *const argv[] = {
        fx.runner.launcher,   "work", "--state", fx.runner.state, "--server",
        "http://127.0.0.1:1", NULL};
    const struct hp_command command = {.argv = argv};
    ck_assert_msg(hp_child_start(&command, false, false, &child, &err), "%s", err.message);
    hp_sleep_ms(1000);
    int status = 0;
    ck_assert(!hp_child_ended(&child, &status));
    double begin = hp_monotonic_s();
    status = hp_child_stop(&child, SIGTERM, 5);
    ck_assert_double_lt(hp_monotonic_s() - begin, 2);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

HP_SUITE(runner_work)
{
    Suite *s = suite_create("runner_work");
    TCase *t = tcase_create("work");
    tcase_add_checked_fixture(t, fx_open_repository, fx_close);
    tcase_add_test(t, a_build_is_measured_against_itself);
    tcase_add_test(t, a_slow_commit_takes_its_time_and_no_more);
    tcase_add_test(t, a_canary_is_slower_than_its_own_commit);
    tcase_add_test(t, claims_measures_and_delivers);
    tcase_add_test(t, a_result_outlives_the_collector);
    tcase_add_test(t, a_job_lost_on_the_way_is_left_alone);
    tcase_add_test(t, a_malformed_job);
    tcase_add_test(t, waits_for_a_collector_that_is_away_and_stops_when_told);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    t = tcase_create("disk");
    tcase_add_checked_fixture(t, fx_open_repository, fx_close);
    tcase_add_test(t, a_full_disk_stops_claiming);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    t = tcase_create("stopped");
    tcase_add_checked_fixture(t, fx_open_repository, fx_close);
    tcase_add_test(t, a_stopped_runner_gives_its_job_back);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    return s;
}
