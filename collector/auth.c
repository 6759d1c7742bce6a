#include "collector/auth.h"

#include "collector/service.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/log.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

unsigned auth_scopes(const char *name)
{
    if (strcmp(name, "admin") == 0)
        return SCOPE_ALL;
    if (strcmp(name, "submit") == 0)
        return SCOPE_SUBMIT | SCOPE_READ;
    if (strcmp(name, "read") == 0)
        return SCOPE_READ;
    if (strcmp(name, "runner") == 0)
        return SCOPE_RUNNER;
    return 0;
}

static bool make_secret(const char *prefix, char out[AUTH_SECRET_TEXT], char hash[HP_HASH_TEXT],
                        struct hp_error *err)
{
    unsigned char bytes[32];
    char hex[65];
    if (!hp_random_bytes(bytes, sizeof bytes, err))
        return false;
    hp_hex(bytes, sizeof bytes, hex);
    snprintf(out, AUTH_SECRET_TEXT, "%s%s", prefix, hex);
    hp_hash_bytes(out, strlen(out), hash);
    return true;
}

static void peer(struct request *request)
{
    bool own = request->peer_uid == 0 || request->peer_uid == (int64_t)geteuid();
    request->who.scopes = own ? SCOPE_ALL : 0;
    snprintf(request->who.name, sizeof request->who.name, "uid %lld", (long long)request->peer_uid);
}

static const char *bearer(const struct request *request)
{
    const char *text = request->authorization;
    if (!text || strncasecmp(text, "Bearer", 6) != 0 || !isspace((unsigned char)text[6]))
        return NULL;
    return text + 6 + strspn(text + 6, " \t");
}

/* The value of our cookie, copied; false where the request has none. */
static bool cookie_value(const struct request *request, char out[AUTH_SECRET_TEXT])
{
    for (const char *at = request->cookie; at && *at;) {
        at += strspn(at, "; ");
        size_t length = strcspn(at, ";"), name = strlen(AUTH_COOKIE);
        if (length > name && strncmp(at, AUTH_COOKIE "=", name + 1) == 0) {
            snprintf(out, AUTH_SECRET_TEXT, "%.*s", (int)(length - name - 1), at + name + 1);
            return true;
        }
        at += length;
    }
    return false;
}

/* Looks a secret up by its hash. The row is found by an index, and what it holds is compared once
 * more in constant time. Returns the scopes, 0 for an unknown one. */
static bool look_up(struct db *db, const char *file, const char *secret, unsigned *scopes,
                    char name[64], struct hp_error *err)
{
    char hash[HP_HASH_TEXT];
    hp_hash_bytes(secret, strlen(secret), hash);
    DB_RESULT PGresult *row = db_pool_query(db, file, DB_PARAMS(hash), err);
    *scopes = 0;
    if (!row)
        return false;
    if (PQntuples(row) == 1 && hp_equal_secret(hash, db_text(row, 0, 0))) {
        *scopes = auth_scopes(db_text(row, 0, 1));
        snprintf(name, 64, "%s", db_text(row, 0, 2));
    }
    return true;
}

/* A primary that is away or takes no writes keeps nobody from reading what a replica, or itself,
 * still tells; `reading` is the statement that changes nothing. */
static bool look_up_anywhere(struct service *service, const char *file, const char *reading,
                             const char *secret, unsigned *scopes, char name[64],
                             struct hp_error *err)
{
    if (look_up(service->db, file, secret, scopes, name, err))
        return true;
    if (err->code != HP_UNAVAILABLE)
        return false;
    *err = (struct hp_error){0};
    return look_up(service->reader, reading, secret, scopes, name, err);
}

static bool by_token(struct service *service, struct request *request, const char *token,
                     struct hp_error *err)
{
    char name[64];
    if (!look_up_anywhere(service, "auth_token.sql", "auth_token_read.sql", token,
                          &request->who.scopes, name, err))
        return false;
    if (request->who.scopes == 0)
        return hp_fail(err, HP_DENIED, "this token is not known, has expired or was revoked");
    snprintf(request->who.name, sizeof request->who.name, "token %s", name);
    return true;
}

static bool by_cookie(struct service *service, struct request *request, const char *cookie,
                      struct hp_error *err)
{
    char name[64];
    if (!look_up_anywhere(service, "auth_session.sql", "auth_session.sql", cookie,
                          &request->who.scopes, name, err))
        return false;
    if (request->who.scopes == 0) {
        hp_fail(err, HP_DENIED, "the session has ended");
        return hp_error_hint(err, "Open a new link: hakperf login prints one.");
    }
    request->who.by_cookie = true;
    snprintf(request->who.name, sizeof request->who.name, "browser");
    return true;
}

