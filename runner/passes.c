#include "runner/passes.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "runner/failure.h"
#include "runner/perf_stat.h"
#include "runner/privilege.h"
#include "runner/progress.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define MAX_COUNTERS 512
#define MAX_SETTINGS 256
#define VALUE_LIMIT 1000
#define NAME_LIMIT 120
#define REASON_LIMIT 200
#define PERF_OUTPUT_LIMIT (1u << 20)

void rn_measure(json_t *measurements, enum rn_arm arm, const char *metric, double value, size_t n,
                const char *missing)
{
    bool have = isfinite(value);
    json_array_append_new(measurements,
                          json_pack("{s:s, s:s, s:o, s:I, s:s?}", "arm", rn_arm_names[arm],
                                    "metric", metric, "value", hp_json_real(value), "n",
                                    (json_int_t)(have ? n : 0), "missing", have ? NULL : missing));
}

int64_t rn_headline_iterations(const struct rn_workload *workload)
{
    int64_t iterations = hp_json_int(workload->json, "iterations", 1);
    return hp_json_int(workload->json, "headline_iterations", 10 * iterations);
}

const json_t *rn_workload_of(const json_t *suite, const char *name)
{
    size_t i;
    json_t *workload;
    json_array_foreach (json_object_get(suite, "workloads"), i, workload) {
        if (strcmp(hp_json_string(workload, "name", ""), name) == 0)
            return workload;
    }
    return NULL;
}

int64_t rn_first_seed(const json_t *workload)
{
    const json_t *seed = json_array_get(json_object_get(workload, "seeds"), 0);
    return seed ? json_integer_value(seed) : 42;
}

struct rn_execution rn_long_execution(const struct rn_pass *pass)
{
    return (struct rn_execution){
        .arm = pass->arm, .iterations = pass->iterations, .seed = pass->seed};
}

json_t *rn_measurements_of(const struct rn_pass *pass)
{
    return json_object_get(pass->result, "measurements");
}

/* The figures of one long execution, or why there are none. */
static void tell_headline(const struct rn_sample *sample, enum rn_arm arm, json_t *measurements,
                          const char *missing)
{
    double wall = missing ? (double)NAN : sample->value[RN_WALL];
    double cpu = missing ? (double)NAN : sample->value[RN_CPU];
    if (!missing)
        missing = "the execution took no measurable time";
    rn_measure(measurements, arm, "headline", wall > 0 ? sample->operations / wall : (double)NAN, 1,
               missing);
    rn_measure(measurements, arm, "headline_cpu", cpu > 0 ? sample->operations / cpu : (double)NAN,
               1, missing);
}

bool rn_headline(struct rn_launcher *launcher, const struct rn_workload *workload,
                 const struct rn_plan *plan, enum rn_arm arm, double expected_s,
                 json_t *measurements, json_t **failure, struct hp_error *err)
{
    struct rn_sample sample = {0};
    char missing[REASON_LIMIT] = "";
    double limit = rn_timeout(workload);
    const struct rn_execution execution = {
        .arm = arm, .iterations = rn_headline_iterations(workload), .seed = plan->seeds[0]};
    if (plan->budget_s > 0 && plan->budget_s < limit)
        limit = plan->budget_s;
    if (expected_s > limit) {
        snprintf(missing, sizeof missing, "it would take about %.0f s, longer than %.0f s",
                 expected_s, limit);
    } else if (!rn_execute(launcher, workload, &execution, &sample, failure, err)) {
        if (!*failure || arm == RN_HEAD || arm == RN_BASE)
            return false;
        /* The pairs of head and base are as good without it. */
        snprintf(missing, sizeof missing, "%.190s", hp_json_string(*failure, "message", "failed"));
        json_decref(*failure);
        *failure = NULL;
    }
    tell_headline(&sample, arm, measurements, missing[0] ? missing : NULL);
    return true;
}

/* The characters of a metric's name on the wire. */
static bool is_metric_name(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_.:-", name[i]))
            return false;
    return n > 0 && n <= NAME_LIMIT;
}

