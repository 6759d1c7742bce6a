/*
 * The part of the runner that lives inside the sandbox: `hakperf-runner launch build PLAN` builds
 * one set of artifacts, `hakperf-runner launch samples` executes a benchmark driver once for each
 * line it reads. It starts foreign programs itself, so that their rusage is their own, and it
 * trusts nothing they leave behind. Single-threaded; everything it says is judged outside.
 *
 * launch build: the source tree is a tar archive on stdin, the build's log is on stderr, and stdout
 * carries for each artifact one line of JSON
 *     {"artifact", "size", "mode", "code_hash", "compiler"}
 * followed by `size` bytes. Where the plan has layouts, one line follows,
 *     {"layouts": 64}, or {"layouts": 0, "reason"}
 * and then for each layout one line {"size"} and so many bytes.
 *
 * launch samples: a request is one line of JSON
 *     {"argv": [...], "env": [...], "cpu", "timeout_s", "memory_mib", "processes", "file_mib",
 *      "file"}
 * and its reply one line
 *     {"exit_code", "signal", "timed_out", "wall_s", "user_s", "system_s", "minor_faults",
 *      "json", "output", "file"}
 * with what the program wrote to descriptor 3, the end of what it printed, and the content of
 * `file` (removed afterwards); null where there is nothing. cpu -1: not pinned; processes 0: no
 * limit of their number.
 */
#ifndef RN_LAUNCHER_H
#define RN_LAUNCHER_H

#include "common/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Longest that the launcher returns of each text of a sample, in bytes. */
#define RN_TEXT_LIMIT ((size_t)256 * 1024)
#define RN_FILE_LIMIT ((size_t)8 * 1024 * 1024)

/* The verb `launch build PLAN` and `launch samples`. */
int rn_launch_build(const struct hp_values *values);
int rn_launch_samples(const struct hp_values *values);

/* --- what both share --- */

/* In a forked child: resource limits; 0 leaves one alone. Core files are off. */
void rn_limit_self(int64_t memory_mib, int64_t processes, int64_t file_mib);

/* Makes orphans of foreign programs come to this process, and hides its descriptors from them. */
void rn_become_warden(void);

/* Kills and collects every process below this one, those that left their group too; gives up
 * after a second, since the end of the sandbox ends the rest. */
void rn_kill_descendants(void);

#endif
