#include "runner/did_it_run.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "runner/cache.h"
#include "runner/coverage.h"
#include "runner/failure.h"
#include "runner/gcov.h"
#include "runner/passes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIFF_LIMIT (64u << 20)
#define GCOV_LIMIT (64u << 20)
#define LOG_LIMIT (1u << 20)
#define REASON_LIMIT 250
#define KEPT_LIMIT (64u << 20)

struct work {
    const struct rn_covered *asked;
    double deadline;
    char reason[REASON_LIMIT]; /* why nothing is known; "" while something may be */
};

static const struct rn_runner *runner_of(const struct work *work)
{
    return work->asked->room->runner;
}

static bool no_memory(struct hp_error *err)
{
    return hp_fail(err, HP_SYSTEM, "out of memory");
}

/* --- running the launcher --------------------------------------------------------------------- */

static json_t *plan_of(const struct work *work)
{
    const char *root = work->asked->room->root;
    const json_t *recipe = json_object_get(work->asked->suite, "recipe");
    const struct rn_limits *limits = &work->asked->limits;
    bool sandboxed = runner_of(work)->sandboxed;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:O?, s:O?, s:I, s:I, s:I}", "source",
        json_sprintf("%s/build/src", root), "out", json_sprintf("%s/build/out", root), "tmp",
        json_sprintf("%s/tmp", root), "layouts_folder", json_sprintf("%s/build/layouts", root),
        "commands", json_object_get(json_object_get(recipe, "coverage"), "commands"), "environment",
        json_object_get(recipe, "environment"), "memory_mib", (json_int_t)limits->memory_mib,
        "processes", (json_int_t)(sandboxed ? limits->processes : 0), "disk_mib",
        (json_int_t)limits->disk_mib);
}

static bool write_plan(const struct work *work, const json_t *plan, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/plan.json", work->asked->room->work);
    HP_FREE char *text = plan ? hp_json_text(plan) : NULL;
    if (!path || !text)
        return no_memory(err);
    return hp_file_replace(path, text, strlen(text), 0644, err);
}

/* Without a sandbox the build's folders still hold what was built before. */
static void clean_folders(const struct work *work)
{
    static const char *const folders[] = {"build", "tmp"};
    struct hp_error ignored;
    for (size_t i = 0; !runner_of(work)->sandboxed && i < 2; i++) {
        HP_FREE char *path = hp_format("%s/%s", work->asked->room->work, folders[i]);
        if (path && hp_remove_tree(path, &ignored))
            (void)hp_make_dirs(path, 0755, &ignored);
    }
}

/* A descriptor of a file without a name, which closes itself; -1 with err. */
static int nameless(const struct work *work, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/coverage.stream", work->asked->room->work);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        hp_fail_errno(err, "cannot make a file for the coverage");
    else
        unlink(path);
    return fd;
}

/* Runs `launch VERB` on the head's tree. False with work->reason set if the foreign code or a tool
 * is to blame, with it empty and err filled if this machine is or if the run was cancelled. */
static bool launch(struct work *work, const char *verb, const json_t *plan, int stream,
                   struct hp_error *err)
{
    RN_ARGV struct rn_argv argv = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    const struct rn_room *room = work->asked->room;
    char line[160];
    double left = work->deadline - hp_monotonic_s();
    if (left < 1) {
        snprintf(work->reason, sizeof work->reason, "the time for passes was up");
        return false;
    }
    clean_folders(work);
    if (!write_plan(work, plan, err))
        return false;
    rn_sandbox_for_coverage(room, &work->asked->limits, &argv);
    rn_argv_add(&argv, "%s", verb);
    rn_argv_add(&argv, "%s/plan.json", room->root);
    if (argv.failed || lseek(work->asked->sources->head, 0, SEEK_SET) != 0)
        return hp_fail(err, HP_SYSTEM, "cannot prepare `launch %s`", verb);
    const struct hp_command command = {.argv = (const char *const *)argv.item,
                                       .env = rn_sandbox_env,
                                       .stdin_fd = work->asked->sources->head,
                                       .stdout_fd = stream,
                                       .timeout_s = left,
                                       .output_limit = LOG_LIMIT,
                                       .keep_tail = true,
                                       .cancel = room->runner->cancel};
    if (!hp_run(&command, &outcome, err))
        return false;
    if (outcome.cancelled)
        return hp_fail(err, HP_UNAVAILABLE, "stopped");
    if (outcome.exit_code == 0)
        return true;
    rn_telling_line(hp_buffer_text(&outcome.err), outcome.err.size, line, sizeof line);
    if (outcome.timed_out)
        snprintf(work->reason, sizeof work->reason, "%s took longer than %.0f s and was ended",
                 verb, left);
    else
        snprintf(work->reason, sizeof work->reason, "%s failed: %s", verb,
                 line[0] ? line : hp_outcome_text(&outcome));
    return false;
}

