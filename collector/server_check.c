/* What is checked of a request when its headers are there, on MHD's threads. */
#include "collector/server_internal.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A page of another site can make a browser resolve its own name to 127.0.0.1 and then read what
 * we answer; the name it believes in stands in Host. */
static bool check_host(const struct exchange *x, struct hp_error *err)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = x->request.host;
    if (!x->listener->loopback)
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
        if (x->route->kind == ROUTE_FILE ||
            atomic_load(&server->body_memory) + size <= server->options.body_memory)
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

struct framing {
    int lengths, encodings;
    bool chunked;
};

static enum MHD_Result note_framing(void *cls, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct framing *f = cls;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
        f->lengths++;
    if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        f->encodings++;
        f->chunked = value && strcasecmp(value, "chunked") == 0;
    }
    return MHD_YES;
}

/* Where a body ends must be said once: a proxy in front may have understood the other one, and what
 * one of the two takes for a body the other takes for a request. */
static bool check_framing(const struct exchange *x, struct hp_error *err)
{
    struct framing f = {0};
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, note_framing, &f);
    if (f.lengths + f.encodings > 1)
        return hp_fail(err, HP_USAGE, "the length of the body is told more than once");
    if (f.encodings == 0 || f.chunked)
        return true;
    hp_fail(err, HP_USAGE, "a body in this transfer encoding is not taken");
    return hp_error_hint(err, "Send it with Content-Length, or chunked.");
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

static bool is_proxy(const char *proxies, const char *address)
{
    for (const char *at = proxies; at && *at;) {
        size_t length = strcspn(at, ", ");
        if (length > 0 && strlen(address) == length && strncmp(at, address, length) == 0)
            return true;
        at += length + strspn(at + length, ", ");
    }
    return false;
}

/* The client as a proxy of ours names it: the last address that none of ours is. What stands before
 * it the client may have made up. */
static void look_behind_proxy(struct exchange *x)
{
    const char *proxies = x->server->options.proxies;
    const char *list = header(x, "X-Forwarded-For");
    struct request *r = &x->request;
    char given[512];
    if (!list || r->over_unix || strlen(list) >= sizeof given)
        return;
    snprintf(given, sizeof given, "%s", list);
    while (is_proxy(proxies, r->address)) {
        char *comma = strrchr(given, ',');
        char *name = comma ? comma + 1 : given;
        name += strspn(name, " \t");
        name[strcspn(name, " \t")] = '\0';
        struct in6_addr ignored;
        if (inet_pton(AF_INET, name, &ignored) != 1 && inet_pton(AF_INET6, name, &ignored) != 1)
            return;
        snprintf(r->address, sizeof r->address, "%s", name);
        if (!comma)
            return;
        *comma = '\0';
    }
}

bool server_check_headers(struct exchange *x, struct hp_error *err)
{
    struct request *r = &x->request;
    describe_client(x);
    look_behind_proxy(x);
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
    if (!check_framing(x, err))
        return false;
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
