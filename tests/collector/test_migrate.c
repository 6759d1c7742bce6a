#include "collector/migrate.h"
#include "collector/private_db.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MIGRATIONS 100

static struct hp_error err;

/* A copy of the program's table that a test may change. */
static int copy_table(struct hp_embedded copy[MAX_MIGRATIONS])
{
    int n = 0;
    while (migration_data[n].name)
        n++;
    ck_assert_int_lt(n + 2, MAX_MIGRATIONS);
    memcpy(copy, migration_data, ((size_t)n + 1) * sizeof *copy);
    return n;
}

START_TEST(second_time_does_nothing)
{
    struct db *db = store_db(PRIVATE_DB_OWNER);
    struct migrate_report report;
    ck_assert_msg(migrate_up(db, &report, &err), "%s", err.message);
    ck_assert_int_eq(report.applied, 0);
    ck_assert_int_eq(report.before, report.after);
    ck_assert_int_gt(report.after, 0);
    db_close(db);
}
END_TEST

START_TEST(changed_is_refused)
{
    struct hp_embedded table[MAX_MIGRATIONS];
    copy_table(table);
    static const char other[] = "SELECT 1;";
    table[1].data = other;
    table[1].size = sizeof other - 1;
    struct db *db = store_db(PRIVATE_DB_OWNER);
    ck_assert(!migrate_table(db, table, NULL, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "was changed"));
    db_close(db);
}
END_TEST

START_TEST(tampered_record_is_refused)
{
    store_ask(PRIVATE_DB_OWNER, "UPDATE store.migration SET checksum = repeat('0', 64) "
                                "WHERE number = 1");
    struct db *db = store_db(PRIVATE_DB_OWNER);
    ck_assert(!migrate_up(db, NULL, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    db_close(db);
}
END_TEST

START_TEST(newer_database_is_refused)
{
    struct hp_embedded table[MAX_MIGRATIONS];
    int n = copy_table(table);
    table[n - 1].name = NULL;
    struct db *db = store_db(PRIVATE_DB_OWNER);
    ck_assert(!migrate_table(db, table, NULL, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "newer"));
    db_close(db);
}
END_TEST

/* One that fails leaves nothing of itself, and what came before stays. */
START_TEST(failing_one_leaves_nothing)
{
    struct hp_embedded table[MAX_MIGRATIONS];
    int n = copy_table(table);
    static const char good[] = "CREATE TABLE store.good (x integer);";
    static const char bad[] = "CREATE TABLE store.bad (x integer); SELECT 1 / 0;";
    char names[2][32];
    snprintf(names[0], sizeof names[0], "%04d_good.sql", n + 1);
    snprintf(names[1], sizeof names[1], "%04d_bad.sql", n + 2);
    table[n] = (struct hp_embedded){names[0], good, sizeof good - 1};
    table[n + 1] = (struct hp_embedded){names[1], bad, sizeof bad - 1};
    table[n + 2] = (struct hp_embedded){0};
    struct db *db = store_db(PRIVATE_DB_OWNER);
    struct migrate_report report;
    ck_assert(!migrate_table(db, table, &report, &err));
    ck_assert_ptr_nonnull(strstr(err.message, names[1]));
    ck_assert_int_eq(report.applied, 1);
    ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT to_regclass('store.good') IS NOT NULL "
                                                 "AND to_regclass('store.bad') IS NULL"),
                     "t");
    db_close(db);
}
END_TEST

static void *migrate_thread(void *arg)
{
    struct hp_error mine;
    return migrate_table(arg, migration_data, NULL, &mine) ? NULL : arg;
}

/* Several programs that start at once on an empty database. */
START_TEST(several_at_once)
{
    store_ask(PRIVATE_DB_OWNER, "DROP SCHEMA store CASCADE; DROP SCHEMA hakperf CASCADE");
    struct db *db = store_db(PRIVATE_DB_OWNER);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, migrate_thread, db), 0);
    for (int i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_str_eq(
        store_ask(PRIVATE_DB_OWNER, "SELECT count(*) = max(number) FROM store.migration"), "t");
    db_close(db);
}
END_TEST

START_TEST(collector_may_not_migrate)
{
    ck_assert_str_eq(store_refused(PRIVATE_DB_COLLECTOR, "DELETE FROM store.migration"), "42501");
    ck_assert_str_eq(store_refused(PRIVATE_DB_COLLECTOR, "CREATE TABLE store.x (x integer)"),
                     "42501");
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    ck_assert_msg(migrate_partitions(db, &err), "%s", err.message);
    db_close(db);
}
END_TEST

HP_SUITE(migrate)
{
    Suite *s = suite_create("migrate");
    TCase *t = tcase_create("migrations");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_test(t, second_time_does_nothing);
    tcase_add_test(t, changed_is_refused);
    tcase_add_test(t, tampered_record_is_refused);
    tcase_add_test(t, newer_database_is_refused);
    tcase_add_test(t, failing_one_leaves_nothing);
    tcase_add_test(t, several_at_once);
    tcase_add_test(t, collector_may_not_migrate);
    suite_add_tcase(s, t);
    return s;
}
