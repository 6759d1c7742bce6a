/*
 * Did it run, inside the sandbox: builds with coverage, executes every workload once with that
 * library, and hands out what gcov counted; or compares two source trees.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/diff.h"
#include "runner/launch_build.h"
#include "runner/launcher.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_NOTES 4096 /* object files with coverage data */
#define MOST_MACROS 256
#define MOST_SYMBOLS 20000
#define OUTPUT_LIMIT (64u << 20)

/* nftw has no argument for its function. */
static struct rn_argv notes;

static bool ends_with(const char *path, const char *ending)
{
    size_t m = strlen(path), n = strlen(ending);
    return m > n && strcmp(path + m - n, ending) == 0;
}

static int find_note(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type == FTW_F && ends_with(path, ".gcno") && notes.count < MOST_NOTES)
        rn_argv_add(&notes, "%s", path);
    return 0;
}

static int remove_data(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type == FTW_F && ends_with(path, ".gcda"))
        unlink(path);
    return 0;
}

static void walk(const struct rn_build_step *build,
                 int (*visit)(const char *, const struct stat *, int, struct FTW *))
{
    nftw(build->out, visit, 32, FTW_PHYS);
    nftw(build->source, visit, 32, FTW_PHYS);
}

/* What gcov says of all object files; objects that were not used are told of as never executed. */
static bool run_gcov(const struct rn_build_step *build, struct hp_outcome *outcome)
{
    RN_ARGV struct rn_argv argv = {0};
    rn_argv_add(&argv, "gcov");
    rn_argv_add(&argv, "--json-format");
    rn_argv_add(&argv, "--stdout");
    for (size_t i = 0; i < notes.count; i++)
        rn_argv_add(&argv, "%s", notes.item[i]);
    return !argv.failed && !notes.failed &&
           rn_build_inspect(build, (const char *const *)argv.item, outcome);
}

/* Where the functions of the library are, a line each: "NAME FILE:LINE". gcov names the place of a
 * function that a header of the system declares, such as malloc, by that header. */
static bool list_places(const struct rn_build_step *build, struct hp_buffer *text)
{
    HP_OUTCOME struct hp_outcome symbols = {0};
    HP_OUTCOME struct hp_outcome places = {0};
    RN_ARGV struct rn_argv argv = {0};
    HP_FREE char *path = hp_format("%s/%s", build->out, hp_json_string(build->plan, "preload", ""));
    const char *const words[] = {"nm", "-P", "--defined-only", path ? path : "", NULL};
    char *names[MOST_SYMBOLS];
    size_t n = 0;
    rn_argv_add(&argv, "addr2line");
    rn_argv_add(&argv, "-e");
    rn_argv_add(&argv, "%s", words[3]);
    if (!rn_build_inspect(build, words, &symbols))
        return true;
    char *rest = symbols.out.data;
    for (char *line; rest && n < MOST_SYMBOLS && (line = strsep(&rest, "\n"));) {
        const char *name = strsep(&line, " "), *type = line ? strsep(&line, " ") : NULL;
        const char *address = line ? strsep(&line, " ") : NULL;
        if (!address || !strchr("TtWi", type[0]) || !address[0])
            continue;
        names[n++] = (char *)name;
        rn_argv_add(&argv, "%s", address);
    }
    if (n == 0 || argv.failed || !rn_build_inspect(build, (const char *const *)argv.item, &places))
        return true;
    rest = places.out.data;
    for (size_t i = 0; i < n && rest; i++) {
        const char *place = strsep(&rest, "\n");
        if (!hp_buffer_printf(text, "%s %s\n", names[i], place))
            return false;
    }
    return true;
}

static bool send_places(const struct rn_build_step *build, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    if (!list_places(build, &text))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    HP_FREE char *line = hp_format("{\"size\":%zu}\n", text.size);
    return (line && hp_write_all(STDOUT_FILENO, line, strlen(line)) &&
            hp_write_all(STDOUT_FILENO, hp_buffer_text(&text), text.size)) ||
           hp_fail_errno(err, "cannot hand out the coverage");
}

static bool send_workload(const struct rn_build_step *build, size_t i, const json_t *request,
                          struct hp_error *err)
{
    HP_OUTCOME struct hp_outcome outcome = {0};
    walk(build, remove_data);
    json_t *reply = rn_launch_once(request);
    rn_kill_descendants();
    bool counted = run_gcov(build, &outcome);
    const struct hp_buffer *text = &outcome.out;
    HP_JSON json_t *head = json_pack("{s:I, s:o, s:b, s:I}", "workload", (json_int_t)i, "reply",
                                     reply ? reply : json_null(), "counted", counted, "size",
                                     (json_int_t)(counted ? text->size : 0));
    HP_FREE char *line = head ? hp_json_text(head) : NULL;
    return (line && hp_write_all(STDOUT_FILENO, line, strlen(line)) &&
            hp_write_all(STDOUT_FILENO, "\n", 1) &&
            (!counted || hp_write_all(STDOUT_FILENO, hp_buffer_text(text), text->size))) ||
           hp_fail_errno(err, "cannot hand out the coverage");
}

