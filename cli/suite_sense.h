/*
 * What a suite must obey: its schema, and beyond that its parts must fit each other. Pure.
 */
#ifndef HP_CLI_SUITE_SENSE_H
#define HP_CLI_SUITE_SENSE_H

#include "common/error.h"

/* All that is wrong with a suite, as an array of error bodies, each with its path: first what
 * breaks suite-v1.schema.json, then what makes no sense; empty where nothing is wrong. The caller
 * owns it. NULL with err where it could not be checked. */
json_t *cli_suite_mistakes(const json_t *suite, struct hp_error *err);

/* True without a mistake; otherwise HP_INVALID with the first one, and in the hint how many more
 * there are. */
bool cli_suite_sense(const json_t *suite, struct hp_error *err);

#endif
