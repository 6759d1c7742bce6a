/* Foreign code outside of a sandbox: never by itself, only where the configuration says so, and
 * then the result says so too. */
#include "common/cleanup.h"
#include "common/json.h"
#include "common/process.h"
#include "common/wire.h"
#include "runner/job.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <string.h>

#define MEASURE                                                                                   \
    fx.runner.launcher, "measure", "--state", fx.runner.state, "--repository", "repo", "--suite", \
        "suite.json", "--base", "plain", "--head", "comment", "--pairs", "64", "--passes", "0"

static struct hp_outcome run(const char *const *argv)
{
    struct hp_error err = {0};
    struct hp_outcome outcome;
    const struct hp_command command = {
        .argv = argv, .folder = fx.folder, .timeout_s = 200, .output_limit = 64u << 20};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    return outcome;
}

static void assert_refused(const struct hp_outcome *outcome, int code, const char *why)
{
    const char *told = hp_buffer_text(&outcome->err);
    ck_assert_msg(outcome->exit_code == code && strstr(told, why) != NULL, "%s: %s",
                  hp_outcome_text(outcome), told);
    ck_assert_str_eq(hp_buffer_text(&outcome->out), "");
    HP_FREE char *built = fx_output((const char *const[]){"ls", "state/runner/cache", NULL});
    ck_assert_str_eq(built, "");
}

START_TEST(without_bwrap_nothing_is_run)
{
    HP_FREE char *folder = fx_path("bin");
    HP_FREE char *path = hp_format("PATH=%s", folder);
    fx_run((const char *const[]){"sh", "-c", "mkdir bin && ln -s \"$(command -v git)\" bin", NULL});
    HP_OUTCOME struct hp_outcome outcome =
        run((const char *const[]){"/usr/bin/env", path, MEASURE, NULL});
    assert_refused(&outcome, 3, "foreign code needs a sandbox, and bwrap is not installed");
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&outcome.err), "HINT: "));
}
END_TEST

/* As in many containers: bwrap is there, and the kernel lets it do nothing. */
START_TEST(where_no_sandbox_is_allowed_nothing_is_run)
{
    HP_OUTCOME struct hp_outcome outcome =
        run((const char *const[]){"bwrap", "--die-with-parent", "--unshare-user",
                                  "--disable-userns", "--dev-bind", "/", "/", "--", MEASURE, NULL});
    assert_refused(&outcome, 3, "this machine does not allow a sandbox");
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&outcome.err), "--sandbox none"));
}
END_TEST

START_TEST(an_unknown_sandbox_is_no_sandbox)
{
    HP_OUTCOME struct hp_outcome outcome =
        run((const char *const[]){MEASURE, "--sandbox", "maybe", NULL});
    assert_refused(&outcome, 2, "--sandbox must be bwrap or none");
}
END_TEST

START_TEST(none_is_asked_for_and_told)
{
    struct hp_error err = {0};
    HP_OUTCOME struct hp_outcome outcome =
        run((const char *const[]){MEASURE, "--sandbox", "none", NULL});
    HP_JSON json_t *result =
        hp_wire_parse(HP_WIRE_RESULT, hp_buffer_text(&outcome.out), outcome.out.size, &err);
    ck_assert_msg(result != NULL, "%s: %s", err.message, hp_buffer_text(&outcome.err));
    ck_assert_str_eq(hp_json_string(result, "status", ""), "identical");
    ck_assert_str_eq(hp_json_string(result, "sandbox", ""), "none");
    HP_FREE char *warnings = hp_json_text(json_object_get(result, "warnings"));
    ck_assert_msg(strstr(warnings, "without a sandbox, as asked for") != NULL, "%s", warnings);
}
END_TEST

/* One that everybody may write to is nobody's own. */
START_TEST(none_is_refused_for_what_is_not_ones_own)
{
    fx_run((const char *const[]){"chmod", "o+w", "repo", NULL});
    HP_OUTCOME struct hp_outcome outcome =
        run((const char *const[]){MEASURE, "--sandbox", "none", NULL});
    ck_assert_int_ne(outcome.exit_code, 0);
    assert_refused(&outcome, outcome.exit_code, "is not a repository of this runner's own user");
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&outcome.err), "HINT: Let it use a sandbox"));
}
END_TEST

/* Jobs of a collector too: of a folder of somebody else's, of another machine, of another's
 * driver. */
START_TEST(none_is_refused_for_jobs_of_others)
{
    static const struct {
        const char *url, *driver;
    } rows[] = {{"/", NULL}, {"https://example.org/x.git", NULL}, {NULL, "file:///usr"}};
    HP_FREE char *file = fx_path("suite.json");
    fx.runner.sandboxed = false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hp_error err = {0};
        struct rn_sources none = RN_NO_SOURCES;
        HP_JSON json_t *suite = hp_json_read_file(file, 1u << 20, &err);
        if (rows[i].url)
            json_object_set_new(json_object_get(suite, "repository"), "url",
                                json_string(rows[i].url));
        if (rows[i].driver)
            json_object_set_new(json_object_get(suite, "driver"), "repository",
                                json_string(rows[i].driver));
        HP_JSON json_t *job = json_pack(
            "{s:i, s:i, s:i, s:s, s:s, s:s, s:{s:s}, s:{s:s}, s:O}", "job", 1, "fence", 1,
            "attempt", 1, "run", "0b9d1f0e-6d5e-4d6c-9d3a-0000000000aa", "repository", "t",
            "suite_hash", "5555555555555555555555555555555555555555555555555555555555555555",
            "head", "sha", "5555555555555555555555555555555555555555", "driver", "sha",
            "5555555555555555555555555555555555555555", "suite", suite);
        HP_JSON json_t *result = rn_job_run(&fx.runner, job, &none, &err);
        ck_assert_msg(result != NULL, "%s", err.message);
        const json_t *failure = json_object_get(result, "failure");
        const char *message = hp_json_string(failure, "message", "");
        ck_assert_str_eq(hp_json_string(failure, "stage", ""), "source");
        ck_assert_msg(strstr(message, "is not a repository of this runner's own user"), "%s",
                      message);
        ck_assert_ptr_nonnull(strstr(message, rows[i].url ? rows[i].url : rows[i].driver));
    }
}
END_TEST

HP_SUITE(runner_unsandboxed)
{
    Suite *s = suite_create("runner_unsandboxed");
    TCase *t = tcase_create("refusal");
    tcase_add_checked_fixture(t, fx_open_repository, fx_close);
    tcase_add_test(t, without_bwrap_nothing_is_run);
    tcase_add_test(t, where_no_sandbox_is_allowed_nothing_is_run);
    tcase_add_test(t, an_unknown_sandbox_is_no_sandbox);
    tcase_add_test(t, none_is_asked_for_and_told);
    tcase_add_test(t, none_is_refused_for_what_is_not_ones_own);
    tcase_add_test(t, none_is_refused_for_jobs_of_others);
    tcase_set_timeout(t, 240);
    suite_add_tcase(s, t);
    return s;
}
