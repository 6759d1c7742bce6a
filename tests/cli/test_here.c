/*
 * `hakperf compare --here` as it is typed, on the repository of tests/runner/fixture.h: real builds
 * and real measurements, no collector anywhere.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/options.h"
#include "common/process.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <dirent.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 24

/* The suite of the fixture with shorter samples, as short.json. */
static void setup(void)
{
    struct hp_error err = {0};
    fx_open_repository();
    HP_FREE char *path = fx_path("suite.json");
    HP_JSON json_t *suite = hp_json_read_file(path, 1u << 20, &err);
    json_t *workload = json_array_get(json_object_get(suite, "workloads"), 0);
    json_object_set_new(workload, "iterations", json_integer(50000));
    HP_FREE char *shorter = hp_json_text(suite);
    fx_write("short.json", shorter, 0644);
}

/* Runs hakperf compare --here in folder `in` below FOLDER. */
static void run(struct hp_outcome *outcome, const char *in, const char *const *more)
{
    struct hp_error err = {0};
    HP_FREE char *program = fx_path("hakperf");
    HP_FREE char *folder = fx_path(in);
    const char *argv[WORDS] = {program, "compare", "--here", "--state", fx.runner.state};
    for (size_t n = 5; *more && n + 1 < WORDS; n++)
        argv[n] = *more++;
    const struct hp_command command = {
        .argv = argv, .folder = folder, .timeout_s = 300, .output_limit = 8u << 20};
    ck_assert_msg(hp_run(&command, outcome, &err), "%s", err.message);
}

#define HERE(outcome, in, ...)                  \
    HP_OUTCOME struct hp_outcome outcome = {0}; \
    run(&(outcome), in, (const char *const[]){__VA_ARGS__, NULL})

#define SHORT "--suite", "../short.json", "--budget", "20"
#define QUICK SHORT, "--passes", "0"

static json_t *answer_of(const struct hp_outcome *outcome)
{
    struct hp_error err = {0};
    json_t *json = hp_json_parse(hp_buffer_text(&outcome->out), outcome->out.size, &err);
    ck_assert_msg(json != NULL, "%s\n%s", err.message, hp_buffer_text(&outcome->err));
    return json;
}

static const char *text(const json_t *object, const char *key)
{
    return hp_json_string(object, key, "");
}

/* Every member that the collector's answer has (common/wire/README.md). */
static void has_all(const json_t *object, const char *const *keys)
{
    for (; *keys; keys++)
        ck_assert_msg(json_object_get(object, *keys) != NULL, "%s is missing", *keys);
}

static const char *const of_comparison[] = {
    "verdict",  "size",     "confirmation", "sentence", "base",    "head",     "run",
    "reason",   "coverage", "workloads",    "machine",  "sandbox", "warnings", "reproduce",
    "measured", "how",      "basis",        "measure",  NULL};
static const char *const of_workload[] = {
    "workload",      "verdict",    "size",     "metric",   "unit",         "better",
    "base_value",    "head_value", "change",   "low",      "high",         "pairs",
    "detectable",    "reason",     "sentence", "cause",    "kernel_share", "ace_failures",
    "instructions",  "metrics",    "counters", "syscalls", "profile",      "coverage",
    "configuration", NULL};

