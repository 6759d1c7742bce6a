/*
 * `hakperf-runner doctor`: what this machine offers to measuring, and what is missing; and
 * `spool list`: what waits for the collector.
 */
#include "runner/verbs.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "common/state.h"
#include "runner/machine.h"
#include "runner/preflight.h"
#include "runner/sandbox.h"
#include "runner/setup.h"
#include "runner/spool.h"

#include <stdio.h>
#include <string.h>

struct tool {
    const char *program, *package, *use;
    bool needed;
};

static const struct tool tools[] = {
    {"git", "git", "local measuring", true},
    {"tar", "tar", "unpacking sources", true},
    {"cc", "gcc", "building", true},
    {"make", "make", "building", true},
    {"strip", "binutils", "recognising identical builds", true},
    {"readelf", "binutils", "naming the compiler", true},
    {"bwrap", "bubblewrap", "the sandbox", true},
    {"perf", "linux-perf", "performance counters", false},
};

static bool has_program(const char *program)
{
    const char *const argv[] = {program, "--version", NULL};
    const struct hp_command command = {.argv = argv, .timeout_s = 10};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error ignored;
    return hp_run(&command, &outcome, &ignored);
}

static bool print_tools(void)
{
    bool all = true;
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        bool there = has_program(tools[i].program);
        all = all && (there || !tools[i].needed);
        printf("%-10s %s for %s%s%s\n", tools[i].program, there ? "found," : "MISSING,",
               tools[i].use, there ? "" : "; Debian package ", there ? "" : tools[i].package);
    }
    return all;
}

/* Whether hardware counters count for this user. */
static void print_counters(void)
{
    const char *const argv[] = {"perf", "stat", "-x;", "-e", "cycles:u", "--", "true", NULL};
    const struct hp_command command = {.argv = argv, .timeout_s = 10};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error ignored;
    bool counts =
        hp_run_ok(&command, &outcome, &ignored) && !strstr(hp_buffer_text(&outcome.err), "<not");
    printf("%-10s %s\n", "counters",
           counts ? "the CPU's own counters can be read" : "no hardware counters; times only");
}

static void print_machine(void)
{
    HP_JSON json_t *machine = rn_machine();
    HP_JSON json_t *warnings = json_array();
    struct hp_error ignored;
    const char *name;
    json_t *value;
    size_t i;
    json_object_foreach (json_object_get(machine, "facts"), name, value) {
        HP_FREE char *text = json_dumps(value, JSON_ENCODE_ANY);
        printf("  %-16s %s\n", name, text ? text : "?");
    }
    HP_JSON json_t *preflight = rn_preflight(rn_choose_cpu(-1, &ignored), warnings);
    json_object_foreach (preflight, name, value) {
        HP_FREE char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
        if (!json_object_get(json_object_get(machine, "facts"), name))
            printf("  %-16s %s\n", name, text ? text : "?");
    }
    json_array_foreach (warnings, i, value)
        printf("note: %s\n", json_string_value(value));
}

int rn_doctor_verb(const struct hp_values *values)
{
    struct hp_error err = {0};
    (void)values;
    if (!hp_drop_root(&err))
        return rn_report(&err);
    bool good = print_tools();
    bool sandbox = rn_sandbox_check(&err);
    printf("%-10s %s\n", "sandbox", sandbox ? "works" : err.message);
    print_counters();
    print_machine();
    if (!sandbox && err.hint[0])
        printf("HINT: %s\n", err.hint);
    return good && sandbox ? HP_EXIT_OK : HP_EXIT_NO_ANSWER;
}

static void print_run(const char *state, const char *run)
{
    struct hp_error err = {0};
    HP_FREE char *path = rn_spool_path(state, run);
    HP_JSON json_t *result = path ? hp_json_read_file(path, 64u << 20, &err) : NULL;
    if (result)
        printf("%s  %s  %s  %s\n", run, hp_json_string(result, "finished", "?"),
               hp_json_string(result, "repository", "?"), hp_json_string(result, "status", "?"));
    else
        printf("%s  unreadable: %s\n", run, err.message);
}

int rn_spool_list_verb(const struct hp_values *values)
{
    struct hp_error err = {0};
    char **runs = NULL;
    size_t count = 0;
    HP_FREE char *state = hp_state_folder(hp_opt(values, "state"), &err);
    if (!state || !rn_spool_list(state, &runs, &count, &err))
        return rn_report(&err);
    for (size_t i = 0; i < count; i++)
        print_run(state, runs[i]);
    if (count == 0)
        puts("nothing waits to be delivered");
    rn_spool_free(runs, count);
    return HP_EXIT_OK;
}
