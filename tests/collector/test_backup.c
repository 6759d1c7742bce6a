/* Backup and restore of the private database: what comes back is what was there. */
#include "collector/ingest.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/collector/golden.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

static char *folder_of(const char *name)
{
    return hp_format("%s/%s%d", store_state(), name, (int)getpid());
}

static int run(const char *verb, const char *file, const char *state, const char **printed)
{
    return collector_run((const char *const[]){"db", verb, file, "--state", state, NULL}, false,
                         printed);
}

static int control(const char *verb, const char *state)
{
    return collector_run((const char *const[]){"db", verb, "--state", state, NULL}, false, NULL);
}

static void use(const char *state)
{
    HP_FREE char *socket = hp_format("%s/run", state);
    store_elsewhere(socket);
}

/* All that is stored, as one number; who may what; and what a reader is told. */
static void describe(char out[512])
{
    snprintf(out, 512, "%s",
             store_ask(PRIVATE_DB_OWNER,
                       "SELECT md5(string_agg(row::text, '' ORDER BY row::text)) FROM ("
                       "SELECT r::text AS row FROM store.run r UNION ALL "
                       "SELECT m::text FROM store.measurement m UNION ALL "
                       "SELECT s::text FROM store.sample_set s UNION ALL "
                       "SELECT a::text FROM store.alert a UNION ALL "
                       "SELECT m::text FROM store.migration m UNION ALL "
                       "SELECT j::text FROM store.job j UNION ALL "
                       "SELECT c.oid::regclass || coalesce(c.relacl::text, '') FROM pg_class c "
                       "WHERE c.relnamespace IN ('store'::regnamespace, 'hakperf'::regnamespace) "
                       "UNION ALL SELECT setrole::regrole || setconfig::text FROM "
                       "pg_db_role_setting) x"));
}

START_TEST(comes_back_the_same)
{
    HP_FREE char *second = folder_of("second");
    const char *first = store_state(); /* this suite's own server: nobody copies it any more */
    HP_FREE char *file = folder_of("backup"), *damaged = folder_of("damaged");
    struct hp_error err;
    struct ingest_outcome outcome;
    const char *printed;
    char before[512], after[512];
    use(first);
    golden_world();
    HP_JSON json_t *result = golden_read("result-v1.json");
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    ck_assert_msg(ingest_result(db, result, &outcome, &err), "%s", err.message);
    db_close(db);
    describe(before);
    ck_assert_msg(run("backup", file, first, &printed) == 0, "%s", printed);

    /* A server that runs already, and (only for the time that the test takes) does not wait for the
     * disk. */
    ck_assert_int_eq(control("start", second), 0);
    use(second);
    store_ask(PRIVATE_DB_OWNER, "ALTER SYSTEM SET fsync = off");
    store_ask(PRIVATE_DB_OWNER, "SELECT pg_reload_conf()");

    /* What is damaged changes nothing. */
    HP_BUFFER struct hp_buffer bytes = {0};
    ck_assert(hp_file_read(file, 64 << 20, &bytes, &err));
    ck_assert(hp_file_replace(damaged, bytes.data, bytes.size / 2, 0644, &err));
    ck_assert_int_ne(run("restore", damaged, second, &printed), 0);
    ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM store.repository"), "0");

    ck_assert_msg(run("restore", file, second, &printed) == 0, "%s", printed);
    describe(after);
    ck_assert_str_eq(after, before);
    ck_assert_str_eq(store_ask(PRIVATE_DB_READER, "SELECT count(*) FROM hakperf.runs"), "1");
    ck_assert_str_eq(store_refused(PRIVATE_DB_READER, "SELECT FROM store.run"), "42501");
    ck_assert_int_eq(control("stop", second), 0);

    /* Without a server there is nothing to back up; a restore starts it, replaces nothing that is
     * there, and stops it. */
    ck_assert_int_eq(run("backup", damaged, second, &printed), 3);
    ck_assert_ptr_nonnull(strstr(printed, "does not run"));
    ck_assert_int_ne(run("restore", file, second, &printed), 0);
    ck_assert_msg(strstr(printed, "not empty") && strstr(printed, "HINT"), "%s", printed);
    ck_assert_int_eq(control("status", second), 3);
}
END_TEST

HP_SUITE(collector_backup)
{
    Suite *s = suite_create("collector_backup");
    TCase *t = tcase_create("round trip");
    tcase_set_timeout(t, 180);
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_add_test(t, comes_back_the_same);
    suite_add_tcase(s, t);
    return s;
}
