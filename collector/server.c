/* Start and end of the HTTP server. */
#include "collector/server.h"

#include "collector/server_internal.h"
#include "common/clock.h"
#include "common/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        server_on_request, listener, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, server_on_target, listener,
        MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, listener,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_CONNECTION_LIMIT,
        server->options.connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)server->options.idle_s, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        local ? 0U : server->options.per_address, MHD_OPTION_NOTIFY_CONNECTION,
        server_on_connection, listener, MHD_OPTION_END);
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
    server->pool = work_start(options->workers, options->heavy_workers, options->slow_workers, err);
    bool ok = server->pool && start_listener(server, &server->tcp, options->tcp_fd, false, err) &&
              start_listener(server, &server->local, options->unix_fd, true, err);
    if (ok) {
        server->clock_runs = pthread_create(&server->clock, NULL, server_clock, server) == 0;
        ok = server->clock_runs || hp_fail(err, HP_SYSTEM, "cannot start a thread");
    }
    if (ok)
        return server;
    server_stop(server);
    return NULL;
}

int server_file(const struct server *server, struct hp_error *err)
{
    const char *folder = server->options.folder;
    int fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    if (fd < 0) {
        hp_fail_errno(err, "cannot make a temporary file in %s", folder ? folder : "no folder");
        err->code = HP_UNAVAILABLE;
    }
    return fd;
}

void server_load(struct server *server, struct server_load *out)
{
    *out = (struct server_load){.parked = server_parked(server),
                                .streams = server_streams(server),
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
    server_stream_end_all(server);
    if (server->pool)
        server_release_parked(server, UINT32_MAX, true);
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
