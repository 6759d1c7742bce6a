#include "cli/session.h"

#include "cli/checkout.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/state.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#define TOKEN_LIMIT 4096

char *cli_server(const struct hp_values *values, struct hp_error *err)
{
    const char *chosen = hp_opt(values, "server");
    if (chosen && chosen[0])
        return strdup(chosen);
    HP_FREE char *state = hp_state_folder(hp_opt(values, "state"), err);
    return state ? hp_format("unix:%s/run/collector.sock", state) : NULL;
}

static bool read_token(const char *path, char *out, size_t room, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer file = {0};
    if (!hp_file_read(path, TOKEN_LIMIT, &file, err))
        return hp_error_context(err, "token file");
    const char *text = hp_buffer_text(&file);
    size_t n = strcspn(text, " \t\r\n");
    if (n == 0 || n >= room)
        return hp_fail(err, HP_INVALID, "token file %s holds no token", path);
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

bool cli_session_open(struct cli_session *session, const struct hp_values *values,
                      struct hp_error *err)
{
    char token[TOKEN_LIMIT] = "";
    const char *token_file = hp_opt(values, "token-file");
    *session = (struct cli_session){.values = values,
                                    .json = hp_opt_flag(values, "json"),
                                    .quiet = hp_opt_flag(values, "quiet")};
    if (token_file && !read_token(token_file, token, sizeof token, err))
        return false;
    session->server = cli_server(values, err);
    if (!session->server)
        return err->code != HP_OK ? false : hp_fail(err, HP_SYSTEM, "out of memory");
    session->http = hp_http_new(session->server, token[0] ? token : NULL, err);
    return session->http != NULL;
}

void cli_session_close(struct cli_session *session)
{
    hp_http_free(session->http);
    free(session->server);
    *session = (struct cli_session){0};
}

json_t *cli_send(struct cli_session *session, const char *method, const char *path,
                 const json_t *body, struct hp_error *err)
{
    json_t *answer = NULL;
    if (!hp_http_json(session->http, method, path, body, &answer, NULL, err))
        return NULL;
    return answer ? answer : json_null();
}

json_t *cli_get(struct cli_session *session, struct hp_error *err, const char *format, ...)
{
    char path[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(path, sizeof path, format, args);
    va_end(args);
    if (n < 0 || n >= (int)sizeof path) {
        hp_fail(err, HP_LIMIT, "the request is too long");
        return NULL;
    }
    return cli_send(session, "GET", path, NULL, err);
}

/* --- which repository -------------------------------------------------------------------------
 */

static const json_t *matching_checkout(const json_t *list)
{
    size_t i;
    const json_t *entry;
    json_array_foreach (list, i, entry) {
        if (cli_checkout_belongs(hp_json_string(entry, "url", ""),
                                 hp_json_string(entry, "head", "")))
            return entry;
    }
    return NULL;
}

static void tell_choice(const json_t *list, struct hp_error *err)
{
    char names[400] = "";
    size_t i, used = 0;
    const json_t *entry;
    json_array_foreach (list, i, entry) {
        int n = snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                         hp_json_string(entry, "name", "?"));
        if (n < 0 || (used += (size_t)n) >= sizeof names - 1)
            break;
    }
    hp_fail(err, HP_USAGE, "several repositories are known: %s", names);
    hp_error_hint(err, "Choose one by --repository NAME, or work inside its checkout.");
}

char *cli_repository(struct cli_session *session, struct hp_error *err)
{
    const char *chosen = hp_opt(session->values, "repository");
    if (chosen && chosen[0])
        return hp_url_encode(chosen);
    HP_JSON json_t *answer = cli_get(session, err, "/api/v1/repositories");
    if (!answer)
        return NULL;
    const json_t *list = json_object_get(answer, "repositories");
    if (json_array_size(list) == 0) {
        hp_fail(err, HP_NOT_FOUND, "the collector knows no repository yet");
        hp_error_hint(err, "Register one with its suite: hakperf suite apply FILE.");
        return NULL;
    }
    const json_t *entry =
        json_array_size(list) == 1 ? json_array_get(list, 0) : matching_checkout(list);
    if (!entry) {
        tell_choice(list, err);
        return NULL;
    }
    return hp_url_encode(hp_json_string(entry, "name", ""));
}

/* --- which commit ------------------------------------------------------------------------------
 */

bool cli_is_full_sha(const char *text)
{
    size_t n = strlen(text);
    if (n != 40 && n != 64)
        return false;
    while (n > 0 && isxdigit((unsigned char)text[n - 1]))
        n--;
    return n == 0;
}

/* With --repository the current checkout may be of something else: then its names mean nothing. */
static bool names_are_ours(struct cli_session *session)
{
    const char *chosen = hp_opt(session->values, "repository");
    struct hp_error ignored = {0};
    if (!chosen || !chosen[0])
        return true;
    HP_JSON json_t *answer = cli_get(session, &ignored, "/api/v1/repositories");
    size_t i;
    const json_t *entry;
    json_array_foreach (json_object_get(answer, "repositories"), i, entry) {
        if (strcmp(hp_json_string(entry, "name", ""), chosen) == 0)
            return cli_checkout_belongs(hp_json_string(entry, "url", ""),
                                        hp_json_string(entry, "head", ""));
    }
    return false;
}

char *cli_revision(struct cli_session *session, const char *text, struct hp_error *err)
{
    if (text[0] == '-' || text[0] == '\0') {
        hp_fail(err, HP_USAGE, "\"%s\" is no revision", text);
        return NULL;
    }
    char *local =
        cli_is_full_sha(text) || !names_are_ours(session) ? NULL : cli_checkout_resolve(text);
    return local ? local : strdup(text);
}

/* --- what is shown -----------------------------------------------------------------------------
 */

int cli_fail(const struct hp_values *values, const struct hp_error *err)
{
    hp_error_print("hakperf", err);
    if (hp_opt_flag(values, "json")) {
        HP_JSON json_t *body = hp_error_json(err);
        cli_print_json(body);
    }
    return hp_exit_code(err);
}

void cli_print_json(const json_t *document)
{
    json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
}