void rn_read_counters(const json_t *statistics, enum rn_arm arm, json_t *measurements)
{
    static const char *const causes[] = {"ace.fail.threshold", "ace.fail.exhaustion",
                                         "ace.fail.mapfail"};
    json_t *counters = json_object_get(statistics, "counters");
    const char *name;
    json_t *value;
    size_t taken = 0;
    json_object_foreach (counters, name, value) {
        char metric[NAME_LIMIT + 16];
        if (!json_is_integer(value) || !is_metric_name(name) || taken++ >= MAX_COUNTERS)
            continue;
        snprintf(metric, sizeof metric, "counter:%s", name);
        rn_measure(measurements, arm, metric, json_number_value(value), 1, NULL);
    }
    double failures = 0;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        failures += hp_json_number(counters, causes[i], NAN);
    rn_measure(measurements, arm, "ace_failures", failures, 1,
               "the library does not count ACE failures");
}

/* A setting's value as text, whatever JSON it is; null stays null. */
static json_t *setting_text(const json_t *value)
{
    if (json_is_string(value)) {
        size_t n = json_string_length(value);
        return hp_json_bytes(json_string_value(value), n < VALUE_LIMIT ? n : VALUE_LIMIT);
    }
    if (!value || json_is_null(value))
        return json_null();
    HP_FREE char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    size_t n = text ? strlen(text) : 0;
    return text ? hp_json_bytes(text, n < VALUE_LIMIT ? n : VALUE_LIMIT) : json_null();
}

json_t *rn_read_configuration(const json_t *statistics)
{
    json_t *config = json_object_get(statistics, "config");
    const char *name;
    json_t *setting;
    if (!json_is_object(config))
        return json_null();
    json_t *out = json_object();
    json_object_foreach (config, name, setting) {
        const char *source = hp_json_string(setting, "source", "default");
        bool environment = strcmp(source, "environment") == 0;
        if (json_object_size(out) < MAX_SETTINGS)
            json_object_set_new(out, name,
                                json_pack("{s:o, s:s, s:b}", "value",
                                          setting_text(json_object_get(setting, "value")), "source",
                                          environment ? "environment" : "default", "ignored",
                                          hp_json_bool(setting, "ignored", false)));
    }
    return out;
}

static void add_rss(const struct rn_pass *pass, const json_t *values, const char *missing)
{
    size_t i;
    json_t *value;
    json_t *list = json_object_get(pass->result, "rss");
    json_t *seconds = json_array(), *kib = json_array();
    if (!list) {
        list = json_array();
        json_object_set_new(pass->result, "rss", list);
    }
    json_array_foreach (values, i, value) {
        json_array_append(seconds, json_array_get(value, 0));
        json_array_append(kib, json_array_get(value, 1));
    }
    if (json_array_size(kib) > 0)
        missing = NULL;
    else if (!missing)
        missing = "the execution ended before it was looked at";
    json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:s?}", "arm", rn_arm_names[pass->arm],
                                          "seconds", seconds, "kib", kib, "missing", missing));
}

void rn_statistics_missing(const struct rn_pass *pass, const char *reason)
{
    rn_measure(rn_measurements_of(pass), pass->arm, "ace_failures", NAN, 0, reason);
    add_rss(pass, NULL, reason);
}

bool rn_statistics(const struct rn_pass *pass, struct hp_error *err)
{
    struct rn_sample sample = {0};
    HP_JSON json_t *failure = NULL;
    struct rn_execution execution = rn_long_execution(pass);
    const char *missing = NULL;
    execution.statistics = json_object_get(pass->workload->suite, "statistics") != NULL;
    HP_JSON json_t *request = rn_request(pass->workload, &execution);
    json_object_set_new(request, "rss", json_true());
    HP_JSON json_t *reply = rn_ask(pass->launcher, pass->workload->room->runner, request, err);
    if (!reply)
        return false;
    if (!rn_judge(pass->workload, &execution, reply, &sample, &failure))
        missing = "the execution with statistics failed";
    else if (!execution.statistics)
        missing = "the suite names no statistics variable";
    else if (!json_is_object(sample.statistics))
        missing = "the library wrote no statistics";
    if (missing) {
        rn_measure(rn_measurements_of(pass), pass->arm, "ace_failures", NAN, 0, missing);
    } else {
        rn_read_counters(sample.statistics, pass->arm, rn_measurements_of(pass));
        json_object_set_new(json_object_get(pass->result, "configuration"), rn_arm_names[pass->arm],
                            rn_read_configuration(sample.statistics));
    }
    add_rss(pass, json_object_get(reply, "rss"), missing);
    json_decref(sample.statistics);
    return true;
}

