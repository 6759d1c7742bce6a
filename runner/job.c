#include "runner/job.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"
#include "runner/build.h"
#include "runner/cpus.h"
#include "runner/explain.h"
#include "runner/failure.h"
#include "runner/machine.h"
#include "runner/measure.h"
#include "runner/own.h"
#include "runner/preflight.h"
#include "runner/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* What one job gathers. */
struct task {
    const struct rn_runner *runner;
    const json_t *job, *suite;
    const struct rn_sources *sources;
    struct rn_room room;
    struct rn_limits limits;
    struct rn_built head, base, driver, reference;
    char *toolchain;
    json_t *workloads, *warnings;
    json_t *preflight; /* NULL: nothing was measured */
    json_t *coverage;  /* of the run; NULL: nothing was measured */
    json_t *failure;
    const char *status;
    char started[HP_TIME_TEXT];
};

static const char *sha_of(const struct task *t, const char *which)
{
    return hp_json_string(json_object_get(t->job, which), "sha", NULL);
}

static bool has_base(const struct task *t)
{
    return sha_of(t, "base") != NULL;
}

static bool has_reference(const struct task *t)
{
    return sha_of(t, "reference") != NULL;
}

/* --- building -------------------------------------------------------------------------------- */

static bool build(struct task *t, const char *arm, int archive, const json_t *recipe,
                  const char *into, struct rn_built *out, struct hp_error *err)
{
    rn_progress_set(t->runner->progress, "build", 0, 0, "%s", arm);
    bool ok = rn_build(&t->room, &t->limits, t->toolchain, arm, archive, recipe, into, out,
                       &t->failure, err);
    rn_progress_hide();
    if (ok)
        hp_log(HP_LOG_INFO, "%s: built in %.1f s%s", arm, out->seconds,
               out->cached ? " (cached)" : "");
    return ok;
}

/* The suite's recipe, with the job's own draw of code layouts. The caller owns it. */
static json_t *recipe_of(const struct task *t)
{
    json_t *recipe = json_deep_copy(json_object_get(t->suite, "recipe"));
    json_int_t seed = hp_json_int(json_object_get(t->job, "plan"), "layout_seed", 0);
    json_t *layouts = json_object_get(recipe, "layouts");
    if (seed > 0 && json_is_object(layouts))
        json_object_set_new(layouts, "seed", json_integer(seed));
    return recipe;
}

static bool is_kind(const struct task *t, const char *kind)
{
    return strcmp(hp_json_string(t->job, "kind", ""), kind) == 0;
}

/* The recipe of the head: of a canary the one that plants the known slowdown. The caller owns it.
 */
static json_t *head_recipe(const struct task *t, const json_t *recipe)
{
    json_t *copy = json_deep_copy(recipe), *environment = json_object();
    const json_t *canary = json_object_get(recipe, "canary");
    if (is_kind(t, "canary")) {
        json_object_update(environment, json_object_get(recipe, "environment"));
        json_object_update(environment, json_object_get(canary, "environment"));
        json_object_set(copy, "environment", environment);
    }
    json_decref(environment);
    return copy;
}

/* Same-binary pairs are what a self-test asks for. */
static bool is_identical(const struct task *t)
{
    return has_base(t) && strcmp(t->head.code_hash, t->base.code_hash) == 0 && !is_kind(t, "aa") &&
           !is_kind(t, "canary");
}

/* By the suite's own recipe, whatever the job changes in it: the same bytes in every run. */
static bool build_reference(struct task *t, struct hp_error *err)
{
    return !has_reference(t) ||
           build(t, "reference", t->sources->reference, json_object_get(t->suite, "recipe"),
                 rn_arm_folders[RN_REFERENCE], &t->reference, err);
}