/* Runs it with stderr on a terminal, whose text goes to `seen`, and stdout into FOLDER/answer. */
static int on_a_terminal(struct hp_buffer *seen)
{
    HP_FREE char *program = fx_path("hakperf");
    HP_FREE char *repository = fx_path("repo");
    int terminal = -1, status = 0;
    struct winsize size = {.ws_row = 24, .ws_col = 120};
    pid_t pid = forkpty(&terminal, NULL, NULL, &size);
    if (pid == 0) {
        if (chdir(repository) == 0 && freopen("../answer", "w", stdout))
            execl(program, program, "compare", "--here", "plain", "slow", "--json", SHORT,
                  "--state", fx.runner.state, NULL);
        _exit(126);
    }
    char block[4096];
    for (ssize_t n; (n = read(terminal, block, sizeof block)) > 0;)
        hp_buffer_append(seen, block, (size_t)n);
    close(terminal);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* And a person sees the interval closing in: a bar, and the scale with its marks. */
START_TEST(a_regression_is_found_and_confirmed)
{
    struct hp_error err = {0};
    HP_BUFFER struct hp_buffer seen = {0};
    HP_FREE char *answer = fx_path("answer");
    ck_assert_msg(on_a_terminal(&seen) == HP_EXIT_REGRESSED, "%s", hp_buffer_text(&seen));
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&seen), "mixed [#"));
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&seen), "<.......:...|...:"));
    HP_JSON json_t *c = hp_json_read_file(answer, 8u << 20, &err);
    const json_t *w = json_array_get(json_object_get(c, "workloads"), 0);
    has_all(c, of_comparison);
    has_all(w, of_workload);
    ck_assert_str_eq(text(c, "verdict"), "regressed");
    ck_assert_str_eq(text(c, "size"), "relevant");
    ck_assert_str_eq(text(c, "how"), "measured");
    ck_assert_int_eq(strncmp(text(c, "basis"), "side by side, ", 14), 0);
    ck_assert_str_eq(text(c, "confirmation"), "confirmed");
    ck_assert_str_eq(text(json_object_get(c, "head"), "subject"), "slow");
    ck_assert_ptr_nonnull(strstr(text(c, "sentence"), " slower than "));
    ck_assert_ptr_nonnull(strstr(text(c, "sentence"), "confirmed by a fresh run"));
    ck_assert_str_eq(text(w, "metric"), "throughput");
    ck_assert_str_eq(text(w, "better"), "higher");
    double change = hp_json_number(w, "change", 0);
    ck_assert(change < -0.05 && hp_json_number(w, "low", 0) <= change &&
              change <= hp_json_number(w, "high", 0) && hp_json_number(w, "high", 0) < 0);
    double ratio = hp_json_number(w, "head_value", 0) / hp_json_number(w, "base_value", 1);
    ck_assert_double_eq_tol(ratio - 1, change, 0.1);
    ck_assert(hp_json_number(w, "detectable", 0) > 0);
    /* The library says what it is, and the changed macro ran. */
    const json_t *counter = json_array_get(json_object_get(w, "counters"), 0);
    ck_assert_str_eq(text(counter, "name"), "spin");
    ck_assert_double_eq(hp_json_number(counter, "head", 0), 40);
    ck_assert_int_eq(hp_json_int(json_object_get(c, "coverage"), "functions", 0), 2);
}
END_TEST

START_TEST(the_same_code_is_identical)
{
    HERE(o, "repo", "plain", "comment", "--json", QUICK);
    HP_JSON json_t *c = answer_of(&o);
    const json_t *w = json_array_get(json_object_get(c, "workloads"), 0);
    ck_assert_int_eq(o.exit_code, HP_EXIT_OK);
    ck_assert_str_eq(text(c, "verdict"), "identical");
    ck_assert_str_eq(text(c, "basis"), "by their code, which is the same");
    has_all(w, of_workload);
    ck_assert_str_eq(text(w, "verdict"), "identical");
    ck_assert(json_is_null(json_object_get(w, "change")));
    HERE(plain, "repo", "plain", "comment", QUICK);
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&plain.out), "builds to the same code"));
}
END_TEST

START_TEST(a_build_that_fails_is_no_answer)
{
    HERE(o, "repo", "plain", "broken", "--json", QUICK);
    HP_JSON json_t *c = answer_of(&o);
    ck_assert_int_eq(o.exit_code, HP_EXIT_NO_ANSWER);
    ck_assert_str_eq(text(c, "verdict"), "failed");
    ck_assert_ptr_nonnull(strstr(text(c, "reason"), "oops"));
    ck_assert_ptr_nonnull(strstr(text(c, "sentence"), "oops"));
}
END_TEST

