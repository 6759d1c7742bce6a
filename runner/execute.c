#include "runner/execute.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "runner/failure.h"
#include "runner/launcher.h"
#include "runner/layouts.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#define DEFAULT_TIMEOUT_S 60
#define GRACE_S 10  /* beyond its time limit before the launcher itself is given up */
#define FILE_MIB 64 /* largest file, and output, of one execution */

const char *const rn_arm_names[RN_ARMS] = {"head", "base", "control", "reference"};
const char *const rn_arm_folders[RN_ARMS] = {"arm/head", "arm/base", "arm/none", "arm/mark"};

const char *const rn_metric_names[RN_METRICS] = {"throughput",
                                                 "warm_throughput",
                                                 "startup_cpu",
                                                 "wall",
                                                 "cpu",
                                                 "user_cpu",
                                                 "system_cpu",
                                                 "steady_user_cpu",
                                                 "steady_system_cpu",
                                                 "peak_rss",
                                                 "retained_rss",
                                                 "minor_faults",
                                                 "voluntary_switches"};

bool rn_launcher_start(const struct rn_room *room, const struct rn_limits *limits,
                       struct rn_launcher *launcher, struct hp_error *err)
{
    RN_ARGV struct rn_argv argv = {0};
    *launcher = (struct rn_launcher){.child = {.in = -1, .out = -1}};
    rn_sandbox_for_samples(room, limits, &argv);
    rn_argv_add(&argv, "samples");
    if (argv.failed)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    const struct hp_command command = {.argv = (const char *const *)argv.item,
                                       .env = rn_sandbox_env};
    return hp_child_start(&command, true, true, &launcher->child, err) ||
           hp_error_context(err, "the launcher");
}

void rn_launcher_stop(struct rn_launcher *launcher)
{
    /* The end of its input ends it; a program that hangs is ended with the sandbox. */
    if (launcher->child.in >= 0)
        close(launcher->child.in);
    launcher->child.in = -1;
    hp_child_stop(&launcher->child, SIGTERM, 0.5);
    hp_buffer_clear(&launcher->pending);
}

double rn_timeout(const struct rn_workload *workload)
{
    return (double)hp_json_int(workload->json, "timeout_s", DEFAULT_TIMEOUT_S);
}

/* Fills {iterations} and {seed} in. */
static json_t *argument(const char *word, const struct rn_execution *execution)
{
    HP_BUFFER struct hp_buffer text = {0};
    bool ok = true;
    while (*word && ok) {
        if (strncmp(word, "{iterations}", 12) == 0) {
            ok = hp_buffer_printf(&text, "%lld", (long long)execution->iterations);
            word += 12;
        } else if (strncmp(word, "{seed}", 6) == 0) {
            ok = hp_buffer_printf(&text, "%lld", (long long)execution->seed);
            word += 6;
        } else {
            ok = hp_buffer_append(&text, word++, 1);
        }
    }
    return ok ? json_string(hp_buffer_text(&text)) : NULL;
}

static json_t *arguments(const struct rn_workload *workload, const struct rn_execution *execution)
{
    size_t i;
    json_t *word;
    json_t *argv = json_array();
    json_array_append_new(argv, json_sprintf("%s/driver/%s", workload->room->root,
                                             hp_json_string(workload->json, "program", "")));
    json_array_foreach (json_object_get(workload->json, "arguments"), i, word)
        json_array_append_new(argv, argument(json_string_value(word), execution));
    json_array_append_new(argv, json_string("--json"));
    json_array_append_new(argv, json_string("/dev/fd/3"));
    return argv;
}

const char *rn_preload_of(const json_t *suite)
{
    const json_t *artifacts = json_object_get(json_object_get(suite, "recipe"), "artifacts");
    const char *first = json_string_value(json_array_get(artifacts, 0));
    return hp_json_string(suite, "preload", first ? first : "");
}

static char *statistics_path(const struct rn_workload *workload)
{
    return hp_format("%s/tmp/hakperf-statistics.json", workload->room->root);
}

/* The library's path in the sandbox, equally long for every arm, and for every layout. */
static char *library_path(const struct rn_workload *workload, const struct rn_execution *execution)
{
    const char *arm = rn_arm_folders[execution->arm];
    const char *name = rn_preload_of(workload->suite), *slash = strrchr(name, '/');
    if (execution->library)
        return strdup(execution->library);
    if (execution->layout == 0)
        return hp_format("%s/%s/%s", workload->room->root, arm, name);
    return hp_format("%s/%s/" RN_LAYOUT_FOLDER "/%s", workload->room->root, arm,
                     execution->layout - 1, slash ? slash + 1 : name);
}

/* Every arm gets an environment of the same size: where the control loads nothing, a variable with
 * a name of the same length takes the place of LD_PRELOAD. */
