#include "collector/background.h"

#include "collector/events.h"
#include "collector/git.h"
#include "collector/hint.h"
#include "collector/look.h"
#include "collector/migrate.h"
#include "collector/outbox.h"
#include "collector/queue.h"
#include "collector/series.h"
#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const double HOUSEKEEPING_S = 86400, EXPIRY_S = 5, GAPS_S = 60;

enum { THREADS = 6, EVENTS_MS = 500 };

struct background {
    struct service *service;
    pthread_t threads[THREADS];
    size_t running; /* of them */
    volatile int stop;
    pthread_mutex_t mutex;
    pthread_cond_t poked;
    unsigned pokes; /* counts the calls of background_poke */
    int stop_fd;    /* readable once it stops */
};

/* Waits so long, or until poked or stopped. */
static void pause_for(struct background *b, double seconds, unsigned *seen)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&b->mutex);
    int code = 0;
    while (!b->stop && b->pokes == *seen && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&b->poked, &b->mutex, &until);
    *seen = b->pokes;
    pthread_mutex_unlock(&b->mutex);
}

static void *look_thread(void *argument)
{
    struct background *b = argument;
    unsigned seen = 0;
    while (!b->stop) {
        look_at_all(b->service);
        pause_for(b, (double)b->service->poll_s, &seen);
    }
    return NULL;
}

/* Jobs that wait while claims are parked: another collector or a look queued them, a lease ended,
 * or what they waited for is done. */
static void wake_claims(struct service *service)
{
    struct hp_error err = {0};
    if (server_parked(service->server) == 0)
        return;
    int64_t ready = queue_ready(service->db, server_parked(service->server), &err);
    if (ready > 0)
        server_wake(service->server, (unsigned)ready);
}

static void expire(struct service *service)
{
    struct hp_error err = {0};
    int64_t released, dead;
    if (!queue_expire(service->db, service->max_attempts, &released, &dead, &err))
        hp_log_error(HP_LOG_DEBUG, "leases", &err);
}

static void fill_gaps(struct service *service)
{
    struct hp_error err = {0};
    int64_t added;
    if (!queue_fill_gaps(service->db, service->gap_jobs, &added, &err))
        hp_log_error(HP_LOG_WARNING, "gaps", &err);
    else if (added > 0)
        hp_log(HP_LOG_INFO, "%lld commits that were skipped are queued", (long long)added);
}

static void test_itself(struct service *service)
{
    struct hp_error err = {0};
    int64_t added;
    if (!queue_self_tests(service->db, service->selftest_hours, &added, &err))
        hp_log_error(HP_LOG_WARNING, "self-tests", &err);
}

/* Once a day, in every collector: what another one did already costs nothing. */
static void keep_house(struct service *service)
{
    struct hp_error err = {0};
    if (!migrate_partitions(service->db, &err) ||
        !migrate_retention(service->db, service->keep_months, &err) ||
        !db_pool_run(service->db, "housekeeping.sql", DB_NO_PARAMS, NULL, &err))
        hp_log_error(HP_LOG_WARNING, "housekeeping", &err);
}

static void *keep_thread(void *argument)
{
    struct background *b = argument;
    double next_house = 0, next_expiry = 0, next_gaps = hp_monotonic_s() + GAPS_S;
    unsigned seen = 0;
    while (!b->stop) {
        double now = hp_monotonic_s();
        if (now >= next_house) {
            keep_house(b->service);
            next_house = now + HOUSEKEEPING_S;
        }
        if (now >= next_expiry) {
            expire(b->service);
            next_expiry = now + EXPIRY_S;
        }
        if (now >= next_gaps) {
            fill_gaps(b->service);
            test_itself(b->service);
            next_gaps = now + GAPS_S;
        }
        wake_claims(b->service);
        pause_for(b, 1, &seen);
    }
    return NULL;
}

static void *hint_thread(void *argument)
{
    struct background *b = argument;
    struct hint hint = {.db = b->service->db};
    while (!b->stop)
        if (hint_wait(&hint, 1, b->stop_fd) && !b->stop)
            wake_claims(b->service);
    hint_release(&hint);
    return NULL;
}

static void *send_thread(void *argument)
{
    struct background *b = argument;
    unsigned seen = 0;
    while (!b->stop) {
        outbox_send(b->service, &b->stop);
        pause_for(b, 1, &seen);
    }
    return NULL;
}

/* Points that results added: those of a second are judged together. */
static void *series_thread(void *argument)
{
    struct background *b = argument;
    unsigned seen = 0;
    while (!b->stop) {
        struct hp_error err = {0};
        int64_t judged;
        if (!series_judge(b->service->db, &b->stop, &judged, &err))
            hp_log_error(HP_LOG_DEBUG, "series", &err);
        pause_for(b, 1, &seen);
    }
    return NULL;
}

/* Tells the event streams; their clients are people who watch. */
static void *event_thread(void *argument)
{
    struct background *b = argument;
    struct pollfd stop = {.fd = b->stop_fd, .events = POLLIN};
    struct events *events = events_new();
    while (events && !b->stop) {
        events_tell(events, b->service);
        poll(&stop, 1, EVENTS_MS);
    }
    events_free(events);
    return NULL;
}

struct background *background_start(struct service *service, struct hp_error *err)
{
    struct background *b = calloc(1, sizeof *b);
    if (!b) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    b->service = service;
    b->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (b->stop_fd < 0) {
        hp_fail_errno(err, "cannot make an event");
        free(b);
        return NULL;
    }
    pthread_mutex_init(&b->mutex, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&b->poked, &clock);
    pthread_condattr_destroy(&clock);
    static void *(*const functions[THREADS])(void *) = {look_thread, keep_thread,  send_thread,
                                                        hint_thread, event_thread, series_thread};
    while (b->running < THREADS &&
           pthread_create(&b->threads[b->running], NULL, functions[b->running], b) == 0)
        b->running++;
    if (b->running == THREADS)
        return b;
    hp_fail(err, HP_SYSTEM, "cannot start a thread");
    background_stop(b);
    return NULL;
}

void background_poke(struct background *b)
{
    pthread_mutex_lock(&b->mutex);
    b->pokes++;
    pthread_cond_broadcast(&b->poked);
    pthread_mutex_unlock(&b->mutex);
}

void background_stop(struct background *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&b->mutex);
    b->stop = 1;
    pthread_cond_broadcast(&b->poked);
    pthread_mutex_unlock(&b->mutex);
    if (eventfd_write(b->stop_fd, 1) != 0)
        hp_log(HP_LOG_DEBUG, "a thread stops a second later");
    git_cancel_all(); /* a look of the background begins again at the next start */
    for (size_t i = 0; i < b->running; i++)
        pthread_join(b->threads[i], NULL);
    pthread_cond_destroy(&b->poked);
    pthread_mutex_destroy(&b->mutex);
    close(b->stop_fd);
    free(b);
}
