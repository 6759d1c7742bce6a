/*
 * What the handlers and the threads behind them share: the state folder, the database, the server
 * and the settings. One a process; made by the verb serve, which owns all of it. Everything but
 * the two settings that a SIGHUP changes is constant while threads run.
 */
#ifndef HP_COLLECTOR_SERVICE_H
#define HP_COLLECTOR_SERVICE_H

#include "collector/db.h"
#include "collector/server.h"

#include <pthread.h>

/* Settings that are texts; NULL: none. */
struct service_texts {
    const char *webhook;            /* who is told of alerts */
    const char *webhook_secrets;    /* folder of a file a repository; NULL: no webhook is taken */
    const char *local_repositories; /* folders, separated by colons; NULL: see service_may_read */
};

struct service {
    char *state;
    struct db *db;
    struct db
        *reader; /* what only reads and may be some moments old; the same as db without replicas */
    struct server *server;
    char address[128]; /* of the page, "http://127.0.0.1:8947"; "" without TCP */

    /* Settings that SIGHUP may change, read by any thread; see collector/settings.h. */
    _Atomic int64_t poll_s; /* between two looks at every repository */
    _Atomic int64_t queue_limit, repository_queue_limit;
    _Atomic int64_t lease_s;
    _Atomic int64_t max_attempts;
    _Atomic int64_t session_minutes;
    _Atomic int64_t selftest_hours; /* between self-tests of a repository; 0: never */
    _Atomic int64_t gap_jobs;       /* that fill gaps, of a repository at a time; 0: none */
    _Atomic int64_t stream_limit;   /* event streams at a time */
    _Atomic int64_t keep_months;    /* of samples and profiles; 0: for ever */
    _Atomic bool anonymous_read;    /* whoever sends no credential may read */

    pthread_mutex_t mutex; /* of what follows */
    struct service_texts texts;
};

/* The present value of one of service->texts, as a copy that the caller frees; NULL: none. */
char *service_text(struct service *service, const char *const *text);

/* Whether a repository's address may be used by whoever asks: one on another machine by all; one on
 * this machine only below a folder of local_repositories, or, where none is named, when it comes
 * over the Unix socket. HP_DENIED with a hint. */
bool service_may_read(struct service *service, bool over_unix, const char *url,
                      struct hp_error *err);

/* Changes them all; takes copies (NULL or "": none). */
bool service_set(struct service *service, const struct service_texts *texts, struct hp_error *err);
/* Frees them. */
void service_forget(struct service *service);

#endif
