/*
 * The executions beside the pairs, which explain and never decide: the headline figure, the
 * library's own counters and effective configuration, and perf's counters. Each appends
 * measurements ({"arm", "metric", "value", "n", "missing"}); what could not be had is null with the
 * reason. All use the workload's headline_iterations and its first seed.
 */
#ifndef RN_PASSES_H
#define RN_PASSES_H

#include "runner/sampler.h"

/* One measurement of an arm; NAN gives null with `missing` as the reason. */
void rn_measure(json_t *measurements, enum rn_arm arm, const char *metric, double value, size_t n,
                const char *missing);

/* Operations per second of wall time in one long execution. That it crashes there is a failure of
 * the workload, as in rn_execute. */
bool rn_headline(struct rn_launcher *launcher, const struct rn_workload *workload,
                 const struct rn_plan *plan, enum rn_arm arm, json_t *measurements,
                 json_t **failure, struct hp_error *err);

/* One execution that writes the library's counters: counter:NAME, ace_failures, and its effective
 * configuration in *configuration (owned by the caller, null where it told none). False only if
 * the launcher is gone or the run was cancelled. */
bool rn_statistics(struct rn_launcher *launcher, const struct rn_workload *workload,
                   const struct rn_plan *plan, enum rn_arm arm, json_t *measurements,
                   json_t **configuration, struct hp_error *err);

/* One execution under perf stat, perf outside of the sandbox. False only if cancelled. */
bool rn_perf_pass(const struct rn_workload *workload, const struct rn_plan *plan, enum rn_arm arm,
                  json_t *measurements, struct hp_error *err);

/* What a statistics document of the library says, checked and cut to what the wire allows. */
void rn_read_counters(const json_t *statistics, enum rn_arm arm, json_t *measurements);
json_t *rn_read_configuration(const json_t *statistics);

#endif
