/*
 * What a killed `hakperf up` left running. Each start notes the pids of its programs in
 * STATE/run/up.pids; the next start ends those that still run, so that one state folder never has
 * two collectors. One thread.
 */
#ifndef HP_CLI_LEFTOVERS_H
#define HP_CLI_LEFTOVERS_H

#include "common/error.h"

#include <stddef.h>
#include <sys/types.h>

/* Writes the note; pids of 0 are left out. */
bool cli_leftovers_note(const char *file, const pid_t *pids, size_t count, struct hp_error *err);

/* Ends the programs of the note that still run: same pid and start time, and an executable whose
 * name begins with "hakperf-" (the note lies in a folder that is not root's, and must not aim root
 * at others). Returns how many there were. */
int cli_leftovers_end(const char *file);

#endif
