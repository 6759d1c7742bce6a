#include "collector/server.h"

#include "collector/db.h"
#include "collector/decode.h"
#include "collector/rate.h"
#include "collector/work.h"
#include "common/clock.h"
#include "common/log.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* All waits of one request for the database, together. */
static const double REQUEST_S = 20;

struct listener {
    struct server *server;
    struct MHD_Daemon *daemon;
    int fd;
    bool unix_socket;
};

struct server {
    struct server_options options;
    struct work_pool *pool;
    struct listener tcp, local;
    atomic_uint in_hand; /* exchanges between their first byte and the end of their answer */
    atomic_size_t body_memory;
    pthread_t clock;
    bool clock_runs;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    struct exchange *parked;
    unsigned parked_count;
    bool stopping; /* nothing is parked any more */
    bool closed;   /* nothing is handed to a worker any more */
};

/* Where an exchange is. MHD's thread owns it in the stages that read, a worker in those that work;
 * it is handed over by suspending and resuming the connection. */
enum stage {
    STAGE_NEW,      /* the target was read */
    STAGE_ASKING,   /* a worker finds out who asks */
    STAGE_ADMITTED, /* it did; MHD calls once more before it reads on */
    STAGE_READING,  /* the body */
    STAGE_WORKING,  /* a worker answers */
    STAGE_ANSWER,   /* the answer is there */
};

struct exchange {
    struct work work; /* first: the pool hands it back */
    struct server *server;
    struct MHD_Connection *connection;
    const struct route *route;
    enum stage stage;
    struct request request;
    struct answer answer;
    struct hp_error target_error; /* of parsing the target */
    char *target;
    size_t reserved; /* of the server's body_memory */
    bool too_large, decoded;
    double park_end;
    struct exchange *next_parked;
    unsigned status;
};

/* --- parking ---------------------------------------------------------------------------------- */

static void dispatch(struct exchange *x, void (*run)(struct work *))
{
    x->work.run = run;
    x->work.slow = x->route->kind == ROUTE_SLOW && x->stage == STAGE_WORKING;
    work_add(x->server->pool, &x->work);
}

static void run_handler(struct work *work);

/* Takes up to `n` parked exchanges whose time is over, or any when `all`, and lets them run. */
static void release_parked(struct server *server, unsigned n, bool all)
{
    double now = hp_monotonic_s();
    struct exchange *out = NULL;
    pthread_mutex_lock(&server->mutex);
    for (struct exchange **at = &server->parked; *at && n > 0;) {
        struct exchange *x = *at;
        bool over = server->stopping || now >= x->park_end;
        if (!over && !all) {
            at = &x->next_parked;
            continue;
        }
        *at = x->next_parked;
        server->parked_count--;
        x->request.waited = over;
        x->next_parked = out;
        out = x;
        n--;
    }
    pthread_mutex_unlock(&server->mutex);
    while (out) {
        struct exchange *x = out;
        out = x->next_parked;
        dispatch(x, run_handler);
    }
}

