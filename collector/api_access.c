/* Endpoints about access itself: tokens, links that log a browser in, and the audit log. */
#include "collector/api.h"
#include "collector/auth.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

enum { AUDIT_LIMIT = 1000 };

bool api_tokens(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    (void)request;
    json_t *tokens = auth_token_list(service->db, err);
    return tokens && answer_json(answer, 200, json_pack("{s:o}", "tokens", tokens), err);
}

static bool bad_token(struct hp_error *err)
{
    hp_fail(err, HP_INVALID,
            "the body is not {\"name\", \"scope\"} with or without \"expires_days\"");
    return hp_error_hint(err, "Scopes are runner, submit, read and admin.");
}

bool api_token_create(struct service *service, const struct request *request, struct answer *answer,
                      struct hp_error *err)
{
    char secret[AUTH_SECRET_TEXT];
    HP_JSON json_t *body = request_json(request, err);
    if (!body)
        return false;
    const char *name = hp_json_string(body, "name", NULL),
               *scope = hp_json_string(body, "scope", NULL);
    const json_t *days = json_object_get(body, "expires_days");
    if (!name || !scope || (days && !json_is_integer(days) && !json_is_null(days)) ||
        json_object_size(body) != (days ? 3u : 2u))
        return bad_token(err);
    if (!auth_token_create(service->db, name, scope, json_integer_value(days), secret, err))
        return false;
    auth_audit(service->db, request->who.name, request->address, "token create", name, body);
    return answer_json(answer, 201,
                       json_pack("{s:s, s:s, s:s}", "name", name, "scope", scope, "token", secret),
                       err);
}

bool api_token_revoke(struct service *service, const struct request *request, struct answer *answer,
                      struct hp_error *err)
{
    const char *name = request->arg[0];
    if (!auth_token_revoke(service->db, name, err))
        return false;
    auth_audit(service->db, request->who.name, request->address, "token revoke", name, NULL);
    return answer_json(answer, 200, json_pack("{s:s}", "revoked", name), err);
}

bool api_login_link(struct service *service, const struct request *request, struct answer *answer,
                    struct hp_error *err)
{
    char code[AUTH_SECRET_TEXT];
    if (!service->address[0]) {
        hp_fail(err, HP_CONFLICT, "this collector serves no page: it has no TCP address");
        return hp_error_hint(err, "Start it without --no-tcp.");
    }
    if (!auth_login_code(service->db, code, err))
        return false;
    auth_audit(service->db, request->who.name, request->address, "login link", "", NULL);
    HP_FREE char *url = hp_format("%s/login?once=%s", service->address, code);
    return answer_json(answer, 201, json_pack("{s:s?, s:i}", "url", url, "valid_seconds", 600),
                       err);
}

bool api_audit(struct service *service, const struct request *request, struct answer *answer,
               struct hp_error *err)
{
    int64_t limit, before;
    if (!request_int(request, "limit", 1, AUDIT_LIMIT, 50, &limit, err) ||
        !request_int(request, "before", 1, INT64_MAX, 0, &before, err))
        return false;
    return answer_rows(
        answer, request,
        auth_audit_list(service->db, limit, before, request_param(request, "object"), err),
        "entries", "id,at,who,action,object,address", err);
}
