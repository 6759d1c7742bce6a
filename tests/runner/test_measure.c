/*
 * Whole runs of the real program on the repository of fixture.h.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/judging/beside.h"
#include "common/process.h"
#include "common/wire.h"
#include "runner/cpus.h"
#include "runner/job.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <signal.h>
#include <string.h>

/* Runs `measure` and returns the result document; its exit code in *code. */
static json_t *measure(const char *const *more, int *code)
{
    struct hp_error err = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    const char *argv[32] = {fx.runner.launcher, "measure", "--state", fx.runner.state};
    size_t n = 4;
    while (*more)
        argv[n++] = *more++;
    argv[n] = NULL;
    const struct hp_command command = {
        .argv = argv, .folder = fx.folder, .timeout_s = 380, .output_limit = 64u << 20};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    *code = outcome.exit_code;
    json_t *result = hp_json_parse(hp_buffer_text(&outcome.out), outcome.out.size, &err);
    ck_assert_msg(result && hp_wire_check(HP_WIRE_RESULT, result, &err), "%s at %s\n%s",
                  err.message, err.path, hp_buffer_text(&outcome.err));
    return result;
}

static json_t *compare(const char *base, const char *head, int *code)
{
    return measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--base",
                                         base, "--head", head, NULL},
                   code);
}

static json_t *read_suite(void)
{
    struct hp_error err = {0};
    HP_FREE char *path = fx_path("suite.json");
    json_t *suite = hp_json_read_file(path, 1u << 20, &err);
    ck_assert_msg(suite, "%s", err.message);
    return suite;
}

static void write_suite(const char *name, const json_t *suite)
{
    HP_FREE char *text = hp_json_text(suite);
    fx_write(name, text, 0644);
}

static const json_t *workload_of(const json_t *result)
{
    const json_t *workload = json_array_get(json_object_get(result, "workloads"), 0);
    ck_assert_ptr_nonnull(workload);
    return workload;
}

static size_t sample_count(const json_t *workload, const char *arm, const char *metric)
{
    return json_array_size(hp_sample_values(workload, arm, metric));
}

START_TEST(slower_is_regressed)
{
    int code;
    HP_JSON json_t *result = compare("plain", "slow", &code);
    const json_t *w = workload_of(result);
    const json_t *decision = json_object_get(w, "decision");
    ck_assert_int_eq(code, 1);
    ck_assert_str_eq(hp_json_string(result, "status", ""), "measured");
    ck_assert_str_eq(hp_json_string(decision, "verdict", ""), "regressed");
    ck_assert_str_eq(hp_json_string(decision, "size", ""), "relevant");
    ck_assert(hp_json_number(decision, "high", 0) < 0);
    size_t pairs = (size_t)hp_json_int(decision, "pairs", 0);
    ck_assert_uint_eq(sample_count(w, "head", "throughput"), pairs);
    ck_assert_uint_eq(sample_count(w, "base", "minor_faults"), pairs);
    ck_assert_uint_le(sample_count(w, "control", "throughput"), pairs / 8);
    ck_assert_uint_ge(sample_count(w, "control", "throughput"), pairs / 64);
    const json_t *preflight = json_object_get(result, "preflight");
    const json_t *validity = json_object_get(w, "validity");
    ck_assert(json_is_integer(json_object_get(preflight, "cpu")));
    ck_assert(json_is_number(json_object_get(preflight, "load")));
    ck_assert(json_object_get(preflight, "temperature_c") != NULL);
    ck_assert(json_is_number(json_object_get(preflight, "steal_while_measuring")));
    ck_assert(hp_json_number(validity, "order_p", 0) >= 1e-4);
    ck_assert(hp_json_number(validity, "drift_p", 0) >= 1e-4);
    ck_assert(hp_json_number(validity, "wall_over_cpu", 0) > 0.9);
    ck_assert(hp_figure(w, "head", "headline") > 0);
    ck_assert_double_eq(hp_figure(w, "head", "counter:spin"), 40);
    ck_assert_double_eq(hp_figure(w, "base", "counter:spin"), 0);
    ck_assert(hp_figure(w, "head", "kernel_share") >= 0);
    ck_assert_str_eq(
        hp_json_string(
            json_object_get(json_object_get(json_object_get(w, "configuration"), "head"), "SPIN"),
            "value", ""),
        "40");
}
END_TEST

