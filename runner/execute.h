/*
 * One execution of a workload's program with one arm, asked of the launcher in the sandbox: what is
 * executed, and what came of it. The launcher lives as long as a struct rn_launcher; requests go to
 * it one after the other. Used by one thread.
 */
#ifndef RN_EXECUTE_H
#define RN_EXECUTE_H

#include "common/process.h"
#include "runner/sandbox.h"

#include <sched.h>

enum rn_arm { RN_HEAD, RN_BASE, RN_CONTROL, RN_REFERENCE, RN_ARMS };

/* "head", "base", "control", "reference". */
extern const char *const rn_arm_names[RN_ARMS];

/* Where an arm's artifacts lie below the work folder: paths of one length. */
extern const char *const rn_arm_folders[RN_ARMS];

/* One value for each execution and metric; NAN where it gave none. The order is that of
 * rn_metric_names, all of them in common/metrics.c. */
enum rn_metric {
    RN_THROUGHPUT,
    RN_WARM_THROUGHPUT,
    RN_STARTUP_CPU,
    RN_WALL,
    RN_CPU,
    RN_USER_CPU,
    RN_SYSTEM_CPU,
    RN_STEADY_USER_CPU,
    RN_STEADY_SYSTEM_CPU,
    RN_PEAK_RSS,
    RN_RETAINED_RSS,
    RN_MINOR_FAULTS,
    RN_VOLUNTARY_SWITCHES, /* with threads: alone, a program waits for nobody */
    RN_METRICS
};
extern const char *const rn_metric_names[RN_METRICS];

/* What a workload executes, borrowed from the suite. */
struct rn_workload {
    const struct rn_room *room;
    const json_t *suite;
    const json_t *json; /* the workload within it */
    const json_t *plan; /* the job's, where it samples otherwise; NULL: the standard one */
    struct rn_limits limits;
    const cpu_set_t *cpus;      /* that samples run on; NULL: where the runner itself runs */
    unsigned layouts;           /* code layouts that head and base have; 0: as shipped only */
    bool has_reference;         /* the suite's pinned artifact takes part */
    bool pairs_only;            /* no headline figure: the pairs answer what was asked */
    unsigned reference_layouts; /* its own: it is the same in every run, whatever the others have */
};

struct rn_launcher {
    struct hp_child child;
    struct hp_buffer pending; /* received, not yet a whole line */
};

/* Starts a launcher for samples. */
bool rn_launcher_start(const struct rn_room *room, const struct rn_limits *limits,
                       struct rn_launcher *launcher, struct hp_error *err);
/* Ends it and everything it started. */
void rn_launcher_stop(struct rn_launcher *launcher);

/* What one execution is to do. */
struct rn_execution {
    enum rn_arm arm;
    int64_t iterations;
    int64_t seed;
    bool statistics;     /* have the library write its counters; never with a timed sample */
    unsigned layout;     /* 0: the artifact as shipped; s + 1: code layout s */
    const char *library; /* another build of the library, as seen inside; NULL: the arm's own */
};

/* What came of it. */
struct rn_sample {
    double value[RN_METRICS];
    double operations;  /* of the whole timed region */
    json_t *statistics; /* the library's own document, or NULL */
};

/* The request for an execution, as the launcher reads it; the caller owns it. */
json_t *rn_request(const struct rn_workload *workload, const struct rn_execution *execution);

/* Judges a launcher's reply. True: `out` is filled. False: *failure tells how it went wrong, with
 * workload, arm and seed in its message. */
bool rn_judge(const struct rn_workload *workload, const struct rn_execution *execution,
              const json_t *reply, struct rn_sample *out, json_t **failure);

/* Sends a request and waits for its reply, owned by the caller; NULL with err if the launcher is
 * gone or the run was cancelled. */
json_t *rn_ask(struct rn_launcher *launcher, const struct rn_runner *runner, const json_t *request,
               struct hp_error *err);

/* Request, wait, judge. False with *failure set if the program under test is to blame, with
 * *failure NULL and err filled if the launcher is gone or the run was cancelled. */
bool rn_execute(struct rn_launcher *launcher, const struct rn_workload *workload,
                const struct rn_execution *execution, struct rn_sample *out, json_t **failure,
                struct hp_error *err);

/* The artifact that a suite preloads. */
const char *rn_preload_of(const json_t *suite);

/* Seconds that one execution may take. */
double rn_timeout(const struct rn_workload *workload);

#endif
