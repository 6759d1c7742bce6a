/* The launcher with programs that behave and programs that do not, with and without a sandbox. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "runner/cpus.h"
#include "runner/machine.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <string.h>

#define DOCUMENT                                                                  \
    "{\"operations\":1000,\"wall_s\":0.5,\"cpu_s\":0.25,\"startup_cpu_s\":0.001," \
    "\"warm\":{\"operations\":200,\"cpu_s\":0.1},"                                \
    "\"steady\":{\"operations\":800,\"cpu_s\":0.15},\"peak_rss_kib\":1234}"

static json_t *suite_json;
static struct rn_workload workload;
static struct rn_launcher launcher;

static struct rn_cpus cpus;

static void use_program(const char *script)
{
    struct hp_error err = {0};
    ck_assert(rn_cpus_of(-1, &cpus, &err));
    fx_write("state/runner/work/driver/p", script, 0755);
    suite_json = fx_json(
        "{'recipe': {'artifacts': ['lib/x.so']}, 'statistics': {'variable': 'X_STATS'}, "
        "'workloads': [{'name': 'w', 'program': 'p', 'arguments': ['{iterations}', '{seed}'], "
        "'iterations': 7, 'environment': {'A': 'b c'}, 'timeout_s': 3}]}");
    workload =
        (struct rn_workload){.room = &fx.room,
                             .suite = suite_json,
                             .json = json_array_get(json_object_get(suite_json, "workloads"), 0),
                             .limits = rn_limits_of(suite_json),
                             .cpus = &cpus.one};
    ck_assert_msg(rn_launcher_start(&fx.room, &workload.limits, &launcher, &err), "%s",
                  err.message);
}

static void done(void)
{
    rn_launcher_stop(&launcher);
    json_decref(suite_json);
}

static bool execute(enum rn_arm arm, bool statistics, struct rn_sample *out, json_t **failure)
{
    struct hp_error err = {0};
    const struct rn_execution execution = {
        .arm = arm, .iterations = 7, .seed = 43, .statistics = statistics};
    bool ok = rn_execute(&launcher, &workload, &execution, out, failure, &err);
    ck_assert_msg(ok || *failure, "%s", err.message);
    return ok;
}

static void assert_fails_with(const char *script, const char *what)
{
    struct rn_sample sample;
    HP_JSON json_t *failure = NULL;
    use_program(script);
    ck_assert(!execute(RN_BASE, false, &sample, &failure));
    const char *message = hp_json_string(failure, "message", "");
    ck_assert_msg(strstr(message, what) != NULL, "%s", message);
    ck_assert_msg(strstr(message, "workload w, base, seed 43") != NULL, "%s", message);
    ck_assert_str_eq(hp_json_string(failure, "stage", ""), "run");
    ck_assert_str_eq(hp_json_string(failure, "arm", ""), "base");
    /* The launcher serves on. */
    fx_write("state/runner/work/driver/p", "#!/bin/sh\necho '" DOCUMENT "' >&3\n", 0755);
    HP_JSON json_t *second = NULL;
    ck_assert(execute(RN_HEAD, false, &sample, &second));
    done();
}

START_TEST(reads_a_sample)
{
    struct rn_sample sample;
    json_t *failure = NULL;
    use_program("#!/bin/sh\n"
                "[ \"$1 $2 $3 $A\" = '7 43 --json b c' ] || exit 9\n"
                "echo '" DOCUMENT "' > \"$4\"\n");
    ck_assert_msg(execute(RN_HEAD, false, &sample, &failure), "%s",
                  hp_json_string(failure, "message", ""));
    ck_assert_double_eq_tol(sample.value[RN_THROUGHPUT], 800 / 0.15, 1e-6);
    ck_assert_double_eq_tol(sample.value[RN_WARM_THROUGHPUT], 2000, 1e-6);
    ck_assert_double_eq(sample.value[RN_WALL], 0.5);
    ck_assert_double_eq(sample.value[RN_PEAK_RSS], 1234);
    ck_assert(sample.value[RN_USER_CPU] + sample.value[RN_SYSTEM_CPU] >= 0);
    ck_assert(sample.value[RN_MINOR_FAULTS] > 0);
    ck_assert_ptr_null(sample.statistics);
    done();
}
END_TEST