/* A fresh look answers one question, by pairs, and has neither passes nor a headline figure. */
START_TEST(a_fresh_look_takes_pairs_only)
{
    int code;
    HP_JSON json_t *result =
        measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--base",
                                      "plain", "--head", "slow", "--confirm", NULL},
                &code);
    const json_t *w = workload_of(result), *decision = json_object_get(w, "decision");
    ck_assert_int_eq(code, 1);
    ck_assert_str_eq(hp_json_string(decision, "verdict", ""), "regressed");
    ck_assert_int_gt(hp_json_int(decision, "pairs", 0), 64);
    ck_assert(isnan(hp_figure(w, "head", "headline")));
    ck_assert(isnan(hp_figure(w, "head", "counter:spin")));
    ck_assert_str_eq(hp_json_string(json_object_get(result, "coverage"), "missing", ""),
                     "no passes were asked for");
    ck_assert_msg(strstr(hp_json_string(result, "reproduce", ""), " --confirm ") != NULL, "%s",
                  hp_json_string(result, "reproduce", ""));
}
END_TEST

/* "slow" changes a macro of a header; what uses it is what has to run. */
START_TEST(what_changed_did_run)
{
    int code;
    HP_JSON json_t *result =
        measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--base",
                                      "plain", "--head", "slow", "--pairs", "64", NULL},
                &code);
    const json_t *coverage = json_object_get(result, "coverage");
    const json_t *functions = json_object_get(coverage, "functions");
    HP_FREE char *text = json_dumps(coverage, JSON_COMPACT);
    ck_assert_msg(json_array_size(functions) == 2, "%s", text);
    const json_t *first = json_array_get(functions, 0), *second = json_array_get(functions, 1);
    ck_assert_str_eq(hp_json_string(first, "name", ""), "malloc");
    ck_assert_str_eq(hp_json_string(first, "file", ""), "lib.c");
    ck_assert(hp_json_bool(first, "executed", false));
    ck_assert_int_gt(hp_json_int(first, "calls", 0), 20000);
    ck_assert_str_eq(hp_json_string(second, "name", ""), "tell");
    ck_assert(json_equal(
        functions, json_object_get(json_object_get(workload_of(result), "coverage"), "functions")));
}
END_TEST

static const char layout_recipe[] =
    "{'commands': [['cc', '-O2', '-g', '-fPIC', '-ffunction-sections', '-include', 'spin.h', '-c', "
    "'-o', 'x.o', 'lib.c'], ['cc', '-shared', '-o', '{out}/x.so', 'x.o']], 'artifacts': ['x.so'], "
    "'layouts': {'commands': [['sh', '-c', 'test -f layouts.sh', ''], "
    "['sh', 'layouts.sh', '{layouts}']]}}";

/* The suite with layouts, as layouts.json; and the commits `early`, which has no command for them,
 * `one` and `two`, which have and differ in a byte of data that nothing reads. */
static void add_layouts(void)
{
    static const char script[] = "for f in $1/*.ld; do d=${f%.ld}; mkdir $d && "
                                 "cc -shared -Wl,-T,$f -o $d/x.so x.o || exit 1; done\n";
    static const char *const tags[] = {"early", "one", "two"};
    HP_JSON json_t *suite = read_suite();
    json_object_set_new(suite, "recipe", fx_json(layout_recipe));
    json_object_set_new(json_array_get(json_object_get(suite, "workloads"), 0), "margin",
                        json_real(0.05));
    write_suite("layouts.json", suite);
    for (int i = 0; i < 3; i++) {
        HP_FREE char *spin = hp_format("#define SPIN 0\nextern const char spare;\n"
                                       "const char spare = %d;\n",
                                       i);
        fx_write("repo/spin.h", spin, 0644);
        if (i > 0)
            fx_write("repo/layouts.sh", script, 0644);
        fx_run((const char *const[]){"git", "-C", "repo", "add", "-A", NULL});
        fx_run((const char *const[]){"git", "-C", "repo", "-c", "user.name=t", "-c",
                                     "user.email=t@example.org", "-c", "commit.gpgsign=false",
                                     "commit", "-q", "--no-verify", "-m", tags[i], NULL});
        fx_run((const char *const[]){"git", "-C", "repo", "tag", tags[i], NULL});
    }
}