static bool build_all(struct task *t, struct hp_error *err)
{
    HP_JSON json_t *recipe = recipe_of(t);
    HP_JSON json_t *of_head = head_recipe(t, recipe);
    const json_t *driver = json_object_get(json_object_get(t->suite, "driver"), "recipe");
    if (!build(t, "head", t->sources->head, of_head, rn_arm_folders[RN_HEAD], &t->head, err))
        return false;
    if (has_base(t) &&
        !build(t, "base", t->sources->base, recipe, rn_arm_folders[RN_BASE], &t->base, err))
        return false;
    if (is_identical(t)) {
        t->status = "identical";
        return true;
    }
    return build(t, "driver", t->sources->driver, driver, "driver", &t->driver, err) &&
           build_reference(t, err);
}

/* --- measuring ------------------------------------------------------------------------------- */

static bool arm_has_layouts(struct task *t, const char *arm, const struct rn_built *built)
{
    if (built->layouts == 0)
        json_array_append_new(
            t->warnings,
            json_sprintf("%s: no code layouts, so everything is measured as shipped and the "
                         "interval is widened: %s",
                         arm, built->no_layouts));
    return built->layouts > 0;
}

/* Whether the recipe's layouts are of what is preloaded. */
static bool links_preload(const struct task *t)
{
    const char *linked = rn_layout_artifact(json_object_get(t->suite, "recipe"));
    return linked && strcmp(linked, rn_preload_of(t->suite)) == 0;
}

/* The number of layouts that both arms of a pair have; all or none, for a pair shares its layout.
 */
static unsigned layouts_of(struct task *t)
{
    const char *linked = rn_layout_artifact(json_object_get(t->suite, "recipe"));
    if (!linked)
        return 0;
    if (!links_preload(t)) {
        json_array_append_new(t->warnings, json_sprintf("the code layouts are of %s, which is not "
                                                        "what is preloaded, and were not used",
                                                        linked));
        return 0;
    }
    bool head = arm_has_layouts(t, "head", &t->head);
    bool base = !has_base(t) || arm_has_layouts(t, "base", &t->base);
    return head && base ? RN_LAYOUTS : 0;
}

/* Whether the job asks for this workload. */
static bool is_asked(const struct task *t, const json_t *workload)
{
    const json_t *only = json_object_get(json_object_get(t->job, "plan"), "workloads");
    size_t i;
    json_t *name;
    if (!only)
        return true;
    json_array_foreach (only, i, name) {
        if (json_equal(name, json_object_get(workload, "name")))
            return true;
    }
    return false;
}

/* One workload's result, while its CPUs are this runner's alone. */
static json_t *measure_one(struct task *t, const json_t *workload, const struct rn_cpus *cpus,
                           unsigned layouts, struct hp_error *err)
{
    static _Thread_local struct rn_cpu_lock lock;
    const struct rn_workload w = {.room = &t->room,
                                  .suite = t->suite,
                                  .json = workload,
                                  .plan = json_object_get(t->job, "plan"),
                                  .limits = t->limits,
                                  .cpus = rn_cpus_for(cpus, workload),
                                  .layouts = layouts,
                                  .has_reference = has_reference(t),
                                  .pairs_only = is_kind(t, "confirm"),
                                  .reference_layouts = links_preload(t) ? t->reference.layouts : 0};
    if (!rn_cpus_lock(t->runner, w.cpus, &lock, err))
        return NULL;
    json_t *result = rn_measure_workload(&w, has_base(t), t->warnings, err);
    rn_cpus_unlock(&lock);
    return result;
}

static bool measure_all(struct task *t, const struct rn_cpus *cpus, struct hp_error *err)
{
    struct rn_watch watch;
    size_t i, measured = 0;
    json_t *workload;
    unsigned layouts = layouts_of(t);
    rn_watch_begin(&watch, cpus->measuring);
    json_array_foreach (json_object_get(t->suite, "workloads"), i, workload) {
        if (!is_asked(t, workload))
            continue;
        json_t *result = measure_one(t, workload, cpus, layouts, err);
        if (!result)
            return false;
        json_array_append_new(t->workloads, result);
        measured += strcmp(hp_json_string(result, "status", ""), "measured") == 0;
    }
    json_object_set_new(t->preflight, "steal_while_measuring",
                        hp_json_real(rn_watch_end(&watch, t->warnings)));
    t->status = measured > 0 ? "measured" : "failed";
    if (measured == 0)
        t->failure = json_incref(json_object_get(json_array_get(t->workloads, 0), "failure"));
    return true;
}

