/* JSON parsing, files, hashes and the option table. */
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "common/options.h"
#include "common/process.h"
#include "tests/suite.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static json_t *parse(const char *text, struct hp_error *err)
{
    return hp_json_parse(text, strlen(text), err);
}

START_TEST(json_refuses_what_is_not_clean)
{
    static const char *const bad[] = {
        "", "{", "{\"a\":1,\"a\":2}", "[1] trailing", "nul", "{\"a\":\"\xff\"}", "1e400", "[1,]"};
    struct hp_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err = (struct hp_error){0};
        ck_assert_msg(parse(bad[i], &err) == NULL, "accepted %s", bad[i]);
        ck_assert_int_eq(err.code, HP_INVALID);
    }
    char deep[401];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    deep[400] = '\0';
    ck_assert_ptr_null(parse(deep, &err));
    ck_assert(strstr(err.message, "nested") != NULL);
    HP_JSON json_t *brackets =
        parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "\\\"[[\"",
              &err);
    ck_assert_ptr_nonnull(brackets);
}
END_TEST

START_TEST(json_bytes_are_made_text)
{
    HP_JSON json_t *mixed = hp_json_bytes("ok \xff\xc3\xa4 end", 9);
    ck_assert_str_eq(json_string_value(mixed), "ok \xEF\xBF\xBD\xc3\xa4 en");
    HP_JSON json_t *cut = hp_json_bytes("\xc3", 1);
    ck_assert_str_eq(json_string_value(cut), "\xEF\xBF\xBD");
}
END_TEST

