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

/* The workloads that regressed by a relevant amount, a JSON array of names; the caller owns it. */
json_t *here_regressed(const struct here_run *run);

/* The COMPARISON, sentences included, owned by the caller; NULL only without memory. */
json_t *here_comparison(const struct here_run *run, struct hp_error *err);

#endif
