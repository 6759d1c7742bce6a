/* hakperf token, login, audit: who may do what, and who did. */
#include "cli/figures.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>
#include <unistd.h>

const struct hp_option cli_token_options[] = {
    {"scope", 0, HP_OPT_STRING, "SCOPE", NULL, 0, 0,
     "runner (works on jobs), submit (queues and reads), read, or admin (all)", false},
    {"name", 0, HP_OPT_STRING, "NAME", NULL, 0, 0, "what the token is called", false},
    {"expires", 0, HP_OPT_INTEGER, "DAYS", "0", 0, 3650,
     "it is worthless after so many days (0: until it is revoked)", false},
    {"file", 0, HP_OPT_STRING, "PATH", NULL, 0, 0,
     "write it there (mode 0600) instead of printing it", false},
    {.name = NULL},
};

const struct hp_option cli_audit_options[] = {
    {"count", 'n', HP_OPT_INTEGER, "N", "50", 1, 1000, "how many deeds, newest first", false},
    {"object", 0, HP_OPT_STRING, "NAME", NULL, 0, 0, "only those to this repository, token or job",
     false},
    {.name = NULL},
};

/* Shows a token that was just made; what the file does not take is worth nothing to anybody. */
static bool hand_over(struct cli_session *session, const json_t *answer, const char *file,
                      struct hp_error *err)
{
    const char *token = hp_json_string(answer, "token", "");
    if (!file && session->json)
        cli_print_json(answer);
    else if (!file)
        puts(token);
    if (!file)
        return true;
    HP_FREE char *line = hp_format("%s\n", token);
    HP_FREE char *name = hp_url_encode(hp_json_string(answer, "name", ""));
    if (line && hp_file_replace(file, line, strlen(line), 0600, err))
        return true;
    HP_FREE char *path = hp_format("/api/v1/tokens/%s", name ? name : "");
    struct hp_error ignored = {0};
    json_decref(path ? cli_send(session, "DELETE", path, NULL, &ignored) : NULL);
    return false;
}

static bool need(const struct hp_values *values, const char *name, struct hp_error *err)
{
    const char *text = hp_opt(values, name);
    if (text && *text)
        return true;
    hp_fail(err, HP_USAGE, "--%s is missing", name);
    return hp_error_hint(err, "hakperf token create --scope SCOPE --name NAME");
}

int cli_token_create(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!need(values, "scope", &err) || !need(values, "name", &err) ||
        !cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    const char *file = hp_opt(values, "file");
    if (file && access(file, F_OK) == 0) {
        hp_fail(&err, HP_CONFLICT, "%s is there already", file);
        hp_error_hint(&err, "Give another --file, or remove it.");
        return cli_fail(values, &err);
    }
    HP_JSON json_t *body =
        json_pack("{s:s, s:s}", "name", hp_opt(values, "name"), "scope", hp_opt(values, "scope"));
    if (hp_opt_int(values, "expires") > 0)
        json_object_set_new(body, "expires_days", json_integer(hp_opt_int(values, "expires")));
    HP_JSON json_t *answer = cli_send(&session, "POST", "/api/v1/tokens", body, &err);
    if (!answer || !hand_over(&session, answer, file, &err))
        return cli_fail(values, &err);
    return HP_EXIT_OK;
}

static void print_tokens(const json_t *list)
{
    static const char *const times[] = {"created", "last_used", "expires", "revoked"};
    size_t i;
    const json_t *token;
    CLI_TABLE struct cli_table *table =
        cli_table_new("name|scope|created|last used|expires|revoked");
    json_array_foreach (list, i, token) {
        cli_table_cell(table, HP_PLAIN, hp_json_string(token, "name", ""));
        cli_table_cell(table, HP_PLAIN, hp_json_string(token, "scope", ""));
        for (size_t t = 0; t < 4; t++) {
            char text[CLI_FIGURE];
            const char *time = hp_json_string(token, times[t], NULL);
            cli_time_text(time, text);
            cli_table_cell(table, HP_PLAIN, time ? text : NULL);
        }
    }
    if (json_array_size(list) == 0)
        puts("no token");
    cli_table_print(table, stdout, 0);
}

int cli_token_list(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    HP_JSON json_t *answer = cli_get(&session, &err, "/api/v1/tokens");
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        print_tokens(json_object_get(answer, "tokens"));
    return HP_EXIT_OK;
}

int cli_token_revoke(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    HP_FREE char *name = hp_url_encode(hp_arg(values, 0));
    HP_FREE char *path = hp_format("/api/v1/tokens/%s", name ? name : "");
    HP_JSON json_t *answer = path ? cli_send(&session, "DELETE", path, NULL, &err) : NULL;
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else if (!session.quiet)
        printf("revoked %s\n", hp_arg(values, 0));
    return HP_EXIT_OK;
}

int cli_login(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    HP_JSON json_t *answer = cli_send(&session, "POST", "/api/v1/login-links", NULL, &err);
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        puts(hp_json_string(answer, "url", ""));
    return HP_EXIT_OK;
}

static void print_deeds(const json_t *list)
{
    size_t i;
    const json_t *deed;
    CLI_TABLE struct cli_table *table = cli_table_new(">deed|time|who|from|what|object");
    json_array_foreach (list, i, deed) {
        char text[CLI_FIGURE];
        cli_table_number(table, hp_json_int(deed, "id", 0));
        cli_time_text(hp_json_string(deed, "at", NULL), text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_table_cell(table, HP_PLAIN, hp_json_string(deed, "who", ""));
        cli_table_cell(table, HP_PLAIN, hp_json_string(deed, "address", NULL));
        cli_table_cell(table, HP_PLAIN, hp_json_string(deed, "action", ""));
        cli_table_cell(table, HP_PLAIN, hp_json_string(deed, "object", ""));
    }
    if (json_array_size(list) == 0)
        puts("nothing was done");
    cli_table_print(table, stdout, 0);
}

int cli_audit(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    const char *object = hp_opt(values, "object");
    HP_FREE char *encoded = object ? hp_url_encode(object) : NULL;
    HP_JSON json_t *answer = cli_get(&session, &err, "/api/v1/audit?limit=%lld%s%s",
                                     (long long)hp_opt_int(values, "count"),
                                     encoded ? "&object=" : "", encoded ? encoded : "");
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        print_deeds(json_object_get(answer, "entries"));
    return HP_EXIT_OK;
}