static json_t *environment(const struct rn_workload *workload, const struct rn_execution *execution)
{
    const char *name;
    json_t *value;
    json_t *env = json_array();
    bool control = execution->arm == RN_CONTROL;
    json_array_append_new(env, json_string("PATH=/usr/bin:/bin"));
    json_array_append_new(env, json_string("LANG=C.UTF-8"));
    json_array_append_new(env, json_sprintf("HOME=%s/tmp", workload->room->root));
    json_object_foreach (json_object_get(workload->json, "environment"), name, value)
        json_array_append_new(env, json_sprintf("%s=%s", name, json_string_value(value)));
    HP_FREE char *library = library_path(workload, execution);
    json_array_append_new(
        env, json_sprintf("%s=%s", control ? "NO_PRELOAD" : "LD_PRELOAD", library ? library : ""));
    const char *variable =
        hp_json_string(json_object_get(workload->suite, "statistics"), "variable", NULL);
    HP_FREE char *path = statistics_path(workload);
    if (execution->statistics && variable && path)
        json_array_append_new(env, json_sprintf("%s=%s", variable, path));
    return env;
}

static json_t *cpu_list(const cpu_set_t *cpus)
{
    json_t *list = json_array();
    for (int i = 0; cpus && i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, cpus))
            json_array_append_new(list, json_integer(i));
    return list;
}

json_t *rn_request(const struct rn_workload *workload, const struct rn_execution *execution)
{
    HP_FREE char *path = statistics_path(workload);
    bool sandboxed = workload->room->runner->sandboxed;
    return json_pack("{s:o, s:o, s:o, s:f, s:I, s:I, s:I, s:s?}", "argv",
                     arguments(workload, execution), "env", environment(workload, execution),
                     "cpus", cpu_list(workload->cpus), "timeout_s", rn_timeout(workload),
                     "memory_mib", (json_int_t)workload->limits.memory_mib, "processes",
                     (json_int_t)(sandboxed ? workload->limits.processes : 0), "file_mib",
                     (json_int_t)FILE_MIB, "file", execution->statistics ? path : NULL);
}

