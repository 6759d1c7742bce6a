/*
 * What `hakperf compare --here` looks at again: the golden result, and before it a workload whose
 * regression is less clear.
 */
#include "analysis/verdict.h"
#include "cli/here_comparison.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/suite.h"

#include <string.h>

#define CLEAR "random_mixed/8192"
#define UNCLEAR "random_mixed/400"

static json_t *read_example(const char *name)
{
    struct hp_error err = {0};
    HP_FREE char *path = hp_format("common/wire/examples/%s", name);
    json_t *json = hp_json_read_file(path, 1u << 20, &err);
    ck_assert_msg(json, "%s", err.message);
    return json;
}

/* Every eighth pair of the first workload says that the head was faster. */
static void make_less_clear(json_t *result)
{
    size_t i;
    json_t *value;
    json_t *w = json_array_get(json_object_get(result, "workloads"), 0);
    json_t *head = json_object_get(json_array_get(json_object_get(w, "samples"), 0), "values");
    json_array_foreach (head, i, value)
        if (i % 8 == 0)
            json_array_set_new(head, i, json_real(1.5 * json_number_value(value)));
}

static json_t *two_regressions(void)
{
    json_t *result = read_example("result-v1.json");
    json_t *workloads = json_object_get(result, "workloads");
    json_array_insert_new(workloads, 0, json_deep_copy(json_array_get(workloads, 0)));
    json_object_set_new(json_array_get(workloads, 0), "name", json_string(UNCLEAR));
    make_less_clear(result);
    return result;
}

START_TEST(the_clearest_comes_first)
{
    HP_JSON json_t *job = read_example("job-v1.json");
    HP_JSON json_t *result = two_regressions();
    HP_JSON json_t *again = read_example("result-v1.json");
    struct here_run run = {.result = result,
                           .suite = json_object_get(job, "suite"),
                           .critical = an_plan_standard(AN_MARGIN, 0).critical,
                           .fresh_critical = AN_CONFIRM_Z};
    HP_JSON json_t *rounds = here_rounds(&run);
    HP_JSON json_t *wanted = json_pack("[[s], [s]]", CLEAR, UNCLEAR);
    HP_FREE char *text = json_dumps(rounds, 0);
    ck_assert_msg(json_equal(rounds, wanted), "%s", text);
    ck_assert(!here_confirmed(&run));
    run.fresh = again;
    ck_assert(here_confirmed(&run));
    run.result = again;
    HP_JSON json_t *one = here_rounds(&run);
    ck_assert_uint_eq(json_array_size(one), 1);
}
END_TEST

HP_SUITE(here_rounds)
{
    Suite *s = suite_create("here_rounds");
    TCase *t = tcase_create("rounds");
    tcase_add_test(t, the_clearest_comes_first);
    suite_add_tcase(s, t);
    return s;
}
