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
 *     {"layouts": 64}, or {"layouts": 0, "reason", "late"}
 * and then for each layout one line {"size"} and so many bytes.
 *
 * launch samples: a request is one line of JSON
 *     {"argv": [...], "env": [...], "cpus", "timeout_s", "memory_mib", "processes", "file_mib",
 *      "file", "rss"}
 * and its reply one line
 *     {"exit_code", "signal", "timed_out", "wall_s", "user_s", "system_s", "minor_faults",
 *      "voluntary_switches", "json", "output", "file"}
 * with what the program wrote to descriptor 3, the end of what it printed, and the content of
 * `file` (removed afterwards); null where there is nothing. cpus []: not pinned; processes 0: no
 * limit of their number. With rss true the reply has "rss" too, [[SECONDS, KIB]...].
 *
 * launch coverage: the plan of a build with coverage, its artifact `preload`, and `requests` as of
 * launch samples. One line {"size"} and so many bytes of lines "NAME FILE:LINE", where the
 * library's functions are; then for each request one line
 *     {"workload", "reply", "counted", "size"}
 * and `size` bytes that gcov wrote.
 *
 * launch diff: the head's tree on stdin and the base's in the file `base`. One line {"diff",
 * "uses"}, then so many bytes that git diff made of them, with all context and paths below a/base/
 * and b/head/, and so many of where the macros are used that changed, as `grep --null -rnoH` says
 * it.
 */
#ifndef RN_LAUNCHER_H
#define RN_LAUNCHER_H

#include "common/options.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Longest that the launcher returns of each text of a sample, in bytes. */
#define RN_TEXT_LIMIT ((size_t)256 * 1024)
#define RN_FILE_LIMIT ((size_t)8 * 1024 * 1024)

/* How often resident memory is looked at, at first, and how many values are kept. */
#define RN_RSS_STEP_S 0.005
#define RN_RSS_LIMIT 512

/* The verb `launch build PLAN` and `launch samples`. */
int rn_launch_build(const struct hp_values *values);
int rn_launch_samples(const struct hp_values *values);
int rn_launch_coverage(const struct hp_values *values);
int rn_launch_diff(const struct hp_values *values);

/* --- what both share --- */

/* Executes one request as of launch samples; its reply, owned by the caller, NULL without memory.
 */
json_t *rn_launch_once(const json_t *request);

/* In a forked child: resource limits; 0 leaves one alone. Core files are off. */
void rn_limit_self(int64_t memory_mib, int64_t processes, int64_t file_mib);

/* How often rn_memory_spent is asked: seldom enough not to disturb a sample of ordinary length. */
#define RN_MEMORY_EVERY_MS 200

/* Whether the processes that can be seen here, all of them foreign but this one, use more than
 * `memory_mib` of private memory together, or the machine has next to none left. One process's
 * limit does not hold many, nor files in memory. Only in the sandbox, where no others are seen. */
bool rn_memory_spent(int64_t memory_mib);

/* Makes orphans of foreign programs come to this process, hides its descriptors from them, and
 * tells the kernel to take these processes before any other when memory runs out. */
void rn_become_warden(void);

/* Kills and collects every process below this one, those that left their group too; gives up
 * after a second, since the end of the sandbox ends the rest. */
void rn_kill_descendants(void);

#endif
