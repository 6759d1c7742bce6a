/*
 * The command line as it is typed: the built program, real git repositories, no collector. What
 * needs a collector is in tests/integration.
 */
#include "cli/series_file.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/options.h"
#include "common/process.h"
#include "tests/suite.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];

static void setup(void)
{
    snprintf(folder, sizeof folder, "%s/verbs-XXXXXX", test_root());
    ck_assert_ptr_nonnull(mkdtemp(folder));
    /* The state of whoever runs the tests must not be found. */
    setenv("HAKPERF_STATE", folder, 1);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_AUTHOR_NAME", "t", 1);
    setenv("GIT_AUTHOR_EMAIL", "t@example.org", 1);
    setenv("GIT_COMMITTER_NAME", "t", 1);
    setenv("GIT_COMMITTER_EMAIL", "t@example.org", 1);
}

static void teardown(void)
{
    struct hp_error err;
    ck_assert(hp_remove_tree(folder, &err));
}

static const char *path(const char *name)
{
    static char text[4][256];
    static int at;
    at = (at + 1) % 4;
    snprintf(text[at], sizeof text[at], "%s/%s", folder, name);
    return text[at];
}

static void write_file(const char *name, const char *text)
{
    struct hp_error err;
    ck_assert(hp_file_replace(path(name), text, strlen(text), 0755, &err));
}

/* Runs a program in the test's folder; `outcome` is the caller's to clear. */
static void run(struct hp_outcome *outcome, const char *const *argv)
{
    struct hp_error err;
    struct hp_command command = {.argv = argv, .folder = folder, .timeout_s = 30};
    ck_assert_msg(hp_run(&command, outcome, &err), "%s", err.message);
}

static const char *hakperf(void)
{
    static char program[PATH_MAX];
    const char *build = getenv("BUILD"); /* absolute, as make sets it */
    snprintf(program, sizeof program, "%s/bin/hakperf", build ? build : "build");
    return program;
}

#define RUN(outcome, ...)                       \
    HP_OUTCOME struct hp_outcome outcome = {0}; \
    run(&(outcome), (const char *const[]){__VA_ARGS__, NULL})
#define HAKPERF(outcome, ...) RUN(outcome, hakperf(), __VA_ARGS__)

#define ck_assert_has(buffer, text)                                                      \
    ck_assert_msg(strstr(hp_buffer_text(buffer), text), "\"%s\" is not in \"%s\"", text, \
                  hp_buffer_text(buffer))

static const char *const verbs[][2] = {
    {"up", NULL},           {"suite", "apply"},  {"suite", "check"}, {"queue", NULL},
    {"compare", NULL},      {"report", NULL},    {"log", NULL},      {"status", NULL},
    {"alerts", NULL},       {"hook", "install"}, {"hook", "remove"}, {"db", NULL},
    {"changepoints", NULL}, {"selftest", NULL},
};

START_TEST(every_verb_has_help_with_json)
{
    HP_OUTCOME struct hp_outcome o = {0};
    const char *argv[] = {hakperf(), verbs[_i][0], verbs[_i][1] ? verbs[_i][1] : "--help",
                          verbs[_i][1] ? "--help" : NULL, NULL};
    run(&o, argv);
    ck_assert_int_eq(o.exit_code, HP_EXIT_OK);
    ck_assert_has(&o.out, "usage: hakperf ");
    ck_assert_has(&o.out, "--json");
    ck_assert_uint_eq(o.err.size, 0);
}
END_TEST