/* The passes, which follow when all is decided. */
static bool explain(struct task *t, const struct rn_cpus *cpus, struct hp_error *err)
{
    const struct rn_explained asked = {.room = &t->room,
                                       .suite = t->suite,
                                       .limits = t->limits,
                                       .sources = t->sources,
                                       .toolchain = t->toolchain,
                                       .driver_hash = t->driver.artifact_hash,
                                       .has_base = has_base(t),
                                       .pairs_only = is_kind(t, "confirm"),
                                       .cpus = cpus,
                                       .workloads = t->workloads,
                                       .warnings = t->warnings};
    return strcmp(t->status, "measured") != 0 || rn_explain(&asked, &t->coverage, err);
}

static bool measure(struct task *t, struct hp_error *err)
{
    cpu_set_t before;
    struct rn_cpus cpus;
    if (!rn_cpus_of(t->runner->cpu, &cpus, err))
        return false;
    t->preflight = rn_preflight(cpus.measuring, t->warnings);
    rn_step_aside(cpus.measuring, &before);
    bool ok = measure_all(t, &cpus, err) && explain(t, &cpus, err);
    rn_step_back(&before);
    return ok;
}

/* --- the result document --------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
    return text[0] ? hp_json_bytes(text, strlen(text)) : json_null();
}

static json_t *arm_json(const char *name, const char *sha, const struct rn_built *built)
{
    return json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o, s:b, s:O}", "name", name, "sha", sha,
                     "artifact_hash", text_or_null(built->artifact_hash), "code_hash",
                     text_or_null(built->code_hash), "compiler", text_or_null(built->compiler),
                     "build_seconds", built->seconds > 0 ? json_real(built->seconds) : json_null(),
                     "cached", built->cached, "log", built->log ? built->log : json_null());
}

static json_t *arms_json(const struct task *t)
{
    const struct rn_built nothing = {0};
    json_t *arms = json_array();
    json_array_append_new(arms, arm_json("head", sha_of(t, "head"), &t->head));
    if (has_base(t))
        json_array_append_new(arms, arm_json("base", sha_of(t, "base"), &t->base));
    if (t->reference.made || t->reference.log)
        json_array_append_new(arms, arm_json("reference", sha_of(t, "reference"), &t->reference));
    if (json_array_size(t->workloads) > 0)
        json_array_append_new(arms, arm_json("control", NULL, &nothing));
    return arms;
}

static json_t *driver_json(const struct task *t)
{
    if (!t->driver.made)
        return json_null();
    return json_pack("{s:s, s:s}", "sha", sha_of(t, "driver"), "hash", t->driver.artifact_hash);
}

static void cut_warnings(json_t *warnings)
{
    while (json_array_size(warnings) > 64)
        json_array_remove(warnings, json_array_size(warnings) - 1);
}

static json_t *document(struct task *t, const char *reproduce, struct hp_error *err)
{
    char finished[HP_TIME_TEXT];
    hp_time_now_text(finished);
    cut_warnings(t->warnings);
    json_t *machine = rn_machine();
    json_t *json = json_pack(
        "{s:s, s:O, s:O, s:O, s:O, s:O, s:O, s:s, s:O, s:s, s:s, s:{s:s, s:s}, s:o, s:s, s:o, s:o, "
        "s:O, s:O*, s:O, s:O, s:s}",
        "format", "hakperf-result-v1", "run", json_object_get(t->job, "run"), "job",
        json_object_get(t->job, "job"), "fence", json_object_get(t->job, "fence"), "attempt",
        json_object_get(t->job, "attempt"), "repository", json_object_get(t->job, "repository"),
        "suite_hash", json_object_get(t->job, "suite_hash"), "status", t->status, "failure",
        t->failure ? t->failure : json_null(), "started", t->started, "finished", finished,
        "runner", "name", t->runner->name, "version", HAKPERF_VERSION, "machine", machine,
        "sandbox", t->runner->sandboxed ? "bwrap" : "none", "driver", driver_json(t), "arms",
        arms_json(t), "workloads", t->workloads, "preflight", t->preflight, "coverage",
        t->coverage ? t->coverage : json_null(), "warnings", t->warnings, "reproduce", reproduce);
    if (!json)
        hp_fail(err, HP_SYSTEM, "out of memory");
    else if (!hp_wire_check(HP_WIRE_RESULT, json, err)) {
        hp_error_context(err, "this runner made a malformed result");
        err->code = HP_INTERNAL;
        json_decref(json);
        json = NULL;
    }
    return json;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* One job at a time: samples of two would disturb each other, and both would use one work folder.
 * Returns the descriptor that holds the lock; -1 if cancelled or impossible. */
