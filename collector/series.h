/*
 * What the history says after a run: each series that it added a point to is looked at again for
 * steps of its level (incrementally), a commit outside what its series predicts becomes a suspect
 * that pairs must judge before anyone hears of it, and small regressions that add up are told as
 * one. Inside the transaction that stores the run; only ingest*.c include it.
 */
#ifndef HP_COLLECTOR_SERIES_H
#define HP_COLLECTOR_SERIES_H

#include "collector/ingest_internal.h"

/* After a run of a commit on the main line was stored and judged. Other runs are left alone. */
bool series_follow(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err);

/* Opens a suspect: `head` lies outside what follows from `good`, the commit before it in the
 * series; queues their pair. Nothing where it was suspected before. */
bool suspect_open(struct db_conn *conn, const struct ingest_run *run, const char *workload,
                  const char *good, const char *reason, struct hp_error *err);

/* What a run of kind bisect says of the suspects that waited for it: the next pair is queued, or
 * the search ends. A regression pinned down is then confirmed and told as any other. */
bool suspect_follow(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err);

/* The small regressions before a run that found one more; *alert: a new alert, unchanged if none.
 */
bool accumulate_follow(struct db_conn *conn, const struct ingest_run *run, int64_t *alert,
                       struct hp_error *err);

/* What a self-test says of the service: a planted slowdown that was not found, or more differences
 * between equal builds than their nominal rate allows, make an alert of kind selftest; a canary
 * that is found again resolves it. */
bool selftest_follow(struct db_conn *conn, const struct ingest_run *run, int64_t *alert,
                     struct hp_error *err);

/* Has run `id`, which found a relevant regression, measured once more; `names`: of its workloads.
 */
bool follow_ask(struct db_conn *conn, const char *repository, const char *id, json_t *names,
                struct hp_error *err);

#endif
