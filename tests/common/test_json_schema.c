/* The schema validator: each keyword accepts and refuses, and names the place of what is wrong.
 * tests/common/schema-oracle.py compares it with an independent implementation. */
#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_schema.h"
#include "common/wire.h"
#include "tests/suite.h"

#include <string.h>

struct row {
    const char *schema, *document;
    const char *path; /* NULL: accepted */
    const char *message;
};

static const struct row rows[] = {
    {"{\"type\":\"object\"}", "{}", NULL, NULL},
    {"{\"type\":\"object\"}", "[]", "/", "must be of type object"},
    {"{\"type\":[\"string\",\"null\"]}", "null", NULL, NULL},
    {"{\"type\":[\"string\",\"null\"]}", "1", "/", "must be of type string or null"},
    {"{\"type\":\"integer\"}", "1.5", "/", "integer"},
    {"{\"type\":\"number\",\"exclusiveMinimum\":0}", "0", "/", "more than 0"},
    {"{\"type\":\"number\",\"minimum\":-1,\"maximum\":1}", "-1", NULL, NULL},
    {"{\"type\":\"number\",\"minimum\":-1,\"maximum\":1}", "1.01", "/", "at most 1"},
    {"{\"type\":\"string\",\"maxLength\":2}", "\"\\u00e4\\u00f6\"", NULL, NULL},
    {"{\"type\":\"string\",\"maxLength\":2}", "\"abc\"", "/", "length must be at most 2"},
    {"{\"type\":\"string\",\"minLength\":1}", "\"\"", "/", "length must be at least 1"},
    {"{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}", "\"ok\"", NULL, NULL},
    {"{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}", "\"no1\"", "/", "must match"},
    {"{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}", "\"a\\nb\"", "/", "must match"},
    {"{\"enum\":[\"a\",2]}", "2", NULL, NULL},
    {"{\"enum\":[\"a\",2]}", "\"2\"", "/", "must be one of"},
    {"{\"const\":\"v1\"}", "\"v2\"", "/", "must be \"v1\""},
    {"{\"type\":\"object\",\"required\":[\"a\"]}", "{\"b\":1}", "/", "\"a\" is missing"},
    {"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{}}}", "{\"b\":1}",
     "/", "\"b\" is not known"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
     "\"integer\"}}}}",
     "{\"a\":[1,2,\"x\"]}", "/a/2", "integer"},
    {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "{\"k\":1}", "/k",
     "string"},
    {"{\"type\":\"object\",\"maxProperties\":1}", "{\"a\":1,\"b\":2}", "/", "members"},
    {"{\"type\":\"array\",\"minItems\":1,\"maxItems\":2}", "[]", "/", "items must be at least 1"},
    {"{\"type\":\"array\",\"minItems\":1,\"maxItems\":2}", "[1,2,3]", "/",
     "items must be at most 2"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/"
     "p\"}],\"$defs\":{\"p\":{\"type\":\"object\","
     "\"properties\":{\"x\":{\"type\":\"integer\"}}}}}",
     "{\"x\":\"y\"}", "/x", "integer"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "null", NULL, NULL},
};

START_TEST(each_keyword)
{
    const struct row *row = &rows[_i];
    struct hp_error err = {0};
    HP_JSON json_t *schema = json_loads(row->schema, 0, NULL);
    HP_JSON json_t *document = json_loads(row->document, JSON_DECODE_ANY, NULL);
    ck_assert_ptr_nonnull(schema);
    ck_assert_ptr_nonnull(document);
    bool ok = hp_schema_check(schema, document, &err);
    ck_assert_msg(ok == !row->path, "%s against %s: %s", row->document, row->schema, err.message);
    if (!row->path)
        return;
    ck_assert_int_eq(err.code, HP_INVALID);
    ck_assert_str_eq(err.path, row->path);
    ck_assert_msg(strstr(err.message, row->message) != NULL, "said: %s", err.message);
}
END_TEST

START_TEST(unknown_keyword_is_a_defect)
{
    struct hp_error err = {0};
    HP_JSON json_t *schema = json_loads("{\"multipleOf\":2}", 0, NULL);
    HP_JSON json_t *four = json_integer(4);
    ck_assert(!hp_schema_check(schema, four, &err));
    ck_assert_int_eq(err.code, HP_INTERNAL);
    ck_assert(strstr(err.message, "multipleOf") != NULL);
}
END_TEST

START_TEST(endless_reference_ends)
{
    struct hp_error err = {0};
    HP_JSON json_t *schema =
        json_loads("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}", 0, NULL);
    HP_JSON json_t *value = json_true();
    ck_assert(!hp_schema_check(schema, value, &err));
}
END_TEST

