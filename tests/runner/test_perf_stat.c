/* The forms in which `perf stat -j` was seen to write. */
#include "common/json.h"
#include "runner/perf_stat.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char good[] =
    "# started on Sun Nov 22 22:13:01 2026\n"
    "\n"
    "{\"counter-value\" : \"81.099568\", \"unit\" : \"msec\", \"event\" : \"task-clock:u\", "
    "\"event-runtime\" : 81099568, \"pcnt-running\" : 100.00, \"metric-value\" : 0.97}\n"
    "{\"counter-value\" : \"934.000000\", \"unit\" : \"\", \"event\" : \"page-faults:u\", "
    "\"event-runtime\" : 81099568, \"pcnt-running\" : 100.00}\n"
    "{\"counter-value\" : \"<not supported>\", \"unit\" : \"\", \"event\" : \"cycles:u\", "
    "\"event-runtime\" : 0, \"pcnt-running\" : 100.00}\n"
    "{\"counter-value\" : \"<not counted>\", \"event\" : \"instructions:u\", \"event-runtime\" : "
    "0}\n";

static json_t *read_text(const char *text)
{
    json_t *rows = json_array();
    rn_perf_read(text, strlen(text), "head", rows);
    return rows;
}

static const json_t *row_of(const json_t *rows, const char *metric)
{
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row) {
        if (strcmp(hp_json_string(row, "metric", ""), metric) == 0)
            return row;
    }
    ck_abort_msg("no row %s", metric);
}

static double value_of(const json_t *rows, const char *metric)
{
    const json_t *row = row_of(rows, metric);
    ck_assert_msg(json_is_number(json_object_get(row, "value")), "%s is missing: %s", metric,
                  hp_json_string(row, "missing", ""));
    ck_assert(json_is_null(json_object_get(row, "missing")));
    ck_assert_int_eq(hp_json_int(row, "n", -1), 1);
    return hp_json_number(row, "value", NAN);
}

static void assert_missing(const json_t *rows, const char *metric, const char *why)
{
    const json_t *row = row_of(rows, metric);
    ck_assert(json_is_null(json_object_get(row, "value")));
    ck_assert_int_eq(hp_json_int(row, "n", -1), 0);
    ck_assert_msg(strstr(hp_json_string(row, "missing", ""), why) != NULL, "%s: %s", metric,
                  hp_json_string(row, "missing", ""));
}

START_TEST(reads_what_perf_6_writes)
{
    json_t *rows = read_text(good);
    ck_assert_double_eq(value_of(rows, "perf:task-clock"), 81.099568);
    ck_assert_double_eq(value_of(rows, "perf:page-faults"), 934);
    assert_missing(rows, "perf:cycles:u", "<not supported>");
    assert_missing(rows, "perf:instructions:u", "<not counted>");
    assert_missing(rows, "perf:branch-misses:u", "nothing about it");
    json_decref(rows);
}
END_TEST

START_TEST(reads_other_dialects)
{
    /* numbers instead of strings */
    json_t *rows = read_text("{\"counter-value\" : 12.5, \"event\" : \"task-clock\"}\n");
    ck_assert_double_eq(value_of(rows, "perf:task-clock"), 12.5);
    json_decref(rows);
    /* a locale with commas, inside of strings and outside, where it is no JSON any more */
    rows = read_text("{\"counter-value\" : \"12,500000\", \"event\" : \"task-clock\", "
                     "\"pcnt-running\" : 100,00, \"metric-value\" : 0,57}\n");
    ck_assert_double_eq(value_of(rows, "perf:task-clock"), 12.5);
    json_decref(rows);
    /* no newline at the end, Windows line ends, and the last line of an event counts */
    rows = read_text("{\"counter-value\" : \"1\", \"event\" : \"page-faults\"}\r\n"
                     "{\"counter-value\" : \"2\", \"event\" : \"page-faults\"}");
    ck_assert_double_eq(value_of(rows, "perf:page-faults"), 2);
    json_decref(rows);
}
END_TEST

