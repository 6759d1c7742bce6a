/* Did it run: what of a difference is new, what gcov says, and both together. */
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "runner/coverage.h"
#include "runner/gcov.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

/* Writes FOLDER/base/a.c and FOLDER/head/NAME, has git compare them as the launcher does, and gives
 * the new lines of the one changed file as text: "2 3", with a dash before lines lost: "2 -4". */
static char *new_lines(const char *base, const char *head, const char *name)
{
    struct hp_error err = {0};
    RN_DIFF struct rn_diff diff = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    HP_BUFFER struct hp_buffer out = {0};
    HP_FREE char *path = hp_format("head/%s", name);
    static const char *const argv[] = {"git",
                                       "diff",
                                       "--no-index",
                                       "--no-color",
                                       "--diff-algorithm=histogram",
                                       "-M",
                                       "-U1000000",
                                       "--src-prefix=a/",
                                       "--dst-prefix=b/",
                                       "--",
                                       "base",
                                       "head",
                                       NULL};
    fx_run((const char *const[]){"rm", "-rf", "base", "head", NULL});
    fx_write("base/a.c", base, 0644);
    fx_write(path, head, 0644);
    const struct hp_command command = {.argv = argv, .folder = fx.folder, .timeout_s = 30};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    ck_assert(rn_diff_parse(hp_buffer_text(&outcome.out), outcome.out.size, "b/head/", &diff));
    ck_assert_uint_le(diff.files, 1);
    for (size_t i = 0; diff.files && i < diff.file[0].lines; i++)
        hp_buffer_printf(&out, "%s%u", out.size ? " " : "", diff.file[0].line[i]);
    for (size_t i = 0; diff.files && i < diff.file[0].cuts; i++)
        hp_buffer_printf(&out, "%s-%u", out.size ? " " : "", diff.file[0].cut[i]);
    for (size_t i = 0; diff.files && i < diff.file[0].macros; i++)
        hp_buffer_printf(&out, "%s#%s", out.size ? " " : "", diff.file[0].macro[i]);
    return strdup(hp_buffer_text(&out));
}

#define FIND                                                                                  \
    "static int find(const int *table, int n, int key)\n{\n    for (int i = 0; i < n; i++)\n" \
    "        if (table[i] == key)\n            return i;\n    return -1;\n}\n"
#define SUM                                                          \
    "static int sum(const int *table, int n)\n{\n    int all = 0;\n" \
    "    for (int i = 0; i < n; i++)\n        all += table[i];\n    return all;\n}\n"

static const struct {
    const char *what, *base, *head, *name, *lines;
} differences[] = {
    {"nothing", FIND, FIND, "a.c", ""},
    {"one line", FIND SUM, "int x;\n" FIND SUM, "a.c", "1"},
    {"an altered line", "int f(int a)\n{\n    return a;\n}\n",
     "int f(int a)\n{\n    return a + 1;\n}\n", "a.c", "3 -2"},
    {"a lost line", "int f(int a)\n{\n    a++;\n    return a;\n}\n",
     "int f(int a)\n{\n    return a;\n}\n", "a.c", "-2"},
    {"a moved function", FIND SUM, SUM FIND, "a.c", ""},
    {"a renamed file", FIND SUM, FIND SUM, "other.c", ""},
    {"a renamed file with a change", FIND SUM, FIND SUM "int more;\n", "other.c", "15"},
    {"indented", "void f(int a)\n{\n    call_something_long(a, a, a);\n}\n",
     "void f(int a)\n{\n    if (a)\n        call_something_long(a, a, a);\n}\n", "a.c", "3"},
    {"a renamed function", "int one(int a)\n{\n    return a;\n}\nint g(void) { return one(1); }\n",
     "int two(int a)\n{\n    return a;\n}\nint g(void) { return two(1); }\n", "a.c", ""},
    {"another function called",
     "int one(int);\nint two(int);\nint g(void)\n{\n    return one(1);\n}\n",
     "int one(int);\nint two(int);\nint g(void)\n{\n    return two(1);\n}\n", "a.c", "5 -4"},
    {"called by a name that is new", "int g(int a)\n{\n    return one(a);\n}\n",
     "int g(int a)\n{\n    return two(a);\n}\n", "a.c", "3 -2"},
    {"two names exchanged", "int f(int a, int b)\n{\n    int c = a - b;\n    return c;\n}\n",
     "int f(int b, int a)\n{\n    int c = a - b;\n    return c;\n}\n", "a.c", "1 -0"},
    {"braces prove nothing", "int f(void)\n{\n    return 1;\n}\n",
     "int f(void)\n{\n    return 1;\n}\nint g(void)\n{\n    return 1;\n}\n", "a.c", "5 6 7 8"},
    {"a macro", "#define N 1\n#define M \\\n    2\nint x;\n",
     "#define N 1\n#define M \\\n    3\nint x;\n", "a.c", "3 -2 #M"},
    {"no source", FIND, FIND "more\n", "a.txt", ""},
};

