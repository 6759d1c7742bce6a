#include "cli/comparison.h"

#include "cli/figures.h"
#include "cli/table.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <string.h>

/* Counters that differ are many after a real change; --json has them all. */
#define MOST_COUNTERS 12
#define MOST_OPTIONS 24

static void print_clean(const char *before, const char *text, const char *after)
{
    HP_FREE char *clean = cli_clean(text);
    printf("%s%s%s", before, clean ? clean : "", after);
}

static void print_commit(const char *label, const json_t *commit)
{
    if (!json_is_object(commit))
        return;
    printf("  %s  %s%.10s%s  ", label, hp_colour(stdout, HP_YELLOW),
           hp_json_string(commit, "sha", "?"), hp_colour(stdout, HP_PLAIN));
    print_clean("", hp_json_string(commit, "subject", ""), "\n");
}

static void print_head(const json_t *comparison)
{
    const char *verdict = hp_json_string(comparison, "verdict", NULL);
    enum hp_colour colour = cli_verdict_colour(verdict, hp_json_string(comparison, "size", NULL));
    HP_FREE char *sentence = cli_clean(hp_json_string(comparison, "sentence", ""));
    printf("%s%s%s%s\n", hp_colour(stdout, HP_BOLD),
           colour == HP_PLAIN ? "" : hp_colour(stdout, colour), sentence ? sentence : "",
           hp_colour(stdout, HP_PLAIN));
    print_commit("base", json_object_get(comparison, "base"));
    print_commit("head", json_object_get(comparison, "head"));
    const char *reason = hp_json_string(comparison, "reason", NULL);
    if (reason)
        print_clean("  reason: ", reason, "\n");
}

static void add_value(struct cli_table *table, const json_t *workload, const char *key)
{
    char text[CLI_FIGURE];
    cli_value_text(json_object_get(workload, key), hp_json_string(workload, "unit", NULL), text);
    cli_table_cell(table, HP_PLAIN, text);
}

static void add_workload(struct cli_table *table, const json_t *workload)
{
    const char *verdict = hp_json_string(workload, "verdict", NULL);
    const char *size = hp_json_string(workload, "size", NULL);
    enum hp_colour colour = cli_verdict_colour(verdict, size);
    char text[CLI_FIGURE];
    cli_table_cell(table, HP_PLAIN, hp_json_string(workload, "workload", NULL));
    add_value(table, workload, "base_value");
    add_value(table, workload, "head_value");
    cli_change_text(json_object_get(workload, "change"), text);
    cli_table_cell(table, colour, text);
    cli_interval_text(json_object_get(workload, "low"), json_object_get(workload, "high"), text);
    cli_table_cell(table, HP_PLAIN, text);
    cli_value_text(json_object_get(workload, "pairs"), NULL, text);
    cli_table_cell(table, HP_PLAIN, text);
    cli_verdict_text(verdict, size, text);
    cli_table_cell(table, colour, text);
}

static void add_two(struct cli_table *table, const json_t *pair, bool share)
{
    static const char *const sides[] = {"base", "head"};
    for (int i = 0; i < 2; i++) {
        char text[CLI_FIGURE];
        const json_t *value = json_object_get(pair, sides[i]);
        if (share)
            cli_share_text(value, text);
        else
            cli_value_text(value, NULL, text);
        cli_table_cell(table, HP_PLAIN, text);
    }
}

static bool has_value(const json_t *workload, const char *key)
{
    const json_t *pair = json_object_get(workload, key);
    return json_is_number(json_object_get(pair, "base")) ||
           json_is_number(json_object_get(pair, "head"));
}

/* Kernel share and ACE failures beside each other: what the seed's investigation was about. */
static void print_kernel(const json_t *workloads)
{
    size_t i;
    const json_t *workload;
    bool any = false;
    CLI_TABLE struct cli_table *table =
        cli_table_new("workload|>kernel share, base|>head|>ACE failures, base|>head");
    json_array_foreach (workloads, i, workload) {
        any = any || has_value(workload, "kernel_share") || has_value(workload, "ace_failures");
        cli_table_cell(table, HP_PLAIN, hp_json_string(workload, "workload", NULL));
        add_two(table, json_object_get(workload, "kernel_share"), true);
        add_two(table, json_object_get(workload, "ace_failures"), false);
    }
    if (!any)
        return;
    putchar('\n');
    cli_table_print(table, stdout, 2);
}

