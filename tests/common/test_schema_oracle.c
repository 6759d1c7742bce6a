/*
 * Our schema validator against python3-jsonschema: the golden examples of the wire documents and
 * thousands of seeded mutations of them must be judged alike by both. The oracle is the truth; ours
 * only has to cover the keywords that our schemas use.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "common/wire.h"
#include "tests/suite.h"

#include <string.h>

#define MUTATIONS 400

static const struct {
    const char *schema, *example;
} documents[] = {
    {HP_WIRE_SUITE, "common/wire/examples/suite-v1.json"},
    {HP_WIRE_JOB, "common/wire/examples/job-v1.json"},
    {HP_WIRE_RESULT, "common/wire/examples/result-v1.json"},
    {HP_WIRE_RESULT, "common/wire/examples/result-failed-v1.json"},
    {HP_WIRE_ERROR, "common/wire/examples/error-v1.json"},
};
#define DOCUMENTS (sizeof documents / sizeof documents[0])

static uint32_t state = 20261122;

static uint32_t random_below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % n;
}

static json_t *odd_value(void)
{
    switch (random_below(12)) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_integer(0);
    case 3:
        return json_integer(-7);
    case 4:
        return json_real(12345678.5);
    case 5:
        return json_real(0.25);
    case 6:
        return json_string("");
    case 7:
        return json_string("not what was expected, and rather long for a name or a hash");
    case 8:
        return json_array();
    case 9:
        return json_object();
    case 10:
        return json_pack("[s, n]", "x");
    default:
        return json_integer(1000000000000);
    }
}

/* Changes one place: walks down at random, then replaces, deletes or adds. */
static void mutate(json_t *value)
{
    for (;;) {
        size_t size = json_is_object(value) ? json_object_size(value) : json_array_size(value);
        uint32_t at = size ? random_below((uint32_t)size) : 0;
        const char *key = NULL;
        json_t *member = json_is_array(value) ? json_array_get(value, at) : NULL;
        if (json_is_object(value)) {
            void *iterator = json_object_iter(value);
            for (uint32_t i = 0; i < at; i++)
                iterator = json_object_iter_next(value, iterator);
            key = iterator ? json_object_iter_key(iterator) : NULL;
            member = iterator ? json_object_iter_value(iterator) : NULL;
        }
        bool container = json_is_object(member) || json_is_array(member);
        if (container && random_below(4) != 0) {
            value = member;
            continue;
        }
        uint32_t how = random_below(4);
        HP_FREE char *name = key ? strdup(key) : NULL;
        if (json_is_object(value) && how == 0)
            json_object_set_new(value, "unheard_of", odd_value());
        else if (json_is_object(value) && how == 1 && name)
            json_object_del(value, name);
        else if (json_is_object(value) && name)
            json_object_set_new(value, name, odd_value());
        else if (json_is_array(value) && size && how != 0)
            json_array_set_new(value, at, odd_value());
        else if (json_is_array(value))
            json_array_append_new(value, odd_value());
        return;
    }
}

static void add_case(struct hp_buffer *lines, struct hp_buffer *ours, const char *schema,
                     const json_t *document)
{
    struct hp_error err = {0};
    HP_FREE char *text = hp_json_text(document);
    ck_assert_ptr_nonnull(text);
    ck_assert(hp_buffer_printf(lines, "common/wire/%s\t%s\n", schema, text));
    bool ok = hp_wire_check(schema, document, &err);
    ck_assert_msg(ok || err.code == HP_INVALID, "%s", err.message);
    ck_assert(hp_buffer_append(ours, ok ? "1\n" : "0\n", 2));
}

START_TEST(judged_as_by_the_oracle)
{
    HP_BUFFER struct hp_buffer lines = {0}, ours = {0};
    struct hp_error err = {0};
    for (size_t d = 0; d < DOCUMENTS; d++) {
        HP_JSON json_t *example = hp_json_read_file(documents[d].example, 1 << 20, &err);
        ck_assert_msg(example != NULL, "%s", err.message);
        ck_assert_msg(hp_wire_check(documents[d].schema, example, &err), "%s: %s at %s",
                      documents[d].example, err.message, err.path);
        add_case(&lines, &ours, documents[d].schema, example);
        for (int i = 0; i < MUTATIONS; i++) {
            HP_JSON json_t *copy = json_deep_copy(example);
            mutate(copy);
            add_case(&lines, &ours, documents[d].schema, copy);
        }
    }
    HP_FREE char *path = hp_format("%s/oracle-XXXXXX", test_root());
    HP_FD int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert(hp_write_all(fd, lines.data, lines.size));
    const char *argv[] = {
        "/usr/bin/python3", "-W", "ignore", "tests/common/schema-oracle.py", path, NULL};
    struct hp_command command = {.argv = argv, .timeout_s = 120};
    HP_OUTCOME struct hp_outcome outcome = {0};
    bool ran = hp_run_ok(&command, &outcome, &err);
    unlink(path);
    ck_assert_msg(ran, "%s", err.message);
    ck_assert_uint_eq(outcome.out.size, ours.size);
    size_t refused = 0;
    for (size_t i = 0; i < ours.size; i += 2) {
        ck_assert_msg(outcome.out.data[i] == ours.data[i], "document %zu: oracle %c, ours %c",
                      i / 2, outcome.out.data[i], ours.data[i]);
        refused += ours.data[i] == '0';
    }
    /* Both outcomes must really occur, or the comparison shows nothing. */
    ck_assert_uint_gt(refused, DOCUMENTS * MUTATIONS / 4);
    ck_assert_uint_gt(ours.size / 2 - refused, DOCUMENTS * 5);
}
END_TEST

HP_SUITE(schema_oracle)
{
    Suite *s = suite_create("schema_oracle");
    TCase *t = tcase_create("mutations");
    tcase_set_timeout(t, 150);
    tcase_add_test(t, judged_as_by_the_oracle);
    suite_add_tcase(s, t);
    return s;
}
