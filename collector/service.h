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

struct service {
    char *state;
    struct db *db;
    struct db
        *reader; /* what only reads and may be some moments old; the same as db without replicas */
    struct server *server;
    char address[128]; /* of the page, "http://127.0.0.1:8947"; "" without TCP */
    int64_t queue_limit;
    int64_t repository_queue_limit;
    char *local_repositories; /* folders, separated by colons; NULL: see service_may_read */
    int64_t lease_s;
    int64_t max_attempts;
    int64_t session_minutes;
    int64_t selftest_hours; /* between self-tests of a repository; 0: never */
    int64_t gap_jobs;       /* that fill gaps, of a repository at a time; 0: none */
    int64_t stream_limit;   /* event streams at a time */
    bool anonymous_read;    /* whoever sends no credential may read */
    char *webhook_secrets;  /* folder of a file a repository; NULL: no webhook is taken */
    int64_t keep_months;    /* of samples and profiles; 0: for ever */

    pthread_mutex_t mutex; /* of what follows */
    char *webhook;         /* NULL: none */
    int64_t poll_s;
};

/* The present webhook as a copy that the caller frees; NULL: none. */
char *service_webhook(struct service *service);
int64_t service_poll(struct service *service);

/* Whether a repository's address may be used by whoever asks: one on another machine by all; one on
 * this machine only below a folder of local_repositories, or, where none is named, when it comes
 * over the Unix socket. HP_DENIED with a hint. */
bool service_may_read(const struct service *service, bool over_unix, const char *url,
                      struct hp_error *err);

/* Changes the two settings; takes a copy of `webhook` (NULL or "": none). */
void service_set(struct service *service, const char *webhook, int64_t poll_s);

#endif
