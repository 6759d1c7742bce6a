/*
 * The queue of jobs: rows of store.job, claimed by runners under a lease with a fencing token. A
 * claim is one statement that skips what others are claiming; a lease that ends puts the job back,
 * or makes it dead after too many attempts. Any thread, any number of collectors.
 *
 * The order of claims: repositories take turns; within one the highest priority goes first, of
 * equals the parent before its child; jobs of priority 0 and less wait until there is nothing else.
 * Whoever inserts a job, by these functions or by SQL, wakes the claims that wait in every
 * collector (the trigger job_added notifies channel hakperf_job).
 */
#ifndef HP_COLLECTOR_QUEUE_H
#define HP_COLLECTOR_QUEUE_H

#include "collector/db.h"

/* Priorities, from what somebody waits for down to what fills gaps. */
#define QUEUE_ASKED 2000000000   /* somebody asked: before all that looks found */
#define QUEUE_CONFIRM 1900000000 /* a regression that is told of only when confirmed */
#define QUEUE_BISECT 1800000000
#define QUEUE_BRIDGE 1700000000 /* joins two epochs, before the new one goes on */
#define QUEUE_GAP 0             /* backfill: when nothing else waits */

/* Of a job that a look found now: those of the newest push go first. Self-tests (aa, canary) take
 * it too: they queue up like a push. */
int64_t queue_look_priority(void);

struct queue_job {
    int64_t repository;
    const char *kind; /* of job-v1.schema.json */
    const char *head;
    const char *base; /* NULL: the first parent, where there is one; for aa and canary the head */
    int64_t priority;
    bool once;                 /* only if no job ever measured this commit */
    const int64_t *depends_on; /* earlier jobs of the repository that must be done before */
    size_t depends_count;
    const char *only_runner; /* who alone may claim it; NULL: anybody */
};

/* Adds a job, or finds the same one that waits or runs already. *id is 0 where `once` kept it out
 * or the repository has no suite. Head and base must be stored commits. HP_INVALID: it depends on a
 * job that is not there. */
bool queue_add(struct db_conn *conn, const struct queue_job *job, int64_t *id, bool *added,
               struct hp_error *err);

/* Queues commits that no job measured though those around them were: of a push that was cut, of an
 * outage. At most `most` of a repository wait at a time; 0: none. Any number of collectors may
 * call.
 */
bool queue_fill_gaps(struct db *db, int64_t most, int64_t *added, struct hp_error *err);

/* Queues what is due of self-tests: pairs of one build and, where the suite plants one, a known
 * slowdown, on the newest measured commit, so many hours after the last ones; 0: none. They wait
 * until nothing else does. A repository that is measured for less than an hour has none. */
bool queue_self_tests(struct db *db, int64_t hours, int64_t *added, struct hp_error *err);

/* How many of the waiting jobs could be claimed now, up to `most`; -1 on error. */
int64_t queue_ready(struct db *db, int64_t most, struct hp_error *err);

/* Calls off a job that waits or runs, whose runner then finds its lease lost; `who` is noted in its
 * reason. HP_NOT_FOUND, or HP_CONFLICT where it has ended. */
bool queue_cancel(struct db *db, int64_t job, const char *who, struct hp_error *err);

/* Makes a job wait again that was given up or cancelled, with all its attempts before it.
 * HP_NOT_FOUND, or HP_CONFLICT where it is in another state or the same job waits already. */
bool queue_retry(struct db *db, int64_t job, struct hp_error *err);

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

/* Gives a job back that runs under that fence, before it is done: it waits again at once, and the
 * attempt does not count. HP_CONFLICT where the lease was lost. */
bool queue_release(struct db *db, int64_t job, int64_t fence, const char *reason,
                   struct hp_error *err);

/* The result of a job that runs under that fence was refused for good: the attempt is over, with
 * `reason`. Nothing happens where the lease was lost. */
bool queue_refused(struct db *db, int64_t job, int64_t fence, const char *reason,
                   int64_t max_attempts, struct hp_error *err);

/* The repository of a job that runs under that fence and that `sha` belongs to; the caller frees
 * it. *driver_url, owned by the caller too: where the driver's commit comes from, else NULL. NULL
 * with HP_NOT_FOUND or HP_CONFLICT (stale fence). */
char *queue_source(struct db *db, int64_t job, int64_t fence, const char *sha, char **driver_url,
                   struct hp_error *err);

/* Ends the leases that are over, and the jobs that wait for what will not come: a job that was
 * given up, a runner that is gone. *released: jobs that wait again. */
bool queue_expire(struct db *db, int64_t max_attempts, int64_t *released, int64_t *dead,
                  struct hp_error *err);

#endif
