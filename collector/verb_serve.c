/* hakperf-collector serve: puts the parts together, waits for signals, takes them apart again. */
#include "collector/api.h"
#include "collector/auth.h"
#include "collector/background.h"
#include "collector/counters.h"
#include "collector/git.h"
#include "collector/listen.h"
#include "collector/migrate.h"
#include "collector/notify.h"
#include "collector/private_db.h"
#include "collector/service.h"
#include "collector/settings.h"
#include "collector/verbs.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/state.h"

#include <curl/curl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { CONNECTIONS = 1024, FILES = 8192 };
static const double DRAIN_S = 20, IDLE_S = 60, STREAM_S = 600, RECOVERY_S = 60;
static const size_t BODY_MEMORY = (size_t)256 << 20;

struct serve {
    struct service service;
    struct listen_tcp tcp[LISTEN_MOST];
    size_t tcp_count;
    int unix_fd;
    char *socket, *address_file, *files;
    struct background *background;
    struct settings_start at_start;
};

/* --- start ---------------------------------------------------------------------------------------
 */

static bool open_sockets(struct serve *s, const struct hp_values *values, struct hp_error *err)
{
    const char *given = hp_opt(values, "socket");
    s->socket =
        given && *given ? strdup(given) : hp_state_path(s->service.state, "run/collector.sock");
    s->address_file = hp_state_path(s->service.state, "run/address");
    s->files = hp_state_path(s->service.state, "mirrors");
    if (!s->socket || !s->address_file || !s->files)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    s->unix_fd = listen_unix(s->socket, err);
    if (s->unix_fd < 0)
        return false;
    if (hp_opt_flag(values, "no-tcp"))
        return true;
    if (!listen_tcp_all(hp_opt(values, "listen"), s->tcp, &s->tcp_count, err))
        return false;
    snprintf(s->service.address, sizeof s->service.address, "%s", s->tcp[0].address);
    for (size_t i = 0; i < s->tcp_count; i++)
        if (!s->tcp[i].loopback)
            hp_log(HP_LOG_WARNING, "%s is reachable by other machines: put TLS in front",
                   s->tcp[i].address);
    return true;
}

static bool asked_to_stop(void)
{
    sigset_t waiting;
    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1);
}

/* As the owner, once; afterwards the collector has no right to change the schema. A server that
 * recovers from a crash, as after a loss of power, is given the time to. */
static bool migrate(const char *url, struct hp_error *err)
{
    double deadline = hp_monotonic_s() + RECOVERY_S;
    struct db *db = db_open(url, &(struct db_options){.pool_size = 1, .timeout_s = 30}, err);
    bool ok = db && migrate_up(db, NULL, err);
    /* The crash may have cut off the first attempt, and be over before one asks. */
    for (int spare = 1; db && !ok && err->code == HP_UNAVAILABLE;) {
        bool recovers = db_recovers(url);
        if ((!recovers && spare-- == 0) || asked_to_stop() || hp_monotonic_s() > deadline)
            break;
        if (recovers)
            hp_log(HP_LOG_WARNING, "%s; waiting for it", err->message);
        hp_sleep_ms(500);
        ok = migrate_up(db, NULL, err);
    }
    db_close(db);
    return ok;
}

/* Replicas, where they are configured; the primary answers for one that does not. */
static bool open_reader(struct serve *s, const struct hp_values *values, struct hp_error *err)
{
    const char *url = hp_opt(values, "reader-database");
    s->service.reader = s->service.db;
    if (!url || !*url)
        return true;
    struct db_options options = {.pool_size = (int)hp_opt_int(values, "workers"),
                                 .fallback = s->service.db,
                                 .name = "hakperf-reader",
                                 .readers = true};
    struct db *reader = db_open(url, &options, err);
    if (reader)
        s->service.reader = reader;
    return reader != NULL || hp_error_context(err, "--reader-database");
}

static bool open_database(struct serve *s, const struct hp_values *values, struct hp_error *err)
{
    HP_FREE char *url = verb_database_url(values, s->service.state, PRIVATE_DB_COLLECTOR, err);
    if (!url)
        return false;
    const char *owner = hp_opt(values, "owner-database"), *given = hp_opt(values, "database");
    HP_FREE char *private_owner = private_db_url(s->service.state, PRIVATE_DB_OWNER);
    if (!owner || !*owner)
        owner = given && *given ? given : private_owner;
    if (!owner || !migrate(owner, err))
        return false;
    /* A connection for each worker and for each thread of the background. */
    struct db_options options = {.pool_size = (int)hp_opt_int(values, "workers") + 7};
    s->service.db = db_open(url, &options, err);
    return s->service.db != NULL && open_reader(s, values, err);
}

static bool start_server(struct serve *s, const struct hp_values *values, struct hp_error *err)
{
    int workers = (int)hp_opt_int(values, "workers");
    struct server_options options = {
        .routes = routes,
        .service = &s->service,
        .tcp = s->tcp,
        .tcp_count = s->tcp_count,
        .unix_fd = s->unix_fd,
        .workers = workers,
        .heavy_workers = 1 + (int)sysconf(_SC_NPROCESSORS_ONLN),
        .slow_workers = workers > 2 ? workers - 2 : 1,
        .connections = CONNECTIONS,
        .per_address = (unsigned)hp_opt_int(values, "connections-per-address"),
        .proxies = hp_opt(values, "trusted-proxy"),
        .body_memory = BODY_MEMORY,
        .folder = s->files,
        .idle_s = IDLE_S,
        .receive_s = (double)hp_opt_int(values, "request-timeout"),
        .stream_life_s = STREAM_S,
        .who = auth_who,
        .stranger = page_stranger,
        .served = counters_served,
    };
    s->service.server = server_start(&options, err);
    if (!s->service.server)
        return false;
    s->background = background_start(&s->service, err);
    return s->background != NULL;
}

