/*
 * Planted regressions: patches on the allocator, each with what the service must say of it. A whole
 * service measures every patch against the commit it was made on; cases.json holds, for each,
 *
 *   name       of the patch file, without .patch, and of the branch
 *   verdict    of the commit; `size` with it where it has one; without it, any of no harm
 *   workloads  what single workloads must come to: verdict, and low and high bound of `change`;
 *              without verdict, whatever comes (the change touches it, but little);
 *              the verdict of every other one must be of no harm (equivalent, improved, identical,
 *              inconclusive, or a regression smaller than relevant), and where some are named, the
 *              others take QUIET_SECONDS each: long enough for a change that anybody would notice
 *   says       texts that the report must contain: the cause
 *   silent     texts that it must not contain
 *   only       names of workloads, where the rest of the suite would only take time
 *   coarse     true: its changes are large, so samples are short and random_mixed/65536, which
 *              would still warm up, is left out
 *   besides    a further workload, where none of the suite does what the change is about
 *   quick      names of workloads with which it is part of `make check`; the whole of it, and the
 *              rest, runs in `make check-regressions`
 *
 * The repository is this checkout's allocator/ as it stands, in a first commit of its own.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/options.h"
#include "tests/integration/planted.h"
#include "tests/suite.h"

#include <math.h>
#include <string.h>

#define REPOSITORY "regressions"
#define CASES "tests/regressions/cases.json"
/* Of one case: six workloads of a minute each, builds, passes and a confirmation. */
#define CASE_SECONDS 1500
#define QUIET_SECONDS 15
#define COARSE_SECONDS 20

static json_t *cases; /* those that run now */

