#include "runner/explain.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "runner/coverage.h"
#include "runner/did_it_run.h"
#include "runner/passes.h"
#include "runner/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONG_EXECUTIONS 30 /* of a workload that became slow, in the time for all passes */

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
    return !asked->pairs_only && asked->room->runner->passes_s > 0;
}

/* The longest wall time of one iteration in the samples of head or base, which alone have passes; 0
 * where there are none. */
static double slowest_iteration(const json_t *result, int64_t iterations)
{
    double slowest = 0;
    size_t i, k;
    json_t *set, *value;
    json_array_foreach (json_object_get(result, "samples"), i, set) {
        const json_t *values = json_object_get(set, "values");
        const char *arm = hp_json_string(set, "arm", "");
        bool has_passes =
            strcmp(arm, rn_arm_names[RN_HEAD]) == 0 || strcmp(arm, rn_arm_names[RN_BASE]) == 0;
        double sum = 0;
        if (!has_passes || strcmp(hp_json_string(set, "metric", ""), "wall") != 0 ||
            json_array_size(values) == 0)
            continue;
        json_array_foreach (values, k, value)
            sum += json_number_value(value);
        slowest = fmax(slowest, sum / (double)json_array_size(values));
    }
    return slowest / (double)iterations;
}

/* How many iterations a long execution of the passes has: as many as the headline run, fewer, and
 * the same for all arms, where one of them became so slow that the time for passes would not do. */
static int64_t long_iterations(const struct explained *e, const struct rn_workload *workload,
                               const json_t *result)
{
    double most_s = e->asked->room->runner->passes_s / LONG_EXECUTIONS;
    int64_t all = rn_headline_iterations(workload);
    int64_t sample = hp_json_int(workload->json, "iterations", 1);
    double each = slowest_iteration(result, sample);
    if (!(each * (double)all > most_s))
        return all;
    int64_t fit = (int64_t)(most_s / each);
    return fit > sample || sample > all ? fit : sample;
}

/* Counts over fewer iterations are no counts of the headline run. */
static void warn_of_fewer(const struct explained *e, const struct rn_workload *workload,
                          int64_t iterations)
{
    int64_t all = rn_headline_iterations(workload);
    if (iterations < all)
        json_array_append_new(
            e->asked->warnings,
            json_sprintf("%s: the passes took %lld of %lld iterations, because it is slow",
                         hp_json_string(workload->json, "name", ""), (long long)iterations,
                         (long long)all));
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
                                 .iterations = long_iterations(e, &workload, result),
                                 .seconds = e->deadline - hp_monotonic_s(),
                                 .result = result};
    if (which == 0 && arm == RN_HEAD)
        warn_of_fewer(e, &workload, pass.iterations);
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
