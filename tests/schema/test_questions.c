/*
 * The page schema/QUESTIONS.md: each SELECT on it is run by psql as the reader on the replayed
 * history, and what it shows must be what came out. HAKPERF_WRITE_QUESTIONS=1 (make questions)
 * writes the output into the page instead.
 */
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"
#include "tests/collector/store_fixture.h"
#include "tests/schema/replay.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

static const char page_path[] = "schema/QUESTIONS.md";
static const char sql_fence[] = "```sql\n", text_fence[] = "```text\n", end_fence[] = "```\n";

static char *ask_psql(const char *sql)
{
    const char *const argv[] = {
        "psql",   "--no-psqlrc", "--quiet", "--set",           "ON_ERROR_STOP=1",
        "--pset", "pager=off",   "--pset",  "linestyle=ascii", store_url(PRIVATE_DB_READER),
        NULL};
    struct hp_error err;
    struct hp_command command = {.argv = argv,
                                 .input = sql,
                                 .input_size = strlen(sql),
                                 .timeout_s = 40,
                                 .merge_stderr = true};
    HP_OUTCOME struct hp_outcome outcome = {0};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    ck_assert_msg(outcome.exit_code == 0, "%s\n%s", sql, hp_buffer_text(&outcome.out));
    /* No spaces at the ends of lines, no empty line at the end: so that the page can be edited. */
    HP_BUFFER struct hp_buffer out = {0};
    for (const char *at = hp_buffer_text(&outcome.out); *at;) {
        size_t length = strcspn(at, "\n"), kept = length;
        while (kept > 0 && at[kept - 1] == ' ')
            kept--;
        if (kept > 0)
            hp_buffer_printf(&out, "%.*s\n", (int)kept, at);
        at += length + (at[length] == '\n');
    }
    return hp_take(out.data);
}

/* Copies up to the end of `fence`, which must come; the place behind it. */
static const char *copy_to(struct hp_buffer *out, const char *at, const char *fence)
{
    const char *found = strstr(at, fence);
    ck_assert_msg(found != NULL, "no %s behind: %.80s", fence, at);
    found += strlen(fence);
    hp_buffer_append(out, at, (size_t)(found - at));
    return found;
}

/* The page with the output of this database; *count gets the number of questions. */
static char *answered(const char *page, int *count)
{
    HP_BUFFER struct hp_buffer out = {0};
    const char *at = page;
    for (*count = 0; strstr(at, sql_fence); ++*count) {
        at = copy_to(&out, at, sql_fence);
        HP_FREE char *sql = strndup(at, (size_t)(strstr(at, end_fence) - at));
        at = copy_to(&out, at, end_fence);
        at = copy_to(&out, at, text_fence);
        HP_FREE char *answer = ask_psql(sql);
        ck_assert_msg(answer && !strstr(answer, "(0 rows)"), "no answer to\n%s", sql);
        hp_buffer_printf(&out, "%s", answer);
        at = strstr(at, end_fence);
        ck_assert_ptr_nonnull(at);
    }
    hp_buffer_printf(&out, "%s", at);
    return hp_take(out.data);
}

START_TEST(the_page_shows_what_the_reader_gets)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer page = {0};
    int count;
    ck_assert_msg(hp_file_read(page_path, 1 << 20, &page, &err), "%s", err.message);
    replay_history();
    HP_FREE char *now = answered(page.data, &count);
    ck_assert_int_ge(count, 20);
    if (getenv("HAKPERF_WRITE_QUESTIONS")) {
        ck_assert_msg(hp_file_replace(page_path, now, strlen(now), 0644, &err), "%s", err.message);
        return;
    }
    size_t i = 0;
    while (page.data[i] && page.data[i] == now[i])
        i++;
    ck_assert_msg(page.data[i] == now[i],
                  "schema/QUESTIONS.md is out of date, see make questions; it says\n…%.300s\n"
                  "and the database\n…%.300s",
                  page.data + (i > 100 ? i - 100 : 0), now + (i > 100 ? i - 100 : 0));
}
END_TEST

HP_SUITE(questions)
{
    Suite *s = suite_create("questions");
    TCase *t = tcase_create("questions");
    tcase_set_timeout(t, 90);
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_add_test(t, the_page_shows_what_the_reader_gets);
    suite_add_tcase(s, t);
    return s;
}