static int lock_state(const struct rn_runner *runner, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/runner/lock", runner->state);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0) {
        hp_fail_errno(err, "cannot open the runner's lock in %s", runner->state);
        return -1;
    }
    bool told = false;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || rn_cancelled(runner)) {
            hp_fail(err, HP_UNAVAILABLE, "stopped while another job was running");
            close(fd);
            return -1;
        }
        if (!told)
            hp_log(HP_LOG_INFO, "waiting for another job that runs on this state folder");
        told = true;
        hp_sleep_ms(200);
    }
    return fd;
}

static bool prepare(struct task *t, struct hp_error *err)
{
    hp_time_now_text(t->started);
    t->toolchain = rn_toolchain();
    t->workloads = json_array();
    t->warnings = json_array();
    if (!t->toolchain || !t->workloads || !t->warnings)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return true;
}

/* Without a sandbox nothing but one's own is built, and the result says that it was. */
static bool may_run(struct task *t, struct hp_error *err)
{
    const struct rn_runner *runner = t->runner;
    if (runner->sandboxed)
        return true;
    if (!runner->own && !rn_check_own(t->suite, runner->repository, err))
        return false;
    json_array_append_new(t->warnings,
                          json_string("built and measured without a sandbox, as asked for"));
    return true;
}

/* Builds and measures. True if there is something to tell, a failure included. */
static bool run(struct task *t, struct hp_error *err)
{
    bool ok = may_run(t, err) && build_all(t, err) && (t->status || measure(t, err));
    if (!ok && t->failure && !rn_cancelled(t->runner)) {
        t->status = "failed";
        hp_log(HP_LOG_WARNING, "%s", hp_json_string(t->failure, "message", ""));
        ok = true;
    } else if (!ok && err->code == HP_INVALID) {
        /* A suite or source that no other attempt would make better. */
        t->status = "failed";
        t->failure = rn_failure_of("source", NULL, err);
        ok = t->failure != NULL;
    }
    return ok;
}

static void task_clear(struct task *t)
{
    rn_built_clear(&t->head);
    rn_built_clear(&t->base);
    rn_built_clear(&t->driver);
    rn_built_clear(&t->reference);
    free(t->toolchain);
    json_decref(t->workloads);
    json_decref(t->warnings);
    json_decref(t->preflight);
    json_decref(t->coverage);
    json_decref(t->failure);
}

json_t *rn_job_run(const struct rn_runner *runner, const json_t *job,
                   const struct rn_sources *sources, struct hp_error *err)
{
    struct task t = {.runner = runner,
                     .job = job,
                     .suite = json_object_get(job, "suite"),
                     .sources = sources,
                     .limits = rn_limits_of(json_object_get(job, "suite"))};
    json_t *result = NULL;
    HP_FREE char *reproduce = rn_reproduce_line(runner, job, err);
    HP_FD int lock = reproduce ? lock_state(runner, err) : -1;
    if (lock < 0)
        return NULL;
    if (prepare(&t, err) && rn_room_open(runner, &t.room, err)) {
        if (run(&t, err))
            result = document(&t, reproduce, err);
        rn_room_close(&t.room);
    }
    rn_progress_hide();
    task_clear(&t);
    return result;
}
