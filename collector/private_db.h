/*
 * The private PostgreSQL: the embedded default, a real server in the state folder that only its
 * own user can reach. Data in STATE/pg (0700, with checksums), socket in STATE/run, log in
 * STATE/log/postgresql.log, no TCP. Authentication is by the operating system's user (peer), who
 * may act as hakperf_owner, hakperf_collector and hakperf_reader. The database is called
 * "hakperf".
 *
 * Programs (initdb, pg_ctl) are found in /usr/lib/postgresql, in PATH or by pg_config, version 15
 * or newer, and always the version that made the data. PostgreSQL refuses root: call hp_drop_root
 * before. Start and stop exclude one another by a lock on STATE/pg.lock; an unfinished initdb, a
 * stale postmaster.pid and a killed server are cleared away. These functions keep nothing between
 * calls; the server lives on when the program that started it ends.
 */
#ifndef HP_COLLECTOR_PRIVATE_DB_H
#define HP_COLLECTOR_PRIVATE_DB_H

#include "common/error.h"

#define PRIVATE_DB_OWNER "hakperf_owner"
#define PRIVATE_DB_COLLECTOR "hakperf_collector"
#define PRIVATE_DB_READER "hakperf_reader"

struct private_db_options {
    bool throw_away;  /* no fsync: fast, and lost with the machine. For tests only */
    double timeout_s; /* for the server to answer; 0: 60 */
};

/* Makes the cluster if there is none, starts it if it does not run, and verifies that the server
 * reached by the socket is that one. *started (may be NULL): whether this call started it, so that
 * who starts it can stop it. `options` may be NULL. Does not migrate: see migrate_up.
 * HP_NOT_FOUND: no PostgreSQL, with the package to install; HP_LIMIT: the path is too long for a
 * socket; HP_CONFLICT: the folder holds something else, or a cluster of the other profile. */
bool private_db_start(const char *state, const struct private_db_options *options, bool *started,
                      struct hp_error *err);

/* Stops it: ends sessions, writes everything out. Fine if it does not run. */
bool private_db_stop(const char *state, struct hp_error *err);

/* {"state": "running"|"stopped"|"absent", "folder", "socket", "pid", "version", "durable", "log",
 * "url"}; the caller owns it. Values that do not apply are null. */
json_t *private_db_status(const char *state, struct hp_error *err);

/* Writes the whole database, as it is at one moment, to an open file (pg_dump's custom format);
 * the server runs, and goes on working. *cancel (may be NULL) non-zero ends it. */
bool private_db_dump(const char *state, int fd, const volatile int *cancel, struct hp_error *err);

/* Puts what private_db_dump wrote in the place of a database that is empty, whole or not at all.
 * HP_CONFLICT where it is not. The server runs, and nobody is connected to it. */
bool private_db_load(const char *state, int fd, const volatile int *cancel, struct hp_error *err);

/* The connection URI for a role; the server need not run. The caller frees it. NULL without
 * memory. */
char *private_db_url(const char *state, const char *role);

#endif