static void add_any(struct cli_table *table, const json_t *value)
{
    char text[CLI_FIGURE];
    if (json_is_string(value)) {
        cli_table_cell(table, HP_PLAIN, json_string_value(value));
        return;
    }
    if (json_is_object(value)) { /* an option with its source */
        cli_table_cell(table, HP_PLAIN, hp_json_string(value, "value", NULL));
        return;
    }
    if (json_is_boolean(value))
        snprintf(text, sizeof text, "%s", json_is_true(value) ? "yes" : "no");
    else
        cli_value_text(value, NULL, text);
    cli_table_cell(table, HP_PLAIN, text);
}

void cli_difference_print(const char *title, const json_t *list, size_t most)
{
    size_t i, count = json_array_size(list);
    const json_t *entry;
    if (count == 0)
        return;
    CLI_TABLE struct cli_table *table = cli_table_new("name|>base|>head");
    json_array_foreach (list, i, entry) {
        if (i == most)
            break;
        cli_table_cell(table, HP_PLAIN, hp_json_string(entry, "name", NULL));
        add_any(table, json_object_get(entry, "base"));
        add_any(table, json_object_get(entry, "head"));
    }
    print_clean("\n  ", title, "\n");
    cli_table_print(table, stdout, 4);
    if (count > most)
        printf("    and %zu more, see --json\n", count - most);
}

static void print_reasons(const json_t *workloads)
{
    size_t i;
    const json_t *workload;
    json_array_foreach (workloads, i, workload) {
        const char *reason = hp_json_string(workload, "reason", NULL);
        if (!reason)
            continue;
        print_clean("  ", hp_json_string(workload, "workload", "?"), ": ");
        print_clean("", reason, "\n");
    }
}

static void print_differences(const json_t *workloads)
{
    size_t i;
    const json_t *workload;
    const json_t *first = json_object_get(json_array_get(workloads, 0), "configuration");
    bool all_alike = json_array_size(workloads) > 1;
    json_array_foreach (workloads, i, workload) {
        all_alike = all_alike && json_equal(json_object_get(workload, "configuration"), first);
    }
    json_array_foreach (workloads, i, workload) {
        char title[256];
        const char *name = hp_json_string(workload, "workload", "?");
        snprintf(title, sizeof title, "counters that differ, %s", name);
        cli_difference_print(title, json_object_get(workload, "counters"), MOST_COUNTERS);
        /* Mostly the same for all: then told once. */
        if (!json_equal(json_object_get(workload, "configuration"), first) || i == 0) {
            snprintf(title, sizeof title, "configuration that differs, %s%s", name,
                     all_alike ? " and the others" : "");
            cli_difference_print(title, json_object_get(workload, "configuration"), MOST_OPTIONS);
        }
    }
}

static void print_workloads(const json_t *workloads)
{
    size_t i;
    const json_t *workload;
    const char *metric = hp_json_string(json_array_get(workloads, 0), "unit", "value");
    if (json_array_size(workloads) == 0)
        return;
    HP_FREE char *heads =
        hp_format("workload|>base %s|>head|>change|>interval|>pairs|verdict", metric);
    CLI_TABLE struct cli_table *table = cli_table_new(heads ? heads : "workload");
    json_array_foreach (workloads, i, workload) {
        add_workload(table, workload);
    }
    putchar('\n');
    cli_table_print(table, stdout, 2);
    print_reasons(workloads);
    print_kernel(workloads);
    print_differences(workloads);
}

static void print_foot(const json_t *comparison)
{
    size_t i;
    const json_t *warning;
    const char *sandbox = hp_json_string(comparison, "sandbox", NULL);
    const char *reproduce = hp_json_string(comparison, "reproduce", NULL);
    char when[CLI_FIGURE];
    putchar('\n');
    json_array_foreach (json_object_get(comparison, "warnings"), i, warning) {
        print_clean("  warning: ", json_string_value(warning), "\n");
    }
    if (sandbox && strcmp(sandbox, "none") == 0)
        puts("  warning: measured without a sandbox");
    if (hp_json_string(comparison, "measured", NULL)) {
        cli_time_text(hp_json_string(comparison, "measured", NULL), when);
        printf("  measured %s UTC\n", when);
    }
    if (hp_json_string(comparison, "basis", NULL))
        print_clean("  compared ", hp_json_string(comparison, "basis", ""), "\n");
    if (hp_json_string(comparison, "measure", NULL))
        print_clean("  not tight enough for the margin; measure them directly: ",
                    hp_json_string(comparison, "measure", NULL), "\n");
    else if (reproduce)
        print_clean("  reproduce: ", reproduce, "\n");
}

void cli_comparison_print(const json_t *comparison)
{
    print_head(comparison);
    print_workloads(json_object_get(comparison, "workloads"));
    print_foot(comparison);
}
