/* What the library writes about itself, as it should be and as it should not. */
#include "common/json.h"
#include "runner/passes.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <string.h>

static double value_of(const json_t *rows, const char *metric, bool *missing)
{
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row) {
        if (strcmp(hp_json_string(row, "metric", ""), metric) != 0)
            continue;
        *missing = json_is_string(json_object_get(row, "missing"));
        return hp_json_number(row, "value", -1);
    }
    ck_abort_msg("no row %s", metric);
}

START_TEST(counters)
{
    bool missing;
    json_t *rows = json_array();
    json_t *document = fx_json("{'counters': {'ace.fail.threshold': 3, 'ace.fail.exhaustion': 4, "
                               "'ace.fail.mapfail': 0, 'os.mmap': 12, 'text': 'x', 'bad name': 1, "
                               "'real': 1.5, '': 7}}");
    rn_read_counters(document, RN_HEAD, rows);
    ck_assert_double_eq(value_of(rows, "counter:os.mmap", &missing), 12);
    ck_assert(!missing);
    ck_assert_double_eq(value_of(rows, "ace_failures", &missing), 7);
    ck_assert(!missing);
    ck_assert_uint_eq(json_array_size(rows), 5);
    json_decref(rows);
    json_decref(document);
}
END_TEST

START_TEST(a_library_that_counts_no_failures)
{
    static const char *const texts[] = {"{}", "{'counters': []}", "[]",
                                        "{'counters': {'ace.fail.threshold': 3}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool missing;
        json_t *rows = json_array(), *document = fx_json(texts[i]);
        rn_read_counters(document, RN_HEAD, rows);
        value_of(rows, "ace_failures", &missing);
        ck_assert_msg(missing, "%s", texts[i]);
        json_decref(rows);
        json_decref(document);
    }
}
END_TEST

START_TEST(configuration)
{
    json_t *document = fx_json(
        "{'config': {'A': {'value': '1', 'source': 'environment', 'ignored': false}, "
        "'B': {'value': 7, 'source': 'default'}, 'C': {'value': null, 'ignored': true}, 'D': 5}}");
    json_t *expected = fx_json("{'A': {'value': '1', 'source': 'environment', 'ignored': false}, "
                               "'B': {'value': '7', 'source': 'default', 'ignored': false}, "
                               "'C': {'value': null, 'source': 'default', 'ignored': true}, "
                               "'D': {'value': null, 'source': 'default', 'ignored': false}}");
    json_t *out = rn_read_configuration(document);
    ck_assert(json_equal(out, expected));
    json_decref(out);
    json_decref(expected);
    json_decref(document);
    out = rn_read_configuration(NULL);
    ck_assert(json_is_null(out));
    json_decref(out);
}
END_TEST

HP_SUITE(runner_passes)
{
    Suite *s = suite_create("runner_passes");
    TCase *t = tcase_create("statistics");
    tcase_add_test(t, counters);
    tcase_add_test(t, a_library_that_counts_no_failures);
    tcase_add_test(t, configuration);
    suite_add_tcase(s, t);
    return s;
}
