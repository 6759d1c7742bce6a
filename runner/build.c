#include "runner/build.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/process.h"
#include "runner/cache.h"
#include "runner/failure.h"
#include "runner/source.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 900
#define CAPTURE (1u << 20)
#define HEAD_LIMIT 8192

/* Everything that one build needs at once. */
struct work {
    const struct rn_room *room;
    const struct rn_limits *limits;
    const char *arm;
    const json_t *recipe;
    char *folder; /* outside, where the artifacts go */
};

void rn_built_clear(struct rn_built *built)
{
    json_decref(built->log);
    *built = (struct rn_built){0};
}

char *rn_toolchain(void)
{
    static const char *const tools[] = {"cc", "clang", "ld", "make"};
    HP_BUFFER struct hp_buffer text = {0};
    bool ok = hp_buffer_printf(&text, "libc %s", gnu_get_libc_version());
    for (size_t i = 0; ok && i < sizeof tools / sizeof tools[0]; i++) {
        const char *const argv[] = {tools[i], "--version", NULL};
        const struct hp_command command = {.argv = argv, .timeout_s = 10};
        HP_OUTCOME struct hp_outcome outcome = {0};
        struct hp_error ignored;
        if (!hp_run_ok(&command, &outcome, &ignored))
            continue;
        const char *first = hp_buffer_text(&outcome.out);
        ok = hp_buffer_printf(&text, "; %.*s", (int)strcspn(first, "\n"), first);
    }
    return ok ? strdup(hp_buffer_text(&text)) : NULL;
}

static bool cache_key(const struct work *work, const char *toolchain, int archive,
                      char out[HP_HASH_TEXT], struct hp_error *err)
{
    char tree[HP_HASH_TEXT];
    if (!rn_source_hash(archive, tree, err))
        return false;
    HP_JSON json_t *key =
        json_pack("{s:i, s:s, s:s, s:b, s:O, s:O, s:O?, s:O?}", "format", 2, "tree", tree,
                  "toolchain", toolchain, "sandboxed", work->room->runner->sandboxed, "commands",
                  json_object_get(work->recipe, "commands"), "artifacts",
                  json_object_get(work->recipe, "artifacts"), "environment",
                  json_object_get(work->recipe, "environment"), "layouts",
                  json_object_get(work->recipe, "layouts"));
    return key ? hp_hash_json(key, out, err) : hp_fail(err, HP_SYSTEM, "out of memory");
}

static int64_t timeout_of(const struct work *work)
{
    return hp_json_int(work->recipe, "timeout_s", DEFAULT_TIMEOUT_S);
}

static bool write_plan(const struct work *work, struct hp_error *err)
{
    const struct rn_room *room = work->room;
    HP_FREE char *path = hp_format("%s/plan.json", room->work);
    HP_FREE char *source = hp_format("%s/build/src", room->root);
    HP_FREE char *out = hp_format("%s/build/out", room->root);
    HP_FREE char *tmp = hp_format("%s/tmp", room->root);
    HP_FREE char *layouts = hp_format("%s/build/layouts", room->root);
    if (!path || !source || !out || !tmp || !layouts)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    /* Without a sandbox all processes of the user would count, those of others' work too. */
    int64_t processes = room->runner->sandboxed ? work->limits->processes : 0;
    HP_JSON json_t *plan = json_pack(
        "{s:s, s:s, s:s, s:s, s:O, s:O, s:O?, s:O?, s:I, s:I, s:I, s:I}", "source", source, "out",
        out, "layouts_folder", layouts, "tmp", tmp, "commands",
        json_object_get(work->recipe, "commands"), "artifacts",
        json_object_get(work->recipe, "artifacts"), "environment",
        json_object_get(work->recipe, "environment"), "layouts",
        json_object_get(work->recipe, "layouts"), "memory_mib",
        (json_int_t)work->limits->memory_mib, "processes", (json_int_t)processes, "disk_mib",
        (json_int_t)work->limits->disk_mib, "timeout_s", (json_int_t)timeout_of(work));
    HP_FREE char *text = plan ? hp_json_text(plan) : NULL;
    return text ? hp_file_replace(path, text, strlen(text), 0644, err)
                : hp_fail(err, HP_SYSTEM, "out of memory");
}