/* --- the difference --------------------------------------------------------------------------- */

/* The base's tree as a file that can be bound into the sandbox. */
static bool copy_base(const struct work *work, const char *path, struct hp_error *err)
{
    struct stat st;
    int from = work->asked->sources->base;
    HP_FD int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (to < 0 || fstat(from, &st) != 0)
        return hp_fail_errno(err, "cannot copy the base's source");
    off_t at = 0;
    while (at < st.st_size) {
        ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));
        if (n <= 0 && errno != EINTR)
            return hp_fail_errno(err, "cannot copy the base's source");
    }
    return true;
}

static bool read_stream(int stream, size_t limit, struct hp_buffer *out, struct hp_error *err)
{
    HP_FREE char *path = hp_format("/proc/self/fd/%d", stream);
    return path ? hp_file_read(path, limit, out, err) : no_memory(err);
}

static bool read_difference(struct work *work, const struct hp_buffer *text, struct rn_diff *diff,
                            struct hp_error *err)
{
    struct hp_error bad;
    const char *begin = hp_buffer_text(text), *line = memchr(begin, '\n', text->size);
    HP_JSON json_t *head = line ? hp_json_parse(begin, (size_t)(line - begin), &bad) : NULL;
    size_t left = line ? text->size - (size_t)(line + 1 - begin) : 0;
    int64_t size = hp_json_int(head, "diff", -1), uses = hp_json_int(head, "uses", -1);
    if (size < 0 || uses < 0 || (size_t)size > left || (size_t)uses > left - (size_t)size) {
        snprintf(work->reason, sizeof work->reason, "the difference handed out is truncated");
        return false;
    }
    return (rn_diff_parse(line + 1, (size_t)size, "b/head/", diff) &&
            rn_diff_add_uses(line + 1 + size, (size_t)uses, diff)) ||
           no_memory(err);
}

static bool difference(struct work *work, struct rn_diff *diff, struct hp_error *err)
{
    const struct rn_room *room = work->asked->room;
    HP_BUFFER struct hp_buffer text = {0};
    HP_FREE char *path = hp_format("%s/base.tar", room->work);
    HP_JSON json_t *plan = plan_of(work);
    HP_FD int stream = nameless(work, err);
    if (stream < 0 || !path || !plan || !copy_base(work, path, err))
        return false;
    json_object_set_new(plan, "base", json_sprintf("%s/base.tar", room->root));
    bool ok = launch(work, "diff", plan, stream, err);
    unlink(path);
    return ok && read_stream(stream, (size_t)2 * DIFF_LIMIT, &text, err) &&
           read_difference(work, &text, diff, err);
}

/* --- what was executed ------------------------------------------------------------------------ */

static struct rn_workload workload_of(const struct work *work, const json_t *json)
{
    return (struct rn_workload){.room = work->asked->room,
                                .suite = work->asked->suite,
                                .json = json,
                                .limits = work->asked->limits};
}

static struct rn_execution execution_of(const json_t *json, const char *library)
{
    return (struct rn_execution){.arm = RN_HEAD,
                                 .iterations = hp_json_int(json, "iterations", 1),
                                 .seed = rn_first_seed(json),
                                 .library = library};
}

static char *library_of(const struct work *work)
{
    return hp_format("%s/build/out/%s", work->asked->room->root, rn_preload_of(work->asked->suite));
}

static json_t *requests(const struct work *work)
{
    size_t i;
    json_t *result;
    json_t *list = json_array();
    HP_FREE char *library = library_of(work);
    json_array_foreach (work->asked->results, i, result) {
        const json_t *json = rn_workload_of(work->asked->suite, hp_json_string(result, "name", ""));
        const struct rn_workload workload = workload_of(work, json);
        const struct rn_execution execution = execution_of(json, library);
        json_array_append_new(list, json ? rn_request(&workload, &execution) : NULL);
    }
    return list;
}