static json_t *compare_layouts(const char *base, const char *head, const char *pairs, int *code)
{
    return measure((const char *const[]){"--repository", "repo", "--suite", "layouts.json",
                                         "--base", base, "--head", head, "--pairs", pairs,
                                         "--budget", "300", NULL},
                   code);
}

/* An edit without effect is called one, which no single layout could prove. */
START_TEST(over_layouts_nothing_is_equivalent)
{
    int code;
    size_t i;
    json_t *layout;
    add_layouts();
    HP_JSON json_t *result = compare_layouts("one", "two", "1536", &code);
    const json_t *w = workload_of(result);
    ck_assert_int_eq(code, 0);
    ck_assert_str_eq(hp_json_string(json_object_get(w, "decision"), "verdict", ""), "equivalent");
    ck_assert_double_eq(hp_json_number(json_object_get(w, "plan"), "layout_sd", 1), 0);
    json_array_foreach (json_object_get(json_object_get(w, "pairs"), "layout"), i, layout)
        ck_assert_int_eq(json_integer_value(layout), (json_int_t)(i % 64));
    ck_assert_uint_ge(i, 512);
    /* The artifacts as shipped are measured beside, so that a move of theirs alone is known. */
    const json_t *shipped = json_object_get(w, "shipped");
    ck_assert_uint_eq(json_array_size(json_object_get(shipped, "first")), 32);
    ck_assert_uint_eq(json_array_size(json_object_get(shipped, "second")), 32);
    ck_assert_uint_eq(json_array_size(json_object_get(shipped, "first_ran")), 32);
}
END_TEST

/* Arms share layouts or have none; the interval says so. */
START_TEST(an_arm_without_layouts_widens_the_interval)
{
    int code;
    size_t i;
    json_t *item;
    bool told = false;
    add_layouts();
    HP_JSON json_t *result = measure(
        (const char *const[]){"--repository", "repo", "--suite", "layouts.json", "--base", "early",
                              "--head", "two", "--reference", "two", "--pairs", "64", NULL},
        &code);
    const json_t *w = workload_of(result);
    ck_assert_uint_ge(sample_count(w, "reference", "throughput"), 1);
    ck_assert_uint_le(sample_count(w, "reference", "throughput"), 16);
    ck_assert_double_eq(hp_json_number(json_object_get(w, "plan"), "layout_sd", 0), 0.0045);
    json_array_foreach (json_object_get(json_object_get(w, "pairs"), "layout"), i, item)
        ck_assert_int_eq(json_integer_value(item), (json_int_t)i);
    json_array_foreach (json_object_get(result, "warnings"), i, item)
        told = told || strncmp(json_string_value(item), "base: no code layouts", 21) == 0;
    ck_assert(told);
}
END_TEST

/* CPU time decides where the suite says so, and less of it is better. */
START_TEST(the_metric_of_the_suite_decides)
{
    int code;
    HP_JSON json_t *suite = read_suite();
    json_t *asked = json_array_get(json_object_get(suite, "workloads"), 0);
    json_object_set_new(asked, "metric", json_string("cpu"));
    json_object_set_new(asked, "max_pairs", json_integer(64));
    write_suite("suite.json", suite);
    HP_JSON json_t *result =
        measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--base",
                                      "plain", "--head", "slow", "--passes", "0", NULL},
                &code);
    const json_t *w = workload_of(result), *decision = json_object_get(w, "decision");
    ck_assert_int_eq(code, 1);
    ck_assert_str_eq(hp_json_string(json_object_get(w, "plan"), "metric", ""), "cpu");
    ck_assert_str_eq(hp_json_string(decision, "verdict", ""), "regressed");
    ck_assert(hp_json_number(decision, "low", 0) > 0);
    /* What was not asked for is no reason to warn, but has its reason. */
    const json_t *coverage = json_object_get(result, "coverage");
    ck_assert_str_eq(hp_json_string(coverage, "missing", ""), "no passes were asked for");
    HP_FREE char *warnings = hp_json_text(json_object_get(result, "warnings"));
    ck_assert_ptr_null(strstr(warnings, "passes"));
}
END_TEST

