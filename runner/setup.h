/*
 * From the options that all verbs share to a struct rn_runner: state folders, signals, user,
 * sandbox. The steps that need the caller's rights come first (rn_setup_make), then those that must
 * happen without them (rn_setup_drop).
 */
#ifndef RN_SETUP_H
#define RN_SETUP_H

#include "common/options.h"
#include "runner/runner.h"

struct rn_setup {
    struct rn_runner runner;
    char *state, *name;
};

/* Reads --state, --name, --cpu, --sandbox and --cache-mib, makes the folders and the handlers of
 * SIGTERM and SIGINT, which set *runner.cancel. */
bool rn_setup_make(struct rn_setup *setup, const struct hp_values *values, struct hp_error *err);

/* Gives up root's rights where there are any, and then checks the sandbox and the CPU. */
bool rn_setup_drop(struct rn_setup *setup, struct hp_error *err);

void rn_setup_clear(struct rn_setup *setup);

/* Prints an error and returns the exit code that fits it. */
int rn_report(const struct hp_error *err);

/* Set by the handlers; also by whoever else wants all to stop. */
extern volatile int rn_stop;

/* Takes a wish to stop back, unless it came by a signal. */
void rn_stop_clear(void);

#endif