/* Writes the next `size` bytes of the stream to the artifact's place. */
static bool receive_file(FILE *stream, const char *path, size_t size, mode_t mode,
                         struct hp_error *err)
{
    HP_BUFFER struct hp_buffer bytes = {0};
    char block[65536];
    HP_FREE char *parent = strdup(path);
    while (size > 0) {
        size_t n = fread(block, 1, size < sizeof block ? size : sizeof block, stream);
        if (n == 0)
            return hp_fail(err, HP_FAILED, "the build's artifacts are truncated");
        if (!hp_buffer_append(&bytes, block, n))
            return hp_fail(err, HP_SYSTEM, "out of memory");
        size -= n;
    }
    if (!parent)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    *strrchr(parent, '/') = '\0';
    return hp_make_dirs(parent, 0755, err) &&
           hp_file_replace(path, bytes.data ? bytes.data : "", bytes.size, mode, err);
}

/* One artifact as the launcher sent it: its line, then its bytes. Appends to *list and *codes. */
static bool receive_artifact(const struct work *work, FILE *stream, const char *name,
                             struct rn_built *out, json_t *list, json_t *codes,
                             struct hp_error *err)
{
    char line[HEAD_LIMIT], hash[HP_HASH_TEXT];
    HP_FREE char *path = hp_format("%s/%s", work->folder, name);
    if (!path || !fgets(line, sizeof line, stream))
        return hp_fail(err, HP_FAILED, "the build did not hand out %s", name);
    HP_JSON json_t *head = hp_json_parse(line, strlen(line), err);
    int64_t size = hp_json_int(head, "size", -1);
    if (!head || strcmp(hp_json_string(head, "artifact", ""), name) != 0 || size < 0 ||
        size > work->limits->disk_mib * 1024 * 1024)
        return hp_fail(err, HP_FAILED, "the build handed out something else than %s", name);
    mode_t mode = (hp_json_int(head, "mode", 0644) & 0111) ? 0755 : 0644;
    if (!receive_file(stream, path, (size_t)size, mode, err) || !hp_hash_file(path, hash, err))
        return false;
    if (!out->compiler[0])
        snprintf(out->compiler, sizeof out->compiler, "%s", hp_json_string(head, "compiler", ""));
    json_array_append_new(list, json_pack("{s:s, s:s}", "path", name, "hash", hash));
    json_array_append_new(codes, json_pack("[s, s]", name, hp_json_string(head, "code_hash", "")));
    return true;
}

/* The layouts, or why there are none. They are appended to the files that the cache keeps. */
static bool receive_layouts(const struct work *work, FILE *stream, struct rn_built *out,
                            json_t *list, struct hp_error *err)
{
    const char *artifact = rn_layout_artifact(work->recipe);
    const char *slash = strrchr(artifact, '/'), *name = slash ? slash + 1 : artifact;
    char line[HEAD_LIMIT], hash[HP_HASH_TEXT];
    HP_JSON json_t *told =
        fgets(line, sizeof line, stream) ? hp_json_parse(line, strlen(line), err) : NULL;
    int64_t count = hp_json_int(told, "layouts", -1);
    if (count != 0 && count != RN_LAYOUTS)
        return hp_fail(err, HP_FAILED, "the build did not say what became of its layouts");
    int64_t left = work->limits->disk_mib * 1024 * 1024;
    for (unsigned s = 0; s < count; s++) {
        HP_FREE char *file = hp_format(RN_LAYOUT_FOLDER "/%s", s, name);
        HP_FREE char *path = file ? hp_format("%s/%s", work->folder, file) : NULL;
        if (!path || !fgets(line, sizeof line, stream))
            return hp_fail(err, HP_FAILED, "the build did not hand out layout %u", s);
        HP_JSON json_t *head = hp_json_parse(line, strlen(line), err);
        int64_t size = hp_json_int(head, "size", -1);
        if (size < 0 || size > left)
            return hp_fail(err, HP_FAILED, "the build handed out something else than layout %u", s);
        if (!receive_file(stream, path, (size_t)size, 0755, err) || !hp_hash_file(path, hash, err))
            return false;
        left -= size;
        json_array_append_new(list, json_pack("{s:s, s:s}", "path", file, "hash", hash));
    }
    out->layouts = (unsigned)count;
    snprintf(out->no_layouts, sizeof out->no_layouts, "%s", hp_json_string(told, "reason", ""));
    out->layouts_late = hp_json_bool(told, "late", false);
    return true;
}

