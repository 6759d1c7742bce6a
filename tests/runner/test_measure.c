/*
 * Whole runs of the real program on a repository of this test's own: a driver, a library that does
 * nothing, the same slower, the same with a comment, and one that does not compile.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/process.h"
#include "common/wire.h"
#include "runner/job.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <signal.h>
#include <string.h>

static const char driver[] =
    "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n"
    "static double cpu(void)\n{\n"
    "    struct timespec t;\n"
    "    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);\n"
    "    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;\n}\n"
    "int main(int argc, char **argv)\n{\n"
    "    double start = cpu(), steady = 0;\n"
    "    long n = atol(argv[1]);\n"
    "    unsigned x = (unsigned)atol(argv[2]);\n"
    "    static void *slot[400];\n"
    "    for (long i = 0; i < n; i++) {\n"
    "        if (i == n / 5)\n"
    "            steady = cpu();\n"
    "        x ^= x << 13, x ^= x >> 17, x ^= x << 5;\n"
    "        void **p = &slot[x % 400];\n"
    "        free(*p);\n"
    "        *p = *p ? NULL : malloc(16 + (x & 1023));\n"
    "    }\n"
    "    double end = cpu();\n"
    "    FILE *f = fopen(argv[argc - 1], \"w\");\n"
    "    fprintf(f, \"{\\\"operations\\\":%ld,\\\"wall_s\\\":%.9f,\\\"cpu_s\\\":%.9f,\"\n"
    "            \"\\\"startup_cpu_s\\\":%.9f,\\\"warm\\\":{\\\"operations\\\":%ld,\"\n"
    "            \"\\\"cpu_s\\\":%.9f},\\\"steady\\\":{\\\"operations\\\":%ld,\"\n"
    "            \"\\\"cpu_s\\\":%.9f},\\\"peak_rss_kib\\\":1000}\\n\",\n"
    "            n, end - start, end - start, start, n / 5, steady - start, n - n / 5,\n"
    "            end - steady);\n"
    "    return fclose(f);\n}\n";

static const char library[] =
    "#include <stddef.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
    "extern void *__libc_malloc(size_t size);\n"
    "static volatile int sink;\n"
    "void *malloc(size_t size);\n"
    "void *malloc(size_t size)\n{\n"
    "    for (int i = 0; i < SPIN; i++)\n"
    "        sink = i;\n"
    "    return __libc_malloc(size);\n}\n"
    "__attribute__((destructor)) static void tell(void)\n{\n"
    "    const char *path = getenv(\"T_STATS\");\n"
    "    FILE *f = path ? fopen(path, \"w\") : NULL;\n"
    "    if (f) {\n"
    "        fprintf(f, \"{\\\"config\\\":{\\\"SPIN\\\":{\\\"value\\\":\\\"%d\\\","
    "\\\"source\\\":\\\"default\\\",\\\"ignored\\\":false}},\"\n"
    "                \"\\\"counters\\\":{\\\"spin\\\":%d}}\\n\", SPIN, SPIN);\n"
    "        fclose(f);\n"
    "    }\n}\n";

static const char suite[] =
    "{\"format\":\"hakperf-suite-v1\",\"name\":\"t\","
    "\"repository\":{\"name\":\"t\",\"url\":\"REPOSITORY\"},"
    "\"recipe\":{\"commands\":[[\"cc\",\"-O2\",\"-g\",\"-shared\",\"-fPIC\",\"-include\",\"spin."
    "h\","
    "\"-o\",\"{out}/x.so\",\"lib.c\"]],\"artifacts\":[\"x.so\"],\"timeout_s\":60},"
    "\"driver\":{\"rev\":\"plain\",\"recipe\":{\"commands\":[[\"cc\",\"-O2\",\"-o\",\"{out}/d\","
    "\"driver.c\"]],\"artifacts\":[\"d\"]}},"
    "\"statistics\":{\"variable\":\"T_STATS\"},"
    "\"workloads\":[{\"name\":\"mixed\",\"program\":\"d\",\"arguments\":[\"{iterations}\","
    "\"{seed}\"],\"iterations\":200000,\"headline_iterations\":400000,\"timeout_s\":20}]}";

static void commit(const char *tag)
{
    HP_FREE char *a = fx_run((const char *const[]){"git", "-C", "repo", "add", "-A", NULL});
    HP_FREE char *b = fx_run((const char *const[]){
        "git", "-C", "repo", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c",
        "commit.gpgsign=false", "commit", "-q", "--no-verify", "-m", tag, NULL});
    HP_FREE char *c = fx_run((const char *const[]){"git", "-C", "repo", "tag", tag, NULL});
}

static void make_repository(void)
{
    fx_open();
    HP_FREE char *init = fx_run((const char *const[]){"git", "init", "-q", "repo", NULL});
    HP_FREE char *with_comment = hp_format("/* a comment */\n%s", library);
    HP_FREE char *repository = fx_path("repo");
    HP_BUFFER struct hp_buffer document = {0};
    const char *place = strstr(suite, "REPOSITORY");
    hp_buffer_printf(&document, "%.*s%s%s", (int)(place - suite), suite, repository, place + 10);
    fx_write("suite.json", hp_buffer_text(&document), 0644);
    fx_write("repo/driver.c", driver, 0644);
    fx_write("repo/lib.c", library, 0644);
    fx_write("repo/spin.h", "#define SPIN 0\n", 0644);
    commit("plain");
    fx_write("repo/lib.c", with_comment, 0644);
    commit("comment");
    fx_write("repo/spin.h", "#define SPIN 40\n", 0644);
    commit("slow");
    fx_write("repo/spin.h", "#define SPIN oops\n", 0644);
    commit("broken");
}

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
        .argv = argv, .folder = fx.folder, .timeout_s = 100, .output_limit = 64u << 20};
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

