/*
 * The room that foreign code runs in: bubblewrap with every namespace unshared (so no network and
 * no sight of other processes), a read-only system, and nothing writable but tmpfs folders of
 * bounded size. Without a sandbox the same layout stands in ordinary folders below
 * STATE/runner/work, so that the parts above need not know the difference: rn_room.root is what
 * comes before "/arm",
 * "/driver", "/build" and "/tmp" in paths as the foreign code sees them.
 */
#ifndef RN_SANDBOX_H
#define RN_SANDBOX_H

#include "runner/runner.h"

/* Where a job's files are, outside and inside. */
struct rn_room {
    const struct rn_runner *runner;
    char *work; /* STATE/runner/work */
    char *root; /* "" in the sandbox, else `work` */
};

/* An argument vector under construction, always ended by NULL. It owns its strings. */
struct rn_argv {
    char **item;
    size_t count;
    bool failed; /* memory ran out; the vector must not be used */
};

void rn_argv_add(struct rn_argv *argv, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void rn_argv_clear(struct rn_argv *argv);
#define RN_ARGV __attribute__((cleanup(rn_argv_clear)))

/* Makes the work folder empty, with the folders arm, driver, build and tmp, and puts a copy of the
 * launcher into it: the runner's own binary may lie where its user cannot go. */
bool rn_room_open(const struct rn_runner *runner, struct rn_room *room, struct hp_error *err);

/* Removes the work folder and frees the room. */
void rn_room_close(struct rn_room *room);

/* The environment to start every such command line with. The runner's own may hold secrets, and
 * what runs in the sandbox can read that of bwrap, which is its process 1. */
extern const char *const rn_sandbox_env[];

/* Begins a command line that runs the launcher for a build: /build and /tmp are tmpfs of the
 * limits' size, the plan is readable at rn_room_plan. Followed by the launcher's own arguments. */
void rn_sandbox_for_build(const struct rn_room *room, const struct rn_limits *limits,
                          struct rn_argv *argv);

/* The same for what comes after a build, with the driver at /driver and, where work/base.tar is
 * there, that at /base.tar. */
void rn_sandbox_for_coverage(const struct rn_room *room, const struct rn_limits *limits,
                             struct rn_argv *argv);

/* The same for samples: arms at /arm/NAME and driver at /driver, read-only; /tmp writable. */
void rn_sandbox_for_samples(const struct rn_room *room, const struct rn_limits *limits,
                            struct rn_argv *argv);

/* Tells whether this machine allows a sandbox at all; if not, why, with the hint what to do. */
bool rn_sandbox_check(struct hp_error *err);

#endif