static bool receive_all(const struct work *work, int fd, struct rn_built *out, json_t **list,
                        struct hp_error *err)
{
    HP_JSON json_t *codes = json_array();
    HP_JSON json_t *found = json_array();
    size_t i;
    json_t *artifact;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return hp_fail_errno(err, "cannot read the build's artifacts");
    HP_FILE FILE *stream = fdopen(dup(fd), "r");
    if (!stream || !codes || !found)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    json_array_foreach (json_object_get(work->recipe, "artifacts"), i, artifact) {
        if (!receive_artifact(work, stream, json_string_value(artifact), out, found, codes, err))
            return false;
    }
    if (!hp_hash_json(found, out->artifact_hash, err) || !hp_hash_json(codes, out->code_hash, err))
        return false;
    if (rn_layout_artifact(work->recipe) && !receive_layouts(work, stream, out, found, err))
        return false;
    *list = hp_take(found);
    return true;
}

static bool check_recipe(const json_t *recipe, struct hp_error *err)
{
    size_t i;
    json_t *artifact;
    const char *linked = rn_layout_artifact(recipe);
    bool found = !linked;
    json_array_foreach (json_object_get(recipe, "artifacts"), i, artifact) {
        if (!rn_path_is_safe(json_string_value(artifact)))
            return hp_fail(err, HP_INVALID, "the artifact \"%s\" is not a path below {out}",
                           json_string_value(artifact));
        found = found || strcmp(linked, json_string_value(artifact)) == 0;
    }
    return found || hp_fail(err, HP_INVALID, "the layouts' \"%s\" is not an artifact", linked);
}

/* Turns an outcome that is no success into a failure of the build. */
static json_t *build_failure(const struct work *work, const struct hp_outcome *outcome)
{
    char line[1500], message[1800];
    rn_telling_line(hp_buffer_text(&outcome->err), outcome->err.size, line, sizeof line);
    HP_JSON json_t *log = rn_log_tail(hp_buffer_text(&outcome->err), outcome->err.size);
    if (outcome->timed_out)
        snprintf(message, sizeof message, "%s: the build took longer than %lld s and was killed",
                 work->arm, (long long)timeout_of(work));
    else if (line[0])
        snprintf(message, sizeof message, "%s: %s", work->arm, line);
    else
        snprintf(message, sizeof message, "%s: the build failed: %s", work->arm,
                 hp_outcome_text(outcome));
    return rn_failure("build", work->arm, message, log);
}

/* Runs the launcher in the sandbox; the artifacts' bytes go to `stream`. */
static bool run_build(const struct work *work, int archive, int stream, struct rn_built *out,
                      json_t **failure, struct hp_error *err)
{
    RN_ARGV struct rn_argv argv = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    rn_sandbox_for_build(work->room, work->limits, &argv);
    rn_argv_add(&argv, "build");
    rn_argv_add(&argv, "%s/plan.json", work->room->root);
    if (argv.failed || lseek(archive, 0, SEEK_SET) != 0)
        return hp_fail(err, HP_SYSTEM, "cannot prepare a build");
    const struct hp_command command = {.argv = (const char *const *)argv.item,
                                       .env = rn_sandbox_env,
                                       .stdin_fd = archive,
                                       .stdout_fd = stream,
                                       .timeout_s = (double)timeout_of(work),
                                       .output_limit = CAPTURE,
                                       .keep_tail = true,
                                       .cancel = work->room->runner->cancel};
    if (!hp_run(&command, &outcome, err))
        return false;
    if (outcome.cancelled)
        return hp_fail(err, HP_UNAVAILABLE, "stopped");
    out->seconds = outcome.wall_s;
    out->log = rn_log_tail(hp_buffer_text(&outcome.err), outcome.err.size);
    if (outcome.exit_code == 0 && !outcome.timed_out)
        return true;
    *failure = build_failure(work, &outcome);
    return hp_fail(err, HP_FAILED, "%s does not build", work->arm);
}