/* A repository that holds a library alone, measured by the drivers of another. */
START_TEST(another_repositorys_library_with_our_driver)
{
    int code;
    HP_FREE char *drivers = fx_path("repo");
    HP_JSON json_t *suite = read_suite();
    json_object_set_new(json_object_get(suite, "driver"), "repository", json_string(drivers));
    write_suite("other.json", suite);
    fx_run((const char *const[]){"sh", "-c",
                                 "git clone -q repo other && cd other && "
                                 "git config user.name t && git config user.email t@example.org && "
                                 "for rev in plain slow; do git checkout -q $rev && "
                                 "git rm -q driver.c && git commit -q -m $rev && "
                                 "git tag -f $rev >/dev/null; done",
                                 NULL});
    HP_JSON json_t *result =
        measure((const char *const[]){"--repository", "other", "--suite", "other.json", "--base",
                                      "plain", "--head", "slow", NULL},
                &code);
    ck_assert_str_eq(hp_json_string(result, "status", ""), "measured");
    ck_assert_int_eq(code, 1);
    ck_assert_ptr_nonnull(hp_json_string(json_object_get(result, "driver"), "sha", NULL));
}
END_TEST

START_TEST(a_comment_is_identical)
{
    int code;
    HP_JSON json_t *result = compare("plain", "comment", &code);
    ck_assert_int_eq(code, 0);
    ck_assert_str_eq(hp_json_string(result, "status", ""), "identical");
    ck_assert_uint_eq(json_array_size(json_object_get(result, "workloads")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(result, "arms")), 2);
}
END_TEST

START_TEST(what_does_not_compile_is_failed)
{
    int code;
    HP_JSON json_t *result = compare("plain", "broken", &code);
    const json_t *failure = json_object_get(result, "failure");
    ck_assert_int_eq(code, 3);
    ck_assert_str_eq(hp_json_string(result, "status", ""), "failed");
    ck_assert_str_eq(hp_json_string(failure, "arm", ""), "head");
    ck_assert(strstr(hp_json_string(failure, "message", ""), "error: ") != NULL);
    ck_assert(strstr(hp_json_string(failure, "log", ""), "oops") != NULL);
    HP_JSON json_t *other = compare("broken", "plain", &code);
    ck_assert_str_eq(hp_json_string(json_object_get(other, "failure"), "arm", ""), "base");
    HP_JSON json_t *third =
        measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--base",
                                      "plain", "--head", "slow", "--reference", "broken", NULL},
                &code);
    ck_assert_int_eq(code, 3);
    ck_assert_str_eq(hp_json_string(json_object_get(third, "failure"), "arm", ""), "reference");
}
END_TEST

START_TEST(a_reference_that_is_not_there)
{
    struct hp_error err = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    const char *const argv[] = {fx.runner.launcher, "measure",      "--state", fx.runner.state,
                                "--repository",     "repo",         "--suite", "suite.json",
                                "--reference",      "no-such-name", NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder, .timeout_s = 60};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    ck_assert_int_eq(outcome.exit_code, 3);
    const char *told = hp_buffer_text(&outcome.err);
    ck_assert_msg(strstr(told, "the reference: no revision no-such-name in ") != NULL, "%s", told);
}
END_TEST

/* Makes a headline run twenty times as long. */
static void lengthen_headline(void)
{
    HP_JSON json_t *suite = read_suite();
    json_object_set_new(json_array_get(json_object_get(suite, "workloads"), 0),
                        "headline_iterations", json_integer(4000000));
    write_suite("suite.json", suite);
}