START_TEST(wrong_usage_exits_2_with_a_hint)
{
    static const char *const rows[][4] = {
        {"nonsense"},
        {"compare", "HEAD"},
        {"compare", "a", "b", "c"},
        {"log", "-n", "0"},
        {"log", "--count=many"},
        {"report"},
        {"suite", "apply"},
        {"queue", "--compare", "HEAD"},
        {"queue", "--hook", "HEAD"},
        {"status", "--server", "ftp://x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HAKPERF(o, rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
        ck_assert_msg(o.exit_code == HP_EXIT_USAGE, "row %zu: exit %d, %s", i, o.exit_code,
                      hp_buffer_text(&o.err));
        ck_assert_has(&o.err, "hakperf: ");
    }
}
END_TEST

START_TEST(without_a_collector_there_is_no_answer)
{
    static const char *const rows[][4] = {
        {"status"}, {"log"}, {"alerts"}, {"queue"}, {"report", "HEAD"}, {"compare", "a", "b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HAKPERF(o, rows[i][0], rows[i][1] ? rows[i][1] : "--json",
                rows[i][2] ? rows[i][2] : "--json", "--json");
        struct hp_error err;
        ck_assert_int_eq(o.exit_code, HP_EXIT_NO_ANSWER);
        ck_assert_has(&o.err, "HINT: Start it with: hakperf up.");
        HP_JSON json_t *body = hp_json_parse(hp_buffer_text(&o.out), o.out.size, &err);
        ck_assert_str_eq(hp_json_string(body, "code", ""), "unavailable");
    }
}
END_TEST

START_TEST(a_token_file_must_hold_one)
{
    write_file("empty", "\n");
    HAKPERF(missing, "status", "--token-file", "none");
    ck_assert_int_eq(missing.exit_code, HP_EXIT_NO_ANSWER);
    ck_assert_has(&missing.err, "token file");
    HAKPERF(empty, "status", "--token-file", "empty");
    ck_assert_int_eq(empty.exit_code, HP_EXIT_NO_ANSWER);
    ck_assert_has(&empty.err, "holds no token");
}
END_TEST

/* --- suites ------------------------------------------------------------------------------------
 */

static const char suite[] =
    "{\"format\":\"hakperf-suite-v1\",\"name\":\"s\","
    "\"repository\":{\"name\":\"r\",\"url\":\"/nowhere\"},"
    "\"recipe\":{\"commands\":[[\"cc\",\"-o\",\"{out}/l.so\"]],\"artifacts\":[\"l.so\"]},"
    "\"driver\":{\"rev\":\"HEAD\",\"recipe\":{\"commands\":[[\"cc\",\"-o\",\"{out}/d\"]],"
    "\"artifacts\":[\"d\"]}},\"preload\":\"l.so\","
    "\"workloads\":[{\"name\":\"w\",\"program\":\"d\",\"arguments\":[\"{iterations}\"],"
    "\"iterations\":1000}]}";

/* The suite with one piece replaced. */
static void write_suite(const char *from, const char *to)
{
    const char *at = strstr(suite, from);
    ck_assert_ptr_nonnull(at);
    HP_FREE char *text = hp_format("%.*s%s%s", (int)(at - suite), suite, to, at + strlen(from));
    write_file("suite.json", text);
}

START_TEST(a_suite_is_checked_offline)
{
    write_file("suite.json", suite);
    HAKPERF(o, "suite", "check", "suite.json");
    ck_assert_int_eq(o.exit_code, HP_EXIT_OK);
    ck_assert_has(&o.out, "suite s is well formed: 1 workload,");
    HAKPERF(own, "suite", "check", "suite.json", "--url", ".", "--driver", "v1", "--name", "x");
    ck_assert_int_eq(own.exit_code, HP_EXIT_OK);
    ck_assert_str_ne(hp_buffer_text(&own.out), hp_buffer_text(&o.out));
}
END_TEST

START_TEST(a_senseless_suite_is_refused_with_its_place)
{
    static const char *const rows[][3] = {
        {"\"program\":\"d\"", "\"program\":\"e\"", "/workloads/0/program"},
        {"\"{iterations}\"", "\"1000\"", "/workloads/0/arguments"},
        {"\"preload\":\"l.so\"", "\"preload\":\"m.so\"", "/preload"},
        {"{out}/d", "d", "/driver/recipe/commands"},
        {"[\"l.so\"]", "[\"../l.so\"]", "/recipe/artifacts/0"},
        {"\"iterations\":1000}", "\"iterations\":0}", "/workloads/0/iterations"},
        {"\"iterations\":1000}",
         "\"iterations\":1},{\"name\":\"w\",\"program\":\"d\",\"arguments\":[\"{iterations}\"],"
         "\"iterations\":2}",
         "/workloads/1/name"},
        {"\"name\":\"s\",", "\"name\":\"s\",\"surprise\":1,", "surprise"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_suite(rows[i][0], rows[i][1]);
        HAKPERF(o, "suite", "check", "suite.json");
        ck_assert_int_eq(o.exit_code, HP_EXIT_NO_ANSWER);
        ck_assert_has(&o.err, rows[i][2]);
    }
}
END_TEST

/* Every mistake at once, whether the schema or the sense is offended, each with its own place. */
START_TEST(all_mistakes_of_a_suite_are_told)
{
    static const char *const places[] = {"/",
                                         "/recipe/artifacts/0",
                                         "/driver/recipe/commands",
                                         "/workloads/0/iterations",
                                         "/workloads/0/program",
                                         "/workloads/0/arguments",
                                         "/workloads/0/metric",
                                         "/workloads/1/name",
                                         "/workloads/1/arguments/1"};
    struct hp_error err;
    write_file("suite.json",
               "{\"format\":\"hakperf-suite-v1\",\"name\":\"s\",\"surprise\":1,"
               "\"repository\":{\"name\":\"r\",\"url\":\"/nowhere\"},"
               "\"recipe\":{\"commands\":[[\"make\",\"{out}\"]],\"artifacts\":[\"../l.so\"]},"
               "\"driver\":{\"rev\":\"HEAD\",\"recipe\":{\"commands\":[[\"make\"]],"
               "\"artifacts\":[\"d\"]}},\"workloads\":["
               "{\"name\":\"w\",\"program\":\"e\",\"arguments\":[\"1\"],\"iterations\":0,"
               "\"metric\":\"headline\"},"
               "{\"name\":\"w\",\"program\":\"d\",\"arguments\":[\"{iterations}\",\"{sed}\"],"
               "\"iterations\":5}]}");
    HAKPERF(o, "suite", "check", "suite.json", "--json");
    ck_assert_int_eq(o.exit_code, HP_EXIT_NO_ANSWER);
    ck_assert_has(&o.err, "9 mistakes in suite.json");
    HP_JSON json_t *body = hp_json_parse(hp_buffer_text(&o.out), o.out.size, &err);
    const json_t *list = json_object_get(body, "mistakes");
    ck_assert_str_eq(hp_json_string(body, "code", ""), "invalid");
    ck_assert_uint_eq(json_array_size(list), sizeof places / sizeof places[0]);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bool found = false;
        for (size_t k = 0; k < json_array_size(list); k++)
            found = found ||
                    strcmp(hp_json_string(json_array_get(list, k), "path", ""), places[i]) == 0;
        ck_assert_msg(found, "nothing is said about %s", places[i]);
    }
}
END_TEST

START_TEST(a_suite_must_be_json)
{
    write_file("suite.json", "{\"format\":");
    HAKPERF(o, "suite", "check", "suite.json");
    ck_assert_int_eq(o.exit_code, HP_EXIT_NO_ANSWER);
    ck_assert_has(&o.err, "not valid JSON");
}
END_TEST

START_TEST(our_own_suites_are_well_formed)
{
    static const char *const names[] = {"hakmem", "hakmem-configurations", "demo", "mimalloc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        HP_FREE char *file = hp_format("deploy/suites/%s.json", names[i]);
        HP_FREE char *told = hp_format("suite %s is well formed", names[i]);
        char own[PATH_MAX]; /* the tests are started in the root of the source */
        ck_assert_ptr_nonnull(realpath(file, own));
        HAKPERF(o, "suite", "check", own);
        ck_assert_msg(o.exit_code == HP_EXIT_OK, "%s", hp_buffer_text(&o.err));
        ck_assert_has(&o.out, told);
    }
}
END_TEST

START_TEST(change_points_of_a_file_are_found)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer csv = {0}, json = {0};
    hp_buffer_printf(&csv, "index,value\n");
    for (int i = 0; i < 60; i++) {
        double value = (i < 30 ? 100 : 110) + (i * 7 % 5) * 0.1;
        hp_buffer_printf(&csv, "%d,%g\n", i, value);
        hp_buffer_printf(&json, "%s%g", i ? "," : "[", value);
    }
    hp_buffer_printf(&json, "]");
    write_file("s.csv", hp_buffer_text(&csv));
    write_file("s.json", hp_buffer_text(&json));
    for (int i = 0; i < 2; i++) {
        HAKPERF(o, "changepoints", i ? "s.json" : "s.csv", "--json");
        ck_assert_int_eq(o.exit_code, HP_EXIT_OK);
        HP_JSON json_t *answer = hp_json_parse(hp_buffer_text(&o.out), o.out.size, &err);
        const json_t *list = json_object_get(answer, "changepoints");
        ck_assert_int_eq(hp_json_int(answer, "n", 0), 60);
        ck_assert_uint_eq(json_array_size(list), 1);
        ck_assert_int_eq(hp_json_int(json_array_get(list, 0), "index", 0), 30);
        double change = hp_json_number(json_array_get(list, 0), "change", 0);
        ck_assert(change > 0.09 && change < 0.11);
    }
    write_file("empty.csv", "");
    HAKPERF(none, "changepoints", "empty.csv");
    ck_assert_int_eq(none.exit_code, HP_EXIT_OK);
    ck_assert_has(&none.out, "0 points, 0 change points");
}
END_TEST