/* The collector would refuse the whole run for one number that cannot be. */
START_TEST(less_than_nothing_is_not_known)
{
    struct rn_sample sample;
    HP_JSON json_t *failure = NULL;
    use_program("#!/bin/sh\necho '{\"operations\":1000,\"wall_s\":-0.0,\"cpu_s\":0.25,"
                "\"startup_cpu_s\":-1,\"steady\":{\"operations\":800,\"cpu_s\":0.15,"
                "\"user_s\":0.012,\"system_s\":-0.004},\"peak_rss_kib\":-1}' > \"$4\"\n");
    ck_assert(execute(RN_HEAD, false, &sample, &failure));
    ck_assert_double_eq_tol(sample.value[RN_THROUGHPUT], 800 / 0.15, 1e-6);
    ck_assert_double_eq(sample.value[RN_STEADY_USER_CPU], 0.012);
    ck_assert(isnan(sample.value[RN_STEADY_SYSTEM_CPU]));
    ck_assert(isnan(sample.value[RN_STARTUP_CPU]) && isnan(sample.value[RN_PEAK_RSS]));
    ck_assert(sample.value[RN_WALL] == 0 && !signbit(sample.value[RN_WALL]));
    done();
}
END_TEST

START_TEST(runs_on_the_chosen_cpu_alone)
{
    struct rn_sample sample;
    HP_JSON json_t *failure = NULL;
    use_program("#!/bin/sh\ngrep Cpus_allowed_list /proc/self/status >&2\nexit 1\n");
    ck_assert(!execute(RN_CONTROL, false, &sample, &failure));
    char expected[64];
    snprintf(expected, sizeof expected, "Cpus_allowed_list:\t%d\n", cpus.measuring);
    ck_assert_str_eq(hp_json_string(failure, "log", ""), expected);
    done();
}
END_TEST

/* The runner steps aside while it measures; a workload of several threads does not. */
START_TEST(threads_have_all_cpus)
{
    struct rn_sample sample;
    struct hp_error err;
    HP_JSON json_t *failure = NULL;
    cpu_set_t before;
    rn_step_aside(rn_choose_cpu(-1, &err), &before);
    use_program("#!/bin/sh\nnproc >&2\nexit 1\n"); /* the launcher inherits where the runner is */
    HP_JSON json_t *threaded = fx_json("{'threads': 2}");
    HP_JSON json_t *single = fx_json("{'threads': 1}");
    rn_step_back(&before);
    ck_assert(rn_cpus_of(-1, &cpus, &err));
    ck_assert_ptr_eq(rn_cpus_for(&cpus, single), &cpus.one);
    ck_assert_ptr_eq(rn_cpus_for(&cpus, threaded), &cpus.all);
    workload.cpus = rn_cpus_for(&cpus, threaded);
    ck_assert(!execute(RN_CONTROL, false, &sample, &failure));
    ck_assert_int_eq(atoi(hp_json_string(failure, "log", "")), CPU_COUNT(&cpus.all));
    done();
}
END_TEST

START_TEST(hands_over_the_statistics)
{
    struct rn_sample sample;
    json_t *failure = NULL;
    use_program("#!/bin/sh\necho '{\"counters\":{\"a\":5}}' > \"$X_STATS\"\necho '" DOCUMENT
                "' >&3\n");
    ck_assert(execute(RN_HEAD, true, &sample, &failure));
    ck_assert_int_eq(hp_json_int(json_object_get(sample.statistics, "counters"), "a", 0), 5);
    json_decref(sample.statistics);
    done();
}
END_TEST

START_TEST(a_crash)
{
    assert_fails_with("#!/bin/sh\necho first >&2\necho last words >&2\nkill -SEGV $$\n",
                      "killed by signal 11 (Segmentation fault): last words");
}
END_TEST

START_TEST(an_exit_code)
{
    assert_fails_with("#!/bin/sh\necho malloc returned NULL\nexit 1\n",
                      "exit code 1: malloc returned NULL");
}
END_TEST