static int stream_file(const struct rn_room *room, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/artifacts.stream", room->work);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        hp_fail_errno(err, "cannot make a file for a build's artifacts");
    else
        unlink(path);
    return fd;
}

static void clean_plain_folders(const struct rn_room *room)
{
    static const char *const folders[] = {"build", "tmp"};
    struct hp_error ignored;
    for (size_t i = 0; !room->runner->sandboxed && i < 2; i++) {
        HP_FREE char *path = hp_format("%s/%s", room->work, folders[i]);
        if (path && hp_remove_tree(path, &ignored))
            (void)hp_make_dirs(path, 0755, &ignored);
    }
}

/* Builds and keeps the result in the cache under `key`. */
static bool build_fresh(const struct work *work, const char *key, int archive, struct rn_built *out,
                        json_t **failure, struct hp_error *err)
{
    const struct rn_runner *runner = work->room->runner;
    HP_JSON json_t *list = NULL;
    clean_plain_folders(work->room);
    HP_FD int stream = stream_file(work->room, err);
    if (stream < 0 || !write_plan(work, err) ||
        !run_build(work, archive, stream, out, failure, err))
        return false;
    if (!receive_all(work, stream, out, &list, err)) {
        if (err->code == HP_FAILED)
            *failure = rn_failure("build", work->arm, err->message, out->log);
        return false;
    }
    out->made = true;
    if (out->layouts_late)
        return true;
    HP_JSON json_t *entry =
        json_pack("{s:s, s:s, s:o, s:f, s:O, s:O, s:i, s:o}", "artifact_hash", out->artifact_hash,
                  "code_hash", out->code_hash, "compiler",
                  hp_json_bytes(out->compiler, strlen(out->compiler)), "seconds", out->seconds,
                  "log", out->log, "artifacts", list, "layouts", (int)out->layouts, "no_layouts",
                  hp_json_bytes(out->no_layouts, strlen(out->no_layouts)));
    struct hp_error cache_error;
    if (!entry || !rn_cache_store(runner->state, key, work->folder, entry, &cache_error))
        hp_log(HP_LOG_WARNING, "a build could not be cached: %s",
               entry ? cache_error.message : "out of memory");
    rn_cache_trim(runner->state, runner->cache_mib);
    return true;
}

static bool from_cache(const struct work *work, const char *key, struct rn_built *out)
{
    HP_JSON json_t *entry = rn_cache_fetch(work->room->runner->state, key, work->folder);
    if (!entry)
        return false;
    out->made = out->cached = true;
    snprintf(out->artifact_hash, sizeof out->artifact_hash, "%s",
             hp_json_string(entry, "artifact_hash", ""));
    snprintf(out->code_hash, sizeof out->code_hash, "%s", hp_json_string(entry, "code_hash", ""));
    snprintf(out->compiler, sizeof out->compiler, "%s", hp_json_string(entry, "compiler", ""));
    out->seconds = hp_json_number(entry, "seconds", 0);
    out->log = json_incref(json_object_get(entry, "log"));
    out->layouts = (unsigned)hp_json_int(entry, "layouts", 0);
    snprintf(out->no_layouts, sizeof out->no_layouts, "%s",
             hp_json_string(entry, "no_layouts", ""));
    return true;
}

bool rn_build(const struct rn_room *room, const struct rn_limits *limits, const char *toolchain,
              const char *arm, int archive, const json_t *recipe, const char *into,
              struct rn_built *out, json_t **failure, struct hp_error *err)
{
    struct work work = {.room = room, .limits = limits, .arm = arm, .recipe = recipe};
    char key[HP_HASH_TEXT];
    *failure = NULL;
    HP_FREE char *folder = hp_format("%s/%s", room->work, into);
    work.folder = folder;
    if (!folder)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!check_recipe(recipe, err) || !hp_make_dirs(folder, 0755, err) ||
        !cache_key(&work, toolchain, archive, key, err))
        return hp_error_context(err, "%s", arm);
    return from_cache(&work, key, out) || build_fresh(&work, key, archive, out, failure, err);
}