START_TEST(what_is_asked_wrongly_says_so)
{
    const struct {
        const char *in, *words[6], *told;
        int code;
    } rows[] = {
        {"repo", {"plain", "nothing", "--suite", "../suite.json"}, "no commit \"nothing\"", 3},
        {"repo", {"plain", "plain", "--suite", "../suite.json"}, "both revisions", 2},
        {"repo", {"plain", "slow"}, "holds no suite", 2},
        {"repo", {"plain", "slow", "--suite", "none.json"}, "none.json", 3},
        {"repo", {"plain", "slow", "--wait"}, "--wait asks the collector", 2},
        {"repo",
         {"plain", "slow", "--suite", "../suite.json", "--workload", "x"},
         "it has mixed",
         2},
        {".", {"plain", "slow"}, "not within a git repository", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const *w = rows[i].words;
        HERE(o, rows[i].in, w[0], w[1], w[2], w[3], w[4], w[5]);
        ck_assert_msg(o.exit_code == rows[i].code &&
                          strcasestr(hp_buffer_text(&o.err), rows[i].told),
                      "row %zu: exit %d, %s", i, o.exit_code, hp_buffer_text(&o.err));
        ck_assert_uint_eq(o.out.size, 0);
    }
}
END_TEST

/* With a suite of the repository's own name among several. */
START_TEST(the_suite_is_found_in_the_checkout)
{
    struct hp_error err = {0};
    HP_FREE char *path = fx_path("suite.json");
    HP_JSON json_t *suite = hp_json_read_file(path, 1u << 20, &err);
    HP_FREE char *own = hp_json_text(suite);
    json_object_set_new(suite, "name", json_string("other"));
    HP_FREE char *other = hp_json_text(suite);
    fx_write("repo/deploy/suites/a.json", other, 0644);
    fx_write("repo/deploy/suites/b.json", other, 0644);
    HERE(several, "repo", "plain", "comment");
    ck_assert_int_eq(several.exit_code, HP_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&several.err), "deploy/suites/b.json"));
    fx_write("repo/deploy/suites/c.json", own, 0644);
    HERE(found, "repo/deploy", "plain", "comment");
    ck_assert_int_eq(found.exit_code, HP_EXIT_OK);
}
END_TEST

static bool is_empty(const char *name)
{
    HP_FREE char *path = fx_path(name);
    HP_DIR DIR *folder = opendir(path);
    for (const struct dirent *d; folder && (d = readdir(folder));)
        if (d->d_name[0] != '.')
            return false;
    return true;
}

START_TEST(an_interrupt_leaves_nothing_behind)
{
    struct hp_error err = {0};
    HP_FREE char *program = fx_path("hakperf");
    HP_FREE char *repository = fx_path("repo");
    const char *const argv[] = {program, "compare", "--here",        "plain",
                                "slow",  "--suite", "../suite.json", "--passes",
                                "0",     "--state", fx.runner.state, NULL};
    const struct hp_command command = {.argv = argv, .folder = repository, .merge_stderr = true};
    struct hp_child child = {.in = -1, .out = -1};
    ck_assert_msg(hp_child_start(&command, false, true, &child, &err), "%s", err.message);
    fx_wait_for_samples();
    kill(child.pid, SIGINT);
    double begin = hp_monotonic_s();
    int status = -1;
    while (!hp_child_ended(&child, &status) && hp_monotonic_s() - begin < 20)
        hp_sleep_ms(20);
    ck_assert_int_eq(child.pid, 0);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == HP_EXIT_NO_ANSWER, "status 0x%x",
                  (unsigned)status);
    ck_assert(fx_no_process_with(fx.folder));
    ck_assert(!fx_exists("state/runner/work"));
    ck_assert(is_empty("state/spool/refused"));
}
END_TEST

HP_SUITE_AT(here, HP_SUITE_FIRST)
{
    Suite *s = suite_create("here");
    TCase *t = tcase_create("compare");
    tcase_add_checked_fixture(t, setup, fx_close);
    tcase_set_timeout(t, 400);
    tcase_add_test(t, a_regression_is_found_and_confirmed);
    tcase_add_test(t, the_same_code_is_identical);
    tcase_add_test(t, a_build_that_fails_is_no_answer);
    tcase_add_test(t, what_is_asked_wrongly_says_so);
    tcase_add_test(t, the_suite_is_found_in_the_checkout);
    tcase_add_test(t, an_interrupt_leaves_nothing_behind);
    suite_add_tcase(s, t);
    return s;
}
