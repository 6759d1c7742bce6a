/* What the two files of the mirror share. */
#ifndef HP_COLLECTOR_MIRROR_INTERNAL_H
#define HP_COLLECTOR_MIRROR_INTERNAL_H

#include "collector/mirror.h"

/* Runs git in `folder` (NULL: nowhere), with up to 16 MiB of output. */
bool mirror_call(const struct mirror *mirror, const char *folder, const char *const *argv,
                 double timeout_s, struct hp_outcome *outcome, struct hp_error *err);

/* Remembers that something of it could not be read: the next fetch looks at every object. */
void mirror_suspect(const struct mirror *mirror);

#endif
