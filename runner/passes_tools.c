/* The passes that need a tool around the program: strace, callgrind, perf record. */
#include "common/cleanup.h"
#include "common/json.h"
#include "runner/callgrind.h"
#include "runner/folded.h"
#include "runner/passes.h"
#include "runner/privilege.h"
#include "runner/syscalls.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define REASON_LIMIT 200
#define FREQUENCY 3989 /* of a profile; a prime, so that nothing beats with it */
#define FOLDED_LIMIT 262144
#define SCRIPT_LIMIT (128u << 20)
#define SHORTEST 20000 /* operations under callgrind */

/* Where a tool is, NULL where it is not: the sandbox shows /usr as it is. */
static const char *tool(const char *const *places)
{
    for (; *places; places++)
        if (access(*places, X_OK) == 0)
            return *places;
    return NULL;
}

/* A request whose program runs under a tool; `file` is what the tool writes. */
static json_t *request_under(const struct rn_pass *pass, const struct rn_execution *execution,
                             const struct rn_argv *before, const char *file)
{
    json_t *request = rn_request(pass->workload, execution);
    json_t *argv = json_object_get(request, "argv");
    double limit = hp_json_number(request, "timeout_s", 60);
    for (size_t i = 0; i < before->count; i++)
        json_array_insert_new(argv, i, json_string(before->item[i]));
    json_object_set_new(request, "file", json_string(file));
    if (pass->seconds < limit)
        json_object_set_new(request, "timeout_s", json_real(pass->seconds));
    return request;
}

/* Executes it. NULL with *failed where the program or the tool did not do what it should; then
 * reason says it. NULL without: the launcher is gone or the run was cancelled. */
static json_t *ask(const struct rn_pass *pass, const struct rn_execution *execution,
                   const json_t *request, struct rn_sample *sample, char *reason, bool *failed,
                   struct hp_error *err)
{
    HP_JSON json_t *failure = NULL;
    *failed = false;
    HP_JSON json_t *reply = rn_ask(pass->launcher, pass->workload->room->runner, request, err);
    if (!reply)
        return NULL;
    *failed = !rn_judge(pass->workload, execution, reply, sample, &failure);
    json_decref(sample->statistics);
    sample->statistics = NULL;
    if (*failed)
        snprintf(reason, REASON_LIMIT, "%.190s", hp_json_string(failure, "message", "it failed"));
    return *failed ? NULL : hp_take(reply);
}

/* --- system calls ----------------------------------------------------------------------------- */

void rn_syscall_pass_missing(const struct rn_pass *pass, const char *reason)
{
    rn_measure(rn_measurements_of(pass), pass->arm, "syscalls", NAN, 0, reason);
}

/* The preloaded library is for the program alone, not for strace. */
static void move_preload(json_t *request, struct rn_argv *before)
{
    size_t i;
    json_t *word;
    json_t *env = json_object_get(request, "env");
    json_array_foreach (env, i, word) {
        if (strncmp(json_string_value(word), "LD_PRELOAD=", 11) != 0)
            continue;
        rn_argv_add(before, "-E");
        rn_argv_add(before, "%s", json_string_value(word));
        json_array_remove(env, i);
        return;
    }
}

static bool has_metric(const json_t *rows, const char *arm, const char *metric)
{
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row) {
        if (strcmp(hp_json_string(row, "arm", ""), arm) == 0 &&
            strcmp(hp_json_string(row, "metric", ""), metric) == 0)
            return true;
    }
    return false;
}

/* All kinds were counted, so one that only the other arm made was made no times by this one. */
static void fill_zeros(json_t *rows)
{
    size_t i, n = json_array_size(rows);
    for (i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        const char *metric = hp_json_string(row, "metric", "");
        if (strncmp(metric, "syscall:", 8) != 0)
            continue;
        for (enum rn_arm arm = RN_HEAD; arm <= RN_BASE; arm++)
            if (has_metric(rows, rn_arm_names[arm], "syscalls") &&
                !has_metric(rows, rn_arm_names[arm], metric))
                rn_measure(rows, arm, metric, 0, 1, NULL);
    }
}

static void add_syscalls(const struct rn_pass *pass, const json_t *kinds)
{
    const char *name;
    json_t *count;
    double all = 0;
    json_t *rows = rn_measurements_of(pass);
    json_object_foreach ((json_t *)kinds, name, count) {
        char metric[80];
        snprintf(metric, sizeof metric, "syscall:%s", name);
        rn_measure(rows, pass->arm, metric, json_number_value(count), 1, NULL);
        all += json_number_value(count);
    }
    rn_measure(rows, pass->arm, "syscalls", all, 1, NULL);
    fill_zeros(rows);
}

