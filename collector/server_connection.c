/* How long a client may take to say what it wants. A connection that is silent is closed by MHD;
 * one that sends a byte now and then would hold its place for ever. */
#include "collector/server_internal.h"

#include "common/clock.h"

#include <stdlib.h>
#include <sys/socket.h>

/* A large body has as long as it takes at this speed. */
enum { SLOWEST_BYTES_S = 16 << 10 };
/* What is refused whatever follows has so long to be refused. */
static const double NONSENSE_S = 3;

struct connection {
    struct connection *next, **at;
    int fd;
    double since;  /* when what is being received began; 0: a request is being answered */
    double credit; /* seconds, for the bytes that came */
};

static void started(struct server *server, struct MHD_Connection *mhd, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = info ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return; /* without a deadline of its own */
    c->fd = info->connect_fd;
    c->since = hp_monotonic_s();
    pthread_mutex_lock(&server->mutex);
    c->next = server->connections;
    c->at = &server->connections;
    if (c->next)
        c->next->at = &c->next;
    server->connections = c;
    pthread_mutex_unlock(&server->mutex);
    *context = c;
}

static void closed(struct server *server, struct connection *c)
{
    pthread_mutex_lock(&server->mutex);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    pthread_mutex_unlock(&server->mutex);
    free(c);
}

void server_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct listener *listener = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        started(listener->server, mhd, context);
    else if (*context)
        closed(listener->server, *context);
}

void server_receiving(struct exchange *x, enum receiving what, size_t bytes)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *c = info ? info->socket_context : NULL;
    struct server *server = x->server;
    if (!c)
        return;
    pthread_mutex_lock(&server->mutex);
    if (what == RECEIVING_MORE) {
        c->credit += (double)bytes / SLOWEST_BYTES_S;
    } else if (what == RECEIVING_NONSENSE) {
        c->credit = NONSENSE_S - server->options.receive_s;
    } else {
        c->since = what == RECEIVING_ENDED ? 0 : hp_monotonic_s();
        c->credit = 0;
    }
    pthread_mutex_unlock(&server->mutex);
}

void server_cut_slow(struct server *server)
{
    double now = hp_monotonic_s();
    pthread_mutex_lock(&server->mutex);
    for (struct connection *c = server->connections; c; c = c->next)
        if (c->since > 0 && now - c->since > server->options.receive_s + c->credit)
            shutdown(c->fd, SHUT_RDWR); /* MHD then sees its end, and closes it */
    pthread_mutex_unlock(&server->mutex);
}
