/* Figures and tables as people read them. */
#include "cli/figures.h"
#include "cli/table.h"
#include "common/cleanup.h"
#include "common/options.h"
#include "tests/suite.h"

#include <string.h>

static const char *change(double value)
{
    static char text[CLI_FIGURE];
    HP_JSON json_t *number = json_real(value);
    cli_change_text(number, text);
    return text;
}

START_TEST(a_change_has_a_sign)
{
    ck_assert_str_eq(change(0.0123), "+1.23 %");
    ck_assert_str_eq(change(-0.049), "-4.90 %");
    ck_assert_str_eq(change(-0.55), "-55.0 %");
    ck_assert_str_eq(change(-0.00001), "+0.00 %");
    ck_assert_str_eq(change(12), "+1200.0 %");
    char text[CLI_FIGURE];
    cli_change_text(json_null(), text);
    ck_assert_str_eq(text, "-");
    cli_change_text(NULL, text);
    ck_assert_str_eq(text, "-");
}
END_TEST

START_TEST(an_interval_needs_both_ends)
{
    char text[CLI_FIGURE];
    HP_JSON json_t *low = json_real(-0.021), *high = json_real(0.0049);
    cli_interval_text(low, high, text);
    ck_assert_str_eq(text, "-2.10 to +0.49 %");
    cli_interval_text(low, json_null(), text);
    ck_assert_str_eq(text, "-");
}
END_TEST

static const char *value(json_t *number, const char *unit)
{
    static char text[CLI_FIGURE];
    cli_value_text(number, unit, text);
    json_decref(number);
    return text;
}

START_TEST(values_are_scaled_by_their_unit)
{
    ck_assert_str_eq(value(json_real(16536514), "ops/s"), "16.54 M");
    ck_assert_str_eq(value(json_real(16536514), "ops/cpu-s"), "16.54 M");
    ck_assert_str_eq(value(json_real(950), "ops/s"), "950");
    ck_assert_str_eq(value(json_integer(73385), "count"), "73385");
    ck_assert_str_eq(value(json_real(0.012345), "s"), "0.01235");
    ck_assert_str_eq(value(json_integer(0), NULL), "0");
    ck_assert_str_eq(value(json_null(), "s"), "-");
    char text[CLI_FIGURE];
    HP_JSON json_t *share = json_real(0.5527);
    cli_share_text(share, text);
    ck_assert_str_eq(text, "55.3 %");
}
END_TEST

START_TEST(verdicts_give_exit_codes)
{
    static const struct {
        const char *verdict, *size;
        int code, strict;
    } rows[] = {
        {"regressed", "relevant", HP_EXIT_REGRESSED, HP_EXIT_REGRESSED},
        {"regressed", NULL, HP_EXIT_REGRESSED, HP_EXIT_REGRESSED},
        {"regressed", "small", HP_EXIT_OK, HP_EXIT_REGRESSED},
        {"improved", "relevant", HP_EXIT_OK, HP_EXIT_OK},
        {"equivalent", NULL, HP_EXIT_OK, HP_EXIT_OK},
        {"identical", NULL, HP_EXIT_OK, HP_EXIT_OK},
        {"inconclusive", NULL, HP_EXIT_NO_ANSWER, HP_EXIT_NO_ANSWER},
        {"failed", NULL, HP_EXIT_NO_ANSWER, HP_EXIT_NO_ANSWER},
        {"a new word", NULL, HP_EXIT_NO_ANSWER, HP_EXIT_NO_ANSWER},
        {NULL, NULL, HP_EXIT_NO_ANSWER, HP_EXIT_NO_ANSWER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(cli_verdict_exit(rows[i].verdict, rows[i].size, false), rows[i].code);
        ck_assert_int_eq(cli_verdict_exit(rows[i].verdict, rows[i].size, true), rows[i].strict);
    }
}
END_TEST

START_TEST(foreign_text_cannot_drive_the_terminal)
{
    HP_FREE char *clean = cli_clean("a\033[31mb\n\tc\x7f \xc2\x9b"
                                    "d \xc3\xa4");
    ck_assert_str_eq(clean, "a?[31mb??c? ??d \xc3\xa4");
    HP_FREE char *none = cli_clean(NULL);
    ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(times_lose_their_seconds)
{
    char text[CLI_FIGURE];
    cli_time_text("2026-01-31T12:00:00.123Z", text);
    ck_assert_str_eq(text, "2026-01-31 12:00");
    cli_time_text(NULL, text);
    ck_assert_str_eq(text, "-");
}
END_TEST

/* What a table prints, into `out`. */
static void printed(const struct cli_table *table, char *out, size_t room)
{
    HP_FILE FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    cli_table_print(table, file, 2);
    rewind(file);
    size_t n = fread(out, 1, room - 1, file);
    out[n] = '\0';
}

START_TEST(columns_are_aligned)
{
    char text[512];
    CLI_TABLE struct cli_table *table = cli_table_new("name|>count|note");
    cli_table_cell(table, HP_PLAIN, "\xc3\xa4pfel");
    cli_table_number(table, 7);
    cli_table_cell(table, HP_RED, "first\nline");
    cli_table_cell(table, HP_PLAIN, "x");
    cli_table_number(table, 123456);
    cli_table_cell(table, HP_PLAIN, NULL);
    printed(table, text, sizeof text);
    ck_assert_str_eq(text, "  name    count  note\n"
                           "  \xc3\xa4pfel       7  first?line\n"
                           "  x      123456  -\n");
}
END_TEST

START_TEST(a_table_without_rows_is_silent)
{
    char text[64];
    CLI_TABLE struct cli_table *table = cli_table_new("a|b");
    printed(table, text, sizeof text);
    ck_assert_str_eq(text, "");
}
END_TEST

HP_SUITE(cli_figures)
{
    Suite *s = suite_create("cli_figures");
    TCase *t = tcase_create("figures");
    tcase_add_test(t, a_change_has_a_sign);
    tcase_add_test(t, an_interval_needs_both_ends);
    tcase_add_test(t, values_are_scaled_by_their_unit);
    tcase_add_test(t, verdicts_give_exit_codes);
    tcase_add_test(t, foreign_text_cannot_drive_the_terminal);
    tcase_add_test(t, times_lose_their_seconds);
    suite_add_tcase(s, t);
    t = tcase_create("table");
    tcase_add_test(t, columns_are_aligned);
    tcase_add_test(t, a_table_without_rows_is_silent);
    suite_add_tcase(s, t);
    return s;
}