bool rn_syscall_pass(const struct rn_pass *pass, struct hp_error *err)
{
    static const char *const places[] = {"/usr/bin/strace", "/usr/local/bin/strace", NULL};
    RN_ARGV struct rn_argv before = {0};
    struct rn_sample sample;
    char reason[REASON_LIMIT] = "";
    bool failed;
    const char *strace = tool(places);
    struct rn_execution execution = rn_long_execution(pass);
    HP_FREE char *file = hp_format("%s/tmp/hakperf-strace", pass->workload->room->root);
    if (!strace || !file) {
        rn_syscall_pass_missing(pass, "strace is not installed");
        return true;
    }
    execution.iterations = hp_json_int(pass->workload->json, "iterations", 1);
    const char *const words[] = {strace, "-f", "-c", "-o", file};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        rn_argv_add(&before, "%s", words[i]);
    HP_JSON json_t *plain = rn_request(pass->workload, &execution);
    json_t *env = json_object_get(plain, "env");
    move_preload(plain, &before);
    HP_JSON json_t *request = request_under(pass, &execution, &before, file);
    json_object_set(request, "env", env);
    HP_JSON json_t *reply = ask(pass, &execution, request, &sample, reason, &failed, err);
    if (!reply && !failed)
        return false;
    const char *text = hp_json_string(reply, "file", "");
    HP_JSON json_t *kinds = rn_syscalls_read(text, strlen(text));
    if (reply && json_object_size(kinds) > 0)
        add_syscalls(pass, kinds);
    else
        rn_syscall_pass_missing(pass, failed ? reason : "strace printed no table");
    return true;
}

/* --- instructions ----------------------------------------------------------------------------- */

void rn_callgrind_pass_missing(const struct rn_pass *pass, const char *reason)
{
    rn_measure(rn_measurements_of(pass), pass->arm, "instructions_per_op", NAN, 0, reason);
}

bool rn_callgrind_pass(const struct rn_pass *pass, struct hp_error *err)
{
    static const char *const places[] = {"/usr/bin/valgrind", "/usr/local/bin/valgrind", NULL};
    RN_ARGV struct rn_argv before = {0};
    struct rn_sample sample;
    char reason[REASON_LIMIT] = "";
    bool failed;
    const char *valgrind = tool(places);
    struct rn_execution execution = rn_long_execution(pass);
    HP_FREE char *file = hp_format("%s/tmp/hakperf-callgrind", pass->workload->room->root);
    if (hp_json_int(pass->workload->json, "threads", 1) > 1)
        snprintf(reason, sizeof reason, "with several threads they do not repeat exactly");
    else if (!valgrind || !file)
        snprintf(reason, sizeof reason, "valgrind is not installed");
    if (reason[0]) {
        rn_callgrind_pass_missing(pass, reason);
        return true;
    }
    int64_t all = hp_json_int(pass->workload->json, "iterations", 1);
    execution.iterations = all / 4 > SHORTEST ? all / 4 : all < SHORTEST ? all : SHORTEST;
    rn_argv_add(&before, "%s", valgrind);
    rn_argv_add(&before, "--tool=callgrind");
    rn_argv_add(&before, "--callgrind-out-file=%s", file);
    rn_argv_add(&before, "--toggle-collect=malloc");
    rn_argv_add(&before, "--toggle-collect=free");
    HP_JSON json_t *request = request_under(pass, &execution, &before, file);
    HP_JSON json_t *reply = ask(pass, &execution, request, &sample, reason, &failed, err);
    if (!reply && !failed)
        return false;
    const char *text = hp_json_string(reply, "file", "");
    double instructions = reply ? rn_callgrind_read(text, strlen(text)) : (double)NAN;
    if (instructions > 0 && sample.operations > 0)
        rn_measure(rn_measurements_of(pass), pass->arm, "instructions_per_op",
                   instructions / sample.operations, 1, NULL);
    else
        rn_callgrind_pass_missing(pass, failed ? reason : "callgrind counted no malloc or free");
    return true;
}

/* --- profile ---------------------------------------------------------------------------------- */

