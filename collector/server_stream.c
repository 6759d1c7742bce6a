/* Event streams: answers that go on. A stream's connection is suspended while there is nothing to
 * send, and costs a small buffer then. */
#include "collector/server_internal.h"

#include "common/clock.h"

#include <stdlib.h>
#include <string.h>

/* A client that does not read is cut off beyond so many bytes; it asks again with its last id. */
enum { PENDING_MAX = 256 << 10, BLOCK = 4096 };

struct stream {
    struct stream *next;
    struct exchange *x;
    uint64_t number;
    struct hp_buffer pending;
    size_t sent; /* of it */
    double began, last;
    bool greeted, suspended, ended;
};

/* MHD's thread wants bytes. */
static ssize_t on_read(void *cls, uint64_t position, char *out, size_t most)
{
    (void)position;
    struct stream *s = cls;
    struct server *server = s->x->server;
    pthread_mutex_lock(&server->mutex);
    size_t n = s->pending.size - s->sent;
    ssize_t result = 0;
    if (n > 0) {
        n = n < most ? n : most;
        memcpy(out, s->pending.data + s->sent, n);
        s->sent += n;
        if (s->sent == s->pending.size) {
            hp_buffer_clear(&s->pending);
            s->sent = 0;
        }
        result = (ssize_t)n;
    } else if (s->ended) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->suspended = true;
        MHD_suspend_connection(s->x->connection);
    }
    pthread_mutex_unlock(&server->mutex);
    return result;
}

/* With the mutex. */
static void resume(struct stream *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    MHD_resume_connection(s->x->connection);
}

static void end(struct stream *s)
{
    s->ended = true;
    resume(s);
}

static void put(struct stream *s, const char *bytes, size_t size, double now)
{
    if (s->ended)
        return;
    if (s->pending.size - s->sent + size > PENDING_MAX ||
        !hp_buffer_append(&s->pending, bytes, size)) {
        hp_buffer_clear(&s->pending);
        s->sent = 0;
        end(s);
        return;
    }
    s->last = now;
    resume(s);
}

struct MHD_Response *server_stream_open(struct exchange *x)
{
    struct server *server = x->server;
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->x = x;
    s->began = s->last = hp_monotonic_s();
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, s, NULL);
    if (!response) {
        free(s);
        return NULL;
    }
    pthread_mutex_lock(&server->mutex);
    s->number = ++server->stream_number;
    s->ended = server->stopping;
    struct stream **at = &server->streams;
    while (*at)
        at = &(*at)->next;
    *at = s;
    x->stream = s;
    pthread_mutex_unlock(&server->mutex);
    return response;
}

void server_stream_close(struct exchange *x)
{
    struct server *server = x->server;
    struct stream *s = x->stream;
    if (!s)
        return;
    pthread_mutex_lock(&server->mutex);
    struct stream **at = &server->streams;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    pthread_mutex_unlock(&server->mutex);
    hp_buffer_clear(&s->pending);
    free(s);
    x->stream = NULL;
}

void server_stream_end_all(struct server *server)
{
    pthread_mutex_lock(&server->mutex);
    for (struct stream *s = server->streams; s; s = s->next)
        end(s);
    pthread_mutex_unlock(&server->mutex);
}

unsigned server_streams(struct server *server)
{
    unsigned n = 0;
    pthread_mutex_lock(&server->mutex);
    for (struct stream *s = server->streams; s; s = s->next)
        n++;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

bool server_stream_next(struct server *server, struct stream_begin *out)
{
    bool found = false;
    pthread_mutex_lock(&server->mutex);
    for (struct stream *s = server->streams; s && !found; s = s->next) {
        if (s->greeted || s->ended)
            continue;
        *out = (struct stream_begin){s->number, s->x->answer.stream_from};
        found = true;
    }
    pthread_mutex_unlock(&server->mutex);
    return found;
}

void server_stream_greeted(struct server *server, uint64_t number)
{
    pthread_mutex_lock(&server->mutex);
    for (struct stream *s = server->streams; s; s = s->next)
        if (s->number == number)
            s->greeted = true;
    pthread_mutex_unlock(&server->mutex);
}

void server_stream_send(struct server *server, uint64_t number, const char *topic,
                        const char *bytes, size_t size)
{
    double now = hp_monotonic_s();
    pthread_mutex_lock(&server->mutex);
    for (struct stream *s = server->streams; s; s = s->next) {
        const char *wanted = s->x->answer.stream_topic;
        if ((number ? s->number == number : s->greeted) &&
            (!topic || !*wanted || strcmp(topic, wanted) == 0))
            put(s, bytes, size, now);
    }
    pthread_mutex_unlock(&server->mutex);
}

void server_stream_tend(struct server *server)
{
    static const char sign[] = ": \n\n";
    server_cut_slow(server);
    double now = hp_monotonic_s();
    pthread_mutex_lock(&server->mutex);
    for (struct stream *s = server->streams; s; s = s->next) {
        if (now - s->began >= server->options.stream_life_s ||
            (s->suspended && server_client_gone(s->x)))
            end(s);
        else if (now - s->last >= STREAM_SILENCE_S)
            put(s, sign, sizeof sign - 1, now);
    }
    pthread_mutex_unlock(&server->mutex);
}