/* All of these hold 1, 2, 3, 4. */
START_TEST(a_series_comes_in_many_shapes)
{
    static const char *const files[] = {
        "1\n2\n3\n4\n",
        "1\r\n2\r\n\r\n3\r\n4",
        "\xef\xbb\xbfvalue\n1\n2\n3\n4\n",
        "# a note\n0,1\n1,2\n2,3\n3,4\n",
        "index;value\n0;1\n1;2\n2;3\n3;4\n",
        "time\tvalue\tnote\n0\t1\tx\n1\t2\ty\n2\t3\tz\n3\t4\t\n",
        "\"index\",\"value\"\n\"0\",\"1\"\n\"1\",\"2\"\n\"2\",\"3\"\n\"3\",\"4\"\n",
        "[1, 2, 3, 4]",
        " [[0, 1], [1, 2], [2, 3], [3, 4]]",
        "[{\"value\": 1}, {\"value\": 2}, {\"index\": 2, \"value\": 3}, {\"value\": 4}]",
        "{\"values\": [1, 2, 3, 4]}",
        "{\"points\": [{\"value\": 1}, {\"value\": 2}, {\"value\": 3}, {\"value\": 4}]}",
        "{\"n_obs\": 4, \"series\": [{\"label\": \"V\", \"raw\": [1, 2, 3, 4]}]}",
        "{\"value\": 1}\n{\"value\": 2}\n{\"value\": 3}\n{\"value\": 4}\n",
        "0 1\n1  2\n 2 3\n3 4 # the last\n",
        "1, 2, 3, 4\n",
        "1 2 3 4",
        "day,value\n\"May 1, 2024\",1\n\"May 2, 2024\",2\n\"May 3\",3\n\"May 4\",4\n",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct hp_error err;
        double *value;
        size_t n;
        write_file("s", files[i]);
        ck_assert_msg(cli_series_read(path("s"), &value, &n, &err), "%zu: %s", i, err.message);
        ck_assert_msg(n == 4, "%zu: %zu points", i, n);
        for (size_t k = 0; k < n; k++)
            ck_assert_double_eq(value[k], (double)k + 1);
        free(value);
    }
}
END_TEST

