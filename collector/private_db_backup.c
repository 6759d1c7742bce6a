/* The whole database as one file, by pg_dump and pg_restore of the version that made it. */
#include "collector/private_db_internal.h"

#include "collector/db.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"

#include <stdlib.h>
#include <string.h>

/* A database of any size that one machine holds. */
#define BACKUP_TIMEOUT_S 86400.0

static char *program_path(const char *state, const char *name, struct hp_error *err)
{
    PRIVATE_PATHS struct private_paths p;
    if (!private_paths_init(&p, state, err))
        return NULL;
    int version = private_cluster_version(&p, err);
    if (version == 0)
        hp_fail(err, HP_NOT_FOUND, "there is no private PostgreSQL in %s", p.data);
    HP_FREE char *folder = version > 0 ? private_programs(version, err) : NULL;
    return folder ? hp_format("%s/%s", folder, name) : NULL;
}

static bool run(const struct hp_command *command, struct hp_error *err)
{
    HP_OUTCOME struct hp_outcome outcome = {0};
    return hp_run_ok(command, &outcome, err);
}

bool private_db_dump(const char *state, int fd, const volatile int *cancel, struct hp_error *err)
{
    HP_FREE char *program = program_path(state, "pg_dump", err);
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    const char *argv[] = {program, "--format=custom", "--create", "--dbname", url, NULL};
    if (!program || !url)
        return false;
    return run(&(struct hp_command){.argv = argv,
                                    .folder = "/",
                                    .timeout_s = BACKUP_TIMEOUT_S,
                                    .keep_tail = true,
                                    .stdout_fd = fd,
                                    .cancel = cancel},
               err);
}

/* Something is stored: then nothing is put in its place. */
static bool check_empty(const char *state, struct hp_error *err)
{
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    struct db *db = url ? db_open(url, &(struct db_options){.pool_size = 1}, err) : NULL;
    PGresult *row = db ? db_pool_query(db, "restore_empty.sql", DB_NO_PARAMS, err) : NULL;
    bool empty = row && db_get_bool(row, 0, 0);
    if (row && !empty) {
        hp_fail(err, HP_CONFLICT, "the database of %s is not empty", state);
        hp_error_hint(err, "Restore into another --state folder, and use that one from then on.");
    }
    PQclear(row);
    db_close(db);
    return empty;
}

static bool restore_beside(const char *state, struct db *db, const char *maintenance, int fd,
                           const volatile int *cancel, struct hp_error *err)
{
    HP_FREE char *program = program_path(state, "pg_restore", err);
    const char *argv[] = {program,     "--create", "--exit-on-error", "--no-password", "--dbname",
                          maintenance, NULL};
    struct hp_error ignored;
    if (!program)
        return false;
    if (!db_pool_run(db, "restore_set_aside.sql", DB_NO_PARAMS, NULL, err)) {
        hp_error_context(err, "the database is in use");
        return hp_error_hint(err, "Stop the collector (and `hakperf up`) first.");
    }
    bool ok = run(&(struct hp_command){.argv = argv,
                                       .folder = "/",
                                       .timeout_s = BACKUP_TIMEOUT_S,
                                       .keep_tail = true,
                                       .stdin_fd = fd,
                                       .cancel = cancel},
                  err);
    if (ok)
        return db_pool_run(db, "restore_forget.sql", DB_NO_PARAMS, NULL, err);
    if (!db_pool_run(db, "restore_drop.sql", DB_NO_PARAMS, NULL, &ignored) ||
        !db_pool_run(db, "restore_put_back.sql", DB_NO_PARAMS, NULL, &ignored))
        hp_error_hint(err, "The empty database is called hakperf_before now.");
    return false;
}

bool private_db_load(const char *state, int fd, const volatile int *cancel, struct hp_error *err)
{
    if (!check_empty(state, err))
        return false;
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    HP_FREE char *maintenance = url ? hp_format("%s&dbname=postgres", url) : NULL;
    struct db_options options = {.pool_size = 1, .timeout_s = 60};
    struct db *db = maintenance ? db_open(maintenance, &options, err) : NULL;
    bool ok = db && restore_beside(state, db, maintenance, fd, cancel, err);
    db_close(db);
    return ok;
}
