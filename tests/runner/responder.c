#include "tests/runner/responder.h"

#include "common/io.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct responder {
    pthread_t thread;
    int listener;
    volatile int end;
    const struct answer *script;
    size_t count;
    char url[64];
    struct hp_buffer seen;
};

/* Reads headers and as much body as they announce. */
static void read_request(int fd, struct hp_buffer *seen)
{
    struct hp_buffer request = {0};
    char block[65536];
    for (;;) {
        const char *body = request.data ? strstr(request.data, "\r\n\r\n") : NULL;
        const char *length = request.data ? strstr(request.data, "Content-Length: ") : NULL;
        size_t expected = length ? (size_t)strtoul(length + 16, NULL, 10) : 0;
        if (body && request.size >= (size_t)(body + 4 - request.data) + expected)
            break;
        ssize_t n = read(fd, block, sizeof block);
        if (n <= 0)
            break;
        hp_buffer_append(&request, block, (size_t)n);
    }
    hp_buffer_append(seen, hp_buffer_text(&request), request.size);
    hp_buffer_clear(&request);
}

static void *serve(void *context)
{
    struct responder *r = context;
    for (size_t i = 0; i < r->count && !r->end;) {
        struct pollfd slot = {.fd = r->listener, .events = POLLIN};
        if (poll(&slot, 1, 50) <= 0)
            continue;
        int fd = accept(r->listener, NULL, NULL);
        if (fd < 0)
            continue;
        read_request(fd, &r->seen);
        const struct answer *a = &r->script[i++];
        size_t size = a->size || !a->body ? a->size : strlen(a->body);
        if (a->status > 0) {
            dprintf(fd,
                    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                    "Connection: close\r\n\r\n",
                    a->status, size);
            hp_write_all(fd, a->body, size);
        }
        close(fd);
    }
    return NULL;
}

struct responder *responder_start(const struct answer *script, size_t count)
{
    struct responder *r = calloc(1, sizeof *r);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    r->script = script;
    r->count = count;
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(r->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(r->listener, 8), 0);
    ck_assert_int_eq(getsockname(r->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(r->url, sizeof r->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&r->thread, NULL, serve, r), 0);
    return r;
}

const char *responder_url(const struct responder *responder)
{
    return responder->url;
}

char *responder_stop(struct responder *responder)
{
    responder->end = 1;
    pthread_join(responder->thread, NULL);
    close(responder->listener);
    char *seen = strdup(hp_buffer_text(&responder->seen));
    hp_buffer_clear(&responder->seen);
    free(responder);
    return seen;
}