static bool passes_were_shortened(const json_t *result)
{
    HP_FREE char *warnings = hp_json_text(json_object_get(result, "warnings"));
    return strstr(warnings, "mixed: the passes took ") != NULL;
}

START_TEST(a_slow_head_shortens_its_passes)
{
    int code;
    lengthen_headline();
    HP_JSON json_t *result =
        measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--head",
                                      "crawling", "--passes", "10", NULL},
                &code);
    ck_assert_str_eq(hp_json_string(workload_of(result), "status", ""), "measured");
    ck_assert(passes_were_shortened(result));
}
END_TEST

START_TEST(a_commit_without_parent)
{
    int code;
    lengthen_headline();
    HP_JSON json_t *result =
        measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--head",
                                      "plain", "--reference", "crawling", "--passes", "10", NULL},
                &code);
    const json_t *w = workload_of(result);
    /* The reference has no passes, so how slow it is is nothing to them. */
    ck_assert(!passes_were_shortened(result));
    const json_t *pairs = json_object_get(w, "pairs");
    ck_assert_str_eq(hp_json_string(w, "status", ""), "measured");
    ck_assert(json_is_null(json_object_get(w, "decision")));
    ck_assert_int_eq(hp_json_int(pairs, "count", 0), 64);
    ck_assert_str_eq(hp_json_string(pairs, "second", ""), "control");
    ck_assert_uint_eq(sample_count(w, "control", "throughput"), 64);
    ck_assert_uint_eq(sample_count(w, "base", "throughput"), 0);
    /* One that takes many times as long as what is measured comes more rarely than in 4 pairs. */
    ck_assert_uint_ge(sample_count(w, "reference", "throughput"), 1);
    ck_assert_uint_le(sample_count(w, "reference", "throughput"), 8);
}
END_TEST

static const json_t *arm_of(const json_t *result, const char *name)
{
    size_t i;
    const json_t *arm;
    json_array_foreach (json_object_get(result, "arms"), i, arm)
        if (strcmp(hp_json_string(arm, "name", ""), name) == 0)
            return arm;
    ck_abort_msg("no arm %s", name);
}

/* The suite's reference takes part in every run, at most one sample to four pairs; the control now
 * and then beside it. */
static void check_reference(const json_t *result)
{
    const json_t *w = workload_of(result);
    size_t pairs = (size_t)hp_json_int(json_object_get(w, "pairs"), "count", 0);
    size_t marks = sample_count(w, "reference", "throughput");
    ck_assert_uint_le(marks, pairs / 4);
    ck_assert_uint_ge(marks, pairs / 64);
    ck_assert_uint_eq(sample_count(w, "reference", "peak_rss"), marks);
    ck_assert_uint_le(sample_count(w, "control", "throughput"), pairs / 8);
    ck_assert_uint_ge(sample_count(w, "control", "throughput"), pairs / 64);
    ck_assert_str_eq(hp_json_string(arm_of(result, "reference"), "code_hash", ""),
                     hp_json_string(arm_of(result, "base"), "code_hash", "?"));
    double reference = json_number_value(
        json_array_get(hp_sample_values(w, "reference", "throughput"), pairs / 8));
    double head =
        json_number_value(json_array_get(hp_sample_values(w, "head", "throughput"), pairs / 2));
    ck_assert_msg(reference > head, "%g beside the slow %g", reference, head);
}

/* The line in the result, read by a shell in another folder, gives a result about the same commits,
 * whatever the suite says of where the repository lies. */
