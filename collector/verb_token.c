/* hakperf-collector token and login-link: credentials, made on the collector's machine. */
#include "collector/auth.h"
#include "collector/verbs.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/state.h"

#include <stdio.h>
#include <string.h>

enum { ADDRESS_LIMIT = 256 };

static bool need_option(const struct hp_values *values, const char *name, struct hp_error *err)
{
    const char *text = hp_opt(values, name);
    return (text && *text) || hp_fail(err, HP_USAGE, "--%s is missing", name);
}

/* The file was the one place that a token of ours stood in. */
static bool replace_lost(struct db *db, const char *name, const char *scope, const char *file,
                         struct hp_error *err)
{
    if (access(file, F_OK) == 0) {
        hp_fail(err, HP_CONFLICT, "%s is there already", file);
        return hp_error_hint(err, "Give another --file, or remove it.");
    }
    HP_JSON json_t *tokens = auth_token_list(db, err);
    size_t i;
    json_t *token;
    if (!tokens)
        return false;
    json_array_foreach (tokens, i, token) {
        if (json_is_null(json_object_get(token, "revoked")) &&
            strcmp(hp_json_string(token, "name", ""), name) == 0 &&
            strcmp(hp_json_string(token, "scope", ""), scope) == 0)
            return auth_token_revoke(db, name, err);
    }
    return true;
}

static bool create(struct db *db, const struct hp_values *values, struct hp_error *err)
{
    char secret[AUTH_SECRET_TEXT];
    const char *name = hp_opt(values, "name"), *scope = hp_opt(values, "scope");
    const char *file = hp_opt(values, "file");
    if ((file && !replace_lost(db, name, scope, file, err)) ||
        !auth_token_create(db, name, scope, hp_opt_int(values, "expires"), secret, err))
        return false;
    HP_JSON json_t *detail = json_pack("{s:s}", "scope", scope);
    auth_audit(db, "command line", NULL, "token create", name, detail);
    if (!file) {
        puts(secret);
        return true;
    }
    HP_FREE char *line = hp_format("%s\n", secret);
    struct hp_error ignored;
    if (line && hp_file_replace(file, line, strlen(line), 0600, err))
        return true;
    auth_token_revoke(db, name, &ignored); /* nobody has seen it */
    return false;
}

int verb_token_create(const struct hp_values *values)
{
    struct hp_error err = {0};
    hp_log_init(COLLECTOR_PROGRAM, HP_LOG_WARNING);
    if (!need_option(values, "name", &err) || !need_option(values, "scope", &err))
        return verb_fail(values, &err);
    HP_FREE char *state = verb_state(values, false, &err);
    struct db *db = state ? verb_database(values, state, &err) : NULL;
    bool ok = db && create(db, values, &err);
    db_close(db);
    return ok ? HP_EXIT_OK : verb_fail(values, &err);
}

int verb_token_list(const struct hp_values *values)
{
    struct hp_error err = {0};
    HP_FREE char *state = verb_state(values, false, &err);
    struct db *db = state ? verb_database(values, state, &err) : NULL;
    HP_JSON json_t *tokens = db ? auth_token_list(db, &err) : NULL;
    db_close(db);
    if (!tokens)
        return verb_fail(values, &err);
    if (hp_opt_flag(values, "json")) {
        json_dumpf(tokens, stdout, JSON_COMPACT);
        putchar('\n');
        return HP_EXIT_OK;
    }
    size_t i;
    json_t *token;
    printf("%-24s %-7s %-21s %-21s %-21s %s\n", "NAME", "SCOPE", "CREATED", "LAST USED", "EXPIRES",
           "REVOKED");
    json_array_foreach (tokens, i, token) {
        printf("%-24s %-7s %-21s %-21s %-21s %s\n", hp_json_string(token, "name", ""),
               hp_json_string(token, "scope", ""), hp_json_string(token, "created", ""),
               hp_json_string(token, "last_used", "-"), hp_json_string(token, "expires", "-"),
               hp_json_string(token, "revoked", "-"));
    }
    return HP_EXIT_OK;
}

int verb_token_revoke(const struct hp_values *values)
{
    struct hp_error err = {0};
    const char *name = hp_arg(values, 0);
    HP_FREE char *state = verb_state(values, false, &err);
    struct db *db = state ? verb_database(values, state, &err) : NULL;
    bool ok = db && auth_token_revoke(db, name, &err);
    if (ok)
        auth_audit(db, "command line", NULL, "token revoke", name, NULL);
    db_close(db);
    if (!ok)
        return verb_fail(values, &err);
    if (!hp_opt_flag(values, "quiet"))
        printf("revoked %s\n", name);
    return HP_EXIT_OK;
}

/* Where the page is, as the running collector wrote it down. */
static char *page_address(const char *state, struct hp_error *err)
{
    HP_FREE char *path = hp_state_path(state, "run/address");
    HP_BUFFER struct hp_buffer text = {0};
    if (!path || !hp_file_read(path, ADDRESS_LIMIT, &text, err)) {
        hp_fail(err, HP_UNAVAILABLE, "no collector serves a page from %s", state);
        hp_error_hint(err, "Start one: hakperf up, or hakperf-collector serve.");
        return NULL;
    }
    return strndup(hp_buffer_text(&text), strcspn(hp_buffer_text(&text), "\n"));
}

int verb_login_link(const struct hp_values *values)
{
    struct hp_error err = {0};
    char code[AUTH_SECRET_TEXT];
    HP_FREE char *state = verb_state(values, false, &err);
    HP_FREE char *address = state ? page_address(state, &err) : NULL;
    struct db *db = address ? verb_database(values, state, &err) : NULL;
    bool ok = db && auth_login_code(db, code, &err);
    db_close(db);
    if (!ok)
        return verb_fail(values, &err);
    printf("%s/login?once=%s\n", address, code);
    return HP_EXIT_OK;
}
