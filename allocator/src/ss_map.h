/*
 * ss_map.h: from an address to the slab it lies in.
 *
 * SuperSlabs are registered when they are mapped and forgotten before they are unmapped. Lookups
 * may run in any thread beside registrations; the answer for an address is reliable while a block
 * there is in use, and NULL for memory that is in no SuperSlab, which is never read.
 */
#ifndef HAKMEM_SS_MAP_H
#define HAKMEM_SS_MAP_H

#include "slab.h"

/* False with errno ENOMEM when there is no memory for the registry. */
bool ss_map_add(struct superslab *ss);
void ss_map_remove(struct superslab *ss);
struct ss_map_entry {
    _Atomic(uintptr_t) granule;   /* address / GRANULE; 0 was never used */
    _Atomic(struct slab *) slabs; /* record of the granule's first unit */
};
/* The first entry is never 0: the pointers that begin with as many zeroes would find themselves. */
struct ss_map_table {
    struct ss_map_entry *entries;
    size_t mask; /* number of entries - 1 */
};
extern _Atomic(struct ss_map_table *) ss_map_current;

struct slab *ss_map_probe(const void *ptr);
/* One line on stderr with HAKMEM_SS_MAP_TRACE; debug builds only. */
void ss_map_trace(const char *event, const void *ptr, const struct slab *slab);

/* The record of the unit at ptr, when its granule is in its home; else NULL, which is no answer. */
static inline struct slab *ss_map_at_home(const void *ptr)
{
#ifndef NDEBUG
    ss_map_trace("LOOKUP", ptr, ss_map_probe(ptr));
#endif
    struct ss_map_table *t = atomic_load_explicit(&ss_map_current, memory_order_acquire);
    uintptr_t granule = (uintptr_t)ptr >> GRANULE_SHIFT;
    struct ss_map_entry *e = &t->entries[granule & t->mask];
    if (__builtin_expect(atomic_load_explicit(&e->granule, memory_order_acquire) != granule, 0))
        return NULL;
    return atomic_load_explicit(&e->slabs, memory_order_relaxed) +
           ((uintptr_t)ptr >> UNIT_SHIFT) % GRANULE_UNITS;
}

/* The record of the unit at ptr, or NULL. Its class is NO_CLASS when the unit is in no slab. */
static inline struct slab *ss_map_lookup(const void *ptr)
{
    struct slab *s = ss_map_at_home(ptr);
    return __builtin_expect(s != NULL, 1) ? s : ss_map_probe(ptr);
}

void ss_map_lock(void);
void ss_map_unlock(void);
void ss_map_reset(void);

#endif
