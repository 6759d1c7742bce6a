/*
 * The queue of jobs: rows of store.job, claimed by runners under a lease with a fencing token. A
 * claim is one statement that skips what others are claiming; a lease that ends puts the job back,
 * or makes it dead after too many attempts. Any thread, any number of collectors.
 */
#ifndef HP_COLLECTOR_QUEUE_H
#define HP_COLLECTOR_QUEUE_H

#include "collector/db.h"

/* Of a job that somebody asked for: before all that looks found. */
#define QUEUE_ASKED 2000000000

/* Of a job that a look found now: those of the newest push go first. */
int64_t queue_look_priority(void);

struct queue_job {
    int64_t repository;
    const char *kind; /* "commit" or "compare" */
    const char *head;
    const char *base; /* NULL: the first parent, where there is one */
    int64_t priority;
    bool once; /* only if no job ever measured this commit */
};

/* Adds a job, or finds the same one that waits or runs already. *id is 0 where `once` kept it out
 * or the repository has no suite. Head and base must be stored commits. */
bool queue_add(struct db_conn *conn, const struct queue_job *job, int64_t *id, bool *added,
               struct hp_error *err);

/* How many jobs wait; -1 on error. */
int64_t queue_waiting(struct db *db, struct hp_error *err);

struct queue_lease {
    int64_t seconds;
    int64_t max_attempts;
};

/* The next job as a job document that obeys its schema, or NULL with code HP_OK where none waits.
 * The caller owns it. */
json_t *queue_claim(struct db *db, const char *runner, const char *version,
                    const struct queue_lease *lease, struct hp_error *err);

/* Renews the lease. `progress` is stored as it is. HP_CONFLICT where the lease was lost. */
bool queue_progress(struct db *db, int64_t job, int64_t fence, const json_t *progress,
                    int64_t lease_s, struct hp_error *err);

/* The repository of a job that runs under that fence and that `sha` belongs to; the caller frees
 * it. NULL with HP_NOT_FOUND or HP_CONFLICT (stale fence). */
char *queue_source(struct db *db, int64_t job, int64_t fence, const char *sha,
                   struct hp_error *err);

/* Ends the leases that are over. *released: jobs that wait again. */
bool queue_expire(struct db *db, int64_t max_attempts, int64_t *released, int64_t *dead,
                  struct hp_error *err);

#endif