START_TEST(what_is_new)
{
    HP_FREE char *lines =
        new_lines(differences[_i].base, differences[_i].head, differences[_i].name);
    ck_assert_msg(strcmp(lines, differences[_i].lines) == 0, "%s: \"%s\", not \"%s\"",
                  differences[_i].what, lines, differences[_i].lines);
}
END_TEST

START_TEST(moved_to_another_file)
{
    RN_DIFF struct rn_diff diff = {0};
    static const char text[] =
        "diff --git a/base/a.c b/head/a.c\n--- a/base/a.c\n+++ b/head/a.c\n@@ -1,3 +0,0 @@\n"
        "-int moved_to_another_file(int a)\n-{ return a * 3; }\n-int gone;\n"
        "diff --git a/dev/null b/head/b.c\n--- /dev/null\n+++ b/head/b.c\n@@ -0,0 +1,3 @@\n"
        "+int moved_to_another_file(int a)\n+{ return a * 3; }\n+int fresh;\n"
        "\\ No newline at end of file\n";
    ck_assert(rn_diff_parse(text, strlen(text), "b/head/", &diff));
    ck_assert_uint_eq(diff.files, 2);
    ck_assert_uint_eq(diff.changed, 1);
    ck_assert_str_eq(diff.file[1].path, "b.c");
    ck_assert_uint_eq(diff.file[1].line[0], 3);
    ck_assert_uint_eq(diff.file[0].cuts, 1);
}
END_TEST

static const char *const strange[] = {
    "",
    "\n\n",
    "@@ -1,2 +1,2 @@\n+x\n",
    "+++ b/head/a.c\n@@ -1,99999999999999999999 +1 @@\n+x\n",
    "+++ b/head/a.c\n@@ -x +y @@\n+x\n",
    "+++ b/head/a.c\n@@ -1,3 +1,3 @@\n x\n",
    "+++ \"b/head/\\303\\244 \\\"q\\\".c\"\n@@ -0,0 +1 @@\n+int x;\n",
    "+++ b/head/with space.c\t\n@@ -0,0 +1 @@\n+int x;\n",
    "Binary files a/base/x.c and b/head/x.c differ\n",
};

START_TEST(strange_differences)
{
    static const char *const paths[] = {"\xc3\xa4 \"q\".c", "with space.c"};
    RN_DIFF struct rn_diff diff = {0};
    ck_assert(rn_diff_parse(strange[_i], strlen(strange[_i]), "b/head/", &diff));
    if (_i == 6 || _i == 7)
        ck_assert_str_eq(diff.file[0].path, paths[_i - 6]);
    else
        ck_assert_uint_eq(diff.changed, 0);
}
END_TEST

/* --- gcov ------------------------------------------------------------------------------------- */

static json_t *gcov(const char *text)
{
    json_t *files = json_object();
    HP_FREE char *copy = strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    rn_gcov_read(copy, strlen(copy), "/build/src", files);
    return files;
}

static int64_t line_count(const json_t *files, const char *path, const char *line)
{
    return hp_json_int(json_object_get(json_object_get(files, path), "lines"), line, -1);
}

