/* hakperf alerts: what a person has to look at, and what people do with it. */
#include "cli/figures.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct hp_option cli_alerts_options[] = {
    {"count", 'n', HP_OPT_INTEGER, "N", "50", 1, 500, "how many alerts, newest first", false},
    {"only", 0, HP_OPT_STRING, "STATE", NULL, 0, 0,
     "those that are open, acknowledged, resolved, or active (not resolved)", false},
    {"owner", 0, HP_OPT_STRING, "WHO", NULL, 0, 0, "those that belong to WHO", false},
    {"as", 0, HP_OPT_STRING, "HOW", "fixed", 0, 0,
     "with resolve: fixed, reverted, accepted (meant so) or false (no regression)", false},
    {"note", 'm', HP_OPT_STRING, "TEXT", NULL, 0, 0, "what to say about the step", false},
    {"check", 0, HP_OPT_FLAG, NULL, NULL, 0, 0,
     "exit code 1 where an alert that is listed is not resolved", false},
    {.name = NULL},
};

static void add_alert(struct cli_table *table, const json_t *alert)
{
    char text[CLI_FIGURE];
    const char *state = hp_json_string(alert, "state", "");
    const char *resolution = hp_json_string(alert, "resolution", NULL);
    cli_table_number(table, hp_json_int(alert, "id", 0));
    cli_time_text(hp_json_string(alert, "created", NULL), text);
    cli_table_cell(table, HP_PLAIN, text);
    snprintf(text, sizeof text, "%.10s", hp_json_string(alert, "sha", "-"));
    cli_table_cell(table, HP_YELLOW, text);
    snprintf(text, sizeof text, "%s%s%s", state, resolution ? ": " : "",
             resolution ? resolution : "");
    cli_table_cell(table, strcmp(state, "open") == 0 ? HP_BOLD : HP_PLAIN, text);
    cli_table_cell(table, HP_PLAIN, hp_json_string(alert, "owner", NULL));
    cli_change_text(json_object_get(alert, "change"), text);
    cli_table_cell(table, HP_RED, text);
    cli_table_cell(table, HP_PLAIN, hp_json_string(alert, "sentence", ""));
}

static void print_alerts(const json_t *answer)
{
    size_t i;
    const json_t *alert, *list = json_object_get(answer, "alerts");
    CLI_TABLE struct cli_table *table =
        cli_table_new(">alert|created|commit|state|owner|>change|what");
    json_array_foreach (list, i, alert) {
        add_alert(table, alert);
    }
    if (json_array_size(list) == 0)
        puts("no alert");
    cli_table_print(table, stdout, 0);
}

static void line(const char *name, const char *value)
{
    HP_FREE char *clean = value ? cli_clean(value) : NULL;
    if (clean)
        printf("  %-11s %s\n", name, clean);
}

static void print_workloads(const json_t *alert)
{
    size_t i;
    const json_t *w, *list = json_object_get(alert, "workloads");
    CLI_TABLE struct cli_table *table = cli_table_new("workload|metric|>change|size");
    json_array_foreach (list, i, w) {
        char text[CLI_FIGURE];
        cli_table_cell(table, HP_PLAIN, hp_json_string(w, "workload", NULL));
        cli_table_cell(table, HP_PLAIN, hp_json_string(w, "metric", NULL));
        cli_change_text(json_object_get(w, "change"), text);
        cli_table_cell(table, HP_RED, text);
        cli_table_cell(table, HP_PLAIN, hp_json_string(w, "size", NULL));
    }
    cli_table_print(table, stdout, 2);
}

static void print_history(const json_t *alert)
{
    size_t i;
    const json_t *step;
    CLI_TABLE struct cli_table *table = cli_table_new("when|who|did|note");
    json_array_foreach (json_object_get(alert, "history"), i, step) {
        char text[CLI_FIGURE];
        cli_time_text(hp_json_string(step, "at", NULL), text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_table_cell(table, HP_PLAIN, hp_json_string(step, "who", NULL));
        cli_table_cell(table, HP_PLAIN, hp_json_string(step, "action", NULL));
        cli_table_cell(table, HP_PLAIN, hp_json_string(step, "note", NULL));
    }
    cli_table_print(table, stdout, 2);
}

static void print_alert(const json_t *alert)
{
    char created[CLI_FIGURE];
    HP_FREE char *sentence = cli_clean(hp_json_string(alert, "sentence", ""));
    printf("alert %lld: %s\n", (long long)hp_json_int(alert, "id", 0), sentence ? sentence : "");
    HP_FREE char *commit =
        hp_format("%.10s %s (%s)", hp_json_string(alert, "sha", "?"),
                  hp_json_string(alert, "subject", ""), hp_json_string(alert, "author", "?"));
    line("commit", commit);
    line("state", hp_json_string(alert, "state", NULL));
    line("owner", hp_json_string(alert, "owner", "nobody yet"));
    line("resolution", hp_json_string(alert, "resolution", NULL));
    line("because", hp_json_string(alert, "closed_reason", NULL));
    line("cause", hp_json_string(alert, "cause", NULL));
    cli_time_text(hp_json_string(alert, "created", NULL), created);
    line("created", created);
    line("reproduce", hp_json_string(alert, "reproduce", NULL));
    print_workloads(alert);
    print_history(alert);
}

/* --- what is asked -----------------------------------------------------------------------------
 */

/* The words behind `hakperf alerts`, how the API calls them, and what the history will say. */
static const struct step {
    const char *word, *action, *done;
    int arguments; /* behind the word; -1: any number of alerts */
} steps[] = {
    {"show", NULL, NULL, -1},
    {"ack", "acknowledge", "acknowledged", -1},
    {"assign", "assign", "assigned", 2},
    {"resolve", "resolve", "resolved", -1},
    {"reopen", "reopen", "open again", -1},
    {"note", "note", "noted", 2},
};

static const struct step *find_step(const char *word)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (strcmp(steps[i].word, word) == 0)
            return &steps[i];
    return NULL;
}

