/*
 * The suite that a local comparison goes by: the one named, or the one that the checkout holds.
 */
#ifndef HP_CLI_HERE_SUITE_H
#define HP_CLI_HERE_SUITE_H

#include "common/error.h"

/*
 * Finds, reads and checks it. `given` NULL: TOP/hakperf-suite.json, else the file of
 * TOP/deploy/suites that is named like the repository it measures (its "name" and its repository's
 * are the same), else the only one there. *file and *suite are the caller's. HP_NOT_FOUND with what
 * there is where none can be told.
 */
bool cli_here_suite(const char *top, const char *given, char **file, json_t **suite,
                    struct hp_error *err);

#endif