/* Versions 1 and 2 of the format, with and without what each adds. */
START_TEST(dialects_of_gcov)
{
    HP_JSON json_t *files = gcov(
        "{'gcc_version': '9.4.0', 'files': [{'lines': [{'branches': [], 'count': 3, 'line_number': "
        "7, "
        "'unexecuted_block': false, 'function_name': 'f'}], 'functions': [{'blocks': 1, "
        "'end_column': 1, 'start_line': 6, 'name': 'f', 'blocks_executed': 1, 'execution_count': "
        "3, "
        "'demangled_name': 'f', 'start_column': 5, 'end_line': 8}], 'file': 'src/a.c'}], "
        "'format_version': '1', 'current_working_directory': '/build/src/allocator', "
        "'data_file': 'a.gcda'}\n"
        "{'gcc_version': '14.2.0', 'format_version': '2', 'current_working_directory': "
        "'/build/src/allocator/x', 'data_file': 'b.gcda', 'files': [{'file': '../src/./a.c', "
        "'functions': [{'name': '_Z1fv', 'demangled_name': 'f()', 'start_line': 6, 'end_line': 8, "
        "'execution_count': 4}], 'lines': [{'line_number': 7, 'count': 4, 'block_ids': [2], "
        "'branches': [], 'calls': [], 'conditions': []}, {'line_number': 8, 'count': 1e30}]}]}\n");
    ck_assert_int_eq(line_count(files, "allocator/src/a.c", "7"), 7);
    ck_assert_int_eq(line_count(files, "allocator/src/a.c", "8"), INT64_MAX);
    const json_t *functions =
        json_object_get(json_object_get(files, "allocator/src/a.c"), "functions");
    ck_assert_int_eq(hp_json_int(json_object_get(functions, "6 f"), "count", 0), 3);
    ck_assert_str_eq(hp_json_string(json_object_get(functions, "6 _Z1fv"), "name", ""), "f()");
}
END_TEST

/* gcov puts malloc into stdlib.h when that was included first. */
START_TEST(functions_that_a_header_declares)
{
    static const char places[] =
        "malloc /build/src/a.c:8\nfree /build/src/a.c:20 (discriminator 1)\n"
        "f /build/src/a.c:14\nbad\n :1\nx ??:0\n";
    HP_JSON json_t *files = gcov(
        "{'files': [{'file': 'a.c', 'lines': [{'line_number': 9, 'count': 5}, {'line_number': 12, "
        "'count': 5}, {'line_number': 15, 'count': 1}, {'line_number': 21, 'count': 0}], "
        "'functions': [{'name': 'f', 'start_line': 14, 'end_line': 16, 'execution_count': 1}]}, "
        "{'file': '/usr/include/stdlib.h', 'lines': [], 'functions': [{'name': 'malloc', "
        "'start_line': 553, 'end_line': 553, 'execution_count': 5}, {'name': 'free', 'start_line': "
        "568, 'end_line': 568, 'execution_count': 0}]}], 'current_working_directory': '/build/src'}"
        "{'files': []}");
    rn_gcov_place(places, strlen(places), "/build/src", files);
    const json_t *functions = json_object_get(json_object_get(files, "a.c"), "functions");
    ck_assert_uint_eq(json_object_size(functions), 3);
    const json_t *found = json_object_get(functions, "8 malloc");
    ck_assert_int_eq(hp_json_int(found, "end", 0), 12);
    ck_assert_int_eq(hp_json_int(found, "count", 0), 5);
    ck_assert_int_eq(hp_json_int(json_object_get(functions, "20 free"), "end", 0), 21);
}
END_TEST

START_TEST(truncated_gcov)
{
    HP_JSON json_t *files = json_object();
    static const char text[] = "{\"files\":[{\"file\":\"a.c\",\"lines\":[{\"line_number\":1,"
                               "\"count\":2}],\"functions\":[]}],"
                               "\"current_working_directory\":\"/build/src\"}\n{\"files\":[{\"fi";
    ck_assert_uint_eq(rn_gcov_read(text, strlen(text), "/build/src", files), 1);
    ck_assert_int_eq(line_count(files, "a.c", "1"), 2);
    ck_assert_uint_eq(rn_gcov_read("nonsense\n[]\n{}\n", 15, "/build/src", files), 3);
}
END_TEST

/* --- both ------------------------------------------------------------------------------------- */

