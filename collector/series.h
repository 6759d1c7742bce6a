/*
 * What the history says after a run. The run adds a point to each of its series, and small
 * regressions that add up are told as one, inside the transaction that stores it. Behind it, and
 * for many points at a time, a series is looked at again for steps of its level, and a commit
 * outside what its series predicts becomes a suspect that pairs must judge before anyone hears of
 * it. Included by ingest*.c, by those who judge, and by their tests.
 */
#ifndef HP_COLLECTOR_SERIES_H
#define HP_COLLECTOR_SERIES_H

#include "collector/ingest_internal.h"

/* Judges every series with points that were added since it was judged last, each in a transaction
 * of its own; any collector may, and what one did not come to is due for the next. *judged: how
 * many series. `stop` (may be NULL): ends after the series in hand. */
bool series_judge(struct db *db, const volatile int *stop, int64_t *judged, struct hp_error *err);

/* Opens a suspect: commit `bad` lies outside what follows from `good`, the commit before it in the
 * series; queues their pair. Nothing where it was suspected before. */
bool suspect_open(struct db_conn *conn, const char *repository, const char *workload,
                  const char *good, const char *bad, const char *reason, struct hp_error *err);

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
