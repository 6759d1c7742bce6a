/*
 * One job from its document and sources to its result: build every arm, recognise equal ones,
 * measure every workload, and say it all in one document. The same for a claimed job and for local
 * use. One job at a time runs for each state folder; a second one waits for the lock.
 */
#ifndef RN_JOB_H
#define RN_JOB_H

#include "runner/runner.h"
#include "runner/source.h"

/*
 * Runs a job that was checked against its schema. The result obeys its own schema and is owned by
 * the caller. NULL with err where there is no result to tell: cancelled, or this machine failed
 * (disk full, no sandbox) and another attempt may do better. `sources` stay open.
 */
json_t *rn_job_run(const struct rn_runner *runner, const json_t *job,
                   const struct rn_sources *sources, struct hp_error *err);

/* The command line that repeats a job, after keeping its suite where that line finds it. The
 * caller frees it; NULL with err. */
char *rn_reproduce_line(const struct rn_runner *runner, const json_t *job, struct hp_error *err);

#endif