START_TEST(executed_and_not)
{
    RN_DIFF struct rn_diff diff = {0};
    static const char text[] =
        "+++ b/head/lib/a.c\n@@ -1,9 +1,10 @@\n int f(int a)\n {\n-    return a;\n+    a++;\n"
        "+    return a;\n }\n int g(int a)\n {\n+    /* says nothing */\n     return a;\n }\n"
        " int h(int a) { return a; }\n";
    HP_JSON json_t *files =
        gcov("{'files': [{'file': 'a.c', 'lines': [{'line_number': 3, 'count': 5}, "
             "{'line_number': 4, 'count': 0}, {'line_number': 9, 'count': 2}], 'functions': ["
             "{'name': 'f', 'start_line': 1, 'end_line': 5, 'execution_count': 5}, "
             "{'name': 'g', 'start_line': 6, 'end_line': 10, 'execution_count': 2}, "
             "{'name': 'h', 'start_line': 11, 'end_line': 11, 'execution_count': 2}]}]}\n");
    ck_assert(rn_diff_parse(text, strlen(text), "b/head/", &diff));
    HP_JSON json_t *coverage = rn_coverage_of(&diff, files);
    HP_JSON json_t *expected =
        fx_json("{'lines': {'changed': 3, 'code': 2, 'executed': 1}, 'functions': [{'file': "
                "'lib/a.c', 'name': 'f', 'line': 1, 'executed': true, 'calls': 5}], "
                "'missing': null}");
    HP_FREE char *told = json_dumps(coverage, JSON_COMPACT);
    ck_assert_msg(json_equal(coverage, expected), "%s", told);
    /* Another workload that did not call it does not take it back. */
    HP_JSON json_t *none =
        gcov("{'files': [{'file': 'a.c', 'lines': [{'line_number': 3, 'count': 0}], 'functions': ["
             "{'name': 'f', 'start_line': 1, 'end_line': 5, 'execution_count': 0}]}]}\n");
    rn_coverage_add(none, files);
    HP_JSON json_t *any = rn_coverage_of(&diff, none);
    ck_assert(json_equal(any, expected));
    HP_FREE char *sentence = rn_coverage_sentence(any);
    ck_assert_str_eq(sentence, "did it run: 1 of 1 changed functions ran (1 of 2 changed lines of "
                               "code)");
}
END_TEST

START_TEST(a_macro_touches_its_users)
{
    RN_DIFF struct rn_diff diff = {0};
    static const char text[] = "+++ b/head/n.h\n@@ -1 +1 @@\n-#define N 1\n+#define N 2\n";
    static const char uses[] = "a.c\0"
                               "2:N\nb.txt\0"
                               "9:N\n\0"
                               "1:N\nbroken\nn.h\0"
                               "1:N\n";
    HP_JSON json_t *files =
        gcov("{'files': [{'file': 'a.c', 'lines': [{'line_number': 2, 'count': 0}], 'functions': ["
             "{'name': 'f', 'start_line': 1, 'end_line': 3, 'execution_count': 0}, "
             "{'name': 'g', 'start_line': 4, 'end_line': 9, 'execution_count': 7}]}]}\n");
    ck_assert(rn_diff_parse(text, strlen(text), "b/head/", &diff));
    ck_assert(rn_diff_add_uses(uses, sizeof uses - 1, &diff));
    HP_JSON json_t *coverage = rn_coverage_of(&diff, files);
    const json_t *functions = json_object_get(coverage, "functions");
    ck_assert_uint_eq(json_array_size(functions), 1);
    ck_assert_str_eq(hp_json_string(json_array_get(functions, 0), "name", ""), "f");
    HP_FREE char *sentence = rn_coverage_sentence(coverage);
    ck_assert_str_eq(sentence, "did it run: 0 of 1 changed functions ran in any workload (0 of 0 "
                               "changed lines of code)");
}
END_TEST

HP_SUITE(runner_coverage)
{
    Suite *s = suite_create("runner_coverage");
    TCase *t = tcase_create("difference");
    tcase_add_checked_fixture(t, fx_open_plain, fx_close);
    tcase_add_loop_test(t, what_is_new, 0, (int)(sizeof differences / sizeof differences[0]));
    suite_add_tcase(s, t);
    t = tcase_create("texts");
    tcase_add_test(t, moved_to_another_file);
    tcase_add_loop_test(t, strange_differences, 0, (int)(sizeof strange / sizeof strange[0]));
    tcase_add_test(t, dialects_of_gcov);
    tcase_add_test(t, functions_that_a_header_declares);
    tcase_add_test(t, truncated_gcov);
    tcase_add_test(t, executed_and_not);
    tcase_add_test(t, a_macro_touches_its_users);
    suite_add_tcase(s, t);
    return s;
}
