/*
 * What this machine is, and which CPU is measured on.
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

/* `wanted` if this process may use it, the last allowed CPU for -1; -1 with err if not. */
int rn_choose_cpu(int wanted, struct hp_error *err);

/* Keeps the calling thread off the measuring CPU where there is another; `before` is what to
 * restore. */
void rn_step_aside(int cpu, cpu_set_t *before);
void rn_step_back(const cpu_set_t *before);

/* A small file of /proc or /sys without its last newline; NULL if there is none. The caller frees
 * it. */
char *rn_system_file(const char *path);

/* Facts as JSON, null where this machine does not tell: the first line of a file, the word in
 * brackets ("always [madvise] never"), whether turbo is on. */
json_t *rn_file_fact(const char *path);
json_t *rn_chosen_word(const char *path);
json_t *rn_turbo_fact(void);

#endif
