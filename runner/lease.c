#include "runner/lease.h"

#include "common/cleanup.h"
#include "common/http_client.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "runner/machine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct rn_lease {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool end, lost;
    struct hp_http *http;
    struct rn_progress *progress;
    volatile int *cancel;
    char *path;
    int64_t fence;
    double every_s;
    int cpu;
};

/* One report. False when the collector says that the lease is gone. */
static bool report(struct rn_lease *lease)
{
    struct hp_error err = {0};
    long status = 0;
    HP_JSON json_t *body = rn_progress_json(lease->progress);
    HP_JSON json_t *answer = NULL;
    if (!body || json_object_set_new(body, "fence", json_integer(lease->fence)) != 0)
        return true;
    if (hp_http_json(lease->http, "POST", lease->path, body, &answer, &status, &err))
        return true;
    if (status == 409 || status == 404) {
        hp_log_error(HP_LOG_WARNING, "the job is given up", &err);
        return false;
    }
    hp_log(HP_LOG_DEBUG, "progress could not be told: %s", err.message);
    return true;
}

/* Waits until the next report is due; true if it is to end instead. */
static bool wait_for_turn(struct rn_lease *lease, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&lease->mutex);
    int late = 0;
    while (!lease->end && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&lease->wake, &lease->mutex, &until);
    bool end = lease->end;
    pthread_mutex_unlock(&lease->mutex);
    return end;
}

static void *renew(void *context)
{
    struct rn_lease *lease = context;
    cpu_set_t ignored;
    if (lease->cpu >= 0)
        rn_step_aside(lease->cpu, &ignored);
    while (!wait_for_turn(lease, lease->every_s)) {
        if (report(lease))
            continue;
        pthread_mutex_lock(&lease->mutex);
        lease->lost = true;
        pthread_mutex_unlock(&lease->mutex);
        *lease->cancel = 1;
        break;
    }
    return NULL;
}

static bool start_thread(struct rn_lease *lease)
{
    /* Signals are for the main thread, whose sleeping they end. */
    sigset_t all, before;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&lease->mutex, NULL);
    pthread_cond_init(&lease->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = pthread_create(&lease->thread, NULL, renew, lease);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return failed == 0;
}

static void lease_free(struct rn_lease *lease)
{
    hp_http_free(lease->http);
    free(lease->path);
    free(lease);
}

struct rn_lease *rn_lease_begin(const char *server, const char *token, const json_t *job,
                                struct rn_progress *progress, int cpu, volatile int *cancel,
                                struct hp_error *err)
{
    struct rn_lease *lease = calloc(1, sizeof *lease);
    if (!lease) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    lease->http = hp_http_new(server, token, err);
    lease->progress = progress;
    lease->cancel = cancel;
    lease->path = hp_format("/api/v1/jobs/%lld/progress", (long long)hp_json_int(job, "job", 0));
    lease->fence = hp_json_int(job, "fence", 0);
    lease->every_s = (double)hp_json_int(job, "lease_seconds", 60) / 3;
    /* The page should show something that moves, however long the lease is. */
    if (lease->every_s > 5)
        lease->every_s = 5;
    lease->cpu = cpu;
    if (lease->http)
        hp_http_timeout(lease->http, lease->every_s > 2 ? lease->every_s : 2);
    if (lease->http && lease->path && start_thread(lease))
        return lease;
    if (lease->http)
        hp_fail_errno(err, "cannot renew the lease");
    lease_free(lease);
    return NULL;
}

bool rn_lease_end(struct rn_lease *lease)
{
    if (!lease)
        return false;
    pthread_mutex_lock(&lease->mutex);
    lease->end = true;
    pthread_cond_signal(&lease->wake);
    pthread_mutex_unlock(&lease->mutex);
    pthread_join(lease->thread, NULL);
    bool lost = lease->lost;
    pthread_cond_destroy(&lease->wake);
    pthread_mutex_destroy(&lease->mutex);
    lease_free(lease);
    return lost;
}
