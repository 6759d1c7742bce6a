/* hakperf status: the queue, what is measured now, and the runners. */
#include "cli/figures.h"
#include "cli/jobs.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"

static void print_runners(const json_t *list)
{
    size_t i;
    const json_t *runner;
    CLI_TABLE struct cli_table *table = cli_table_new("runner|last seen");
    json_array_foreach (list, i, runner) {
        char text[CLI_FIGURE];
        cli_table_cell(table, HP_PLAIN, hp_json_string(runner, "name", NULL));
        cli_time_text(hp_json_string(runner, "seen", NULL), text);
        cli_table_cell(table, HP_PLAIN, text);
    }
    if (json_array_size(list) == 0)
        puts("\nno runner has asked for work yet");
    else
        putchar('\n');
    cli_table_print(table, stdout, 0);
}

static void print_status(const struct cli_session *session, const json_t *answer)
{
    const json_t *counts = json_object_get(answer, "counts");
    CLI_TABLE struct cli_table *table = cli_table_new(CLI_JOB_HEADS);
    char left[CLI_FIGURE];
    printf("collector %s at %s: %lld queued, %lld running, %lld done, %lld given up\n",
           hp_json_string(answer, "version", "?"), session->server,
           (long long)hp_json_int(counts, "queued", 0),
           (long long)hp_json_int(counts, "running", 0), (long long)hp_json_int(counts, "done", 0),
           (long long)hp_json_int(counts, "dead", 0));
    cli_job_rows(table, json_object_get(answer, "running"));
    cli_job_rows(table, json_object_get(answer, "queue"));
    if (json_array_size(json_object_get(answer, "running")) +
            json_array_size(json_object_get(answer, "queue")) >
        0)
        putchar('\n');
    cli_table_print(table, stdout, 0);
    cli_left_text(hp_json_string(answer, "eta", NULL), time(NULL), left);
    if (hp_json_string(answer, "eta", NULL))
        printf("all of it done in about %s\n", left);
    if (hp_json_int(counts, "dead", 0) > 0)
        puts("`hakperf queue --jobs dead` tells why jobs were given up, --retry repeats them");
    print_runners(json_object_get(answer, "runners"));
}

int cli_status(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    HP_JSON json_t *answer = cli_get(&session, &err, "/api/v1/status");
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        print_status(&session, answer);
    return HP_EXIT_OK;
}
