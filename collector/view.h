/*
 * The answers of the read endpoints, as common/wire/README.md describes them, built from the store.
 * Revisions are full commit hashes: resolving names is the mirrors' work. Each function returns a
 * new JSON value that the caller owns, or NULL with HP_NOT_FOUND (and a hint what to do) or an
 * error of db.h. Nothing is kept between calls; any thread may call.
 */
#ifndef HP_COLLECTOR_VIEW_H
#define HP_COLLECTOR_VIEW_H

#include "collector/db.h"

#define VIEW_LOG_LIMIT 500
#define VIEW_SERIES_LIMIT 5000
#define VIEW_ALERT_LIMIT 500
#define VIEW_JOB_LIMIT 500

/* {"repositories": […]}, by name. */
json_t *view_repositories(struct db *db, struct hp_error *err);

/* {"commits": [LOG ENTRY…], "next": sha|null}: the first-parent history of the default ref, newest
 * first, from the head or behind the commit `before` (NULL: none). limit 1 to VIEW_LOG_LIMIT.
 * `watched`: only commits that touch a watched path or were measured. */
json_t *view_log(struct db *db, const char *repository, int limit, const char *before, bool watched,
                 struct hp_error *err);

/* {"commit": LOG ENTRY, "run": {…}|null, "comparison": COMPARISON|null, "passes": PASSES|null} of
 * its last run. */
json_t *view_commit(struct db *db, const char *repository, const char *sha, struct hp_error *err);

/* {"run", "workloads": [{"workload", "arms", "functions"}]}: the profiles of a commit's last run,
 * of one workload or (NULL) of all. */
json_t *view_profile(struct db *db, const char *repository, const char *sha, const char *workload,
                     struct hp_error *err);

/* COMPARISON of the last run that measured head against base. HP_NOT_FOUND where none did, with
 * the hint how to measure it, or that it waits in the queue. */
json_t *view_compare(struct db *db, const char *repository, const char *base, const char *head,
                     struct hp_error *err);

/* The series of a workload and metric along the first-parent history, oldest first; the last
 * `limit` points, 1 to VIEW_SERIES_LIMIT. metric NULL: the primary one; workload NULL: the first
 * by name. */
json_t *view_series(struct db *db, const char *repository, const char *workload, const char *metric,
                    int limit, struct hp_error *err);
/* The same as JSON text, which the caller frees. */
char *view_series_text(struct db *db, const char *repository, const char *workload,
                       const char *metric, int limit, struct hp_error *err);

/* {"changepoints": […]} of a workload (NULL: all), newest first. limit 1 to VIEW_SERIES_LIMIT. */
json_t *view_changepoints(struct db *db, const char *repository, const char *workload, int limit,
                          struct hp_error *err);

/* {"suspects": […]}: commits outside what their series predicted, newest first. */
json_t *view_suspects(struct db *db, const char *repository, int limit, struct hp_error *err);

/* The self-tests of the last `days`: false alarms with their rate and its bound, planted slowdowns,
 * the smallest visible effect, and the newest of each workload. */
json_t *view_selftest(struct db *db, const char *repository, int days, struct hp_error *err);

/* {"version", "queue", "running", "eta", "runners", "failed_jobs", "counts"}. */
json_t *view_status(struct db *db, struct hp_error *err);

/* JOB STATE. */
json_t *view_job(struct db *db, int64_t job, struct hp_error *err);

struct view_jobs {
    const char *repository, *state, *kind; /* NULL: all */
    int64_t before;                        /* only jobs with a lower number; 0: from the newest */
    int limit;                             /* 1 to VIEW_JOB_LIMIT */
};

/* {"jobs": [JOB STATE…], "next": number|null}, newest first. HP_NOT_FOUND for an unknown
 * repository, HP_INVALID for a state or kind that there is not. */
json_t *view_jobs(struct db *db, const struct view_jobs *which, struct hp_error *err);

struct view_alerts {
    const char *repository, *owner; /* NULL: all */
    const char *state;              /* of an alert, or "active": not resolved; NULL: all */
    int64_t before;                 /* only alerts with a lower number; 0: from the newest */
    int limit;                      /* 1 to VIEW_ALERT_LIMIT */
};

/* {"alerts": [ALERT…], "next": number|null}, newest first. HP_NOT_FOUND for an unknown repository,
 * HP_INVALID for a state that there is not. */
json_t *view_alerts(struct db *db, const struct view_alerts *which, struct hp_error *err);

/* ALERT with its "history". */
json_t *view_alert(struct db *db, int64_t alert, struct hp_error *err);

#endif
