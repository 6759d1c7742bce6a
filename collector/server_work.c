/* What workers do for an exchange: find out who asks, call the handler. */
#include "collector/server_internal.h"

#include "collector/db.h"
#include "collector/decode.h"
#include "collector/rate.h"
#include "common/log.h"

#include <string.h>

/* All waits of one request for the database, together. */
static const double REQUEST_S = 20;

static void finish(struct exchange *x)
{
    x->stage = STAGE_ANSWER;
    MHD_resume_connection(x->connection);
}

/* What is wrong inside names files and servers: nothing for somebody whom nobody knows. */
static void keep_to_ourselves(const struct exchange *x, struct hp_error *err)
{
    bool inside = err->code == HP_SYSTEM || err->code == HP_INTERNAL;
    if (!inside && err->code != HP_UNAVAILABLE)
        return;
    hp_log_error(HP_LOG_DEBUG, x->target, err);
    *err = (struct hp_error){.code = err->code};
    if (inside)
        hp_fail(err, err->code, "the collector cannot do this; its log says why");
    else
        hp_fail(err, err->code, "the collector cannot do this at the moment");
}

void server_refuse(struct exchange *x, const struct hp_error *err)
{
    const struct server_options *o = &x->server->options;
    bool known = x->request.who.name[0] && strcmp(x->request.who.name, "anonymous") != 0;
    struct hp_error told = *err;
    if (!x->request.over_unix && x->request.who.scopes == 0)
        keep_to_ourselves(x, &told);
    answer_error(&x->answer, &told, known);
    if (x->answer.status == MHD_HTTP_UNAUTHORIZED && o->stranger &&
        strcmp(x->request.method, "GET") == 0)
        o->stranger(&x->request, &x->answer);
    x->stage = STAGE_ANSWER;
}

/* A compressed body, expanded; its bytes count against all bodies in hand. What proves itself by
 * its bytes (a webhook) stays as it came. */
static bool decode(struct exchange *x, struct hp_error *err)
{
    struct server *server = x->server;
    struct hp_buffer *body = &x->request.body;
    size_t before = body->size;
    const char *encoding = server_header(&x->request, MHD_HTTP_HEADER_CONTENT_ENCODING);
    if (before == 0 || x->route->scope == SCOPE_PUBLIC || !encoding || x->decoded)
        return true;
    if (!body_decode(encoding, body, x->route->body_limit, err)) {
        if (err->code == HP_USAGE)
            x->answer.status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
        return false;
    }
    x->decoded = true;
    size_t more = body->size > before ? body->size - before : 0;
    x->reserved += more;
    if (atomic_fetch_add(&server->body_memory, more) + more > server->options.body_memory)
        return hp_fail(err, HP_UNAVAILABLE, "too much is being received at the moment");
    return true;
}

void server_call_handler(struct exchange *x)
{
    struct hp_error err = {0};
    if (!decode(x, &err)) {
        server_refuse(x, &err);
        return;
    }
    /* git has its own limits, and takes as long as a repository is large. */
    db_request(route_is_slow(x->route) ? 0 : REQUEST_S);
    bool ok = x->route->run(x->server->options.service, &x->request, &x->answer, &err);
    db_request(0);
    if (ok && x->route->scope == SCOPE_READ && strcmp(x->route->method, "GET") == 0)
        answer_validate(&x->answer, x->request.if_none_match);
    if (ok)
        return;
    if (err.code == HP_INTERNAL || err.code == HP_SYSTEM)
        hp_log_error(HP_LOG_ERROR, x->target, &err);
    server_refuse(x, &err);
}

void server_run_handler(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    if (x->park_end > 0 && server_client_gone(x))
        x->answer.status = MHD_HTTP_NO_CONTENT; /* nobody reads it */
    else
        server_call_handler(x);
    if (x->answer.park_s > 0) {
        if (server_park(x))
            return;
        x->answer.status = MHD_HTTP_NO_CONTENT;
    }
    finish(x);
}

/* Whether the asker has the route's scope, and no other site made a browser ask. */
static bool may(const struct exchange *x, struct hp_error *err)
{
    const struct request *r = &x->request;
    unsigned scope = x->route->scope;
    if (scope == SCOPE_PUBLIC)
        return true;
    if (r->who.scopes == 0) {
        hp_fail(err, HP_DENIED, "this needs a credential");
        return hp_error_hint(err, r->over_unix
                                      ? "Only the collector's own user and root may use its socket."
                                      : "Send a token (Authorization: Bearer …), or open the link "
                                        "that hakperf login prints.");
    }
    if (!(r->who.scopes & scope)) {
        hp_fail(err, HP_DENIED, "%s may not do this", r->who.name);
        return hp_error_hint(err, "It needs a token of another scope.");
    }
    if (r->who.by_cookie && strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
        const char *after = r->origin ? strstr(r->origin, "://") : NULL;
        if (!after || !r->host || strcmp(after + 3, r->host) != 0)
            return hp_fail(err, HP_DENIED, "the request comes from another site");
    }
    return true;
}

void server_admit(struct exchange *x, const struct hp_error *err)
{
    struct hp_error denied = *err;
    if (denied.code == HP_DENIED)
        rate_wrong(&x->request);
    if (denied.code != HP_OK || !may(x, &denied))
        server_refuse(x, &denied);
}

void server_ask_who(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    struct hp_error err = {0};
    x->server->options.who(x->server->options.service, &x->request, false, &err);
    x->stage = STAGE_ADMITTED;
    server_admit(x, &err);
    MHD_resume_connection(x->connection);
}
