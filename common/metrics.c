#include "common/metrics.h"

#include <string.h>

const struct hp_metric hp_metrics[] = {
    {"throughput", "ops/cpu-s", HP_BETTER_HIGHER, true,
     "operations per CPU-second of the steady part"},
    {"warm_throughput", "ops/cpu-s", HP_BETTER_HIGHER, true,
     "operations per CPU-second of the warm-up"},
    {"startup_cpu", "s", HP_BETTER_LOWER, true, "CPU time before the timed region"},
    {"wall", "s", HP_BETTER_LOWER, true, "wall time of the timed region"},
    {"cpu", "s", HP_BETTER_LOWER, true, "CPU time of the timed region, draining included"},
    {"user_cpu", "s", HP_BETTER_LOWER, true, "user CPU time of the whole process"},
    {"system_cpu", "s", HP_BETTER_LOWER, true, "kernel CPU time of the whole process"},
    {"steady_user_cpu", "s", HP_BETTER_NEITHER, true,
     "time in user mode of the steady part, by the kernel's ticks"},
    {"steady_system_cpu", "s", HP_BETTER_NEITHER, true,
     "time in kernel mode of the steady part, by the kernel's ticks"},
    {"peak_rss", "KiB", HP_BETTER_LOWER, true, "peak resident memory (VmHWM)"},
    {"retained_rss", "KiB", HP_BETTER_LOWER, true,
     "resident memory after everything was freed, before the process ends"},
    {"minor_faults", "count", HP_BETTER_LOWER, true, "page faults served without I/O"},
    {"voluntary_switches", "count", HP_BETTER_LOWER, true,
     "times that a thread gave up its CPU to wait; of workloads with threads"},
    {"kernel_share", "fraction", HP_BETTER_LOWER, false,
     "share of CPU time spent in the kernel, of the steady part over all samples of the run"},
    {"headline", "ops/s", HP_BETTER_HIGHER, false,
     "operations per second of wall time in one long execution"},
    {"headline_cpu", "ops/cpu-s", HP_BETTER_HIGHER, false,
     "operations per CPU-second in one long execution"},
    {"ace_failures", "count", HP_BETTER_LOWER, false,
     "ACE allocation failures of all causes in one long execution"},
    {"instructions_per_op", "instructions", HP_BETTER_LOWER, false,
     "instructions that the program's malloc and free take for each operation, counted by "
     "callgrind"},
    {"profile_kernel_share", "fraction", HP_BETTER_LOWER, false,
     "share of the profile's samples that were taken in the kernel"},
    {"syscalls", "count", HP_BETTER_LOWER, false, "system calls of all kinds in one execution"},
    {NULL, NULL, HP_BETTER_NEITHER, false, NULL},
};

const struct hp_metric *hp_metric_find(const char *name)
{
    for (const struct hp_metric *m = hp_metrics; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

const char *hp_better_name(enum hp_better better)
{
    static const char *const names[] = {"higher", "lower", "neither"};
    return names[better];
}
