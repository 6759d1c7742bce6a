/*
 * Prints what the untimed passes of a run found out (PASSES of the commit's endpoint), and what of
 * it differs between base and head.
 */
#ifndef HP_CLI_PASSES_H
#define HP_CLI_PASSES_H

#include <jansson.h>

/* Which of the changed functions ran; first in a report. */
void cli_did_it_run_print(const json_t *passes);

/* Figures, system calls, the profile's difference, memory and effective configuration of every
 * workload; `comparison` may be null. */
void cli_passes_print(const json_t *passes, const json_t *comparison);

#endif