/* Left out, but counted: the index is that of the file. */
START_TEST(missing_points_keep_their_place)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer csv = {0}, json = {0};
    for (int i = 0; i < 60; i++) {
        double value = (i < 30 ? 100 : 110) + (i * 7 % 5) * 0.1;
        bool missing = i % 10 == 3;
        hp_buffer_printf(&csv, missing ? "%d,\n" : "%d,%g\n", i, value);
        hp_buffer_printf(&json, missing ? "%snull" : "%s%g", i ? "," : "[", value);
    }
    hp_buffer_printf(&json, "]");
    write_file("s.csv", hp_buffer_text(&csv));
    write_file("s.json", hp_buffer_text(&json));
    for (int i = 0; i < 2; i++) {
        HAKPERF(o, "changepoints", i ? "s.json" : "s.csv", "--json");
        ck_assert_int_eq(o.exit_code, HP_EXIT_OK);
        HP_JSON json_t *answer = hp_json_parse(hp_buffer_text(&o.out), o.out.size, &err);
        const json_t *list = json_object_get(answer, "changepoints");
        ck_assert_int_eq(hp_json_int(answer, "n", 0), 60);
        ck_assert_int_eq(hp_json_int(answer, "missing", 0), 6);
        ck_assert_uint_eq(json_array_size(list), 1);
        ck_assert_int_eq(hp_json_int(json_array_get(list, 0), "index", 0), 30);
    }
    HAKPERF(told, "changepoints", "s.csv");
    ck_assert_has(&told.out, "60 points (6 missing), 1 change point\n");
}
END_TEST