START_TEST(hash_known_answers)
{
    char out[HP_HASH_TEXT];
    hp_hash_bytes("abc", 3, out); /* FIPS 180-2, example B.1 */
    ck_assert_str_eq(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct hp_error err = {0};
    HP_JSON json_t *a = parse("{\"x\":1,\"y\":[true]}", &err);
    HP_JSON json_t *b = parse("{ \"y\" : [true], \"x\" : 1 }", &err);
    char first[HP_HASH_TEXT], second[HP_HASH_TEXT];
    ck_assert(hp_hash_json(a, first, &err) && hp_hash_json(b, second, &err));
    ck_assert_str_eq(first, second);
    ck_assert(hp_equal_secret("same", "same"));
    ck_assert(!hp_equal_secret("same", "sane"));
    ck_assert(!hp_equal_secret("same", "sam"));
}
END_TEST

START_TEST(file_replace_is_whole)
{
    HP_FREE char *folder = hp_format("%s/test-XXXXXX", test_root());
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct hp_error err = {0};
    HP_FREE char *deep = hp_format("%s/a/b/c", folder);
    ck_assert(hp_make_dirs(deep, 0700, &err));
    HP_FREE char *path = hp_format("%s/file", deep);
    ck_assert(hp_file_replace(path, "one", 3, 0600, &err));
    ck_assert(hp_file_replace(path, "second", 6, 0600, &err));
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert(hp_file_read(path, 100, &text, &err));
    ck_assert_str_eq(hp_buffer_text(&text), "second");
    HP_BUFFER struct hp_buffer small = {0};
    ck_assert(!hp_file_read(path, 5, &small, &err));
    ck_assert_int_eq(err.code, HP_LIMIT);
    /* A link inside the tree must not lead the removal out of it. */
    HP_FREE char *outside = hp_format("%s-outside", folder);
    HP_FREE char *link = hp_format("%s/link", folder);
    ck_assert(hp_make_dirs(outside, 0700, &err));
    ck_assert_int_eq(symlink(outside, link), 0);
    ck_assert(hp_remove_tree(folder, &err));
    ck_assert_int_eq(stat(outside, &st), 0);
    ck_assert_int_ne(stat(folder, &st), 0);
    ck_assert(hp_remove_tree(outside, &err));
    ck_assert(hp_remove_tree(outside, &err)); /* already gone is fine */
}
END_TEST

/* --- processes -------------------------------------------------------------------------------- */

START_TEST(run_captures_and_reports)
{
    const char *argv[] = {"sh", "-c", "cat; echo to-stderr >&2; exit 3", NULL};
    struct hp_command command = {.argv = argv, .input = "hello", .input_size = 5};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err = {0};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    ck_assert_int_eq(outcome.exit_code, 3);
    ck_assert_str_eq(hp_buffer_text(&outcome.out), "hello");
    ck_assert_str_eq(hp_buffer_text(&outcome.err), "to-stderr\n");
    HP_OUTCOME struct hp_outcome again = {0};
    ck_assert(!hp_run_ok(&command, &again, &err));
    ck_assert_int_eq(err.code, HP_FAILED);
    ck_assert_str_eq(err.message, "sh: exit code 3: to-stderr");
}
END_TEST

START_TEST(run_missing_program)
{
    const char *argv[] = {"no-such-program-anywhere", NULL};
    struct hp_command command = {.argv = argv};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err = {0};
    ck_assert(!hp_run(&command, &outcome, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
}
END_TEST

/* A killed orphan may stay a zombie for as long as init likes; that is not alive. */
static bool alive(pid_t pid)
{
    HP_FREE char *path = hp_format("/proc/%d/stat", (int)pid);
    HP_BUFFER struct hp_buffer stat = {0};
    struct hp_error err = {0};
    return hp_file_read(path, 4096, &stat, &err) && !strstr(stat.data, ") Z ");
}

START_TEST(run_times_out_with_its_children)
{
    /* The grandchild holds the pipe open; the whole group has to go. */
    const char *argv[] = {"sh", "-c", "sleep 60 & echo $!; sleep 60", NULL};
    struct hp_command command = {.argv = argv, .timeout_s = 0.3};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err = {0};
    ck_assert(hp_run(&command, &outcome, &err));
    ck_assert(outcome.timed_out);
    ck_assert(outcome.wall_s < 5);
    pid_t grandchild = (pid_t)atoi(hp_buffer_text(&outcome.out));
    ck_assert_int_gt(grandchild, 1);
    for (int i = 0; i < 100 && alive(grandchild); i++)
        usleep(10000);
    ck_assert(!alive(grandchild));
}
END_TEST

START_TEST(run_limits_output)
{
    const char *argv[] = {"sh", "-c",
                          "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done", NULL};
    struct hp_command head = {.argv = argv, .output_limit = 100};
    HP_OUTCOME struct hp_outcome first = {0};
    struct hp_error err = {0};
    ck_assert(hp_run(&head, &first, &err));
    ck_assert_uint_eq(first.out.size, 100);
    ck_assert(first.truncated);
    ck_assert(strncmp(first.out.data, "line 0\n", 7) == 0);
    struct hp_command tail = {.argv = argv, .output_limit = 100, .keep_tail = true};
    HP_OUTCOME struct hp_outcome last = {0};
    ck_assert(hp_run(&tail, &last, &err));
    ck_assert_uint_eq(last.out.size, 100);
    ck_assert(strstr(last.out.data, "line 19999\n") != NULL);
}
END_TEST

START_TEST(run_passes_no_descriptors)
{
    int fd = dup(1); /* inheritable on purpose */
    ck_assert_int_ge(fd, 0);
    const char *argv[] = {"sh", "-c", "ls /proc/self/fd | wc -l", NULL};
    struct hp_command command = {.argv = argv};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err = {0};
    ck_assert(hp_run_ok(&command, &outcome, &err));
    ck_assert_int_eq(atoi(hp_buffer_text(&outcome.out)), 4); /* 0, 1, 2 and ls's own */
    close(fd);
}
END_TEST

START_TEST(child_is_stopped)
{
    const char *argv[] = {"sh", "-c", "echo up; exec sleep 60", NULL};
    struct hp_command command = {.argv = argv};
    struct hp_child child;
    struct hp_error err = {0};
    ck_assert(hp_child_start(&command, false, true, &child, &err));
    char line[8] = "";
    ck_assert_int_eq(read(child.out, line, 3), 3);
    int status = 0;
    ck_assert(!hp_child_ended(&child, &status));
    status = hp_child_stop(&child, SIGTERM, 5);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(child.pid, 0);
}
END_TEST

/* --- the option table --------------------------------------------------------------------------
 */

static char seen[512];

static int record(const struct hp_values *v)
{
    snprintf(seen, sizeof seen, "%s|%lld|%d|%d|%s|%s", hp_opt(v, "text") ? hp_opt(v, "text") : "-",
             (long long)hp_opt_int(v, "count"), hp_opt_flag(v, "loud"), hp_arg_count(v),
             hp_arg(v, 0) ? hp_arg(v, 0) : "-", hp_opt_source(v, "text"));
    return 0;
}

static const struct hp_option options[] = {
    {"text", 't', HP_OPT_STRING, "TEXT", NULL, 0, 0, "some text", true},
    {"count", 'n', HP_OPT_INTEGER, "N", "7", 1, 100, "a number", true},
    {"loud", 'l', HP_OPT_FLAG, NULL, NULL, 0, 0, "a flag", false},
    {0},
};
static const struct hp_verb verbs[] = {
    {.name = "do",
     .arguments = "[WORD]",
     .max_arguments = 1,
     .summary = "Does it",
     .options = options,
     .run = record},
    {.name = "db psql",
     .arguments = "[ARG...]",
     .max_arguments = -1,
     .summary = "Passes on",
     .options = options,
     .passes_on = true,
     .run = record},
    {0},
};
static const struct hp_program program = {"prog", "A program", verbs, NULL};

static int call(const char *a, const char *b, const char *c, const char *d)
{
    char *argv[] = {(char *)"prog", (char *)a, (char *)b, (char *)c, (char *)d, NULL};
    int argc = 1;
    while (argv[argc])
        argc++;
    seen[0] = '\0';
    fflush(stdout);
    return hp_program_main(&program, argc, argv);
}

START_TEST(options_from_everywhere)
{
    unsetenv("HAKPERF_CONFIG");
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    ck_assert_int_eq(call("do", NULL, NULL, NULL), 0);
    ck_assert_str_eq(seen, "-|7|0|0|-|unset");
    ck_assert_int_eq(call("do", "-n3", "--text=x y", "word"), 0);
    ck_assert_str_eq(seen, "x y|3|0|1|word|command line");
    ck_assert_int_eq(call("do", "-ln", "100", NULL), 0);
    ck_assert_str_eq(seen, "-|100|1|0|-|unset");
    setenv("HAKPERF_TEXT", "env", 1);
    ck_assert_int_eq(call("do", "--", "--loud", NULL), 0);
    ck_assert_str_eq(seen, "env|7|0|1|--loud|environment");
    ck_assert_int_eq(call("do", "--text", "cli", NULL), 0);
    ck_assert_str_eq(seen, "cli|7|0|0|-|command line");
    unsetenv("HAKPERF_TEXT");
}
END_TEST

START_TEST(options_from_a_file)
{
    HP_FREE char *path = hp_format("%s/conf-XXXXXX", test_root());
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert(
        hp_write_all(fd, "# comment\n\n text = from file \ncount=9\nother = 1\nloud=yes\n", 55));
    setenv("HAKPERF_CONFIG", path, 1);
    ck_assert_int_eq(call("do", NULL, NULL, NULL), 0);
    ck_assert_str_eq(seen, "from file|9|0|0|-|file"); /* loud is no setting */
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    ck_assert(hp_write_all(fd, "count = many\n", 13));
    ck_assert_int_eq(call("do", NULL, NULL, NULL), HP_EXIT_USAGE);
    unsetenv("HAKPERF_CONFIG");
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(usage_errors_exit_2)
{
    static const char *const wrong[][3] = {
        {"do", "--nothing", NULL}, {"do", "-n", "0"},  {"do", "-n", "101"},
        {"do", "--count=x", NULL}, {"do", "a", "b"},   {"undo", NULL, NULL},
        {"do", "-t", NULL},        {"do", "-z", NULL},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_int_eq(call(wrong[i][0], wrong[i][1], wrong[i][2], NULL), HP_EXIT_USAGE);
    ck_assert_int_eq(call(NULL, NULL, NULL, NULL), HP_EXIT_USAGE);
    ck_assert_int_eq(call("--version", NULL, NULL, NULL), 0);
    ck_assert_int_eq(call("do", "--help", NULL, NULL), 0);
    /* A group of verbs has help of its own, and is none itself. */
    ck_assert_int_eq(call("db", "--help", NULL, NULL), 0);
    ck_assert_int_eq(call("db", "help", NULL, NULL), 0);
    ck_assert_int_eq(call("db", NULL, NULL, NULL), HP_EXIT_USAGE);
    ck_assert_int_eq(call("db", "nothing", NULL, NULL), HP_EXIT_USAGE);
}
END_TEST

START_TEST(foreign_options_pass_on)
{
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    char *argv[] = {(char *)"prog",     (char *)"db",     (char *)"psql",
                    (char *)"--text",   (char *)"here",   (char *)"-c",
                    (char *)"SELECT 1", (char *)"--loud", NULL};
    ck_assert_int_eq(hp_program_main(&program, 8, argv), 0);
    ck_assert_str_eq(seen, "here|7|0|3|-c|command line");
}
END_TEST

HP_SUITE(common)
{
    Suite *s = suite_create("common");
    TCase *t = tcase_create("values");
    tcase_add_test(t, json_refuses_what_is_not_clean);
    tcase_add_test(t, json_bytes_are_made_text);
    tcase_add_test(t, hash_known_answers);
    tcase_add_test(t, file_replace_is_whole);
    suite_add_tcase(s, t);
    TCase *p = tcase_create("processes");
    tcase_set_timeout(p, 30);
    tcase_add_test(p, run_captures_and_reports);
    tcase_add_test(p, run_missing_program);
    tcase_add_test(p, run_times_out_with_its_children);
    tcase_add_test(p, run_limits_output);
    tcase_add_test(p, run_passes_no_descriptors);
    tcase_add_test(p, child_is_stopped);
    suite_add_tcase(s, p);
    TCase *o = tcase_create("options");
    tcase_add_test(o, options_from_everywhere);
    tcase_add_test(o, options_from_a_file);
    tcase_add_test(o, usage_errors_exit_2);
    tcase_add_test(o, foreign_options_pass_on);
    suite_add_tcase(s, o);
    return s;
}