START_TEST(error_body_obeys_its_schema)
{
    struct hp_error err, check = {0};
    for (enum hp_code code = HP_USAGE; code <= HP_INTERNAL; code++) {
        hp_fail(&err, code, "broken \xff bytes and \x01 control");
        hp_error_path(&err, "/workloads/0");
        HP_JSON json_t *body = hp_error_json(&err);
        ck_assert_ptr_nonnull(body);
        ck_assert_msg(hp_wire_check(HP_WIRE_ERROR, body, &check), "%s", check.message);
        struct hp_error back = {0};
        hp_error_from_json(&back, body);
        ck_assert_int_eq(back.code, code);
        ck_assert_str_eq(back.path, "/workloads/0");
    }
}
END_TEST

START_TEST(workload_identity_is_what_runs)
{
    struct hp_error err = {0};
    HP_JSON json_t *suite =
        json_loads("{\"recipe\":{\"commands\":[[\"make\"]]},\"driver\":{\"rev\":\"a\"}}", 0, NULL);
    HP_JSON json_t *one =
        json_loads("{\"name\":\"w\",\"program\":\"p\",\"iterations\":5,\"margin\":0.01}", 0, NULL);
    HP_JSON json_t *margin =
        json_loads("{\"name\":\"w\",\"program\":\"p\",\"iterations\":5,\"margin\":0.02}", 0, NULL);
    HP_JSON json_t *more =
        json_loads("{\"name\":\"w\",\"program\":\"p\",\"iterations\":6}", 0, NULL);
    char a[65], b[65], c[65];
    ck_assert(hp_workload_hash(suite, one, a, &err));
    ck_assert(hp_workload_hash(suite, margin, b, &err));
    ck_assert(hp_workload_hash(suite, more, c, &err));
    ck_assert_str_eq(a, b);
    ck_assert_str_ne(a, c);
}
END_TEST

/* Each edit of a whole suite, and whether it begins new series. */
START_TEST(a_series_ends_with_what_is_executed)
{
    static const struct {
        const char *path[2], *value; /* path[0] "w": of the workload */
        bool ends;
    } edits[] = {
        {{"w", "margin"}, "0.03", false},
        {{"w", "budget_s"}, "7", false},
        {{"w", "max_pairs"}, "128", false},
        {{"w", "metric"}, "\"cpu_s\"", false},
        {{"w", "timeout_s"}, "9", false},
        {{"recipe", "coverage"}, "{\"commands\":[[\"c\"]]}", false},
        {{"recipe", "canary"}, "{\"environment\":{},\"slowdown\":0.1}", false},
        {{"w", "iterations"}, "6", true},
        {{"w", "environment"}, "{\"A\":\"1\"}", true},
        {{"w", "seeds"}, "[1]", true},
        {{"w", "arguments"}, "[\"x\"]", true},
        {{"w", "threads"}, "2", true},
        {{"w", "program"}, "\"q\"", true},
        {{"recipe", "environment"}, "{\"CFLAGS\":\"-O3\"}", true},
        {{"recipe", "commands"}, "[[\"make\",\"-k\"]]", true},
        {{"driver", "rev"}, "\"b\"", true},
    };
    struct hp_error err = {0};
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        HP_JSON json_t *suite =
            json_loads("{\"recipe\":{\"commands\":[[\"make\"]]},\"driver\":{\"rev\":\"a\"},"
                       "\"w\":{\"name\":\"w\",\"program\":\"p\",\"iterations\":5}}",
                       0, NULL);
        char before[65], after[65];
        ck_assert(hp_workload_hash(suite, json_object_get(suite, "w"), before, &err));
        json_object_set_new(json_object_get(suite, edits[i].path[0]), edits[i].path[1],
                            json_loads(edits[i].value, JSON_DECODE_ANY, NULL));
        ck_assert(hp_workload_hash(suite, json_object_get(suite, "w"), after, &err));
        ck_assert_msg((strcmp(before, after) != 0) == edits[i].ends, "%s/%s", edits[i].path[0],
                      edits[i].path[1]);
    }
}
END_TEST

HP_SUITE(json_schema)
{
    Suite *s = suite_create("json_schema");
    TCase *t = tcase_create("validator");
    tcase_add_loop_test(t, each_keyword, 0, (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(t, unknown_keyword_is_a_defect);
    tcase_add_test(t, endless_reference_ends);
    tcase_add_test(t, error_body_obeys_its_schema);
    tcase_add_test(t, workload_identity_is_what_runs);
    tcase_add_test(t, a_series_ends_with_what_is_executed);
    suite_add_tcase(s, t);
    return s;
}
