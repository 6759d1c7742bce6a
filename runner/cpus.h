/*
 * The CPUs of a run, and the agreement of all runners of a machine about them: who samples on a CPU
 * holds a lock of it, so that no two measure on overlapping CPUs at once, whoever started them. A
 * lock is flock(2) on FOLDER/hakperf-cpu-N.lock and ends with its holder; it is held while samples
 * run and not while things are built. Threads of one core share a lock's meaning: who measures on
 * one locks its siblings too. Containers that share CPUs must share the folder.
 */
#ifndef RN_CPUS_H
#define RN_CPUS_H

#include "runner/runner.h"

#include <sched.h>

struct rn_cpus {
    int measuring;      /* the CPU that samples of one thread are pinned to */
    cpu_set_t one, all; /* it alone; every CPU that the runner may use */
};

/* `wanted` as in rn_choose_cpu; asked for before the runner steps aside. */
bool rn_cpus_of(int wanted, struct rn_cpus *out, struct hp_error *err);

/* Those that a workload runs on: it alone, or all of them where it has threads. */
const cpu_set_t *rn_cpus_for(const struct rn_cpus *cpus, const json_t *workload);

/* The folder of the locks: `given`, else /run/lock where everybody may write to it, else /tmp. */
const char *rn_cpu_locks(const char *given);

/* Most CPUs that are locked; beyond, a machine has no second runner. */
#define RN_LOCKED_CPUS 1024

struct rn_cpu_lock {
    int fd[RN_LOCKED_CPUS];
    size_t count;
    double waited_s;
};

/*
 * Locks every CPU of the set, in ascending order, so that no two wait for each other; waits, and
 * says so, for as long as it takes. False without any lock if the run was cancelled
 * (HP_UNAVAILABLE) or the folder cannot be used: it must belong to root or this user and, where
 * others may write, have the sticky bit; a lock that is no plain file (a link, say) is refused.
 */
bool rn_cpus_lock(const struct rn_runner *runner, const cpu_set_t *cpus, struct rn_cpu_lock *lock,
                  struct hp_error *err);
void rn_cpus_unlock(struct rn_cpu_lock *lock);

#endif
