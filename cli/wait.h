/*
 * Waiting for the collector's work: a job until it is done, with a progress line. A collector that
 * is started again meanwhile is waited for (half a minute). One thread.
 */
#ifndef HP_CLI_WAIT_H
#define HP_CLI_WAIT_H

#include "cli/session.h"

/* Waits until the job is done; its last state is returned, owned by the caller. A job that was
 * given up ("dead") is HP_FAILED with its reason. `label` begins the progress line. */
json_t *cli_wait_job(struct cli_session *session, long long job, const char *label,
                     struct hp_error *err);

/* The number of the job that is queued or runs for `head` against `base` (sha prefixes; base NULL:
 * whatever it is compared with); 0 if there is none, -1 on an error. */
long long cli_find_job(struct cli_session *session, const char *head, const char *base,
                       struct hp_error *err);

/* "measuring 2 of 6, 61 % random_mixed/8192" of a job state, for a progress line. */
void cli_progress_text(const json_t *state, char *out, size_t room);

#endif
