/*
 * The schema's migrations: the files schema/migrations/NNNN_name.sql, which every collector carries
 * inside itself. Each is applied once, in the order of its number, in one transaction, under an
 * advisory lock that lets several collectors start at once. The table store.migration remembers
 * each with its SHA-256: a migration that was changed after it was applied, or a database newer
 * than the program, is refused.
 */
#ifndef HP_COLLECTOR_MIGRATE_H
#define HP_COLLECTOR_MIGRATE_H

#include "collector/db.h"

/* The files of schema/migrations. */
extern const struct hp_embedded migration_data[];

struct migrate_report {
    int before;  /* number of the last migration that was there, 0 for an empty database */
    int after;   /* likewise at the end */
    int applied; /* how many this call applied */
};

/* Applies what is missing, as hakperf_owner or a member of it. HP_CONFLICT: changed or newer.
 * What was applied before an error stays, each whole. `out` may be NULL. */
bool migrate_up(struct db *db, struct migrate_report *out, struct hp_error *err);

/* As migrate_up with the table of migrations given, ended by a NULL name; for tests. */
bool migrate_table(struct db *db, const struct hp_embedded *table, struct migrate_report *out,
                   struct hp_error *err);

/* Makes the partitions of the months ahead, and moves what waits in the default one to its month;
 * at start and daily, as hakperf_collector or owner. */
bool migrate_partitions(struct db *db, struct hp_error *err);

/* Drops the samples and profiles that are older than so many months; 0: none. Daily. */
bool migrate_retention(struct db *db, int64_t months, struct hp_error *err);

#endif
