/*
 * ss_map.h: from an address to the slab it lies in.
 *
 * SuperSlabs are registered when they are mapped and forgotten before they are unmapped. Lookups
 * may run in any thread beside registrations; the answer for an address is reliable while a block
 * there is in use, and NULL for memory that is in no SuperSlab, which is never read.
 */
#ifndef HAKMEM_SS_MAP_H
#define HAKMEM_SS_MAP_H

#include "superslab.h"

#include <stdbool.h>

/* False with errno ENOMEM when there is no memory for the registry. */
bool ss_map_add(struct superslab *ss);
void ss_map_remove(struct superslab *ss);
/* The record of the unit at ptr, or NULL. Its class is NO_CLASS when the unit is in no slab. */
struct slab *ss_map_lookup(const void *ptr);

#define NO_CLASS UINT16_MAX

void ss_map_lock(void);
void ss_map_unlock(void);
void ss_map_reset(void);

#endif