START_TEST(a_series_must_be_numbers)
{
    static const char *const rows[][2] = {
        {"1\n2\nthree\n", "line 3 is no finite number"},
        {"1\nnan\n", "line 2 is no finite number"},
        {"nan\n1\n", "line 1 is no finite number"},
        {"0,inf\n1,2\n", "line 1 is no finite number"},
        {"[1, \"2\"]", "(at /1)"},
        {"[1, 2", "not valid JSON"},
        {"{\"values\": [1, true]}", "(at /values/1)"},
        {"index,value\n0,1\n2,2\n1,3\n", "line 4: index 1 comes after 2"},
        {"1,50\n1,40\n0,90\n", "line 3: index 0 comes after 1"},
        {"[[0, 1], [2, 2], [1, 3]]", "index 1 comes after 2"},
        {"0,\"1,100\"\n1,\"1,200\"\n", "line 1 is no finite number"},
        {"{\"other\": [1, 2]}", "holds no series"},
        {"{\"value\": 1}\n{\"value\": \"2\"}\n", "line 2"},
        {"index,value\n0,1\n1\n", "line 3 is no finite number"},
        {"[1, 1e999]", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_file("s", rows[i][0]);
        HAKPERF(o, "changepoints", "s");
        ck_assert_int_eq(o.exit_code, HP_EXIT_NO_ANSWER);
        ck_assert_has(&o.err, rows[i][1]);
    }
}
END_TEST

/* --- the hook ----------------------------------------------------------------------------------
 */

static void make_repository(void)
{
    RUN(init, "git", "init", "-q", "--bare", "it's a.git");
    RUN(work, "git", "init", "-q", "work");
    RUN(commit, "git", "-C", "work", "commit", "-q", "--allow-empty", "-m", "first");
    ck_assert_int_eq(commit.exit_code, 0);
}

START_TEST(a_hook_is_installed_once_and_removed)
{
    struct stat st;
    make_repository();
    HAKPERF(first, "hook", "install", "--repository", "r", "it's a.git");
    ck_assert_int_eq(first.exit_code, HP_EXIT_OK);
    ck_assert_has(&first.out, "installed");
    ck_assert_int_eq(stat(path("it's a.git/hooks/post-receive"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0755);
    HAKPERF(again, "hook", "install", "--repository", "r", "it's a.git");
    ck_assert_has(&again.out, "is there already");
    HAKPERF(other, "hook", "install", "--repository", "s", "it's a.git", "--json");
    ck_assert_has(&other.out, "\"renewed\"");
    HAKPERF(removed, "hook", "remove", "it's a.git");
    ck_assert_has(&removed.out, "removed");
    ck_assert_int_ne(stat(path("it's a.git/hooks/post-receive"), &st), 0);
    HAKPERF(gone, "hook", "remove", "it's a.git");
    ck_assert_int_eq(gone.exit_code, HP_EXIT_OK);
    ck_assert_has(&gone.out, "was not there");
}
END_TEST

START_TEST(a_push_succeeds_without_a_collector)
{
    make_repository();
    HAKPERF(install, "hook", "install", "--repository", "it", "it's a.git");
    ck_assert_int_eq(install.exit_code, HP_EXIT_OK);
    RUN(push, "git", "-C", "work", "push", "../it's a.git", "HEAD:refs/heads/main");
    ck_assert_int_eq(push.exit_code, 0);
    ck_assert_has(&push.err, "hakperf: the collector does not answer");
    ck_assert(push.wall_s < 5);
}
END_TEST

START_TEST(a_foreign_hook_stays)
{
    make_repository();
    write_file("it's a.git/hooks/post-receive", "#!/bin/sh\necho mine\n");
    HAKPERF(install, "hook", "install", "--repository", "r", "it's a.git");
    ck_assert_int_eq(install.exit_code, HP_EXIT_NO_ANSWER);
    ck_assert_has(&install.err, "HINT: Call hakperf from it: hakperf queue --hook --repository r");
    HAKPERF(removed, "hook", "remove", "it's a.git");
    ck_assert_int_eq(removed.exit_code, HP_EXIT_NO_ANSWER);
    struct hp_error err;
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert(hp_file_read(path("it's a.git/hooks/post-receive"), 1000, &text, &err));
    ck_assert_str_eq(hp_buffer_text(&text), "#!/bin/sh\necho mine\n");
}
END_TEST

START_TEST(a_hook_needs_a_repository)
{
    HAKPERF(o, "hook", "install", folder);
    ck_assert_int_eq(o.exit_code, HP_EXIT_NO_ANSWER);
    ck_assert_has(&o.err, "is not a git repository");
}
END_TEST

HP_SUITE(cli_verbs)
{
    Suite *s = suite_create("cli_verbs");
    TCase *t = tcase_create("verbs");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, every_verb_has_help_with_json, 0, (int)(sizeof verbs / sizeof verbs[0]));
    tcase_add_test(t, wrong_usage_exits_2_with_a_hint);
    tcase_add_test(t, without_a_collector_there_is_no_answer);
    tcase_add_test(t, a_token_file_must_hold_one);
    suite_add_tcase(s, t);
    t = tcase_create("suite");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_suite_is_checked_offline);
    tcase_add_test(t, a_senseless_suite_is_refused_with_its_place);
    tcase_add_test(t, all_mistakes_of_a_suite_are_told);
    tcase_add_test(t, a_suite_must_be_json);
    tcase_add_test(t, our_own_suites_are_well_formed);
    suite_add_tcase(s, t);
    t = tcase_create("series");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, change_points_of_a_file_are_found);
    tcase_add_test(t, a_series_comes_in_many_shapes);
    tcase_add_test(t, missing_points_keep_their_place);
    tcase_add_test(t, a_series_must_be_numbers);
    suite_add_tcase(s, t);
    t = tcase_create("hook");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_hook_is_installed_once_and_removed);
    tcase_add_test(t, a_push_succeeds_without_a_collector);
    tcase_add_test(t, a_foreign_hook_stays);
    tcase_add_test(t, a_hook_needs_a_repository);
    suite_add_tcase(s, t);
    return s;
}
