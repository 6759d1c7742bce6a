/* The steps of an exchange on MHD's threads: headers, body, answer. */
#include "collector/server_internal.h"

#include "collector/rate.h"
#include "common/clock.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

static enum MHD_Result send_answer(struct exchange *x)
{
    struct answer *a = &x->answer;
    struct MHD_Response *response;
    x->status = a->status ? a->status : MHD_HTTP_OK;
    if (a->stream && strcmp(x->request.method, "HEAD") != 0) {
        response = server_stream_open(x);
    } else if (a->fd > 0) {
        response = MHD_create_response_from_fd64(a->size, a->fd);
        if (response)
            a->fd = 0; /* closed with the response */
    } else if (a->body) {
        response = MHD_create_response_from_buffer(a->size, a->body, MHD_RESPMEM_MUST_FREE);
        if (response)
            a->body = NULL;
    } else {
        union {
            const char *in;
            void *out;
        } fixed = {a->fixed ? a->fixed : ""};
        response = MHD_create_response_from_buffer(a->fixed ? a->size : 0, fixed.out,
                                                   MHD_RESPMEM_PERSISTENT);
    }
    if (!response)
        return MHD_NO;
    if (a->content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->content_type);
    for (size_t i = 0; i < a->headers; i++)
        MHD_add_response_header(response, a->header[i].name, a->header[i].value);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!a->page && !a->validated)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result sent = MHD_queue_response(x->connection, x->status, response);
    MHD_destroy_response(response);
    return sent;
}

/* To a worker, unless these are about to end. */
static enum MHD_Result hand_over(struct exchange *x, enum stage stage, void (*run)(struct work *))
{
    struct server *server = x->server;
    pthread_mutex_lock(&server->mutex);
    bool ok = !server->closed;
    if (ok) {
        x->stage = stage;
        MHD_suspend_connection(x->connection);
        server_dispatch(x, run);
    }
    pthread_mutex_unlock(&server->mutex);
    return ok ? MHD_YES : MHD_NO;
}

static enum MHD_Result begin(struct exchange *x)
{
    struct hp_error err = {0};
    if (!server_check_headers(x, &err)) {
        char allow[64] = "";
        struct hp_error again;
        bool not_allowed = x->answer.status == MHD_HTTP_METHOD_NOT_ALLOWED;
        if (not_allowed)
            route_find(x->server->options.routes, &x->request, allow, &again);
        server_refuse(x, &err);
        if (not_allowed)
            answer_header(&x->answer, MHD_HTTP_HEADER_ALLOW, "%s", allow);
        return send_answer(x);
    }
    if (!rate_take(&x->request)) {
        x->answer.status = MHD_HTTP_TOO_MANY_REQUESTS;
        hp_fail(&err, HP_LIMIT, "too many requests from %s", x->request.address);
        server_refuse(x, &err);
        return send_answer(x);
    }
    x->stage = STAGE_READING;
    if (x->route->scope == SCOPE_PUBLIC)
        return MHD_YES;
    if (x->server->options.who(x->server->options.service, &x->request, true, &err)) {
        server_admit(x, &err);
        return x->stage == STAGE_ANSWER ? send_answer(x) : MHD_YES;
    }
    return hand_over(x, STAGE_ASKING, server_ask_who);
}

/* Once there is no room, what follows is dropped, so that the client hears why. */
static void keep_in_file(struct exchange *x, const char *data, size_t size)
{
    if (x->body_error.code != HP_OK)
        return;
    if (x->request.body_fd <= 0)
        x->request.body_fd = server_file(x->server, &x->body_error);
    if (x->request.body_fd > 0 && !hp_write_all(x->request.body_fd, data, size)) {
        hp_fail_errno(&x->body_error, "cannot keep the body");
        x->body_error.code = HP_UNAVAILABLE;
    }
    x->body_size += size;
}

/* Bytes of a body that announced no length can come to more than is taken: they are dropped until
 * the end, where there is an answer, or until it is clear that there is none. */