/* What one execution came to: {"files"} or {"missing"}. */
static json_t *judge(const struct work *work, const json_t *result, const json_t *head,
                     const struct hp_buffer *text, const struct hp_buffer *places)
{
    const json_t *json = rn_workload_of(work->asked->suite, hp_json_string(result, "name", ""));
    const struct rn_workload workload = workload_of(work, json);
    const struct rn_execution execution = execution_of(json, NULL);
    HP_FREE char *source = hp_format("%s/build/src", work->asked->room->root);
    HP_JSON json_t *failure = NULL;
    struct rn_sample sample = {0};
    bool ran = rn_judge(&workload, &execution, json_object_get(head, "reply"), &sample, &failure);
    json_decref(sample.statistics);
    if (!ran) {
        const char *message = hp_json_string(failure, "message", "the execution failed");
        return json_pack("{s:o}", "missing", json_sprintf("with coverage, %.200s", message));
    }
    if (!hp_json_bool(head, "counted", false))
        return json_pack("{s:s}", "missing", "gcov could not read the data of the coverage build");
    HP_JSON json_t *files = json_object();
    size_t bad = source ? rn_gcov_read(hp_buffer_text(text), text->size, source, files) : 0;
    if (json_object_size(files) == 0)
        return json_pack("{s:s}", "missing",
                         bad ? "gcov's output cannot be read" : "gcov told of no file");
    rn_gcov_place(hp_buffer_text(places), places->size, source, files);
    return json_pack("{s:O}", "files", files);
}

/* One line and the bytes that it announces; NULL where they are not there. */
static json_t *receive_part(FILE *stream, struct hp_buffer *text)
{
    struct hp_error ignored;
    HP_FREE char *line = NULL;
    size_t room = 0;
    char block[65536];
    ssize_t n = getline(&line, &room, stream);
    HP_JSON json_t *head = n > 0 ? hp_json_parse(line, (size_t)n, &ignored) : NULL;
    int64_t left = hp_json_int(head, "size", -1);
    if (left < 0 || left > GCOV_LIMIT)
        return NULL;
    while (left > 0) {
        size_t got =
            fread(block, 1, left < (int64_t)sizeof block ? (size_t)left : sizeof block, stream);
        if (got == 0 || !hp_buffer_append(text, block, got))
            return NULL;
        left -= (int64_t)got;
    }
    return hp_take(head);
}

/* Reads the launcher's lines and bytes into a list, one object a workload. */
static json_t *receive(struct work *work, int fd, struct hp_error *err)
{
    size_t i;
    json_t *result;
    HP_BUFFER struct hp_buffer places = {0};
    HP_JSON json_t *list = json_array();
    HP_FILE FILE *stream = lseek(fd, 0, SEEK_SET) == 0 ? fdopen(dup(fd), "r") : NULL;
    if (!list || !stream) {
        no_memory(err);
        return NULL;
    }
    HP_JSON json_t *first = receive_part(stream, &places);
    bool whole = first != NULL;
    json_array_foreach (work->asked->results, i, result) {
        HP_BUFFER struct hp_buffer text = {0};
        HP_JSON json_t *head = whole ? receive_part(stream, &text) : NULL;
        whole = head != NULL;
        if (whole)
            json_array_append_new(list, judge(work, result, head, &text, &places));
    }
    if (whole)
        return hp_take(list);
    snprintf(work->reason, sizeof work->reason, "the coverage handed out is truncated");
    return NULL;
}

static bool cache_key(const struct work *work, char out[HP_HASH_TEXT], struct hp_error *err)
{
    char tree[HP_HASH_TEXT];
    HP_JSON json_t *asked = requests(work);
    const json_t *recipe = json_object_get(work->asked->suite, "recipe");
    if (!rn_source_hash(work->asked->sources->head, tree, err))
        return false;
    HP_JSON json_t *key =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:O, s:O?, s:O}", "what", "coverage", "format", 2,
                  "tree", tree, "toolchain", work->asked->toolchain, "driver",
                  work->asked->driver_hash, "sandboxed", runner_of(work)->sandboxed, "commands",
                  json_object_get(json_object_get(recipe, "coverage"), "commands"), "environment",
                  json_object_get(recipe, "environment"), "requests", asked);
    return key ? hp_hash_json(key, out, err) : no_memory(err);
}

