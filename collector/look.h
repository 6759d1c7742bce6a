/*
 * Looking at a repository: fetch its mirror, compare the tips with those of the last look, store
 * the commits that are new, and queue those that are to be measured. Refs are the truth: why
 * somebody said "look" does not matter, so that a lost hook, an outage, a forced push or a deleted
 * branch need no care of their own.
 *
 * One look is one transaction: what is stored and what is queued belongs together, and a look that
 * fails has changed nothing but the mirror. Any thread; looks at one repository exclude each other.
 */
#ifndef HP_COLLECTOR_LOOK_H
#define HP_COLLECTOR_LOOK_H

#include "collector/mirror.h"
#include "collector/service.h"

/* Most commits that one look queues. What is older stays unmeasured until somebody asks. */
#define LOOK_QUEUE_MAX 200

/* Looks. → {"queued": [{"job", "sha", "subject"}…], "known": commits stored}; the caller owns it.
 * `fetch` false: the mirror was fetched just now. HP_NOT_FOUND: no such repository; HP_FAILED:
 * git's words; HP_LIMIT: the queue is full (the next look tries again). */
json_t *look_at(struct service *service, const char *repository, bool fetch, struct hp_error *err);

/* Fetches the mirror of a repository from where the store says. HP_NOT_FOUND: no such repository.
 */
bool look_fetch(struct service *service, const struct mirror *mirror, const char *repository,
                struct hp_error *err);

/* Looks at every repository that has a suite. What fails is logged and noted in the store. */
void look_at_all(struct service *service);

/* Stores a commit and the history behind it where the store does not know it yet, so that jobs can
 * name it; on a connection with an open transaction. `watch` as in history_read. */
bool look_store_commit(struct db_conn *conn, const struct mirror *mirror, int64_t repository,
                       const char *sha, const json_t *watch, struct hp_error *err);

#endif
