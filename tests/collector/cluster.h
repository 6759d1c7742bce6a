/*
 * PostgreSQL servers for tests of what happens when they fail: clusters of a test's own below the
 * store fixture's folder, each on a Unix socket in its own folder, run as the user that services
 * run as. cluster_end_all stops what is left, in an unchecked teardown before store_stop.
 */
#ifndef HP_TESTS_CLUSTER_H
#define HP_TESTS_CLUSTER_H

#include <stdbool.h>
#include <sys/types.h>

struct cluster {
    char folder[128]; /* PGDATA is folder/pg, the socket lies in folder */
};

/* Once a test case: what cluster_make copies, a stopped cluster with the migrated database hakperf.
 */
void cluster_template(void);

/* Makes and starts a cluster with further lines of configuration. `folder`: where, NULL: below the
 * store's folder. */
void cluster_make(struct cluster *c, const char *name, const char *folder, const char *settings);
/* A streaming replica of `primary`, by pg_basebackup; started. */
void cluster_clone(struct cluster *c, const char *name, const struct cluster *primary);

/* pg_ctl; the mode of a stop is "fast" or "immediate". False where it fails. */
bool cluster_start(const struct cluster *c);
bool cluster_stop(const struct cluster *c, const char *mode);
bool cluster_promote(const struct cluster *c);
pid_t cluster_pid(const struct cluster *c);

/* Runs SQL as hakperf_owner, its superuser; the first field in static memory ("" for none). Fails
 * the test on an error. */
const char *cluster_ask(const struct cluster *c, const char *sql);

/* Once a test case: ends servers that a failed test left behind. */
void cluster_end_all(void);

#endif
