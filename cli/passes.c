#include "cli/passes.h"

#include "cli/comparison.h"
#include "cli/figures.h"
#include "cli/table.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define MOST_ROWS 12

static void print_line(const char *before, const char *text)
{
    HP_FREE char *clean = cli_clean(text);
    printf("%s%s\n", before, clean ? clean : "");
}

void cli_did_it_run_print(const json_t *passes)
{
    const json_t *functions = json_object_get(passes, "functions");
    size_t n = json_array_size(functions), ran = 0, i;
    json_t *f;
    if (n == 0)
        return;
    json_array_foreach (functions, i, f)
        ran += hp_json_bool(f, "executed", false);
    printf("%s%zu of %zu changed functions ran in any workload%s\n",
           hp_colour(stdout, ran == 0 ? HP_RED : HP_PLAIN), ran, n, hp_colour(stdout, HP_PLAIN));
    json_array_foreach (functions, i, f) {
        char line[640];
        if (i == MOST_ROWS) {
            printf("  and %zu more, see --json\n", n - i);
            break;
        }
        snprintf(line, sizeof line, "%s  %s (%s:%lld)",
                 hp_json_bool(f, "executed", false) ? "ran      " : "never ran",
                 hp_json_string(f, "name", "?"), hp_json_string(f, "file", "?"),
                 (long long)hp_json_int(f, "line", 0));
        print_line("  ", line);
    }
    putchar('\n');
}

static void add_value(struct cli_table *table, const json_t *value, bool share)
{
    char text[CLI_FIGURE];
    if (share)
        cli_share_text(value, text);
    else
        cli_value_text(value, NULL, text);
    cli_table_cell(table, HP_PLAIN, text);
}

/* What the passes measured; sampled metrics are in the table of the comparison. */
static void print_figures(const json_t *workload)
{
    CLI_TABLE struct cli_table *table = cli_table_new("figure|>base|>head|missing because");
    size_t i;
    json_t *f;
    json_array_foreach (json_object_get(workload, "figures"), i, f) {
        bool share = strcmp(hp_json_string(f, "unit", ""), "fraction") == 0;
        cli_table_cell(table, HP_PLAIN, hp_json_string(f, "metric", NULL));
        add_value(table, json_object_get(f, "base"), share);
        add_value(table, json_object_get(f, "head"), share);
        cli_table_cell(table, HP_PLAIN, hp_json_string(f, "missing", ""));
    }
    cli_table_print(table, stdout, 4);
}

/* ace.fail.* of the counters: failures by cause. */
static json_t *failures(const json_t *workload)
{
    json_t *list = json_array(), *c;
    size_t i;
    json_array_foreach (json_object_get(workload, "counters"), i, c)
        if (strncmp(hp_json_string(c, "name", ""), "ace.fail", 8) == 0)
            json_array_append(list, c);
    return list;
}

static void print_memory(const json_t *workload)
{
    CLI_TABLE struct cli_table *table = cli_table_new("arm|>most KiB|>last KiB|>after s");
    size_t i;
    json_t *m;
    json_array_foreach (json_object_get(workload, "memory"), i, m) {
        const json_t *kib = json_object_get(m, "kib"), *seconds = json_object_get(m, "seconds");
        size_t n = json_array_size(kib);
        json_int_t most = 0;
        for (size_t k = 0; k < n; k++) {
            json_int_t value = json_integer_value(json_array_get(kib, k));
            most = value > most ? value : most;
        }
        if (n == 0)
            continue;
        cli_table_cell(table, HP_PLAIN, hp_json_string(m, "arm", NULL));
        cli_table_number(table, (long long)most);
        cli_table_number(table, (long long)json_integer_value(json_array_get(kib, n - 1)));
        add_value(table, json_array_get(seconds, n - 1), false);
    }
    printf("\n  resident memory over one long execution\n");
    cli_table_print(table, stdout, 4);
}

/* The options that are in force in the head, and where each comes from. */
static void print_configuration(const json_t *workload)
{
    const json_t *head = json_object_get(json_object_get(workload, "configuration"), "head");
    CLI_TABLE struct cli_table *table = cli_table_new("option|value|from");
    const char *name;
    json_t *option;
    if (json_object_size(head) == 0)
        return;
    json_object_foreach ((json_t *)head, name, option) {
        char from[64];
        snprintf(from, sizeof from, "%.40s%s", hp_json_string(option, "source", "?"),
                 hp_json_bool(option, "ignored", false) ? ", ignored by this build" : "");
        cli_table_cell(table, HP_PLAIN, name);
        cli_table_cell(table, HP_PLAIN, hp_json_string(option, "value", NULL));
        cli_table_cell(table, HP_PLAIN, from);
    }
    printf("\n  effective configuration\n");
    cli_table_print(table, stdout, 4);
}

static const json_t *compared_of(const json_t *comparison, const char *name)
{
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w)
        if (strcmp(hp_json_string(w, "workload", ""), name) == 0)
            return w;
    return NULL;
}

/* Shares of the profile as percentages in words. */
static void print_profile(const json_t *compared)
{
    CLI_TABLE struct cli_table *table = cli_table_new("function|>base|>head");
    const json_t *list = json_object_get(compared, "profile");
    size_t i;
    json_t *f;
    if (json_array_size(list) == 0)
        return;
    json_array_foreach (list, i, f) {
        cli_table_cell(table, HP_PLAIN, hp_json_string(f, "name", NULL));
        add_value(table, json_object_get(f, "base"), true);
        add_value(table, json_object_get(f, "head"), true);
    }
    printf("\n  profile: functions whose share of the time moved most\n");
    cli_table_print(table, stdout, 4);
}

void cli_passes_print(const json_t *passes, const json_t *comparison)
{
    size_t i;
    json_t *w;
    const json_t *before = NULL;
    json_array_foreach (json_object_get(passes, "workloads"), i, w) {
        const char *name = hp_json_string(w, "workload", "?");
        HP_JSON json_t *causes = failures(w);
        print_line("\nworkload ", name);
        print_figures(w);
        cli_difference_print("system calls by kind", json_object_get(w, "syscalls"), MOST_ROWS);
        cli_difference_print("ACE failures by cause", causes, MOST_ROWS);
        print_profile(compared_of(comparison, name));
        print_memory(w);
        if (before && json_equal(json_object_get(w, "configuration"), before))
            printf("\n  effective configuration: as above\n");
        else
            print_configuration(w);
        before = json_object_get(w, "configuration");
    }
}
