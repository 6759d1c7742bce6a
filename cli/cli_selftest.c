/* hakperf selftest: how good the service itself was in the last days. */
#include "cli/figures.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

const struct hp_option cli_selftest_options[] = {
    {"days", 0, HP_OPT_INTEGER, "N", "30", 1, 3650, "over the last N days", false},
    {.name = NULL},
};

static void print_summary(const json_t *answer)
{
    const json_t *aa = json_object_get(answer, "aa"), *canary = json_object_get(answer, "canary");
    char rate[CLI_FIGURE], upper[CLI_FIGURE], planted[CLI_FIGURE], measured[CLI_FIGURE],
        visible[CLI_FIGURE];
    cli_share_text(json_object_get(aa, "rate"), rate);
    cli_share_text(json_object_get(aa, "upper"), upper);
    cli_change_text(json_object_get(canary, "planted"), planted);
    cli_change_text(json_object_get(canary, "measured"), measured);
    cli_change_text(json_object_get(answer, "smallest_visible"), visible);
    printf("false alarms: %lld of %lld comparisons of a build with itself (%s; 95 %% sure: at most "
           "%s)\n",
           (long long)hp_json_int(aa, "false_alarms", 0),
           (long long)hp_json_int(aa, "comparisons", 0), rate, upper);
    printf("planted slowdowns: %lld of %lld found (about %s planted, %s measured)\n",
           (long long)hp_json_int(canary, "found", 0),
           (long long)hp_json_int(canary, "comparisons", 0), planted, measured);
    printf("smallest visible effect: %s (found nine times in ten)\n", visible);
}

static void print_workloads(const json_t *answer)
{
    size_t i;
    const json_t *w;
    CLI_TABLE struct cli_table *table =
        cli_table_new("test|workload|passed|>change|>interval|>visible|measured");
    json_array_foreach (json_object_get(answer, "workloads"), i, w) {
        char text[CLI_FIGURE];
        bool passed = hp_json_bool(w, "passed", false);
        cli_table_cell(table, HP_PLAIN, hp_json_string(w, "test", NULL));
        cli_table_cell(table, HP_PLAIN, hp_json_string(w, "workload", NULL));
        cli_table_cell(table, passed ? HP_GREEN : HP_RED, passed ? "yes" : "no");
        cli_change_text(json_object_get(w, "change"), text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_interval_text(json_object_get(w, "low"), json_object_get(w, "high"), text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_change_text(json_object_get(w, "detectable"), text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_time_text(hp_json_string(w, "measured", NULL), text);
        cli_table_cell(table, HP_PLAIN, text);
    }
    cli_table_print(table, stdout, 2);
}

int cli_selftest(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    HP_FREE char *repository = NULL;
    if (!cli_session_open(&session, values, &err) || !(repository = cli_repository(&session, &err)))
        return cli_fail(values, &err);
    HP_JSON json_t *answer = cli_get(&session, &err, "/api/v1/repositories/%s/selftest?days=%lld",
                                     repository, (long long)hp_opt_int(values, "days"));
    if (!answer)
        return cli_fail(values, &err);
    if (session.json) {
        cli_print_json(answer);
    } else {
        print_summary(answer);
        print_workloads(answer);
    }
    bool tested = json_array_size(json_object_get(answer, "workloads")) > 0;
    if (!tested && !session.json)
        puts("no self-test has run in these days");
    return json_array_size(json_object_get(answer, "alerts")) > 0 ? HP_EXIT_REGRESSED
           : tested                                               ? HP_EXIT_OK
                                                                  : HP_EXIT_NO_ANSWER;
}