/* Whether a list of names, commas between them, holds this one. */
static bool lists(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = names; (at = strstr(at, name)); at += n)
        if ((at == names || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

/* REGRESSIONS: unset for the quick ones, `all`, or names with commas between them. */
static void choose_cases(void)
{
    struct hp_error err;
    const char *names = getenv("REGRESSIONS");
    HP_JSON json_t *listed = hp_json_read_file(CASES, 1 << 20, &err);
    ck_assert_msg(listed, "%s", err.message);
    cases = json_array();
    size_t i;
    json_t *one;
    json_array_foreach (listed, i, one) {
        bool chosen =
            names ? strcmp(names, "all") == 0 || lists(names, hp_json_string(one, "name", ""))
                  : json_object_get(one, "quick") != NULL;
        if (chosen)
            json_array_append(cases, one);
    }
    ck_assert_msg(json_array_size(cases) > 0, "no case is named %s", names);
}

static void run_git(const char *const *argv)
{
    HP_OUTCOME struct hp_outcome outcome = {0};
    house_run(&outcome, house_path("work"), 60, argv);
    ck_assert_msg(outcome.exit_code == 0, "%s %s: %s", argv[0], argv[1],
                  hp_buffer_text(&outcome.err));
}

/* --- the repository ----------------------------------------------------------------------------
 */

static const json_t *expected_of(const json_t *one, const char *workload)
{
    size_t i;
    json_t *expected;
    json_array_foreach (json_object_get(one, "workloads"), i, expected)
        if (strcmp(hp_json_string(expected, "workload", ""), workload) == 0)
            return expected;
    return NULL;
}

/* The workloads that a case says nothing of are there to stay quiet. */
static void shorten_the_others(const json_t *one, json_t *workloads)
{
    size_t i;
    json_t *workload;
    json_array_foreach (workloads, i, workload)
        if (json_object_get(one, "workloads") &&
            !expected_of(one, hp_json_string(workload, "name", "")))
            json_object_set_new(workload, "budget_s", json_integer(QUIET_SECONDS));
}

/* A tenth of the steady part, which begins after max(50,000, 12 x working set) operations, and less
 * time: a confirmation of 512 pairs is long where a sample is, and a large change is seen anyway.
 */
static void take_short_samples(json_t *workloads)
{
    size_t i;
    json_t *workload;
    json_array_foreach (workloads, i, workload) {
        const json_t *set = json_array_get(json_object_get(workload, "arguments"), 1);
        long long warm = 12 * atoll(json_string_value(set));
        if (warm < 50000)
            warm = 50000;
        long long steady = hp_json_int(workload, "iterations", 0) - warm;
        ck_assert_int_gt(steady, 0);
        json_object_set_new(workload, "iterations", json_integer(warm + steady / 10));
        if (hp_json_number(workload, "budget_s", INFINITY) > COARSE_SECONDS)
            json_object_set_new(workload, "budget_s", json_integer(COARSE_SECONDS));
    }
}

/* Keeps the workloads of these names; without names all, or of a coarse case all but the long one.
 */
static void keep_workloads(json_t *suite, const json_t *names, bool coarse)
{
    size_t i;
    json_t *kept = json_array(), *workload;
    json_array_foreach (json_object_get(suite, "workloads"), i, workload) {
        const char *name = hp_json_string(workload, "name", "");
        bool wanted = !names && !(coarse && strcmp(name, "random_mixed/65536") == 0);
        for (size_t k = 0; k < json_array_size(names); k++)
            wanted = wanted || strcmp(json_string_value(json_array_get(names, k)), name) == 0;
        if (wanted)
            json_array_append(kept, workload);
    }
    ck_assert(!names || json_array_size(kept) == json_array_size(names));
    json_object_set_new(suite, "workloads", kept);
}

/* The suite of the project, with the workloads that the case names. */
static json_t *suite_of(const json_t *one, bool quick)
{
    struct hp_error err;
    const json_t *only = json_object_get(one, quick ? "quick" : "only");
    json_t *besides = json_object_get(one, "besides");
    bool coarse = quick || hp_json_bool(one, "coarse", false);
    json_t *suite = hp_json_read_file("deploy/suites/hakmem.json", 1 << 20, &err);
    ck_assert_msg(suite, "%s", err.message);
    /* The commit that the cases are made on needs no measurement of its own. */
    json_object_set_new(json_object_get(suite, "repository"), "branches", json_pack("[s]", "none"));
    if (besides)
        json_array_append(json_object_get(suite, "workloads"), besides);
    shorten_the_others(one, json_object_get(suite, "workloads"));
    keep_workloads(suite, only, coarse);
    if (coarse)
        take_short_samples(json_object_get(suite, "workloads"));
    return suite;
}

static void apply_suite(const json_t *one, bool quick)
{
    struct hp_error err;
    HP_JSON json_t *suite = suite_of(one, quick);
    HP_FREE char *text = json_dumps(suite, 0);
    ck_assert(hp_file_replace(house_path("suite.json"), text, strlen(text), 0644, &err));
    HAKPERF(applied, "suite", "apply", house_path("suite.json"), "--name", REPOSITORY, "--url",
            house_path("upstream.git"), "--driver", "base");
    ck_assert_exit(applied, 0);
}

/* The allocator of this checkout as commit `base`. */
static void make_repository(void)
{
    ck_assert_msg(!house_ready(), "%s", house_ready());
    HP_FREE char *copy = hp_format("cp -R allocator VERSION '%s'", house_path("work"));
    struct hp_command command = {.argv = (const char *const[]){"sh", "-c", copy, NULL},
                                 .timeout_s = 60};
    struct hp_error err;
    HP_OUTCOME struct hp_outcome copied = {0};
    ck_assert(hp_run(&command, &copied, &err));
    ck_assert_exit(copied, 0);
    run_git((const char *const[]){"git", "init", "-q", "-b", "main", ".", NULL});
    run_git((const char *const[]){"git", "init", "-q", "--bare", "-b", "main",
                                  house_path("upstream.git"), NULL});
    planted_commit("base", "The allocator of this checkout");
    run_git((const char *const[]){"git", "push", "-q", house_path("upstream.git"), "main",
                                  "refs/tags/base", NULL});
}

/* Commits a case on a branch of its own, on top of base, and pushes it. */
static void push_case(const json_t *one)
{
    const char *name = hp_json_string(one, "name", "");
    char here[4096];
    ck_assert(getcwd(here, sizeof here) != NULL);
    HP_FREE char *patch = hp_format("%s/tests/regressions/%s.patch", here, name);
    HP_FREE char *ref = hp_format("%s:refs/heads/%s", name, name);
    run_git((const char *const[]){"git", "checkout", "-q", "--detach", "base", NULL});
    run_git((const char *const[]){"git", "apply", patch, NULL});
    planted_commit(name, hp_json_string(one, "subject", name));
    run_git((const char *const[]){"git", "push", "-q", house_path("upstream.git"), ref, NULL});
}

/* --- what is said ------------------------------------------------------------------------------
 */

static void check_workload(const json_t *one, const json_t *found, const char *text)
{
    const char *name = hp_json_string(found, "workload", "");
    const char *verdict = hp_json_string(found, "verdict", "");
    const json_t *expected = expected_of(one, name);
    if (!expected) {
        bool harm = strcmp(verdict, "failed") == 0 ||
                    (strcmp(verdict, "regressed") == 0 &&
                     strcmp(hp_json_string(found, "size", ""), "relevant") == 0);
        ck_assert_msg(!harm, "%s is %s: %.2000s", name, verdict, text);
        return;
    }
    if (!json_object_get(expected, "verdict"))
        return;
    double change = hp_json_number(found, "change", NAN);
    ck_assert_msg(strcmp(verdict, hp_json_string(expected, "verdict", "")) == 0,
                  "%s is %s: %.2000s", name, verdict, text);
    ck_assert_msg(!(change < hp_json_number(expected, "low", -1)) &&
                      !(change > hp_json_number(expected, "high", INFINITY)),
                  "%s changed by %.4f: %.2000s", name, change, text);
}

static void check_texts(const json_t *list, const char *text, bool wanted)
{
    size_t i;
    json_t *word;
    json_array_foreach (list, i, word)
        ck_assert_msg((strstr(text, json_string_value(word)) != NULL) == wanted,
                      "\"%s\" is %s: %.2000s", json_string_value(word),
                      wanted ? "not said" : "said", text);
}

static void check_answer(const json_t *one, const json_t *comparison, const char *text)
{
    const char *verdict = hp_json_string(comparison, "verdict", "");
    const char *wanted = hp_json_string(one, "verdict", NULL);
    if (wanted)
        ck_assert_msg(strcmp(verdict, wanted) == 0 && strcmp(hp_json_string(comparison, "size", ""),
                                                             hp_json_string(one, "size", "")) == 0,
                      "%.2000s", text);
    ck_assert_msg(wanted || (strcmp(verdict, "failed") != 0 && strcmp(verdict, "regressed") != 0),
                  "%.2000s", text);
    size_t i;
    json_t *workload;
    json_array_foreach (json_object_get(comparison, "workloads"), i, workload)
        check_workload(one, workload, text);
    check_texts(json_object_get(one, "says"), text, true);
    check_texts(json_object_get(one, "silent"), text, false);
}

/* --- the tests ---------------------------------------------------------------------------------
 */

/* Fast, and always: each patch fits the allocator as it is. */
START_TEST(every_patch_applies)
{
    struct hp_error err;
    HP_JSON json_t *listed = hp_json_read_file(CASES, 1 << 20, &err);
    ck_assert_msg(listed, "%s", err.message);
    ck_assert_uint_ge(json_array_size(listed), 16);
    size_t i;
    json_t *one;
    json_array_foreach (listed, i, one) {
        HP_FREE char *patch =
            hp_format("tests/regressions/%s.patch", hp_json_string(one, "name", ""));
        struct hp_command command = {
            .argv = (const char *const[]){"git", "apply", "--check", patch, NULL}, .timeout_s = 30};
        HP_OUTCOME struct hp_outcome checked = {0};
        ck_assert(hp_run(&command, &checked, &err));
        ck_assert_exit(checked, 0);
    }
}
END_TEST

START_TEST(a_planted_change_is_told)
{
    if ((size_t)_i >= json_array_size(cases))
        return;
    const json_t *one = json_array_get(cases, (size_t)_i);
    const char *name = hp_json_string(one, "name", "");
    if (_i == 0)
        make_repository();
    apply_suite(one, !getenv("REGRESSIONS"));
    double begin = hp_monotonic_s();
    push_case(one);
    const char *argv[] = {house_program("hakperf"), "compare",  "--measure", "--wait", "--json",
                          "--repository",           REPOSITORY, "base",      name,     NULL};
    HP_OUTCOME struct hp_outcome measured = {0};
    house_run(&measured, house_path("work"), CASE_SECONDS, argv);
    double waited = hp_monotonic_s() - begin;
    HP_JSON json_t *comparison = planted_json(&measured);
    HAKPERF(report, "report", "--repository", REPOSITORY, name);
    HAKPERF(compared, "compare", "--repository", REPOSITORY, "base", name);
    HP_FREE char *text =
        hp_format("%s\n%s", hp_buffer_text(&compared.out), hp_buffer_text(&report.out));
    if (getenv("REGRESSIONS"))
        printf("--- %s: %.0f s from push to verdict, confirmed where it is one of harm\n%s\n", name,
               waited, hp_buffer_text(&compared.out));
    check_answer(one, comparison, text);
}
END_TEST

HP_SUITE_AT(regressions, HP_SUITE_FIRST)
{
    Suite *s = suite_create("regressions");
    TCase *fits = tcase_create("fits");
    tcase_add_test(fits, every_patch_applies);
    suite_add_tcase(s, fits);
    TCase *t = tcase_create("told");
    tcase_add_unchecked_fixture(t, choose_cases, NULL);
    tcase_add_unchecked_fixture(t, house_open, house_close);
    tcase_set_timeout(t, CASE_SECONDS + 120);
    tcase_add_loop_test(t, a_planted_change_is_told, 0, 32);
    suite_add_tcase(s, t);
    return s;
}
