/*
 * The executions beside the pairs, which explain and never decide: the headline figure, and after
 * the verdict the library's own counters and effective configuration, and what perf, strace and
 * callgrind tell. Each adds measurements ({"arm", "metric", "value", "n", "missing"}) to the
 * workload's object of the result; what could not be had is null with the reason.
 */
#ifndef RN_PASSES_H
#define RN_PASSES_H

#include "runner/sampler.h"

/* One measurement of an arm; NAN gives null with `missing` as the reason. */
void rn_measure(json_t *measurements, enum rn_arm arm, const char *metric, double value, size_t n,
                const char *missing);

/* How many operations a long execution does. */
int64_t rn_headline_iterations(const struct rn_workload *workload);

/* Operations per second of wall time and of CPU time in one long execution. That head or base
 * crashes there is a failure of the workload, as in rn_execute; of any other arm the figures are
 * missing then. They are missing too, and nothing is executed, where the execution is expected to
 * take longer than its time limit or the plan's budget. */
bool rn_headline(struct rn_launcher *launcher, const struct rn_workload *workload,
                 const struct rn_plan *plan, enum rn_arm arm, double expected_s,
                 json_t *measurements, json_t **failure, struct hp_error *err);

/* One pass of one workload for one arm. */
struct rn_pass {
    struct rn_launcher *launcher;
    const struct rn_workload *workload;
    enum rn_arm arm;
    int64_t seed;
    int64_t iterations; /* of a long execution */
    double seconds;     /* that it may take */
    json_t *result;     /* the workload's object of the result document, added to */
};

/* One long execution that writes the library's counters: counter:NAME, ace_failures, and its
 * effective configuration; and its resident memory over time. This and every other pass: false only
 * if the launcher is gone or the run was cancelled. The functions NAME_missing say for all that a
 * pass would tell why it is not there.
 */
bool rn_statistics(const struct rn_pass *pass, struct hp_error *err);
void rn_statistics_missing(const struct rn_pass *pass, const char *reason);

/* One long execution under perf stat, perf outside of the sandbox. */
bool rn_perf_pass(const struct rn_pass *pass, struct hp_error *err);
void rn_perf_pass_missing(const struct rn_pass *pass, const char *reason);

/* One execution under strace, inside the sandbox: syscalls, and syscall:NAME for every kind. */
bool rn_syscall_pass(const struct rn_pass *pass, struct hp_error *err);
void rn_syscall_pass_missing(const struct rn_pass *pass, const char *reason);

/* One shorter execution under callgrind, inside the sandbox: instructions_per_op. */
bool rn_callgrind_pass(const struct rn_pass *pass, struct hp_error *err);
void rn_callgrind_pass_missing(const struct rn_pass *pass, const char *reason);

/* One long execution under perf record, perf outside of the sandbox: a profile, and
 * profile_kernel_share. */
bool rn_profile_pass(const struct rn_pass *pass, struct hp_error *err);
void rn_profile_pass_missing(const struct rn_pass *pass, const char *reason);

/* --- what the passes share --- */

/* One long execution, and the workload's measurements. */
struct rn_execution rn_long_execution(const struct rn_pass *pass);
json_t *rn_measurements_of(const struct rn_pass *pass);

/* Runs `perf ARGV... -- SANDBOX launcher samples` for one request; `argv` is filled up. reason gets
 * why there is nothing, "" where all went well. False: cancelled, or this machine failed. */
bool rn_run_perf(const struct rn_pass *pass, const struct rn_execution *execution,
                 struct rn_argv *argv, char *reason, size_t room, struct hp_error *err);

/* The suite's object of a workload, NULL if it has none of that name. */
const json_t *rn_workload_of(const json_t *suite, const char *name);

/* The first seed of a workload. */
int64_t rn_first_seed(const json_t *workload);

/* What a statistics document of the library says, checked and cut to what the wire allows. */
void rn_read_counters(const json_t *statistics, enum rn_arm arm, json_t *measurements);
json_t *rn_read_configuration(const json_t *statistics);

#endif