static bool cover(const struct rn_build_step *build, struct hp_error *err)
{
    size_t i;
    json_t *request;
    if (!hp_make_dirs(build->source, 0755, err) || !hp_make_dirs(build->out, 0755, err))
        return false;
    if (!rn_build_unpack(build, NULL, build->source) ||
        !rn_build_commands(build, json_object_get(build->plan, "commands")))
        return hp_fail(err, HP_FAILED, "%s", ""); /* the log says why */
    rn_kill_descendants();
    walk(build, find_note);
    if (notes.count == 0)
        return hp_fail(err, HP_FAILED, "the coverage build left no .gcno files");
    if (!send_places(build, err))
        return false;
    json_array_foreach (json_object_get(build->plan, "requests"), i, request) {
        if (!send_workload(build, i, request, err))
            return false;
    }
    return true;
}

/* Where the macros that a difference changes are used. */
static bool find_uses(const struct rn_build_step *build, const struct hp_buffer *text,
                      struct hp_outcome *outcome, struct hp_error *err)
{
    RN_DIFF struct rn_diff diff = {0};
    RN_ARGV struct rn_argv argv = {0};
    static const char *const words[] = {"grep", "--null", "-rnowHIF", "--include=*.[chi]*"};
    size_t macros = 0;
    if (!rn_diff_parse(hp_buffer_text(text), text->size, "b/head/", &diff))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        rn_argv_add(&argv, "%s", words[i]);
    for (size_t i = 0; i < diff.files; i++)
        for (size_t k = 0; k < diff.file[i].macros && macros < MOST_MACROS; k++, macros++)
            rn_argv_add(&argv, "-e%s", diff.file[i].macro[k]);
    if (macros == 0 || argv.failed)
        return true;
    HP_FREE char *head = hp_format("%s/head", build->source);
    const struct hp_command command = {.argv = (const char *const *)argv.item,
                                       .env = (const char *const *)build->env.item,
                                       .folder = head,
                                       .timeout_s = 60,
                                       .output_limit = OUTPUT_LIMIT};
    return hp_run(&command, outcome, err);
}

static bool run_diff(const struct rn_build_step *build, struct hp_outcome *outcome,
                     struct hp_error *err)
{
    static const char *const argv[] = {"git",
                                       "-c",
                                       "core.quotePath=false",
                                       "-c",
                                       "core.attributesFile=/dev/null",
                                       "diff",
                                       "--no-index",
                                       "--no-color",
                                       "--no-ext-diff",
                                       "--no-textconv",
                                       "--diff-algorithm=histogram",
                                       "--find-renames",
                                       "-l2000",
                                       "-U1000000",
                                       "--src-prefix=a/",
                                       "--dst-prefix=b/",
                                       "--",
                                       "base",
                                       "head",
                                       NULL};
    const struct hp_command command = {.argv = argv,
                                       .env = (const char *const *)build->env.item,
                                       .folder = build->source,
                                       .timeout_s = 60,
                                       .output_limit = OUTPUT_LIMIT};
    if (!hp_run(&command, outcome, err))
        return false;
    /* 0: alike, 1: they differ. */
    if (outcome->exit_code != 0 && outcome->exit_code != 1)
        return hp_fail(err, HP_FAILED, "git diff: %s", hp_outcome_text(outcome));
    return !outcome->truncated ||
           hp_fail(err, HP_FAILED, "the difference is larger than %u MiB", OUTPUT_LIMIT >> 20);
}

/* Unpacks both trees side by side and has git compare them. */
static bool compare(const struct rn_build_step *build, struct hp_error *err)
{
    HP_OUTCOME struct hp_outcome diff = {0};
    HP_OUTCOME struct hp_outcome uses = {0};
    HP_FREE char *head = hp_format("%s/head", build->source);
    HP_FREE char *base = hp_format("%s/base", build->source);
    if (!head || !base || !hp_make_dirs(head, 0755, err) || !hp_make_dirs(base, 0755, err))
        return false;
    if (!rn_build_unpack(build, NULL, head) ||
        !rn_build_unpack(build, hp_json_string(build->plan, "base", ""), base))
        return hp_fail(err, HP_FAILED, "a source tree cannot be unpacked");
    if (!run_diff(build, &diff, err) || !find_uses(build, &diff.out, &uses, err))
        return false;
    HP_FREE char *line = hp_format("{\"diff\":%zu,\"uses\":%zu}\n", diff.out.size, uses.out.size);
    return (line && hp_write_all(STDOUT_FILENO, line, strlen(line)) &&
            hp_write_all(STDOUT_FILENO, hp_buffer_text(&diff.out), diff.out.size) &&
            hp_write_all(STDOUT_FILENO, hp_buffer_text(&uses.out), uses.out.size)) ||
           hp_fail_errno(err, "cannot hand out the difference");
}

static int launch(const struct hp_values *values,
                  bool (*run)(const struct rn_build_step *, struct hp_error *))
{
    struct hp_error err = {0};
    struct rn_build_step build = {0};
    HP_JSON json_t *plan = hp_json_read_file(hp_arg(values, 0), 8u << 20, &err);
    if (!plan || !rn_build_step_read(plan, &build, &err)) {
        hp_error_print("hakperf", &err);
        return HP_EXIT_USAGE;
    }
    rn_become_warden();
    bool ok = run(&build, &err);
    if (!ok && err.message[0])
        fprintf(stderr, "hakperf: %s\n", err.message);
    rn_kill_descendants();
    rn_argv_clear(&build.env);
    rn_argv_clear(&notes);
    return ok ? HP_EXIT_OK : HP_EXIT_NO_ANSWER;
}

int rn_launch_coverage(const struct hp_values *values)
{
    return launch(values, cover);
}

int rn_launch_diff(const struct hp_values *values)
{
    return launch(values, compare);
}
