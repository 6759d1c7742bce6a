/*
 * A database that was upgraded is the same as a fresh one: from every migration on, and from the
 * dumps of earlier releases with what their collectors had stored. Compared is what pg_dump says of
 * the schema; but for the monthly partitions, whose names are those of the day they were made.
 */
#include "collector/migrate.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/process.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MIGRATIONS = 200 };

static char *run_program(const char *const *argv)
{
    struct hp_error err;
    struct hp_command command = {
        .argv = argv, .timeout_s = 60, .merge_stderr = true, .output_limit = 8 << 20};
    HP_OUTCOME struct hp_outcome outcome = {0};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    ck_assert_msg(outcome.exit_code == 0, "%s: %s", argv[0], hp_buffer_text(&outcome.out));
    return strdup(hp_buffer_text(&outcome.out));
}

/* Without the lines that differ between two dumps of the same database. */
static char *dump(void)
{
    const char *const argv[] = {"pg_dump", "--schema-only", "--exclude-table=store.sample_set_2*",
                                store_url(PRIVATE_DB_OWNER), NULL};
    char *text = run_program(argv);
    for (char *line = text; (line = strstr(line, "restrict ")); line++)
        memset(line, '.', strcspn(line, "\n"));
    return text;
}

static void empty(void)
{
    store_ask(PRIVATE_DB_OWNER, "DROP SCHEMA IF EXISTS store CASCADE");
    store_ask(PRIVATE_DB_OWNER, "DROP SCHEMA IF EXISTS hakperf CASCADE");
}

static void upgrade(int to)
{
    struct hp_embedded table[MAX_MIGRATIONS];
    struct hp_error err;
    int n = 0;
    do {
        table[n] = migration_data[n];
    } while (migration_data[n++].name && n < to);
    table[n] = (struct hp_embedded){0};
    struct db *db = store_db(PRIVATE_DB_OWNER);
    ck_assert_msg(migrate_table(db, table, NULL, &err), "%s", err.message);
    db_close(db);
}

static void assert_same(const char *fresh, const char *other, const char *what)
{
    size_t i = 0;
    while (fresh[i] && fresh[i] == other[i])
        i++;
    size_t from = i > 200 ? i - 200 : 0;
    ck_assert_msg(strcmp(fresh, other) == 0,
                  "%s: a fresh database says\n…%.400s\nthis one\n…%.400s", what, fresh + from,
                  other + from);
}

/* One at a time, each by a program that knows no later one, as if every number had been a release.
 */
START_TEST(from_every_migration)
{
    HP_FREE char *fresh = dump();
    ck_assert_ptr_nonnull(strstr(fresh, "CREATE TABLE store.run"));
    empty();
    for (int to = 1; migration_data[to - 1].name; to++)
        upgrade(to);
    HP_FREE char *upgraded = dump();
    assert_same(fresh, upgraded, "step by step");
}
END_TEST

/* A release with data in it: the schema is the same, and every row is still there. */
START_TEST(from_every_release)
{
    glob_t found;
    ck_assert_int_eq(glob("tests/schema/releases/*.sql", 0, NULL, &found), 0);
    HP_FREE char *fresh = dump();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        empty();
        const char *const restore[] = {"psql",
                                       "--no-psqlrc",
                                       "--quiet",
                                       "--set",
                                       "ON_ERROR_STOP=1",
                                       "--file",
                                       found.gl_pathv[i],
                                       store_url(PRIVATE_DB_OWNER),
                                       NULL};
        free(run_program(restore));
        HP_FREE char *before = strdup(
            store_ask(PRIVATE_DB_OWNER, "SELECT (SELECT count(*) FROM store.measurement) || ' ' || "
                                        "(SELECT count(*) FROM store.sample_set) || ' ' || "
                                        "(SELECT count(*) FROM store.run)"));
        ck_assert_str_ne(before, "0 0 0");
        upgrade(MAX_MIGRATIONS - 1);
        HP_FREE char *upgraded = dump();
        assert_same(fresh, upgraded, found.gl_pathv[i]);
        ck_assert_str_eq(store_ask(PRIVATE_DB_READER,
                                   "SELECT (SELECT count(*) FROM hakperf.measurements) || ' ' || "
                                   "(SELECT count(*) FROM hakperf.runs)"),
                         "25 2");
        ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM store.sample_set"), "9");
    }
    globfree(&found);
}
END_TEST

HP_SUITE(upgrade)
{
    Suite *s = suite_create("upgrade");
    TCase *t = tcase_create("upgrade");
    tcase_set_timeout(t, 90);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_test(t, from_every_migration);
    tcase_add_test(t, from_every_release);
    suite_add_tcase(s, t);
    return s;
}