static bool alert_number(const char *text, long long *out, struct hp_error *err)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end != text && !*end && !errno && *out > 0)
        return true;
    hp_fail(err, HP_USAGE, "'%.40s' is not the number of an alert", text);
    return hp_error_hint(err, "`hakperf alerts` lists them.");
}

static bool usage(const struct hp_values *values, const struct step **step, struct hp_error *err)
{
    int count = hp_arg_count(values) - 1;
    *step = count >= 0 ? find_step(hp_arg(values, 0)) : NULL;
    if (count < 0)
        return true;
    if (!*step) {
        hp_fail(err, HP_USAGE, "'%.40s' is nothing to do with alerts", hp_arg(values, 0));
        return hp_error_hint(err, "Give show, ack, assign, resolve, reopen or note, and a number.");
    }
    int wanted = (*step)->arguments;
    if (count < 1 || (wanted >= 0 && count != wanted))
        return hp_fail(err, HP_USAGE, "alerts %s needs %s", (*step)->word,
                       wanted < 0                             ? "the numbers of alerts"
                       : strcmp((*step)->word, "assign") == 0 ? "an alert and a name (- for nobody)"
                                                              : "an alert and a text");
    for (int i = 1; i <= (wanted < 0 ? count : 1); i++) {
        long long number;
        if (!alert_number(hp_arg(values, i), &number, err))
            return false;
    }
    return true;
}

static json_t *body_of(const struct hp_values *values, const struct step *step)
{
    json_t *body = json_pack("{s:s}", "action", step->action);
    const char *last = hp_arg(values, 2);
    if (strcmp(step->word, "assign") == 0)
        json_object_set_new(body, "owner", strcmp(last, "-") ? json_string(last) : json_null());
    if (strcmp(step->word, "note") == 0)
        json_object_set_new(body, "note", json_string(last));
    else if (hp_opt(values, "note"))
        json_object_set_new(body, "note", json_string(hp_opt(values, "note")));
    if (strcmp(step->word, "resolve") == 0)
        json_object_set_new(body, "resolution", json_string(hp_opt(values, "as")));
    return body;
}

static int act(struct cli_session *session, const struct step *step)
{
    struct hp_error err = {0};
    HP_JSON json_t *all = json_pack("{s:[]}", "alerts");
    HP_JSON json_t *body = step->action ? body_of(session->values, step) : NULL;
    int count = step->arguments < 0 ? hp_arg_count(session->values) - 1 : 1;
    for (int i = 1; i <= count; i++) {
        char path[64];
        snprintf(path, sizeof path, "/api/v1/alerts/%lld",
                 strtoll(hp_arg(session->values, i), NULL, 10));
        json_t *alert = cli_send(session, body ? "POST" : "GET", path, body, &err);
        if (!alert)
            return cli_fail(session->values, &err);
        json_array_append_new(json_object_get(all, "alerts"), alert);
        if (session->json)
            continue;
        if (!step->action)
            print_alert(alert);
        else
            printf("alert %lld %s\n", (long long)hp_json_int(alert, "id", 0), step->done);
    }
    if (session->json)
        cli_print_json(count == 1 ? json_array_get(json_object_get(all, "alerts"), 0) : all);
    return HP_EXIT_OK;
}

static json_t *get_list(struct cli_session *session, struct hp_error *err)
{
    const char *state = hp_opt(session->values, "only"), *owner = hp_opt(session->values, "owner");
    const char *repository = hp_opt(session->values, "repository");
    HP_FREE char *states = hp_url_encode(state ? state : "");
    HP_FREE char *owners = hp_url_encode(owner ? owner : "");
    HP_FREE char *repositories = hp_url_encode(repository ? repository : "");
    if (!states || !owners || !repositories) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    return cli_get(session, err, "/api/v1/alerts?limit=%lld%s%s%s%s%s%s",
                   (long long)hp_opt_int(session->values, "count"), state ? "&state=" : "", states,
                   owner ? "&owner=" : "", owners, repository ? "&repository=" : "", repositories);
}

static bool any_active(const json_t *answer)
{
    size_t i;
    const json_t *alert;
    json_array_foreach (json_object_get(answer, "alerts"), i, alert) {
        if (strcmp(hp_json_string(alert, "state", ""), "resolved") != 0)
            return true;
    }
    return false;
}

int cli_alerts(const struct hp_values *values)
{
    struct hp_error err = {0};
    const struct step *step;
    CLI_SESSION struct cli_session session = {0};
    if (!usage(values, &step, &err) || !cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    if (step)
        return act(&session, step);
    HP_JSON json_t *answer = get_list(&session, &err);
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        print_alerts(answer);
    return hp_opt_flag(values, "check") && any_active(answer) ? HP_EXIT_REGRESSED : HP_EXIT_OK;
}
