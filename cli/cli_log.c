/* hakperf log: the commits of the history with their verdicts. */
#include "cli/figures.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/metrics.h"

#include <string.h>

const struct hp_option cli_log_options[] = {
    {"count", 'n', HP_OPT_INTEGER, "N", "20", 1, 1000, "how many commits", false},
    {"all", 'a', HP_OPT_FLAG, NULL, NULL, 0, 0, "also commits that touch no watched path", false},
    {"before", 0, HP_OPT_STRING, "SHA", NULL, 0, 0, "older ones than this commit", false},
    {.name = NULL},
};

/* What stands in the verdict column: the verdict, else how far the commit is. */
static void add_state(struct cli_table *table, const json_t *entry)
{
    const char *verdict = hp_json_string(entry, "verdict", NULL);
    const char *size = hp_json_string(entry, "size", NULL);
    char text[CLI_FIGURE];
    cli_verdict_text(verdict ? verdict : hp_json_string(entry, "state", NULL),
                     verdict ? size : NULL, text);
    cli_table_cell(table, cli_verdict_colour(verdict, size), text);
}

/* Where the level of the series stepped: by how much where it stepped most, and of how many. */
static void add_level(struct cli_table *table, const json_t *steps)
{
    char change[CLI_FIGURE], text[2 * CLI_FIGURE];
    const json_t *largest = json_array_get(steps, 0);
    size_t more = json_array_size(steps) > 1 ? json_array_size(steps) - 1 : 0;
    cli_change_text(json_object_get(largest, "change"), change);
    if (more)
        snprintf(text, sizeof text, "%s, +%zu", change, more);
    else
        snprintf(text, sizeof text, "%s", change);
    cli_table_cell(table, largest ? HP_BOLD : HP_PLAIN, text);
}

/* Of most workloads the rate that the column's head names; another metric comes with its name. */
static bool is_rate(const json_t *entry)
{
    return strcmp(hp_json_string(entry, "metric", HP_METRIC_PRIMARY), HP_METRIC_PRIMARY) == 0;
}

static void add_value(struct cli_table *table, const json_t *entry)
{
    char value[CLI_FIGURE];
    bool rate = is_rate(entry);
    const char *unit = rate ? "ops/cpu-s" : hp_json_string(entry, "unit", "");
    cli_value_text(json_object_get(entry, rate ? "throughput" : "value"), unit, value);
    HP_FREE char *text =
        rate ? NULL : hp_format("%s %s %s", hp_json_string(entry, "metric", ""), value, unit);
    cli_table_cell(table, HP_PLAIN, text ? text : value);
}

static void add_row(struct cli_table *table, const json_t *entry)
{
    const char *verdict = hp_json_string(entry, "verdict", NULL);
    char text[CLI_FIGURE];
    cli_table_cell(table, HP_YELLOW, hp_json_string(entry, "short", NULL));
    add_state(table, entry);
    cli_change_text(json_object_get(entry, "change"), text);
    cli_table_cell(table, cli_verdict_colour(verdict, hp_json_string(entry, "size", NULL)), text);
    add_level(table, json_object_get(entry, "changepoints"));
    add_value(table, entry);
    cli_share_text(json_object_get(entry, "kernel_share"), text);
    cli_table_cell(table, HP_PLAIN, text);
    cli_value_text(json_object_get(entry, "ace_failures"), "count", text);
    cli_table_cell(table, HP_PLAIN, text);
    const char *reverts = hp_json_string(entry, "reverts", NULL);
    HP_FREE char *subject =
        hp_format("%s%s%.7s%s", hp_json_string(entry, "subject", ""), reverts ? " (reverts " : "",
                  reverts ? reverts : "", reverts ? ")" : "");
    cli_table_cell(table, HP_PLAIN, subject);
}

static void print_log(const json_t *answer)
{
    size_t i;
    const json_t *entry, *list = json_object_get(answer, "commits");
    bool rates = true;
    json_array_foreach (list, i, entry) {
        rates = rates && is_rate(entry);
    }
    CLI_TABLE struct cli_table *table = cli_table_new(
        rates ? "commit|verdict|>change|>level|>ops/cpu-s|>kernel share|>ACE failures|subject"
              : "commit|verdict|>change|>level|>value|>kernel share|>ACE failures|subject");
    json_array_foreach (list, i, entry) {
        add_row(table, entry);
    }
    if (json_array_size(list) == 0)
        puts("no commit is known yet");
    cli_table_print(table, stdout, 0);
}

int cli_log(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    HP_FREE char *repository = NULL, *before = NULL;
    if (!cli_session_open(&session, values, &err) || !(repository = cli_repository(&session, &err)))
        return cli_fail(values, &err);
    if (hp_opt(values, "before")) {
        HP_FREE char *rev = cli_revision(&session, hp_opt(values, "before"), &err);
        before = rev ? hp_url_encode(rev) : NULL;
        if (!before)
            return cli_fail(values, &err);
    }
    HP_JSON json_t *answer =
        cli_get(&session, &err, "/api/v1/repositories/%s/log?limit=%lld&watched=%d%s%s", repository,
                (long long)hp_opt_int(values, "count"), !hp_opt_flag(values, "all"),
                before ? "&before=" : "", before ? before : "");
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        print_log(answer);
    return HP_EXIT_OK;
}
