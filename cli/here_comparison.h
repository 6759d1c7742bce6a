/*
 * A result document as a COMPARISON of common/wire/README.md: what the collector makes of what it
 * stored, made of the document alone. Pure.
 */
#ifndef HP_CLI_HERE_COMPARISON_H
#define HP_CLI_HERE_COMPARISON_H

#include "common/error.h"

#include <jansson.h>

struct here_run {
    const json_t *result; /* checked against its schema */
    const json_t *suite;  /* that it was made by */
    const char *base_subject, *head_subject;
    double critical;     /* bound of z that it was decided at */
    const json_t *fresh; /* the confirming run's document; NULL: none was made */
    double fresh_critical;
};

/* What a fresh run is to look at, an array of rounds, each an array of names of workloads with a
 * relevant regression: first the one whose own metric shows it most clearly, then, where that finds
 * nothing again, the others; where only metrics beside it do, all at once. The caller owns it. */
json_t *here_rounds(const struct here_run *run);

/* Whether the fresh run found again what decided a workload that it looked at. */
bool here_confirmed(const struct here_run *run);

/* The COMPARISON, sentences included, owned by the caller; NULL only without memory. */
json_t *here_comparison(const struct here_run *run, struct hp_error *err);

#endif