/* Keeps the list as an artifact of the build cache; not being able to is no failure. */
static void keep(const struct work *work, const char *key, const char *folder, const json_t *list)
{
    char hash[HP_HASH_TEXT];
    struct hp_error err = {0};
    HP_FREE char *path = hp_format("%s/coverage.json", folder);
    HP_FREE char *text = hp_json_text(list);
    if (path && text && hp_file_replace(path, text, strlen(text), 0644, &err) &&
        hp_hash_file(path, hash, &err)) {
        HP_JSON json_t *entry =
            json_pack("{s:[{s:s, s:s}]}", "artifacts", "path", "coverage.json", "hash", hash);
        if (entry && rn_cache_store(runner_of(work)->state, key, folder, entry, &err)) {
            rn_cache_trim(runner_of(work)->state, runner_of(work)->cache_mib);
            return;
        }
    }
    hp_log(HP_LOG_WARNING, "what was executed could not be cached: %s", err.message);
}

static json_t *cached(const struct work *work, const char *key, const char *folder)
{
    struct hp_error ignored;
    HP_FREE char *path = hp_format("%s/coverage.json", folder);
    HP_JSON json_t *entry = rn_cache_fetch(runner_of(work)->state, key, folder);
    json_t *list = entry && path ? hp_json_read_file(path, KEPT_LIMIT, &ignored) : NULL;
    if (list && json_array_size(list) == json_array_size(work->asked->results))
        return list;
    json_decref(list);
    return NULL;
}

/* One object a workload, from the cache or the sandbox; NULL with work->reason or err. */
static json_t *executed(struct work *work, struct hp_error *err)
{
    char key[HP_HASH_TEXT];
    HP_FREE char *folder = hp_format("%s/coverage", work->asked->room->work);
    if (!folder || !hp_make_dirs(folder, 0755, err) || !cache_key(work, key, err))
        return NULL;
    json_t *list = cached(work, key, folder);
    if (list)
        return list;
    HP_JSON json_t *plan = plan_of(work);
    HP_FD int stream = nameless(work, err);
    if (stream < 0 || !plan)
        return NULL;
    json_object_set_new(plan, "requests", requests(work));
    json_object_set_new(plan, "preload", json_string(rn_preload_of(work->asked->suite)));
    if (!launch(work, "coverage", plan, stream, err))
        return NULL;
    list = receive(work, stream, err);
    if (list)
        keep(work, key, folder, list);
    return list;
}

/* --- both together ---------------------------------------------------------------------------- */

static void combine(const struct work *work, const struct rn_diff *diff, const json_t *list,
                    json_t **coverage)
{
    size_t i, known = 0;
    json_t *result;
    HP_JSON json_t *sum = json_object();
    const char *missing = "no workload was executed";
    json_array_foreach (work->asked->results, i, result) {
        const json_t *item = json_array_get(list, i);
        const json_t *files = json_object_get(item, "files");
        if (!json_is_object(files)) {
            missing = hp_json_string(item, "missing", missing);
            json_object_set_new(result, "coverage", rn_coverage_missing(missing));
            continue;
        }
        known++;
        json_object_set_new(result, "coverage", rn_coverage_of(diff, files));
        rn_coverage_add(sum, files);
    }
    *coverage = known > 0 ? rn_coverage_of(diff, sum) : rn_coverage_missing(missing);
}

static void nothing_known(const struct work *work, json_t **coverage)
{
    size_t i;
    json_t *result;
    json_array_foreach (work->asked->results, i, result)
        json_object_set_new(result, "coverage", rn_coverage_missing(work->reason));
    *coverage = rn_coverage_missing(work->reason);
}

bool rn_did_it_run(const struct rn_covered *asked, json_t **coverage, struct hp_error *err)
{
    struct work work = {.asked = asked, .deadline = hp_monotonic_s() + asked->budget_s};
    RN_DIFF struct rn_diff diff = {0};
    const json_t *recipe = json_object_get(json_object_get(asked->suite, "recipe"), "coverage");
    *coverage = NULL;
    if (!json_is_object(recipe))
        snprintf(work.reason, sizeof work.reason, "the suite has no coverage recipe");
    else if (asked->sources->base < 0)
        snprintf(work.reason, sizeof work.reason, "there is no base to differ from");
    HP_JSON json_t *list =
        !work.reason[0] && difference(&work, &diff, err) ? executed(&work, err) : NULL;
    if (list)
        combine(&work, &diff, list, coverage);
    else if (work.reason[0])
        nothing_known(&work, coverage);
    else
        return false;
    return true;
}
