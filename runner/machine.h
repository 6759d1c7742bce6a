/*
 * What this machine is, what makes it a poor place to measure, and which CPU is measured on.
 * Facts are canonical: they change when the machine, its kernel or its settings change, never by
 * themselves, since their hash splits every series.
 */
#ifndef RN_MACHINE_H
#define RN_MACHINE_H

#include "common/error.h"

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>

/* {"fingerprint", "facts"} as in a result; the caller owns it. NULL without memory. */
json_t *rn_machine(void);

/* Appends a sentence for each thing that makes measuring on `cpu` less sure than it could be. */
void rn_preflight(int cpu, json_t *warnings);

/* `wanted` if this process may use it, the last allowed CPU for -1; -1 with err if not. */
int rn_choose_cpu(int wanted, struct hp_error *err);

/* Keeps the calling thread off the measuring CPU where there is another; `before` is what to
 * restore. */
void rn_step_aside(int cpu, cpu_set_t *before);
void rn_step_back(const cpu_set_t *before);

/* What the kernel took from a CPU while it was measured on. */
struct rn_watch {
    int cpu;
    bool known;
    double total, steal; /* in ticks since boot */
};

void rn_watch_begin(struct rn_watch *watch, int cpu);
/* Warns if other virtual machines took more than 1 % of the time since. */
void rn_watch_end(const struct rn_watch *watch, json_t *warnings);

/* The kernel's figure of a /proc/stat text for one CPU: all ticks and stolen ones. False where the
 * text has no such line. */
bool rn_read_stat(const char *text, int cpu, double *total, double *steal);

#endif