static void add_profile(const struct rn_pass *pass, const struct rn_profile *profile,
                        const char *missing)
{
    json_t *list = json_object_get(pass->result, "profiles");
    if (!list) {
        list = json_array();
        json_object_set_new(pass->result, "profiles", list);
    }
    json_array_append_new(
        list,
        json_pack("{s:s, s:s, s:i, s:I, s:I, s:s?, s:s?}", "arm", rn_arm_names[pass->arm], "event",
                  profile && profile->user_only ? "cpu-clock:u" : "cpu-clock", "frequency",
                  FREQUENCY, "samples", (json_int_t)(profile ? profile->samples : 0), "lost",
                  (json_int_t)(profile ? profile->left_out : 0), "folded",
                  profile ? profile->folded : NULL, "missing", missing));
}

void rn_profile_pass_missing(const struct rn_pass *pass, const char *reason)
{
    add_profile(pass, NULL, reason);
    rn_measure(rn_measurements_of(pass), pass->arm, "profile_kernel_share", NAN, 0, reason);
}

/* perf looks for the files of the sandbox below the work folder; the system's are there as links.
 */
static void link_system(const struct rn_room *room)
{
    static const char *const tops[] = {"usr", "lib", "lib64", "bin"};
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        HP_FREE char *from = hp_format("/%s", tops[i]);
        HP_FREE char *to = hp_format("%s/%s", room->work, tops[i]);
        if (from && to && symlink(from, to) != 0)
            errno = 0; /* it is there, or perf names no functions of that file */
    }
}

static bool read_profile(const struct rn_pass *pass, const char *data, struct hp_outcome *outcome,
                         char *reason, struct hp_error *err)
{
    struct hp_error why = {0};
    const struct rn_room *room = pass->workload->room;
    const char *root = room->runner->sandboxed ? room->work : "/";
    const char *const argv[] = {"perf",       "script",
                                "-i",         data,
                                "--symfs",    root,
                                "--kallsyms", "/proc/kallsyms",
                                "-F",         "comm,pid,tid,event,ip,sym,dso",
                                NULL};
    const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "PERF_PAGER=cat",
                               NULL};
    const struct hp_command command = {.argv = argv,
                                       .env = env,
                                       .timeout_s = pass->seconds,
                                       .output_limit = SCRIPT_LIMIT,
                                       .cancel = room->runner->cancel};
    link_system(room);
    rn_privilege_lend(); /* for the names of the kernel's functions */
    bool ran = hp_run_ok(&command, outcome, &why);
    rn_privilege_take_back();
    if (!ran)
        snprintf(reason, REASON_LIMIT, "perf script: %.170s", why.message);
    return !outcome->cancelled || hp_fail(err, HP_UNAVAILABLE, "stopped");
}

static void tell_profile(const struct rn_pass *pass, const struct rn_profile *profile)
{
    uint64_t all = profile->samples + profile->left_out;
    if (all == 0) {
        rn_profile_pass_missing(pass, "perf took no sample of the program");
        return;
    }
    add_profile(pass, profile, NULL);
    rn_measure(rn_measurements_of(pass), pass->arm, "profile_kernel_share",
               profile->user_only ? (double)NAN : (double)profile->kernel / (double)all,
               (size_t)all,
               "this user may not watch the kernel (kernel.perf_event_paranoid is above 1)");
}

bool rn_profile_pass(const struct rn_pass *pass, struct hp_error *err)
{
    RN_ARGV struct rn_argv argv = {0};
    RN_PROFILE struct rn_profile profile = {0};
    HP_OUTCOME struct hp_outcome script = {0};
    char reason[REASON_LIMIT] = "";
    const struct rn_execution execution = rn_long_execution(pass);
    const char *program = hp_json_string(pass->workload->json, "program", "");
    const char *slash = strrchr(program, '/');
    HP_FREE char *data = hp_format("%s/perf.data", pass->workload->room->work);
    if (!data)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    /* As root, perf watches for BPF programs in a thread of its own that it waits a second for. */
    const char *const words[] = {"perf", "record", "-q",        "-N", "-B", "--no-bpf-event",
                                 "-g",   "-e",     "cpu-clock", "-o", data, "-F"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        rn_argv_add(&argv, "%s", words[i]);
    rn_argv_add(&argv, "%d", FREQUENCY);
    if (!rn_run_perf(pass, &execution, &argv, reason, sizeof reason, err) ||
        (!reason[0] && !read_profile(pass, data, &script, reason, err)))
        return false;
    unlink(data);
    if (reason[0]) {
        rn_profile_pass_missing(pass, reason);
        return true;
    }
    if (!rn_folded_read(hp_buffer_text(&script.out), script.out.size, slash ? slash + 1 : program,
                        FOLDED_LIMIT, &profile))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    tell_profile(pass, &profile);
    return true;
}