START_TEST(the_reproduce_line_works)
{
    static const char *const built[] = {"head", "base", "reference"};
    int code;
    struct hp_error err = {0};
    HP_JSON json_t *suite = read_suite();
    json_object_set_new(json_object_get(suite, "repository"), "url",
                        json_string("/path/to/the/repository.git"));
    json_object_set_new(suite, "reference", json_pack("{s:s}", "rev", "comment"));
    write_suite("suite.json", suite);
    HP_JSON json_t *first =
        measure((const char *const[]){"--repository", "repo", "--suite", "suite.json", "--base",
                                      "plain", "--head", "slow", "--workload", "mixed", "--pairs",
                                      "512", "--passes", "0", NULL},
                &code);
    const char *line = hp_json_string(first, "reproduce", "");
    ck_assert_msg(strstr(line, "/hakperf-runner measure ") != NULL, "%s", line);
    ck_assert_msg(strstr(line, " --workload mixed ") != NULL, "%s", line);
    ck_assert_msg(strstr(line, " --reference ") != NULL, "%s", line);
    check_reference(first);
    HP_FREE char *script =
        hp_format("mkdir elsewhere && cd elsewhere && %s --state %s --pairs 512 --passes 0 || "
                  "[ $? = 1 ]",
                  line, fx.runner.state);
    fx_run((const char *const[]){"sh", "-c", script, NULL});
    HP_FREE char *path = fx_path("elsewhere/result.json");
    HP_JSON json_t *second = hp_json_read_file(path, 64u << 20, &err);
    ck_assert_msg(second && hp_wire_check(HP_WIRE_RESULT, second, &err), "%s", err.message);
    ck_assert(json_equal(json_object_get(first, "driver"), json_object_get(second, "driver")));
    for (size_t i = 0; i < sizeof built / sizeof built[0]; i++)
        ck_assert_str_eq(hp_json_string(arm_of(first, built[i]), "sha", "?"),
                         hp_json_string(arm_of(second, built[i]), "sha", ""));
    ck_assert(
        json_equal(json_object_get(first, "suite_hash"), json_object_get(second, "suite_hash")));
    ck_assert_str_eq(
        hp_json_string(json_object_get(workload_of(second), "decision"), "verdict", ""),
        "regressed");
}
END_TEST

/* SIGTERM in the middle of a run: it ends soon, and leaves no process, folder or half a file. */
START_TEST(stopped_in_the_middle)
{
    struct hp_error err = {0};
    struct hp_child child;
    const char *const argv[] = {fx.runner.launcher, "measure",      "--state", fx.runner.state,
                                "--repository",     "repo",         "--suite", "suite.json",
                                "--base",           "plain",        "--head",  "slow",
                                "--output",         "stopped.json", NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder};
    ck_assert_msg(hp_child_start(&command, false, false, &child, &err), "%s", err.message);
    fx_wait_for_samples();
    double begin = hp_monotonic_s();
    int status = hp_child_stop(&child, SIGTERM, 5);
    ck_assert_msg(hp_monotonic_s() - begin < 2, "it took %.1f s", hp_monotonic_s() - begin);
    ck_assert(WIFEXITED(status));
    ck_assert(fx_no_process_with(fx.folder));
    ck_assert(!fx_exists("stopped.json"));
    ck_assert(!fx_exists("state/runner/work"));
}
END_TEST

static void start_measuring(const char *state, const char *output, struct hp_child *child)
{
    struct hp_error err;
    HP_FREE char *line =
        hp_format("exec %s measure --state %s --repository repo --suite suite.json "
                  "--base plain --head slow --pairs 64 --passes 0 --output %s "
                  "2>%s.log",
                  fx.runner.launcher, state, output, output);
    const char *const argv[] = {"sh", "-c", line, NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder};
    ck_assert_msg(hp_child_start(&command, false, false, child, &err), "%s", err.message);
}

static bool has_waited(const char *log)
{
    struct hp_error ignored;
    HP_BUFFER struct hp_buffer text = {0};
    HP_FREE char *path = fx_path(log);
    return hp_file_read(path, 1u << 20, &text, &ignored) && text.size > 0 &&
           strstr(hp_buffer_text(&text), "which another runner measures on") != NULL;
}

/* Two runners, and this process as a third: while it holds the CPU both wait and say so, then they
 * take turns, and both have a result. */