bool auth_who(struct service *service, struct request *request, bool quick, struct hp_error *err)
{
    char cookie[AUTH_SECRET_TEXT];
    const char *token = bearer(request);
    if (!token && request->over_unix) {
        peer(request);
        return true;
    }
    if (!token && !cookie_value(request, cookie)) {
        request->who.scopes = service->anonymous_read ? SCOPE_READ : 0;
        snprintf(request->who.name, sizeof request->who.name, "anonymous");
        return true;
    }
    if (quick)
        return false;
    return token ? by_token(service, request, token, err)
                 : by_cookie(service, request, cookie, err);
}

static bool check_name(const char *name, struct hp_error *err)
{
    size_t length = strlen(name);
    bool ok = length > 0 && length < 64;
    for (size_t i = 0; i < length; i++)
        ok = ok && (isalnum((unsigned char)name[i]) || strchr("._-@", name[i]));
    if (ok)
        return true;
    hp_fail(err, HP_USAGE, "'%.80s' is not a name for a token", name);
    return hp_error_hint(err, "Use at most 63 letters, digits, dots, dashes, '@' and underscores.");
}

bool auth_token_create(struct db *db, const char *name, const char *scope, int64_t days,
                       char secret[AUTH_SECRET_TEXT], struct hp_error *err)
{
    char hash[HP_HASH_TEXT];
    if (!check_name(name, err))
        return false;
    if (auth_scopes(scope) == 0) {
        hp_fail(err, HP_USAGE, "'%.40s' is not a scope", scope);
        return hp_error_hint(err, "Scopes are runner, submit, read and admin.");
    }
    int64_t made = 0;
    char seconds[DB_TEXT];
    if (days < 0 || days > AUTH_DAYS_MAX) {
        hp_fail(err, HP_USAGE, "a token lasts 1 to %d days, or for ever (0)", AUTH_DAYS_MAX);
        return hp_error_path(err, "/expires_days");
    }
    if (!make_secret("hakperf_", secret, hash, err) ||
        !db_pool_run(db, "auth_token_create.sql",
                     DB_PARAMS(name, hash, scope, days ? db_int(seconds, days * 86400) : NULL),
                     &made, err))
        return false;
    if (made == 1)
        return true;
    hp_fail(err, HP_CONFLICT, "there is a token '%s' already", name);
    return hp_error_hint(err, "Revoke it first, or give another name.");
}

json_t *auth_token_list(struct db *db, struct hp_error *err)
{
    json_t *list = NULL;
    return db_pool_json(db, "auth_token_list.sql", DB_NO_PARAMS, &list, err) ? list : NULL;
}

json_t *auth_audit_list(struct db *db, int64_t limit, int64_t before, const char *object,
                        struct hp_error *err)
{
    char count[DB_TEXT], number[DB_TEXT];
    json_t *list = NULL;
    const char *older = before > 0 ? db_int(number, before) : NULL;
    if (!db_pool_json(db, "auth_audit_list.sql", DB_PARAMS(db_int(count, limit), older, object),
                      &list, err))
        return NULL;
    return list;
}

bool auth_token_revoke(struct db *db, const char *name, struct hp_error *err)
{
    int64_t changed = 0;
    if (!db_pool_run(db, "auth_token_revoke.sql", DB_PARAMS(name), &changed, err))
        return false;
    if (changed > 0)
        return true;
    hp_fail(err, HP_NOT_FOUND, "no token '%s' is in force", name);
    return hp_error_hint(err, "hakperf token list shows them.");
}

bool auth_login_code(struct db *db, char code[AUTH_SECRET_TEXT], struct hp_error *err)
{
    char hash[HP_HASH_TEXT];
    return make_secret("", code, hash, err) &&
           db_pool_run(db, "auth_login_code.sql", DB_PARAMS(hash, "read"), NULL, err);
}

bool auth_login(struct db *db, const char *code, int64_t session_minutes,
                char cookie[AUTH_SECRET_TEXT], struct hp_error *err)
{
    char hash[HP_HASH_TEXT], code_hash[HP_HASH_TEXT], minutes[DB_TEXT];
    int64_t made = 0;
    hp_hash_bytes(code, strlen(code), code_hash);
    if (!make_secret("", cookie, hash, err) ||
        !db_pool_run(db, "auth_login.sql",
                     DB_PARAMS(code_hash, hash, db_int(minutes, session_minutes)), &made, err))
        return false;
    if (made == 1)
        return true;
    hp_fail(err, HP_DENIED, "this link was used, or is older than ten minutes");
    return hp_error_hint(err, "Open a new one: hakperf login prints it.");
}

void auth_audit(struct db *db, const char *who, const char *address, const char *action,
                const char *object, const json_t *detail)
{
    struct hp_error err = {0};
    HP_FREE char *text = detail ? hp_json_text(detail) : NULL;
    if (!db_pool_run(db, "auth_audit.sql", DB_PARAMS(who, action, object, address, text), NULL,
                     &err))
        hp_log_error(HP_LOG_WARNING, "the audit log", &err);
}