static enum MHD_Result read_body(struct exchange *x, const char *data, size_t *size)
{
    struct server *server = x->server;
    size_t limit = x->route->body_limit;
    size_t now = x->route->kind == ROUTE_FILE ? x->body_size : x->request.body.size;
    size_t got = *size;
    *size = 0;
    server_receiving(x, RECEIVING_MORE, got);
    if (x->too_large || got > limit - now) {
        x->too_large = true;
        hp_buffer_clear(&x->request.body);
        x->reserved += got;
        atomic_fetch_add(&server->body_memory, got);
        return x->reserved > 2 * limit + 65536 ? MHD_NO : MHD_YES;
    }
    if (x->route->kind == ROUTE_FILE) {
        keep_in_file(x, data, got);
        return MHD_YES;
    }
    if (atomic_fetch_add(&server->body_memory, got) + got > server->options.body_memory) {
        atomic_fetch_sub(&server->body_memory, got);
        return MHD_NO; /* the client tries again later */
    }
    x->reserved += got;
    return hp_buffer_append(&x->request.body, data, got) ? MHD_YES : MHD_NO;
}

static enum MHD_Result body_complete(struct exchange *x)
{
    server_receiving(x, RECEIVING_ENDED, 0);
    if (x->too_large) {
        struct hp_error err;
        hp_fail(&err, HP_LIMIT, "the body is larger than %zu bytes", x->route->body_limit);
        server_refuse(x, &err);
        return send_answer(x);
    }
    if (x->body_error.code != HP_OK) {
        server_refuse(x, &x->body_error);
        return send_answer(x);
    }
    if (x->route->kind == ROUTE_QUICK) {
        server_call_handler(x);
        return send_answer(x);
    }
    return hand_over(x, STAGE_WORKING, server_run_handler);
}

/* MHD calls this when the headers are there, for each piece of the body, when all is there, and
 * after each resume. */
enum MHD_Result server_on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    (void)cls;
    (void)url;
    (void)version;
    struct exchange *x = *context;
    if (!x)
        return MHD_NO;
    x->connection = connection;
    switch (x->stage) {
    case STAGE_NEW:
        x->request.method = method;
        return begin(x);
    case STAGE_ADMITTED:
        x->stage = STAGE_READING;
        return *size > 0 ? read_body(x, data, size) : MHD_YES;
    case STAGE_READING:
        return *size > 0 ? read_body(x, data, size) : body_complete(x);
    case STAGE_ANSWER:
        return send_answer(x);
    case STAGE_ASKING:
    case STAGE_WORKING:
        break; /* suspended: MHD does not call */
    }
    return MHD_NO;
}

/* The target as it was sent, before MHD decodes percent codes: "%2F" in a revision is no slash. */
void *server_on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct listener *listener = cls;
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->server = listener->server;
    x->listener = listener;
    x->connection = connection;
    x->request.over_unix = listener->unix_socket;
    x->request.arrived = hp_monotonic_s();
    x->target = strdup(target);
    x->request.raw = x->target ? x->target : "";
    request_parse(&x->request, x->request.raw, &x->target_error);
    atomic_fetch_add(&x->server->in_hand, 1);
    server_receiving(x, RECEIVING_BEGAN, 0);
    /* It is refused once its headers are there, if MHD has the memory to read so many parameters;
     * where it has not, it neither answers nor closes. */
    if (x->target_error.code != HP_OK)
        server_receiving(x, RECEIVING_NONSENSE, 0);
    return x;
}

void server_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    struct exchange *x = *context;
    if (!x)
        return;
    struct server *server = x->server;
    server_stream_close(x);
    server_receiving(x, RECEIVING_BEGAN, 0); /* of the next request */
    const struct server_options *o = &server->options;
    if (x->status && o->served)
        o->served(o->service, x->route ? (int)(x->route - o->routes) : -1, x->status,
                  hp_monotonic_s() - x->request.arrived);
    hp_log(HP_LOG_DEBUG, "%s %s %u", x->request.method ? x->request.method : "-", x->request.raw,
           x->status);
    atomic_fetch_sub(&server->body_memory, x->reserved);
    request_release(&x->request);
    answer_release(&x->answer);
    free(x->target);
    free(x);
    *context = NULL;
    atomic_fetch_sub(&server->in_hand, 1);
}