static char *event_list(void)
{
    HP_BUFFER struct hp_buffer text = {0};
    for (size_t i = 0; rn_perf_events[i]; i++)
        if (!hp_buffer_printf(&text, "%s%s", i ? "," : "", rn_perf_events[i]))
            return NULL;
    return strdup(hp_buffer_text(&text));
}

bool rn_run_perf(const struct rn_pass *pass, const struct rn_execution *execution,
                 struct rn_argv *argv, char *reason, size_t room, struct hp_error *err)
{
    HP_OUTCOME struct hp_outcome outcome = {0};
    const struct rn_workload *workload = pass->workload;
    HP_JSON json_t *request = rn_request(workload, execution);
    HP_FREE char *line = request ? hp_json_text(request) : NULL;
    HP_FREE char *input = line ? hp_format("%s\n", line) : NULL;
    bool lent = rn_privilege_lend();
    rn_argv_add(argv, "--");
    for (size_t i = 0; lent && rn_shed_words[i]; i++)
        rn_argv_add(argv, "%s", rn_shed_words[i]);
    rn_sandbox_for_samples(workload->room, &workload->limits, argv);
    rn_argv_add(argv, "samples");
    if (argv->failed || !input) {
        rn_privilege_take_back();
        return hp_fail(err, HP_SYSTEM, "out of memory");
    }
    double limit = rn_timeout(workload) + 10;
    const struct hp_command command = {.argv = (const char *const *)argv->item,
                                       .env = rn_sandbox_env,
                                       .input = input,
                                       .input_size = strlen(input),
                                       .timeout_s = limit < pass->seconds ? limit : pass->seconds,
                                       .cancel = workload->room->runner->cancel};
    struct hp_error why = {0};
    bool ran = hp_run_ok(&command, &outcome, &why);
    rn_privilege_take_back();
    if (outcome.cancelled)
        return hp_fail(err, HP_UNAVAILABLE, "stopped");
    reason[0] = '\0';
    if (!ran && why.code == HP_NOT_FOUND)
        snprintf(reason, room, "perf is not installed (Debian package linux-perf)");
    else if (!ran)
        snprintf(reason, room, "%.180s", why.message);
    return true;
}

void rn_perf_pass_missing(const struct rn_pass *pass, const char *reason)
{
    rn_perf_missing(rn_arm_names[pass->arm], reason, rn_measurements_of(pass));
}

bool rn_perf_pass(const struct rn_pass *pass, struct hp_error *err)
{
    RN_ARGV struct rn_argv argv = {0};
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error why = {0};
    char reason[REASON_LIMIT] = "";
    HP_FREE char *events = event_list();
    HP_FREE char *output = hp_format("%s/perf.json", pass->workload->room->work);
    const struct rn_execution execution = rn_long_execution(pass);
    if (!events || !output)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    unlink(output);
    const char *const words[] = {"perf", "stat", "-j", "-o", output, "-e", events};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        rn_argv_add(&argv, "%s", words[i]);
    if (!rn_run_perf(pass, &execution, &argv, reason, sizeof reason, err))
        return false;
    if (!reason[0] && !hp_file_read(output, PERF_OUTPUT_LIMIT, &text, &why))
        snprintf(reason, sizeof reason, "%.180s", why.message);
    if (reason[0])
        rn_perf_pass_missing(pass, reason);
    else
        rn_perf_read(hp_buffer_text(&text), text.size, rn_arm_names[pass->arm],
                     rn_measurements_of(pass));
    return true;
}
