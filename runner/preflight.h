/*
 * The state of the machine when a run begins, which changes from run to run and so is no part of
 * its fingerprint: recorded in every result, and warned about where it makes measuring less sure.
 */
#ifndef RN_PREFLIGHT_H
#define RN_PREFLIGHT_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Looks at the machine that is about to measure on `cpu` (-1: not pinned): the facts as a result's
 * `preflight`, owned by the caller, null where this machine does not tell. Appends a sentence to
 * `warnings` for each thing that makes measuring less sure than it could be.
 */
json_t *rn_preflight(int cpu, json_t *warnings);

/* The hottest sensor of the machine in degrees Celsius; NAN where there is none. */
double rn_temperature(void);

/* What the kernel took from a CPU while it was measured on. */
struct rn_watch {
    int cpu;
    bool known;
    double total, steal; /* in ticks since boot */
};

void rn_watch_begin(struct rn_watch *watch, int cpu);
/* The share of the time since that other virtual machines took, NAN unknown; warned about from 1 %.
 */
double rn_watch_end(const struct rn_watch *watch, json_t *warnings);

/* The kernel's figure of a /proc/stat text for one CPU: all ticks and stolen ones. False where the
 * text has no such line. */
bool rn_read_stat(const char *text, int cpu, double *total, double *steal);

#endif
