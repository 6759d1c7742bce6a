/*
 * Whose repository it is. Without a sandbox foreign code runs with all rights of the runner's user,
 * so that nothing but this user's own repositories is built then.
 */
#ifndef RN_OWN_H
#define RN_OWN_H

#include "common/error.h"

#include <jansson.h>

/* Whether all that a suite builds comes from folders of this machine that belong to the user of
 * this process, and that not everybody may write to: `repository` (NULL: the suite's) and the
 * driver's. If not, HP_INVALID with the first that does not. */
bool rn_check_own(const json_t *suite, const char *repository, struct hp_error *err);

#endif
