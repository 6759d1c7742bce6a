/*
 * superslab.h: SuperSlabs, the large aligned mappings that slabs are cut from.
 *
 * A SuperSlab is an array of units of 64 KiB; a slab is a run of units that holds the blocks of one
 * class. Everything known about them is kept apart from the blocks, in a descriptor, so that an
 * overflow of the program cannot reach it, and so that the records of many slabs do not fall on
 * the same few cache sets. A pool is a set of SuperSlabs with its own lock; slabs of any class of
 * its tier share them, and a run that became free serves the next class that asks. SuperSlabs that
 * became empty are kept for reuse, a few; the others go back to the kernel, and so do the pages of
 * free runs once they are many.
 */
#ifndef HAKMEM_SUPERSLAB_H
#define HAKMEM_SUPERSLAB_H

#include "lock.h"
#include "slab.h"

struct superslab_pool {
    struct lock lock;
    struct superslab *list; /* those with a free unit */
    uint32_t size_units;    /* of a new SuperSlab */
    uint32_t count, empty;
    uint32_t keep_empty; /* as many are never unmapped */
    uint32_t units_taken, units_dirty;
    uint32_t colour; /* turns the starting block from slab to slab */
};
extern struct superslab_pool superslab_tiny, superslab_ace;

static inline struct superslab_pool *superslab_pool_of(unsigned class)
{
    return class < TINY_CLASSES ? &superslab_tiny : &superslab_ace;
}

/* Sets the size of new SuperSlabs of Tiny; those of ACE have 8 MiB. Before the first slab. */
void superslab_init(size_t tiny_size);
/* Maps SuperSlabs of Tiny until there are `count` that are empty, and keeps that many; returns how
 * many are empty now. */
unsigned superslab_prewarm(unsigned count);
/* A slab for the class, nothing handed out of it yet; NULL with errno ENOMEM. */
struct slab *superslab_take(unsigned class);
/* Gives a slab back, none of whose blocks is in use. */
void superslab_give(struct slab *s);
/* Unmaps every empty SuperSlab and gives the pages of free units back to the kernel; returns
 * whether there were any. */
bool superslab_trim(void);
/* Around fork. */
void superslab_lock(void);
void superslab_unlock(void);
void superslab_reset(void);
/* Address of the memory of a slab's first unit. */
char *superslab_memory(const struct slab *s);

#endif
