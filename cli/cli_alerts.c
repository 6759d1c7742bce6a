/* hakperf alerts: what a person has to look at. */
#include "cli/figures.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"

const struct hp_option cli_alerts_options[] = {
    {"count", 'n', HP_OPT_INTEGER, "N", "50", 1, 1000, "how many alerts, newest first", false},
    {.name = NULL},
};

static void print_alerts(const json_t *answer)
{
    size_t i;
    const json_t *alert, *list = json_object_get(answer, "alerts");
    CLI_TABLE struct cli_table *table = cli_table_new(">alert|created|commit|state|>change|what");
    json_array_foreach (list, i, alert) {
        char text[CLI_FIGURE];
        cli_table_number(table, hp_json_int(alert, "id", 0));
        cli_time_text(hp_json_string(alert, "created", NULL), text);
        cli_table_cell(table, HP_PLAIN, text);
        snprintf(text, sizeof text, "%.10s", hp_json_string(alert, "sha", "-"));
        cli_table_cell(table, HP_YELLOW, text);
        cli_table_cell(table, HP_PLAIN, hp_json_string(alert, "state", NULL));
        cli_change_text(json_object_get(alert, "change"), text);
        cli_table_cell(table, HP_RED, text);
        cli_table_cell(table, HP_PLAIN, hp_json_string(alert, "sentence", ""));
    }
    if (json_array_size(list) == 0)
        puts("no alert");
    cli_table_print(table, stdout, 0);
}

int cli_alerts(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    HP_JSON json_t *answer = cli_get(&session, &err, "/api/v1/alerts?limit=%lld",
                                     (long long)hp_opt_int(values, "count"));
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        print_alerts(answer);
    return HP_EXIT_OK;
}
