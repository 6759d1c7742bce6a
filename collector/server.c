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

static bool start_listener(struct server *server, int fd, bool local, bool loopback, bool start,
                           struct hp_error *err)
{
    struct listener *listener = &server->listener[server->listeners++];
    *listener =
        (struct listener){.server = server, .fd = fd, .unix_socket = local, .loopback = loopback};
    if (!start)
        return false;
    unsigned per_address = local || loopback ? 0 : server->options.per_address;
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        server_on_request, listener, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, server_on_target, listener,
        MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, listener,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_CONNECTION_LIMIT,
        server->options.connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)server->options.idle_s, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
        MHD_OPTION_NOTIFY_CONNECTION, server_on_connection, listener, MHD_OPTION_END);
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
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->pool = work_start(options->workers, options->heavy_workers, options->slow_workers, err);
    bool ok = server->pool != NULL;
    /* Every socket becomes a listener, so that its end is the server's whatever fails. */
    for (size_t i = 0; i < options->tcp_count; i++)
        ok = start_listener(server, options->tcp[i].fd, false, options->tcp[i].loopback, ok, err);
    if (options->unix_fd >= 0)
        ok = start_listener(server, options->unix_fd, true, false, ok, err);
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
    for (size_t i = 0; i < server->listeners; i++) {
        const union MHD_DaemonInfo *info =
            server->listener[i].daemon ? MHD_get_daemon_info(server->listener[i].daemon,
                                                             MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
                                       : NULL;
        out->connections += info ? info->num_connections : 0;
    }
}

void server_drain(struct server *server, double grace_s)
{
    for (size_t i = 0; i < server->listeners; i++)
        if (server->listener[i].daemon && !server->stopping)
            MHD_quiesce_daemon(server->listener[i].daemon);
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
    for (size_t i = 0; i < server->listeners; i++) {
        if (server->listener[i].daemon)
            MHD_stop_daemon(server->listener[i].daemon);
        if (server->listener[i].fd >= 0)
            close(server->listener[i].fd);
    }
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}
