/* Long polls: exchanges that are put aside, and cost nothing but their connection meanwhile. */
#include "collector/server_internal.h"

#include "common/clock.h"

#include <sys/socket.h>

void server_dispatch(struct exchange *x, void (*run)(struct work *))
{
    x->work.run = run;
    if (x->stage != STAGE_WORKING)
        x->work.kind = WORK_PLAIN;
    else if (x->route->kind == ROUTE_HEAVY)
        x->work.kind = WORK_HEAVY;
    else
        x->work.kind = route_is_slow(x->route) ? WORK_SLOW : WORK_PLAIN;
    work_add(x->server->pool, &x->work);
}

void server_release_parked(struct server *server, unsigned n, bool all)
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
        server_dispatch(x, server_run_handler);
    }
}

bool server_client_gone(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;
    return info && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool server_park(struct exchange *x)
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

void *server_clock(void *argument)
{
    struct server *server = argument;
    pthread_mutex_lock(&server->mutex);
    while (!server->stopping) {
        if (!server->parked)
            pthread_cond_wait(&server->changed, &server->mutex);
        pthread_mutex_unlock(&server->mutex);
        server_release_parked(server, UINT32_MAX, false);
        hp_sleep_ms(100);
        pthread_mutex_lock(&server->mutex);
    }
    pthread_mutex_unlock(&server->mutex);
    return NULL;
}

void server_wake(struct server *server, unsigned n)
{
    server_release_parked(server, n, true);
}

unsigned server_parked(struct server *server)
{
    pthread_mutex_lock(&server->mutex);
    unsigned n = server->parked_count;
    pthread_mutex_unlock(&server->mutex);
    return n;
}
