/*
 * The parts of the private PostgreSQL that private_db.c puts together: its paths and address,
 * finding the programs, making the cluster, and telling which server runs. Only private_db*.c
 * include it.
 */
#ifndef HP_COLLECTOR_PRIVATE_DB_INTERNAL_H
#define HP_COLLECTOR_PRIVATE_DB_INTERNAL_H

#include "collector/private_db.h"

#include <sys/types.h>

#define PRIVATE_DB_OLDEST 15
#define PRIVATE_DB_PORT 5432
#define PRIVATE_DB_NAME "hakperf"

/* All paths of one private server, made by private_paths_init and freed by its counterpart. */
struct private_paths {
    char *data;    /* STATE/pg */
    char *fresh;   /* STATE/pg.new, an initdb that is not finished */
    char *run;     /* STATE/run */
    char *log;     /* STATE/log/postgresql.log */
    char *lock;    /* STATE/pg.lock */
    char *version; /* STATE/pg/PG_VERSION */
    char *pid;     /* STATE/pg/postmaster.pid */
    char *fast;    /* STATE/pg/hakperf.throw-away, there in clusters of that profile */
};

/* private_db_paths.c. */
bool private_paths_init(struct private_paths *p, const char *state, struct hp_error *err);
void private_paths_clear(struct private_paths *p);
#define PRIVATE_PATHS __attribute__((cleanup(private_paths_clear)))

/* private_db_programs.c: the folder with initdb and pg_ctl of that major version, 0: the newest of
 * at least PRIVATE_DB_OLDEST. The caller frees it. */
char *private_programs(int version, struct hp_error *err);

/* private_db_cluster.c: the major version that made the cluster; 0: there is none; -1 with err:
 * something else lies there. */
int private_cluster_version(const struct private_paths *p, struct hp_error *err);
/* Makes the cluster where there is none, whole or not at all. */
bool private_cluster_make(const struct private_paths *p, bool throw_away, struct hp_error *err);
/* Writes the settings and the rules of access, so that they are this program's at each start. */
bool private_cluster_configure(const char *data, const struct private_paths *p, bool throw_away,
                               struct hp_error *err);

/* private_db_server.c: the pid of the server that runs on that data folder; 0: none. */
pid_t private_server_pid(const struct private_paths *p);
/* Waits until no process of a killed server is left, and removes lock files that name a process
 * which is another program by now. */
bool private_server_clear_stale(const struct private_paths *p, double timeout_s,
                                struct hp_error *err);
/* Connects, and checks that who answers is this cluster's server: same process, same folder, same
 * system identifier. Makes the database where it is missing. */
bool private_server_verify(const struct private_paths *p, const char *state, double timeout_s,
                           struct hp_error *err);

#endif