/* One address a line, the page's first. */
static bool write_address(struct serve *s, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer lines = {0};
    if (s->tcp_count == 0)
        return unlink(s->address_file) == 0 || true;
    for (size_t i = 0; i < s->tcp_count; i++)
        if (!hp_buffer_printf(&lines, "%s\n", s->tcp[i].address))
            return hp_fail(err, HP_SYSTEM, "out of memory");
    return hp_file_replace(s->address_file, lines.data, lines.size, 0644, err);
}

static bool prepare_git(struct serve *s, const struct hp_values *values, struct hp_error *err)
{
    struct git_settings settings = {
        .credentials = hp_opt(values, "git-credentials"),
        .ssh_key = hp_opt(values, "git-ssh-key"),
        .fetch_timeout_s = (double)hp_opt_int(values, "fetch-timeout"),
        .mirror_limit = hp_opt_int(values, "mirror-limit") << 20,
    };
    return git_prepare(s->service.state, &settings, err);
}

/* Connections of clients and of the database, and files: many more than a login shell allows. */
static void raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    if (files.rlim_cur < FILES && files.rlim_max > files.rlim_cur) {
        files.rlim_cur = files.rlim_max < FILES ? files.rlim_max : FILES;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur < (rlim_t)2 * CONNECTIONS)
        hp_log(HP_LOG_WARNING, "at most %llu files may be open: not enough for %d connections",
               (unsigned long long)files.rlim_cur, 2 * CONNECTIONS);
}

/* Bodies and rows come and go on a dozen threads: with an arena for each of them, and a threshold
 * that grows with the largest body ever seen, what is free stays with the process. */
static void bound_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

static bool start(struct serve *s, const struct hp_values *values, struct hp_error *err)
{
    HP_FREE char *state = hp_state_folder(hp_opt(values, "state"), err);
    if (!state || !settings_apply(&s->service, values, err) ||
        !settings_remember(&s->at_start, values, err) || !hp_state_make(state, "run", 0700, err) ||
        !hp_state_make(state, "mirrors", 0700, err) || !hp_drop_root(err))
        return false;
    umask(077);
    s->service.state = hp_take(state);
    if (!open_sockets(s, values, err) || !open_database(s, values, err) ||
        !prepare_git(s, values, err) || !start_server(s, values, err) || !write_address(s, err))
        return false;
    return true;
}

/* --- the end -------------------------------------------------------------------------------------
 */

/* What is in hand is finished first; then nothing new begins, and git is told to end. */
static void stop(struct serve *s)
{
    struct service *service = &s->service;
    if (service->server)
        server_drain(service->server, DRAIN_S);
    background_stop(s->background);
    if (service->server) {
        git_cancel_all();
        server_stop(service->server);
    } else {
        if (s->unix_fd >= 0)
            close(s->unix_fd);
        for (size_t i = 0; i < s->tcp_count; i++)
            close(s->tcp[i].fd);
    }
    if (s->unix_fd >= 0)
        unlink(s->socket);
    if (s->address_file && s->unix_fd >= 0)
        unlink(s->address_file);
    if (service->reader != service->db)
        db_close(service->reader);
    db_close(service->db);
    free(service->state);
    service_forget(service);
    settings_clear(&s->at_start);
    free(s->socket);
    free(s->address_file);
    free(s->files);
    pthread_mutex_destroy(&service->mutex);
}

/* --- between -------------------------------------------------------------------------------------
 */

static struct serve *reloading;

static int reload(const struct hp_values *values)
{
    struct hp_error err = {0};
    if (!settings_apply(&reloading->service, values, &err))
        return verb_fail(values, &err);
    settings_warn(&reloading->at_start, values);
    return HP_EXIT_OK;
}

static void on_hangup(struct serve *s)
{
    notify("RELOADING=1");
    reloading = s;
    if (collector_serve_again(reload) == HP_EXIT_OK) {
        hp_log(HP_LOG_INFO, "settings read anew");
        background_poke(s->background);
    } else {
        hp_log(HP_LOG_ERROR, "settings stay as they were");
    }
    notify("READY=1");
}

static void block_signals(sigset_t *set)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void run(struct serve *s, const sigset_t *set)
{
    const char *where = s->service.address[0] ? s->service.address : s->socket;
    printf("ready: %s\n", where);
    fflush(stdout);
    notify("READY=1");
    for (int signal_number = 0; signal_number != SIGTERM && signal_number != SIGINT;) {
        if (sigwait(set, &signal_number) != 0)
            continue;
        if (signal_number == SIGHUP)
            on_hangup(s);
    }
    notify("STOPPING=1");
    hp_log(HP_LOG_INFO, "stopping");
}

int verb_serve(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct serve s = {.unix_fd = -1};
    bool verbose = hp_opt_flag(values, "verbose"), quiet = hp_opt_flag(values, "quiet");
    sigset_t set;
    hp_log_init(COLLECTOR_PROGRAM, verbose ? HP_LOG_DEBUG : quiet ? HP_LOG_WARNING : HP_LOG_INFO);
    block_signals(&set);
    bound_memory();
    raise_files();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_mutex_init(&s.service.mutex, NULL);
    bool started = start(&s, values, &err);
    if (started)
        run(&s, &set);
    stop(&s);
    curl_global_cleanup();
    return started ? HP_EXIT_OK : verb_fail(values, &err);
}
