/*
 * Jobs of the queue by number and by state: listed, called off, and queued again. What `hakperf
 * queue --jobs`, `--cancel` and `--retry` do, and the table that `hakperf status` shares.
 */
#ifndef HP_CLI_JOBS_H
#define HP_CLI_JOBS_H

#include "cli/session.h"
#include "cli/table.h"

/* The columns of the table, and the rows of a list of job states for it. */
#define CLI_JOB_HEADS ">job|kind|repository|commit|state|>done in|runner|subject"
void cli_job_rows(struct cli_table *table, const json_t *list);

/* Prints why each job of a list was given up or called off, a line each. */
void cli_job_reasons(const json_t *list);

/* Each is a whole verb and returns its exit code. `state` may be "all". */
int cli_jobs_list(struct cli_session *session, const char *state);
int cli_jobs_cancel(struct cli_session *session);

/* The jobs named, or without any all of the repository that were given up. */
int cli_jobs_retry(struct cli_session *session);

#endif
