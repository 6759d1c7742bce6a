/* Runs the pgTAP files of this folder by psql, each in the test's own database. */
#include "collector/private_db.h"
#include "common/process.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

/* The file, and the line that its last passed test prints. */
static const char *const files[][2] = {
    {"tests/schema/constraints.sql", "ok 29 "},
    {"tests/schema/model.sql", "ok 23 "},
};

static bool have_pgtap(void)
{
    return strcmp(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM pg_available_extensions "
                                              "WHERE name = 'pgtap'"),
                  "1") == 0;
}

START_TEST(pgtap)
{
    if (!have_pgtap()) {
        fputs("pgTAP is not installed (postgresql-15-pgtap): its tests are left out\n", stderr);
        return;
    }
    store_ask(PRIVATE_DB_OWNER, "CREATE EXTENSION pgtap SCHEMA public");
    const char *argv[] = {
        "psql",  "--no-psqlrc",     "--quiet", "--tuples-only", "--no-align",
        "--set", "ON_ERROR_STOP=1", "--file",  files[_i][0],    store_url(PRIVATE_DB_OWNER),
        NULL};
    struct hp_error err;
    struct hp_command command = {.argv = argv, .timeout_s = 50, .merge_stderr = true};
    HP_OUTCOME struct hp_outcome outcome = {0};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    const char *text = hp_buffer_text(&outcome.out);
    ck_assert_msg(outcome.exit_code == 0, "psql: %s\n%s", hp_outcome_text(&outcome), text);
    ck_assert_msg(!strstr(text, "not ok ") && !strstr(text, "# Looks like"), "%s", text);
    ck_assert_msg(strstr(text, files[_i][1]) != NULL, "%s", text);
}
END_TEST

HP_SUITE(schema)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("pgtap");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_loop_test(t, pgtap, 0, (int)(sizeof files / sizeof files[0]));
    suite_add_tcase(s, t);
    return s;
}
