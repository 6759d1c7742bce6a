/*
 * What every part of the runner shares: who it is, where it keeps things, how it may execute
 * foreign code, and how it tells what it is doing. A struct rn_runner is made once by a verb,
 * borrowed by all the others and never changed while a job runs.
 *
 *   STATE/runner/lock      held while a job runs: one job at a time for each state folder
 *   STATE/runner/work/     the job that runs; emptied at its start and end
 *   STATE/runner/cache/    built artifacts by content
 *   STATE/runner/suites/   suites that results refer to, so that their reproduce line works
 *   STATE/spool/           results that the collector has not acknowledged
 */
#ifndef RN_RUNNER_H
#define RN_RUNNER_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct rn_progress;

struct rn_runner {
    const char *state;      /* absolute path of the state folder */
    const char *name;       /* of this runner, for people */
    const char *launcher;   /* the binary that serves `launch`; /proc/self/exe in production */
    bool sandboxed;         /* false: foreign code runs as this very user */
    bool own;               /* rn_check_own was asked before, with rights that are gone */
    int cpu;                /* CPU that samples are pinned to; -1: the last one allowed */
    const char *cpu_locks;  /* folder in which all runners of the machine agree on CPUs */
    int64_t cache_mib;      /* size that the build cache is cut down to */
    const char *program;    /* that repeats a run here; NULL: hakperf-runner, wherever it is */
    const char *repository; /* whose commits are measured; NULL: the one of the suite */
    uint32_t max_pairs;     /* ceiling below the suite's own; 0: none */
    double budget_s;        /* a workload's pairs end at the first look after so long; 0: never */
    double passes_s;        /* all untimed passes together may take so long */
    volatile int *cancel;   /* non-zero: stop everything soon */
    struct rn_progress *progress;
};

/* Limits on what foreign code may use, from a suite's `limits` or the defaults. */
struct rn_limits {
    int64_t memory_mib; /* private writable memory of one process */
    int64_t processes;  /* alive at once, in the sandbox */
    int64_t disk_mib;   /* of the build's folder, and of a single file */
};

struct rn_limits rn_limits_of(const json_t *suite);

static inline bool rn_cancelled(const struct rn_runner *runner)
{
    return *runner->cancel != 0;
}

#endif