START_TEST(two_runners_take_turns)
{
    struct hp_error err;
    struct hp_child child[2];
    struct rn_cpus cpus;
    static struct rn_cpu_lock lock;
    bool ended[2] = {false, false}, both = false;
    int status;
    HP_FREE char *other = fx_path("other");
    HP_FREE char *here = fx_path("state/runner/work/driver");
    HP_FREE char *there = fx_path("other/runner/work/driver");
    ck_assert(rn_cpus_of(-1, &cpus, &err));
    ck_assert_msg(rn_cpus_lock(&fx.runner, &cpus.one, &lock, &err), "%s", err.message);
    start_measuring(fx.runner.state, "first.json", &child[0]);
    start_measuring(other, "second.json", &child[1]);
    while (!has_waited("first.json.log") || !has_waited("second.json.log"))
        hp_sleep_ms(20);
    ck_assert(!fx_process_with(here) && !fx_process_with(there));
    rn_cpus_unlock(&lock);
    while (!ended[0] || !ended[1]) {
        both = both || (fx_process_with(here) && fx_process_with(there) && fx_process_with(here));
        for (int i = 0; i < 2; i++)
            ended[i] = ended[i] || hp_child_ended(&child[i], &status);
        hp_sleep_ms(20);
    }
    ck_assert(!both);
    ck_assert(fx_exists("first.json") && fx_exists("second.json"));
}
END_TEST

/* kill -9: what it started ends with it, and the next run works. */
START_TEST(killed_in_the_middle)
{
    struct hp_error err = {0};
    struct hp_child child;
    int code;
    const char *const argv[] = {fx.runner.launcher, "measure", "--state", fx.runner.state,
                                "--repository",     "repo",    "--suite", "suite.json",
                                "--base",           "plain",   "--head",  "slow",
                                "--output",         "x.json",  NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder};
    ck_assert_msg(hp_child_start(&command, false, false, &child, &err), "%s", err.message);
    fx_wait_for_samples();
    kill(child.pid, SIGKILL);
    hp_child_stop(&child, SIGKILL, 1);
    ck_assert(fx_no_process_with(fx.folder));
    HP_JSON json_t *result = compare("plain", "comment", &code);
    ck_assert_str_eq(hp_json_string(result, "status", ""), "identical");
}
END_TEST

HP_SUITE_AT(runner_measure, HP_SUITE_FIRST)
{
    Suite *s = suite_create("runner_measure");
    TCase *one = tcase_create("decided"), *t = tcase_create("measure");
    tcase_add_checked_fixture(one, fx_open_repository, fx_close);
    tcase_add_test(one, slower_is_regressed);
    tcase_add_test(one, the_metric_of_the_suite_decides);
    tcase_set_timeout(one, 400);
    suite_add_tcase(s, one);
    TCase *again = tcase_create("again");
    tcase_add_checked_fixture(again, fx_open_repository, fx_close);
    tcase_add_test(again, the_reproduce_line_works);
    tcase_set_timeout(again, 400);
    suite_add_tcase(s, again);
    TCase *turns = tcase_create("turns");
    tcase_add_checked_fixture(turns, fx_open_repository, fx_close);
    tcase_add_test(turns, two_runners_take_turns);
    tcase_set_timeout(turns, 400);
    suite_add_tcase(s, turns);
    tcase_add_checked_fixture(t, fx_open_repository, fx_close);
    tcase_add_test(t, a_fresh_look_takes_pairs_only);
    tcase_add_test(t, what_changed_did_run);
    tcase_add_test(t, another_repositorys_library_with_our_driver);
    tcase_add_test(t, a_comment_is_identical);
    tcase_add_test(t, over_layouts_nothing_is_equivalent);
    tcase_add_test(t, an_arm_without_layouts_widens_the_interval);
    tcase_add_test(t, what_does_not_compile_is_failed);
    tcase_add_test(t, a_reference_that_is_not_there);
    tcase_add_test(t, a_commit_without_parent);
    tcase_add_test(t, a_slow_head_shortens_its_passes);
    tcase_add_test(t, stopped_in_the_middle);
    tcase_add_test(t, killed_in_the_middle);
    tcase_set_timeout(t, 400);
    suite_add_tcase(s, t);
    return s;
}