/* "workload W, head, seed 42: what" as a failure of the run. */
static json_t *failed(const struct rn_workload *workload, const struct rn_execution *execution,
                      const json_t *reply, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static json_t *failed(const struct rn_workload *workload, const struct rn_execution *execution,
                      const json_t *reply, const char *format, ...)
{
    char what[256], line[1024], message[1600];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const char *output = hp_json_string(reply, "output", "");
    HP_JSON json_t *log = rn_log_tail(output, strlen(output));
    rn_telling_line(output, strlen(output), line, sizeof line);
    snprintf(message, sizeof message, "workload %s, %s, seed %lld: %s%s%s",
             hp_json_string(workload->json, "name", ""), rn_arm_names[execution->arm],
             (long long)execution->seed, what, line[0] ? ": " : "", line);
    return rn_failure("run", rn_arm_names[execution->arm], message, log);
}

/* What a program says that it used of something. Less than nothing cannot be: NAN, not known. */
static double amount(const json_t *part, const char *key)
{
    double value = hp_json_number(part, key, NAN);
    return value >= 0 ? fabs(value) : (double)NAN; /* and there is no -0 */
}

/* operations / CPU-seconds of a part of the driver's document; NAN where it has none. */
static double rate(const json_t *part)
{
    double operations = hp_json_number(part, "operations", NAN);
    double cpu_s = hp_json_number(part, "cpu_s", NAN);
    return operations > 0 && cpu_s > 0 ? operations / cpu_s : (double)NAN;
}

/* Reads what the driver wrote; false if it is not the document that the contract asks for. A
 * program of several threads has no moment at which all are warm: without a steady part the whole
 * counts. */
static bool read_driver(const char *text, bool threaded, struct rn_sample *out)
{
    struct hp_error ignored;
    HP_JSON json_t *json = hp_json_parse(text, strlen(text), &ignored);
    if (!json_is_object(json))
        return false;
    double *value = out->value;
    const json_t *steady = json_object_get(json, "steady");
    if (threaded && !isfinite(rate(steady)))
        steady = json;
    out->operations = hp_json_number(json, "operations", NAN);
    value[RN_THROUGHPUT] = rate(steady);
    value[RN_STEADY_USER_CPU] = amount(steady, "user_s");
    value[RN_STEADY_SYSTEM_CPU] = amount(steady, "system_s");
    value[RN_WARM_THROUGHPUT] = rate(json_object_get(json, "warm"));
    value[RN_STARTUP_CPU] = amount(json, "startup_cpu_s");
    value[RN_WALL] = amount(json, "wall_s");
    value[RN_CPU] = amount(json, "cpu_s");
    value[RN_PEAK_RSS] = amount(json, "peak_rss_kib");
    value[RN_RETAINED_RSS] = amount(json, "retained_rss_kib");
    return out->operations > 0 && value[RN_WALL] >= 0 && value[RN_CPU] >= 0;
}

static void read_statistics(const json_t *reply, struct rn_sample *out)
{
    struct hp_error ignored;
    const char *text = hp_json_string(reply, "file", NULL);
    out->statistics = text ? hp_json_parse(text, strlen(text), &ignored) : NULL;
}

bool rn_judge(const struct rn_workload *workload, const struct rn_execution *execution,
              const json_t *reply, struct rn_sample *out, json_t **failure)
{
    *out = (struct rn_sample){0};
    const struct hp_outcome outcome = {.exit_code = (int)hp_json_int(reply, "exit_code", -1),
                                       .signal = (int)hp_json_int(reply, "signal", 0),
                                       .timed_out = hp_json_bool(reply, "timed_out", false),
                                       .wall_s = hp_json_number(reply, "wall_s", 0)};
    const char *error = hp_json_string(reply, "error", NULL);
    const char *text = hp_json_string(reply, "json", NULL);
    bool threads = hp_json_int(workload->json, "threads", 1) > 1;
    if (error)
        *failure = failed(workload, execution, reply, "it could not be started: %s", error);
    else if (outcome.timed_out)
        *failure = failed(workload, execution, reply, "it hung: %s", hp_outcome_text(&outcome));
    else if (outcome.exit_code != 0)
        *failure = failed(workload, execution, reply, "%s", hp_outcome_text(&outcome));
    else if (!text)
        *failure = failed(workload, execution, reply, "it wrote no --json document");
    else if (!read_driver(text, threads, out))
        *failure =
            failed(workload, execution, reply, "its --json document is nonsense: %.80s", text);
    if (*failure)
        return false;
    out->value[RN_USER_CPU] = hp_json_number(reply, "user_s", NAN);
    out->value[RN_SYSTEM_CPU] = hp_json_number(reply, "system_s", NAN);
    out->value[RN_MINOR_FAULTS] = hp_json_number(reply, "minor_faults", NAN);
    if (threads)
        out->value[RN_VOLUNTARY_SWITCHES] = hp_json_number(reply, "voluntary_switches", NAN);
    read_statistics(reply, out);
    return true;
}

/* Reads one line of the launcher within the time, watching for cancellation. */
static json_t *receive(struct rn_launcher *launcher, const struct rn_runner *runner, double seconds,
                       struct hp_error *err)
{
    double deadline = hp_monotonic_s() + seconds;
    struct hp_buffer *pending = &launcher->pending;
    pending->size = 0;
    for (;;) {
        char block[65536];
        struct pollfd slot = {.fd = launcher->child.out, .events = POLLIN};
        int ready = poll(&slot, 1, 100);
        if (rn_cancelled(runner)) {
            hp_fail(err, HP_UNAVAILABLE, "stopped");
            return NULL;
        }
        if (ready <= 0 && hp_monotonic_s() > deadline) {
            hp_fail(err, HP_TIMEOUT, "the launcher does not answer");
            return NULL;
        }
        if (ready <= 0)
            continue;
        ssize_t n = read(launcher->child.out, block, sizeof block);
        if (n <= 0 || pending->size + (size_t)n > 4 * (RN_TEXT_LIMIT + RN_FILE_LIMIT) ||
            !hp_buffer_append(pending, block, (size_t)n)) {
            hp_fail(err, HP_FAILED, "the launcher ended before its time");
            return NULL;
        }
        if (block[n - 1] == '\n')
            return hp_json_parse(hp_buffer_text(pending), pending->size, err);
    }
}

json_t *rn_ask(struct rn_launcher *launcher, const struct rn_runner *runner, const json_t *request,
               struct hp_error *err)
{
    HP_FREE char *text = request ? hp_json_text(request) : NULL;
    if (!text) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    if (!hp_write_all(launcher->child.in, text, strlen(text)) ||
        !hp_write_all(launcher->child.in, "\n", 1)) {
        hp_fail_errno(err, "the launcher is gone");
        return NULL;
    }
    return receive(launcher, runner, hp_json_number(request, "timeout_s", 60) + GRACE_S, err);
}

bool rn_execute(struct rn_launcher *launcher, const struct rn_workload *workload,
                const struct rn_execution *execution, struct rn_sample *out, json_t **failure,
                struct hp_error *err)
{
    HP_JSON json_t *request = rn_request(workload, execution);
    *failure = NULL;
    *out = (struct rn_sample){0};
    HP_JSON json_t *reply = rn_ask(launcher, workload->room->runner, request, err);
    if (!reply)
        return false;
    return rn_judge(workload, execution, reply, out, failure) ||
           hp_fail(err, HP_FAILED, "the workload failed");
}
