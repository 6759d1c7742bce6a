#include "collector/migrate.h"

#include "common/hash.h"
#include "common/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A migration may rewrite large tables. */
#define MIGRATION_TIMEOUT_S 3600.0
/* A month may have to move. */
#define PARTITION_TIMEOUT_S 600.0

/* NNNN_name.sql → NNNN; 0 for a name that is none. */
static int number_of(const char *name)
{
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)name[i]))
            return 0;
    return name[4] == '_' ? atoi(name) : 0;
}

/* Numbers are 1, 2, 3 … in the order of the names, so that none can be forgotten. */
static bool check_table(const struct hp_embedded *table, int *count, struct hp_error *err)
{
    for (*count = 0; table[*count].name; ++*count)
        if (number_of(table[*count].name) != *count + 1)
            return hp_fail(err, HP_INTERNAL, "migration %s is not number %d", table[*count].name,
                           *count + 1);
    return true;
}

/* What was applied must be what this program would apply. */
static bool check_applied(const struct hp_embedded *table, int count, const PGresult *applied,
                          struct hp_error *err)
{
    for (int i = 0; i < PQntuples(applied); i++) {
        const char *name = db_text(applied, i, 1);
        if (i >= count) {
            hp_fail(err, HP_CONFLICT,
                    "the database is newer than this program: it has migration %s", name);
            return hp_error_hint(err, "Install the newer version, or restore an older backup.");
        }
        char checksum[HP_HASH_TEXT];
        hp_hash_bytes(table[i].data, table[i].size, checksum);
        if (db_get_int(applied, i, 0) == i + 1 && strcmp(checksum, db_text(applied, i, 2)) == 0)
            continue;
        hp_fail(err, HP_CONFLICT, "migration %s was changed after it was applied as %s",
                table[i].name, name);
        return hp_error_hint(err, "Applied migrations never change; a new one must follow.");
    }
    return true;
}

static bool apply(struct db_conn *conn, const struct hp_embedded *row, struct hp_error *err)
{
    char number[DB_TEXT], checksum[HP_HASH_TEXT];
    hp_hash_bytes(row->data, row->size, checksum);
    bool ok =
        db_begin(conn, err) && db_script(conn, row->name, row->data, err) &&
        db_run(conn, "migration_record.sql",
               DB_PARAMS(db_int(number, number_of(row->name)), row->name, checksum), NULL, err) &&
        db_commit(conn, err);
    if (ok)
        hp_log(HP_LOG_INFO, "applied migration %s", row->name);
    else
        db_rollback(conn);
    return ok || hp_error_context(err, "migration");
}

/* Under the advisory lock. */
static bool migrate_locked(struct db_conn *conn, const struct hp_embedded *table, int count,
                           struct migrate_report *out, struct hp_error *err)
{
    DB_RESULT PGresult *exists = db_query(conn, "migration_state.sql", DB_NO_PARAMS, err);
    if (!exists)
        return false;
    if (db_get_bool(exists, 0, 0)) {
        DB_RESULT PGresult *applied = db_query(conn, "migration_list.sql", DB_NO_PARAMS, err);
        if (!applied || !check_applied(table, count, applied, err))
            return false;
        out->before = PQntuples(applied);
    }
    out->after = out->before;
    for (int i = out->before; i < count; i++) {
        if (!apply(conn, &table[i], err))
            return false;
        out->after++;
        out->applied++;
    }
    return true;
}

bool migrate_table(struct db *db, const struct hp_embedded *table, struct migrate_report *out,
                   struct hp_error *err)
{
    struct migrate_report report = {0};
    int count;
    if (!check_table(table, &count, err))
        return false;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn)
        return false;
    db_set_timeout(conn, MIGRATION_TIMEOUT_S);
    if (!db_run(conn, "migration_lock.sql", DB_NO_PARAMS, NULL, err))
        return false;
    bool ok = migrate_locked(conn, table, count, &report, err);
    struct hp_error later;
    if (!db_run(conn, "migration_unlock.sql", DB_NO_PARAMS, NULL, &later) && ok) {
        *err = later;
        ok = false;
    }
    if (out)
        *out = report;
    return ok;
}

bool migrate_up(struct db *db, struct migrate_report *out, struct hp_error *err)
{
    return migrate_table(db, migration_data, out, err);
}

bool migrate_partitions(struct db *db, struct hp_error *err)
{
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn)
        return false;
    db_set_timeout(conn, PARTITION_TIMEOUT_S);
    return db_run(conn, "partitions.sql", DB_NO_PARAMS, NULL, err);
}

bool migrate_retention(struct db *db, int64_t months, struct hp_error *err)
{
    char number[DB_TEXT];
    if (months == 0)
        return true;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn)
        return false;
    db_set_timeout(conn, PARTITION_TIMEOUT_S);
    DB_RESULT PGresult *row =
        db_query(conn, "retention.sql", DB_PARAMS(db_int(number, months)), err);
    if (row && db_get_int(row, 0, 0) > 0)
        hp_log(HP_LOG_INFO, "dropped the samples of %lld months, older than %lld months",
               (long long)db_get_int(row, 0, 0), (long long)months);
    return row != NULL;
}
