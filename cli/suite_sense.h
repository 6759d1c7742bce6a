/*
 * What a suite must obey beyond its schema: that its parts fit each other. Pure.
 */
#ifndef HP_CLI_SUITE_SENSE_H
#define HP_CLI_SUITE_SENSE_H

#include "common/error.h"

/* Checks a document that already obeys suite-v1.schema.json. HP_INVALID with the path of what is
 * wrong and how to mend it. */
bool cli_suite_sense(const json_t *suite, struct hp_error *err);

#endif
