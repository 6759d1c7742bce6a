#include "runner/explain.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "runner/coverage.h"
#include "runner/did_it_run.h"
#include "runner/passes.h"
#include "runner/progress.h"

#include <stdlib.h>
#include <string.h>

struct explained {
    const struct rn_explained *asked;
    struct rn_launcher launcher;
    double deadline;
    size_t left_out; /* passes that there was no time for */
};

/* The passes in the order of what they tell. */
static const struct {
    const char *name;
    bool (*run)(const struct rn_pass *pass, struct hp_error *err);
    void (*skip)(const struct rn_pass *pass, const char *reason);
} passes[] = {
    {"counters", rn_statistics, rn_statistics_missing},
    {"profile", rn_profile_pass, rn_profile_pass_missing},
    {"system calls", rn_syscall_pass, rn_syscall_pass_missing},
    {"instructions", rn_callgrind_pass, rn_callgrind_pass_missing},
    {"perf stat", rn_perf_pass, rn_perf_pass_missing},
};

static const char not_asked[] = "no passes were asked for";

static bool is_asked(const struct rn_explained *asked)
{
    return asked->room->runner->passes_s > 0;
}

/* One pass of one workload for one arm. */
static bool run_pass(struct explained *e, size_t which, json_t *result, enum rn_arm arm,
                     struct hp_error *err)
{
    const struct rn_explained *asked = e->asked;
    const json_t *json = rn_workload_of(asked->suite, hp_json_string(result, "name", ""));
    const struct rn_workload workload = {.room = asked->room,
                                         .suite = asked->suite,
                                         .json = json,
                                         .limits = asked->limits,
                                         .cpus = rn_cpus_for(asked->cpus, json)};
    static _Thread_local struct rn_cpu_lock lock;
    if (!is_asked(asked)) {
        const struct rn_pass none = {.workload = &workload, .arm = arm, .result = result};
        passes[which].skip(&none, not_asked);
        return true;
    }
    if (!rn_cpus_lock(asked->room->runner, workload.cpus, &lock, err))
        return false;
    e->deadline += lock.waited_s;
    const struct rn_pass pass = {.launcher = &e->launcher,
                                 .workload = &workload,
                                 .arm = arm,
                                 .seed = rn_first_seed(json),
                                 .seconds = e->deadline - hp_monotonic_s(),
                                 .result = result};
    if (pass.seconds < 1) {
        passes[which].skip(&pass, "the time for passes was up");
        e->left_out++;
    }
    bool ok = pass.seconds < 1 || passes[which].run(&pass, err);
    rn_cpus_unlock(&lock);
    return ok;
}

static bool run_passes(struct explained *e, struct hp_error *err)
{
    const struct rn_explained *asked = e->asked;
    size_t n = json_array_size(asked->workloads), i;
    json_t *result;
    for (size_t which = 0; which < sizeof passes / sizeof passes[0]; which++) {
        json_array_foreach (asked->workloads, i, result) {
            if (strcmp(hp_json_string(result, "status", ""), "measured") != 0)
                continue;
            if (is_asked(asked))
                rn_progress_set(asked->room->runner->progress, "passes", (int64_t)i, (int64_t)n,
                                "%s, %s", passes[which].name, hp_json_string(result, "name", ""));
            if (!run_pass(e, which, result, RN_HEAD, err) ||
                (asked->has_base && !run_pass(e, which, result, RN_BASE, err)))
                return false;
        }
    }
    return true;
}

static bool did_it_run(struct explained *e, json_t **coverage, struct hp_error *err)
{
    const struct rn_explained *asked = e->asked;
    const struct rn_covered covered = {.room = asked->room,
                                       .suite = asked->suite,
                                       .limits = asked->limits,
                                       .sources = asked->sources,
                                       .toolchain = asked->toolchain,
                                       .driver_hash = asked->driver_hash,
                                       .results = asked->workloads,
                                       .budget_s = e->deadline - hp_monotonic_s()};
    rn_progress_set(asked->room->runner->progress, "passes", 0, 0, "did it run");
    if (!rn_did_it_run(&covered, coverage, err))
        return false;
    HP_FREE char *sentence = rn_coverage_sentence(*coverage);
    rn_progress_hide();
    if (sentence)
        hp_log(HP_LOG_INFO, "%s", sentence);
    return true;
}

bool rn_explain(const struct rn_explained *asked, json_t **coverage, struct hp_error *err)
{
    double begin = hp_monotonic_s();
    struct explained e = {.asked = asked, .deadline = begin + asked->room->runner->passes_s};
    if (!is_asked(asked)) {
        *coverage = rn_coverage_missing(not_asked);
        return run_passes(&e, err);
    }
    if (!did_it_run(&e, coverage, err) ||
        !rn_launcher_start(asked->room, &asked->limits, &e.launcher, err))
        return false;
    bool ok = run_passes(&e, err);
    rn_launcher_stop(&e.launcher);
    rn_progress_hide();
    if (ok)
        hp_log(HP_LOG_INFO, "passes: %.1f s%s", hp_monotonic_s() - begin,
               e.left_out ? ", some were left out because their time was up" : "");
    if (ok && e.left_out > 0)
        json_array_append_new(asked->warnings,
                              json_sprintf("%zu passes were left out, because their time of %.0f s "
                                           "was up",
                                           e.left_out, asked->room->runner->passes_s));
    return ok;
}