START_TEST(a_hang)
{
    double begin = hp_monotonic_s();
    assert_fails_with("#!/bin/sh\nsleep 27182 & sleep 27182\n", "it hung");
    ck_assert(hp_monotonic_s() - begin < 8);
    ck_assert(fx_no_process_with("27182"));
}
END_TEST

START_TEST(nonsense)
{
    assert_fails_with("#!/bin/sh\necho hello >&3\n", "nonsense: hello");
}
END_TEST

START_TEST(figures_that_cannot_be)
{
    assert_fails_with("#!/bin/sh\necho '{\"operations\":-1,\"wall_s\":1,\"cpu_s\":1}' >&3\n",
                      "nonsense");
}
END_TEST

START_TEST(silence)
{
    assert_fails_with("#!/bin/sh\nexit 0\n", "no --json document");
}
END_TEST

START_TEST(no_program)
{
    assert_fails_with("#!/no/such/interpreter\n", "cannot execute");
}
END_TEST

START_TEST(a_flood_of_output)
{
    assert_fails_with("#!/bin/sh\nexec head -c 1000000000 /dev/zero\n", "signal 25");
}
END_TEST

START_TEST(cancelled)
{
    struct rn_sample sample;
    struct hp_error err = {0};
    json_t *failure = NULL;
    use_program("#!/bin/sh\nsleep 1\n");
    fx.cancel = 1;
    const struct rn_execution execution = {.arm = RN_HEAD, .iterations = 7, .seed = 43};
    ck_assert(!rn_execute(&launcher, &workload, &execution, &sample, &failure, &err));
    ck_assert_ptr_null(failure);
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    done();
}
END_TEST

/* Paths and environment move the stack: they must be of one size for all arms. */
START_TEST(all_arms_see_the_same_sizes)
{
    size_t sizes[RN_ARMS] = {0}, i;
    json_t *word;
    unsigned layout = (unsigned)_i;
    use_program("#!/bin/sh\n");
    for (enum rn_arm arm = RN_HEAD; arm < RN_ARMS; arm++) {
        /* With layouts, each arm in another one. */
        const struct rn_execution execution = {
            .arm = arm, .iterations = 7, .seed = 43, .layout = layout ? layout + 20 * arm : 0};
        HP_JSON json_t *request = rn_request(&workload, &execution);
        bool preloads = false;
        json_array_foreach (json_object_get(request, "env"), i, word) {
            sizes[arm] += json_string_length(word) + 1;
            preloads = preloads || strncmp(json_string_value(word), "LD_PRELOAD=", 11) == 0;
        }
        ck_assert(preloads == (arm != RN_CONTROL));
    }
    for (enum rn_arm arm = RN_BASE; arm < RN_ARMS; arm++)
        ck_assert_uint_eq(sizes[RN_HEAD], sizes[arm]);
    done();
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, reads_a_sample);
    tcase_add_test(t, less_than_nothing_is_not_known);
    tcase_add_test(t, runs_on_the_chosen_cpu_alone);
    tcase_add_test(t, threads_have_all_cpus);
    tcase_add_test(t, hands_over_the_statistics);
    tcase_add_test(t, a_crash);
    tcase_add_test(t, an_exit_code);
    tcase_add_test(t, a_hang);
    tcase_add_test(t, nonsense);
    tcase_add_test(t, figures_that_cannot_be);
    tcase_add_test(t, silence);
    tcase_add_test(t, no_program);
    tcase_add_test(t, a_flood_of_output);
    tcase_add_test(t, cancelled);
    tcase_add_loop_test(t, all_arms_see_the_same_sizes, 0, 3);
    tcase_set_timeout(t, 30);
}

HP_SUITE(runner_execute)
{
    Suite *s = suite_create("runner_execute");
    TCase *t = tcase_create("sandbox");
    tcase_add_checked_fixture(t, fx_open, fx_close);
    add_tests(t);
    suite_add_tcase(s, t);
    t = tcase_create("plain");
    tcase_add_checked_fixture(t, fx_open_plain, fx_close);
    add_tests(t);
    suite_add_tcase(s, t);
    return s;
}
