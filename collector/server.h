/*
 * The HTTP server: libmicrohttpd on a TCP and a Unix socket, which share one table of routes.
 *
 * Its own threads only move bytes. A request is checked (target, method, Host, size) when its
 * headers are there, its asker is known before a byte of its body is read, and its handler runs on
 * a worker thread while the connection is suspended; a long poll is parked in between and costs
 * nothing but its connection. Memory is bounded: per connection, per body, and for all bodies in
 * hand together.
 */
#ifndef HP_COLLECTOR_SERVER_H
#define HP_COLLECTOR_SERVER_H

#include "collector/route.h"

#include <stdint.h>

struct server;
struct listen_tcp;

struct server_options {
    const struct route *routes;
    struct service *service;
    /* Listening; the server closes them. On a socket for this machine alone other Host names are
     * refused. */
    const struct listen_tcp *tcp;
    size_t tcp_count;
    int unix_fd;                              /* -1: none */
    int workers, heavy_workers, slow_workers; /* see work.h */
    unsigned connections;                     /* at most, each socket */
    unsigned per_address; /* of one client on another machine; 0: as many as there are */
    const char *proxies;  /* addresses separated by commas whose X-Forwarded-For counts; or NULL */
    size_t body_memory;   /* bytes of bodies in hand, all requests together */
    const char *folder;   /* for bodies and answers that are files; an absolute path */
    double idle_s;        /* a connection that is silent so long is closed */
    double receive_s;     /* a request that is not whole after so long is cut off; see
                             server_stream_tend */
    double stream_life_s; /* an event stream ends then; its client asks again, with credentials */
    /* Finds out who asks. `quick`: without waiting for anything, and if that does not tell,
     * false without touching err's code; it is then called again from a worker. */
    bool (*who)(struct service *service, struct request *request, bool quick, struct hp_error *err);
    /* Gets the answer to a GET by somebody unknown; may make it one for a browser. */
    void (*stranger)(const struct request *request, struct answer *answer);
    /* Told of every answer; index into routes, -1 for none. Any thread. */
    void (*served)(struct service *service, int route, unsigned status, double seconds);
};

struct server *server_start(const struct server_options *options, struct hp_error *err);

/* A header of a request that a handler has in hand; NULL: none. */
const char *server_header(const struct request *request, const char *name);

/* A file without a name for a large answer; the caller closes it. -1 with an error. Its bytes are
 * on disk, so that a slow reader costs no memory. */
int server_file(const struct server *server, struct hp_error *err);

/* Lets at most `n` parked requests try again. */
void server_wake(struct server *server, unsigned n);
unsigned server_parked(struct server *server);

/* Event streams: answers with `stream` set. They get what server_stream_send gives them, a sign of
 * life every STREAM_SILENCE_S, and end with their time, when the client is gone or does not read,
 * or when the server drains. One thread tells the streams; it takes each new one by
 * server_stream_next, sends it what it has missed, and calls server_stream_greeted: from then on it
 * is one of all. */
enum { STREAM_SILENCE_S = 5 };
struct stream_begin {
    uint64_t number; /* from 1 on */
    int64_t from;    /* stream_from of the answer */
};
unsigned server_streams(struct server *server);
bool server_stream_next(struct server *server, struct stream_begin *out);
void server_stream_greeted(struct server *server, uint64_t number);
/* To one stream, or (0) to all that were greeted; only to those that want this topic (NULL: every
 * one), or any. */
void server_stream_send(struct server *server, uint64_t number, const char *topic,
                        const char *bytes, size_t size);
/* Ends the streams whose time is over, and keeps the others alive; and cuts off clients that take
 * too long to send a request. About once a second. */
void server_stream_tend(struct server *server);

struct server_load {
    unsigned connections, parked, streams;
    int busy, waiting; /* workers, and requests that wait for one */
    size_t body_memory;
};
void server_load(struct server *server, struct server_load *out);

/* Accepts nothing new and answers what is in hand, for at most `grace_s`. */
void server_drain(struct server *server, double grace_s);

/* Ends and frees it: requests that are still being worked on are answered, all others dropped.
 * git_cancel_all before makes that quick. */
void server_stop(struct server *server);

#endif