/* A connection whose client hung up must not get a job that nobody then works on. */
static bool client_gone(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;
    return info && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool park(struct exchange *x)
{
    struct server *server = x->server;
    if (x->park_end == 0)
        x->park_end = x->request.arrived + x->answer.park_s;
    answer_release(&x->answer);
    pthread_mutex_lock(&server->mutex);
    bool ok = !server->stopping && !x->request.waited;
    if (ok) {
        struct exchange **at = &server->parked;
        while (*at)
            at = &(*at)->next_parked;
        x->next_parked = NULL;
        *at = x;
        server->parked_count++;
        pthread_cond_signal(&server->changed);
    }
    pthread_mutex_unlock(&server->mutex);
    return ok;
}

/* Ends long polls whose time is over. */
static void *clock_thread(void *argument)
{
    struct server *server = argument;
    pthread_mutex_lock(&server->mutex);
    while (!server->stopping) {
        if (!server->parked)
            pthread_cond_wait(&server->changed, &server->mutex);
        pthread_mutex_unlock(&server->mutex);
        release_parked(server, UINT32_MAX, false);
        hp_sleep_ms(100);
        pthread_mutex_lock(&server->mutex);
    }
    pthread_mutex_unlock(&server->mutex);
    return NULL;
}

void server_wake(struct server *server, unsigned n)
{
    release_parked(server, n, true);
}

unsigned server_parked(struct server *server)
{
    pthread_mutex_lock(&server->mutex);
    unsigned n = server->parked_count;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

/* --- on a worker ------------------------------------------------------------------------------ */

static void finish(struct exchange *x)
{
    x->stage = STAGE_ANSWER;
    MHD_resume_connection(x->connection);
}

static void refuse(struct exchange *x, const struct hp_error *err)
{
    const struct server_options *o = &x->server->options;
    bool known = x->request.who.name[0] && strcmp(x->request.who.name, "anonymous") != 0;
    answer_error(&x->answer, err, known);
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

static void call_handler(struct exchange *x)
{
    struct hp_error err = {0};
    if (!decode(x, &err)) {
        refuse(x, &err);
        return;
    }
    /* git has its own limits, and takes as long as a repository is large. */
    db_request(x->route->kind == ROUTE_SLOW ? 0 : REQUEST_S);
    bool ok = x->route->run(x->server->options.service, &x->request, &x->answer, &err);
    db_request(0);
    if (ok && x->route->scope == SCOPE_READ && strcmp(x->route->method, "GET") == 0)
        answer_validate(&x->answer, x->request.if_none_match);
    if (ok)
        return;
    if (err.code == HP_INTERNAL || err.code == HP_SYSTEM)
        hp_log_error(HP_LOG_ERROR, x->target, &err);
    refuse(x, &err);
}

static void run_handler(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    if (x->park_end > 0 && client_gone(x))
        x->answer.status = MHD_HTTP_NO_CONTENT; /* nobody reads it */
    else
        call_handler(x);
    if (x->answer.park_s > 0) {
        if (park(x))
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

static void admit(struct exchange *x, const struct hp_error *err)
{
    struct hp_error denied = *err;
    if (denied.code == HP_DENIED)
        rate_wrong(&x->request);
    if (denied.code != HP_OK || !may(x, &denied))
        refuse(x, &denied);
}

static void ask_who(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    struct hp_error err = {0};
    x->server->options.who(x->server->options.service, &x->request, false, &err);
    x->stage = STAGE_ADMITTED;
    admit(x, &err);
    MHD_resume_connection(x->connection);
}

/* --- on MHD's threads: checks ------------------------------------------------------------------
 */

/* A page of another site can make a browser resolve its own name to 127.0.0.1 and then read what
 * we answer; the name it believes in stands in Host. */
static bool check_host(const struct exchange *x, struct hp_error *err)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = x->request.host;
    if (x->request.over_unix || !x->server->options.loopback)
        return true;
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (strncasecmp(host, names[i], length) == 0 &&
            (host[length] == '\0' || host[length] == ':'))
            return true;
    }
    hp_fail(err, HP_DENIED, "this server is not called '%.100s'", host ? host : "");
    return hp_error_hint(err, "It answers to localhost and 127.0.0.1 only.");
}

static bool check_size(struct exchange *x, struct hp_error *err)
{
    const char *length =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long size = length ? strtoull(length, NULL, 10) : 0;
    if (size <= x->route->body_limit) {
        const struct server *server = x->server;
        if (atomic_load(&server->body_memory) + size <= server->options.body_memory)
            return true;
        return hp_fail(err, HP_UNAVAILABLE, "too much is being received at the moment");
    }
    if (x->route->body_limit == 0)
        return hp_fail(err, HP_LIMIT, "this request takes no body");
    return hp_fail(err, HP_LIMIT, "the body is larger than %zu bytes", x->route->body_limit);
}

static const char *header(struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *server_header(const struct request *request, const char *name)
{
    const struct exchange *x =
        (const struct exchange *)((const char *)request - offsetof(struct exchange, request));
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

static void describe_client(struct exchange *x)
{
    struct request *r = &x->request;
    const union MHD_ConnectionInfo *info;
    r->peer_uid = -1;
    if (r->over_unix) {
        struct ucred peer;
        socklen_t size = sizeof peer;
        snprintf(r->address, sizeof r->address, "unix");
        info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
            r->peer_uid = peer.uid;
        return;
    }
    info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, r->address,
                  sizeof r->address);
    else if (a && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, r->address,
                  sizeof r->address);
}

/* All that can be said from the headers alone. */
static bool check_headers(struct exchange *x, struct hp_error *err)
{
    struct request *r = &x->request;
    describe_client(x);
    r->host = header(x, MHD_HTTP_HEADER_HOST);
    r->origin = header(x, MHD_HTTP_HEADER_ORIGIN);
    r->cookie = header(x, MHD_HTTP_HEADER_COOKIE);
    r->authorization = header(x, MHD_HTTP_HEADER_AUTHORIZATION);
    r->if_none_match = header(x, MHD_HTTP_HEADER_IF_NONE_MATCH);
    r->accept = header(x, MHD_HTTP_HEADER_ACCEPT);
    if (x->target_error.code != HP_OK) {
        *err = x->target_error;
        return false;
    }
    if (!check_host(x, err)) {
        x->answer.status = MHD_HTTP_FORBIDDEN;
        return false;
    }
    char allow[64];
    x->route = route_find(x->server->options.routes, r, allow, err);
    if (!x->route) {
        if (*allow)
            x->answer.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        return false;
    }
    return check_size(x, err);
}

/* --- on MHD's threads: the steps of an exchange -------------------------------------------------
 */

static enum MHD_Result send_answer(struct exchange *x)
{
    struct answer *a = &x->answer;
    struct MHD_Response *response;
    x->status = a->status ? a->status : MHD_HTTP_OK;
    if (a->fd > 0) {
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
        dispatch(x, run);
    }
    pthread_mutex_unlock(&server->mutex);
    return ok ? MHD_YES : MHD_NO;
}

static enum MHD_Result begin(struct exchange *x)
{
    struct hp_error err = {0};
    if (!check_headers(x, &err)) {
        char allow[64] = "";
        struct hp_error again;
        bool not_allowed = x->answer.status == MHD_HTTP_METHOD_NOT_ALLOWED;
        if (not_allowed)
            route_find(x->server->options.routes, &x->request, allow, &again);
        refuse(x, &err);
        if (not_allowed)
            answer_header(&x->answer, MHD_HTTP_HEADER_ALLOW, "%s", allow);
        return send_answer(x);
    }
    if (!rate_take(&x->request)) {
        x->answer.status = MHD_HTTP_TOO_MANY_REQUESTS;
        hp_fail(&err, HP_LIMIT, "too many requests from %s", x->request.address);
        refuse(x, &err);
        return send_answer(x);
    }
    x->stage = STAGE_READING;
    if (x->route->scope == SCOPE_PUBLIC)
        return MHD_YES;
    if (x->server->options.who(x->server->options.service, &x->request, true, &err)) {
        admit(x, &err);
        return x->stage == STAGE_ANSWER ? send_answer(x) : MHD_YES;
    }
    return hand_over(x, STAGE_ASKING, ask_who);
}

/* Bytes of a body that announced no length can come to more than is taken: they are dropped until
 * the end, where there is an answer, or until it is clear that there is none. */
static enum MHD_Result read_body(struct exchange *x, const char *data, size_t *size)
{
    struct server *server = x->server;
    size_t limit = x->route->body_limit, now = x->request.body.size;
    size_t got = *size;
    *size = 0;
    if (x->too_large || got > limit - now) {
        x->too_large = true;
        hp_buffer_clear(&x->request.body);
        x->reserved += got;
        atomic_fetch_add(&server->body_memory, got);
        return x->reserved > 2 * limit + 65536 ? MHD_NO : MHD_YES;
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
    if (x->too_large) {
        struct hp_error err;
        hp_fail(&err, HP_LIMIT, "the body is larger than %zu bytes", x->route->body_limit);
        refuse(x, &err);
        return send_answer(x);
    }
    if (x->route->kind == ROUTE_QUICK) {
        call_handler(x);
        return send_answer(x);
    }
    return hand_over(x, STAGE_WORKING, run_handler);
}

/* MHD calls this when the headers are there, for each piece of the body, when all is there, and
 * after each resume. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
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
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct listener *listener = cls;
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->server = listener->server;
    x->connection = connection;
    x->request.over_unix = listener->unix_socket;
    x->request.arrived = hp_monotonic_s();
    x->target = strdup(target);
    x->request.raw = x->target ? x->target : "";
    request_parse(&x->request, x->request.raw, &x->target_error);
    atomic_fetch_add(&x->server->in_hand, 1);
    return x;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    struct exchange *x = *context;
    if (!x)
        return;
    struct server *server = x->server;
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

/* --- start and stop ------------------------------------------------------------------------------
 */

__attribute__((format(printf, 2, 0))) static void mhd_log(void *cls, const char *format,
                                                          va_list args)
{
    (void)cls;
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    hp_log(HP_LOG_DEBUG, "http: %s", text);
}

static bool start_listener(struct server *server, struct listener *listener, int fd, bool local,
                           struct hp_error *err)
{
    *listener = (struct listener){.server = server, .fd = fd, .unix_socket = local};
    if (fd < 0)
        return true;
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, listener, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, listener, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, listener, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
        MHD_OPTION_CONNECTION_LIMIT, server->options.connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)server->options.idle_s, MHD_OPTION_END);
    return listener->daemon || hp_fail(err, HP_SYSTEM, "cannot start the HTTP server");
}

struct server *server_start(const struct server_options *options, struct hp_error *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    server->options = *options;
    server->tcp.fd = options->tcp_fd;
    server->local.fd = options->unix_fd;
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->pool = work_start(options->workers, options->slow_workers, err);
    bool ok = server->pool && start_listener(server, &server->tcp, options->tcp_fd, false, err) &&
              start_listener(server, &server->local, options->unix_fd, true, err);
    if (ok) {
        server->clock_runs = pthread_create(&server->clock, NULL, clock_thread, server) == 0;
        ok = server->clock_runs || hp_fail(err, HP_SYSTEM, "cannot start a thread");
    }
    if (ok)
        return server;
    server_stop(server);
    return NULL;
}

void server_load(struct server *server, struct server_load *out)
{
    *out = (struct server_load){.parked = server_parked(server),
                                .body_memory = atomic_load(&server->body_memory)};
    work_counts(server->pool, &out->busy, &out->waiting);
    struct listener *listeners[] = {&server->tcp, &server->local};
    for (size_t i = 0; i < 2; i++) {
        const union MHD_DaemonInfo *info =
            listeners[i]->daemon
                ? MHD_get_daemon_info(listeners[i]->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
                : NULL;
        out->connections += info ? info->num_connections : 0;
    }
}

void server_drain(struct server *server, double grace_s)
{
    struct listener *listeners[] = {&server->tcp, &server->local};
    for (size_t i = 0; i < 2; i++)
        if (listeners[i]->daemon && !server->stopping)
            MHD_quiesce_daemon(listeners[i]->daemon);
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
    if (server->clock_runs)
        pthread_join(server->clock, NULL);
    server->clock_runs = false;
    if (server->pool)
        release_parked(server, UINT32_MAX, true);
    double end = hp_monotonic_s() + grace_s;
    while (atomic_load(&server->in_hand) > 0 && hp_monotonic_s() < end)
        hp_sleep_ms(10);
}

void server_stop(struct server *server)
{
    server_drain(server, 0);
    /* No connection may be suspended when MHD ends: workers end first, and get nothing new. */
    pthread_mutex_lock(&server->mutex);
    server->closed = true;
    pthread_mutex_unlock(&server->mutex);
    work_stop(server->pool);
    struct listener *listeners[] = {&server->tcp, &server->local};
    for (size_t i = 0; i < 2; i++) {
        if (listeners[i]->daemon)
            MHD_stop_daemon(listeners[i]->daemon);
        if (listeners[i]->fd >= 0)
            close(listeners[i]->fd);
    }
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}