START_TEST(a_zero_that_was_counted_is_a_value)
{
    json_t *rows = read_text("{\"counter-value\" : \"0.000000\", \"event\" : \"cpu-migrations\"}");
    ck_assert_double_eq(value_of(rows, "perf:cpu-migrations"), 0);
    json_decref(rows);
}
END_TEST

START_TEST(a_counter_that_hardly_ran_is_missing)
{
    json_t *rows = read_text("{\"counter-value\" : \"1000\", \"event\" : \"cycles:u\", "
                             "\"pcnt-running\" : 33.30}\n"
                             "{\"counter-value\" : \"1000\", \"event\" : \"instructions:u\", "
                             "\"pcnt-running\" : 66.70}\n");
    assert_missing(rows, "perf:cycles:u", "less than half");
    ck_assert_double_eq(value_of(rows, "perf:instructions:u"), 1000);
    json_decref(rows);
}
END_TEST

START_TEST(nonsense_is_missing_never_zero)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "perf: command not found\n",
        "{\"counter-value\" : \"\", \"event\" : \"task-clock\"}",
        "{\"counter-value\" : \"12abc\", \"event\" : \"task-clock\"}",
        "{\"counter-value\" : \"-5\", \"event\" : \"task-clock\"}",
        "{\"counter-value\" : \"nan\", \"event\" : \"task-clock\"}",
        "{\"counter-value\" : \"1e999\", \"event\" : \"task-clock\"}",
        "{\"counter-value\" : null, \"event\" : \"task-clock\"}",
        "{\"counter-value\" : [1], \"event\" : \"task-clock\"}",
        "{\"event\" : \"task-clock\"}",
        "{\"counter-value\" : \"1\", \"event\" : 7}",
        "{\"counter-value\" : \"1\", \"event\" : \"task-clock-x\"}",
        "[\"counter-value\", \"1\"]",
        "{\"counter-value\" : \"12.5\", \"event\" : \"task-cl",
        "1;msec;task-clock;100.00",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *rows = read_text(texts[i]);
        const json_t *row = row_of(rows, "perf:task-clock");
        ck_assert_msg(json_is_null(json_object_get(row, "value")), "%s", texts[i]);
        ck_assert_msg(json_is_string(json_object_get(row, "missing")), "%s", texts[i]);
        json_decref(rows);
    }
}
END_TEST

START_TEST(cut_off_anywhere)
{
    for (size_t n = 0; n <= strlen(good); n++) {
        json_t *rows = json_array();
        char *copy = malloc(n + 1); /* exactly as long, so that a reader beyond the end is seen */
        memcpy(copy, good, n);
        rn_perf_read(copy, n, "base", rows);
        ck_assert_uint_eq(json_array_size(rows), 8);
        free(copy);
        json_decref(rows);
    }
}
END_TEST

START_TEST(damaged_anywhere)
{
    unsigned x = 2463534242u;
    for (int round = 0; round < 1000; round++) {
        char copy[sizeof good];
        memcpy(copy, good, sizeof good);
        for (int k = 0; k < 4; k++) {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            copy[x % (sizeof good - 1)] = (char)(x >> 24);
        }
        json_t *rows = json_array();
        size_t i;
        json_t *row;
        rn_perf_read(copy, sizeof good - 1, "head", rows);
        ck_assert_uint_eq(json_array_size(rows), 8);
        json_array_foreach (rows, i, row) {
            bool have = json_is_number(json_object_get(row, "value"));
            ck_assert(have != json_is_string(json_object_get(row, "missing")));
            ck_assert(!have || hp_json_number(row, "value", -1) >= 0);
        }
        json_decref(rows);
    }
}
END_TEST

HP_SUITE(runner_perf_stat)
{
    Suite *s = suite_create("runner_perf_stat");
    TCase *t = tcase_create("parser");
    tcase_add_test(t, reads_what_perf_6_writes);
    tcase_add_test(t, reads_other_dialects);
    tcase_add_test(t, a_zero_that_was_counted_is_a_value);
    tcase_add_test(t, a_counter_that_hardly_ran_is_missing);
    tcase_add_test(t, nonsense_is_missing_never_zero);
    tcase_add_test(t, cut_off_anywhere);
    tcase_add_test(t, damaged_anywhere);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    return s;
}
