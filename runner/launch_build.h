/*
 * What the launcher's build step and its layouts share: one build in the sandbox. Single-threaded.
 */
#ifndef RN_LAUNCH_BUILD_H
#define RN_LAUNCH_BUILD_H

#include "common/error.h"
#include "common/process.h"
#include "runner/sandbox.h"

struct rn_build_step {
    const json_t *plan;
    const char *source, *out, *tmp, *layouts; /* folders; `layouts` is made when it is needed */
    struct rn_argv env;
    int64_t memory_mib, processes, disk_mib;
    double timeout_s; /* of the whole build, which ends from outside; 0: none */
    double begun;     /* hp_monotonic_s() */
    double deadline;  /* of the step that runs; 0: none */
};

/* Fills a step from its plan; false with err where the plan is none. The environment is made. */
bool rn_build_step_read(const json_t *plan, struct rn_build_step *build, struct hp_error *err);

/* Unpacks the archive on stdin, or the one in a file, into a folder that exists. */
bool rn_build_unpack(const struct rn_build_step *build, const char *archive, const char *folder);

/* Runs commands of a recipe (an array of argument vectors), placeholders filled in, until one
 * fails. What they print goes to stderr. */
bool rn_build_commands(const struct rn_build_step *build, const json_t *commands);

/* Runs one of binutils on an artifact, which may be hostile: with the build's limit of memory. */
bool rn_build_inspect(const struct rn_build_step *build, const char *const *words,
                      struct hp_outcome *outcome);

/* Copies `size` bytes of a file to stdout. */
bool rn_build_send_bytes(int fd, size_t size);

/* Makes the layouts that the plan asks for and hands them out, or says why there are none; see
 * launcher.h. Their command has a limit of time of its own, within what the build has left: one
 * that hangs costs the layouts, not the build. False only if nothing can be handed out any more. */
bool rn_build_layouts(const struct rn_build_step *build, struct hp_error *err);

#endif
