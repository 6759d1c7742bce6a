/* hakperf report: all that is known of one commit. */
#include "cli/comparison.h"
#include "cli/figures.h"
#include "cli/passes.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

static void print_commit(const json_t *commit)
{
    HP_FREE char *subject = cli_clean(hp_json_string(commit, "subject", ""));
    HP_FREE char *author = cli_clean(hp_json_string(commit, "author", ""));
    const char *reason = hp_json_string(commit, "reason", NULL);
    char when[CLI_FIGURE];
    cli_time_text(hp_json_string(commit, "time", NULL), when);
    printf("commit %s%s%s\n", hp_colour(stdout, HP_YELLOW), hp_json_string(commit, "sha", "?"),
           hp_colour(stdout, HP_PLAIN));
    printf("  %s\n  %s, %s\n  state: %s\n", subject ? subject : "", author ? author : "", when,
           hp_json_string(commit, "state", "?"));
    if (reason) {
        HP_FREE char *clean = cli_clean(reason);
        printf("  reason: %s\n", clean ? clean : "");
    }
}

/* Build output is many lines: kept as lines, each one cleaned. */
static void print_block(const char *title, const char *text)
{
    HP_FREE char *copy = strdup(text);
    char *rest = copy;
    printf("\n%s:\n", title);
    for (char *line; (line = strsep(&rest, "\n"));) {
        HP_FREE char *clean = cli_clean(line);
        if (rest || line[0])
            printf("  %s\n", clean ? clean : "");
    }
}

/* The members of the run, whatever they are: single values in a table, texts of several lines as
 * blocks, nested documents by --json only. */
static void print_run(const json_t *run)
{
    CLI_TABLE struct cli_table *table = cli_table_new("run|");
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)run, key, value) {
        char text[CLI_FIGURE];
        const char *string = json_string_value(value);
        if (json_is_object(value) || json_is_array(value) || json_is_null(value) ||
            (string && strchr(string, '\n')))
            continue;
        cli_table_cell(table, HP_PLAIN, key);
        if (string) {
            cli_table_cell(table, HP_PLAIN, string);
            continue;
        }
        if (json_is_boolean(value))
            snprintf(text, sizeof text, "%s", json_is_true(value) ? "yes" : "no");
        else
            cli_value_text(value, NULL, text);
        cli_table_cell(table, HP_PLAIN, text);
    }
    putchar('\n');
    cli_table_print(table, stdout, 0);
    json_object_foreach ((json_t *)run, key, value) {
        if (json_is_string(value) && strchr(json_string_value(value), '\n'))
            print_block(key, json_string_value(value));
    }
}

static void print_report(const json_t *answer)
{
    const json_t *run = json_object_get(answer, "run");
    const json_t *comparison = json_object_get(answer, "comparison");
    print_commit(json_object_get(answer, "commit"));
    const json_t *passes = json_object_get(answer, "passes");
    if (json_is_object(passes)) {
        putchar('\n');
        cli_did_it_run_print(passes);
    }
    if (json_is_object(comparison)) {
        putchar('\n');
        cli_comparison_print(comparison);
    }
    if (json_is_object(passes))
        cli_passes_print(passes, comparison);
    if (json_is_object(run)) {
        print_run(run);
        const json_t *failure = json_object_get(run, "failure");
        const char *log = hp_json_string(failure, "log", NULL);
        if (log)
            print_block("output of what failed", log);
    }
}

int cli_report(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    HP_FREE char *rev = NULL, *repository = NULL, *name = NULL;
    bool ready = cli_session_open(&session, values, &err) &&
                 (rev = cli_revision(&session, hp_arg(values, 0), &err)) &&
                 (repository = cli_repository(&session, &err)) && (name = hp_url_encode(rev));
    HP_JSON json_t *answer =
        ready ? cli_get(&session, &err, "/api/v1/repositories/%s/commits/%s", repository, name)
              : NULL;
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        print_report(answer);
    const json_t *commit = json_object_get(answer, "commit");
    return cli_verdict_exit(hp_json_string(commit, "verdict", NULL),
                            hp_json_string(commit, "size", NULL), false);
}