static const json_t *workload_of(const json_t *result)
{
    const json_t *workload = json_array_get(json_object_get(result, "workloads"), 0);
    ck_assert_ptr_nonnull(workload);
    return workload;
}

static double measurement(const json_t *workload, const char *arm, const char *metric)
{
    size_t i;
    json_t *row;
    json_array_foreach (json_object_get(workload, "measurements"), i, row) {
        if (strcmp(hp_json_string(row, "arm", ""), arm) == 0 &&
            strcmp(hp_json_string(row, "metric", ""), metric) == 0)
            return hp_json_number(row, "value", NAN);
    }
    return (double)NAN;
}

static size_t sample_count(const json_t *workload, const char *arm, const char *metric)
{
    size_t i;
    json_t *set;
    json_array_foreach (json_object_get(workload, "samples"), i, set) {
        if (strcmp(hp_json_string(set, "arm", ""), arm) == 0 &&
            strcmp(hp_json_string(set, "metric", ""), metric) == 0)
            return json_array_size(json_object_get(set, "values"));
    }
    return 0;
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
    ck_assert_uint_eq(sample_count(w, "control", "throughput"), pairs / 4);
    ck_assert(measurement(w, "head", "headline") > 0);
    ck_assert_double_eq(measurement(w, "head", "counter:spin"), 40);
    ck_assert_double_eq(measurement(w, "base", "counter:spin"), 0);
    ck_assert(measurement(w, "head", "kernel_share") >= 0);
    ck_assert_str_eq(
        hp_json_string(
            json_object_get(json_object_get(json_object_get(w, "configuration"), "head"), "SPIN"),
            "value", ""),
        "40");
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
}
END_TEST

START_TEST(a_commit_without_parent)
{
    int code;
    HP_JSON json_t *result = measure((const char *const[]){"--repository", "repo", "--suite",
                                                           "suite.json", "--head", "plain", NULL},
                                     &code);
    const json_t *w = workload_of(result);
    const json_t *pairs = json_object_get(w, "pairs");
    ck_assert_str_eq(hp_json_string(w, "status", ""), "measured");
    ck_assert(json_is_null(json_object_get(w, "decision")));
    ck_assert_int_eq(hp_json_int(pairs, "count", 0), 64);
    ck_assert_str_eq(hp_json_string(pairs, "second", ""), "control");
    ck_assert_uint_eq(sample_count(w, "control", "throughput"), 64);
    ck_assert_uint_eq(sample_count(w, "base", "throughput"), 0);
}
END_TEST

/* The line in the result, read by a shell, gives a result about the same commits. */
START_TEST(the_reproduce_line_works)
{
    int code;
    struct hp_error err = {0};
    HP_JSON json_t *first = compare("plain", "slow", &code);
    const char *line = hp_json_string(first, "reproduce", "");
    ck_assert_msg(strncmp(line, "hakperf-runner measure ", 23) == 0, "%s", line);
    HP_FREE char *script =
        hp_format("PATH=%s:$PATH %s --state %s || [ $? = 1 ]", fx.folder, line, fx.runner.state);
    HP_FREE char *out = fx_run((const char *const[]){"sh", "-c", script, NULL});
    HP_FREE char *path = fx_path("result.json");
    HP_JSON json_t *second = hp_json_read_file(path, 64u << 20, &err);
    ck_assert_msg(second && hp_wire_check(HP_WIRE_RESULT, second, &err), "%s", err.message);
    ck_assert(json_equal(json_object_get(first, "driver"), json_object_get(second, "driver")));
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
    for (int i = 0; i < 500 && !fx_process_with("/driver/d"); i++)
        hp_sleep_ms(10);
    double begin = hp_monotonic_s();
    int status = hp_child_stop(&child, SIGTERM, 5);
    ck_assert_msg(hp_monotonic_s() - begin < 2, "it took %.1f s", hp_monotonic_s() - begin);
    ck_assert(WIFEXITED(status));
    ck_assert(fx_no_process_with("launch samples"));
    ck_assert(fx_no_process_with("/driver/d"));
    ck_assert(!fx_exists("stopped.json"));
    ck_assert(!fx_exists("state/runner/work"));
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
    for (int i = 0; i < 500 && !fx_process_with("/driver/d"); i++)
        hp_sleep_ms(10);
    kill(child.pid, SIGKILL);
    hp_child_stop(&child, SIGKILL, 1);
    ck_assert(fx_no_process_with("bwrap"));
    ck_assert(fx_no_process_with("/driver/d"));
    HP_JSON json_t *result = compare("plain", "comment", &code);
    ck_assert_str_eq(hp_json_string(result, "status", ""), "identical");
}
END_TEST

HP_SUITE(runner_measure)
{
    Suite *s = suite_create("runner_measure");
    TCase *t = tcase_create("measure");
    tcase_add_checked_fixture(t, make_repository, fx_close);
    tcase_add_test(t, slower_is_regressed);
    tcase_add_test(t, a_comment_is_identical);
    tcase_add_test(t, what_does_not_compile_is_failed);
    tcase_add_test(t, a_commit_without_parent);
    tcase_add_test(t, the_reproduce_line_works);
    tcase_add_test(t, stopped_in_the_middle);
    tcase_add_test(t, killed_in_the_middle);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    return s;
}
