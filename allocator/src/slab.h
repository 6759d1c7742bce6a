/*
 * slab.h: the records of SuperSlabs, of the units they are cut into, and of slabs.
 */
#ifndef HAKMEM_SLAB_H
#define HAKMEM_SLAB_H

#include "block.h"
#include "size_class.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define GRANULE_SHIFT 19 /* SuperSlabs are registered in steps of 512 KiB */
#define GRANULE ((size_t)1 << GRANULE_SHIFT)
#define GRANULE_UNITS (GRANULE / UNIT)
#define SUPERSLAB_MAX_UNITS 256

/*
 * The record of one unit. The first line is what a free reads; it is the same in every unit of a
 * slab. The rest is meant in the first unit alone and belongs to the lock of the class.
 *
 * Blocks are handed out for the first time from a starting block upwards to the end and then
 * downwards to the beginning, so that slabs do not all begin on the same cache sets. `low` and
 * `span` bound what was ever handed out: a pointer outside is no block, whatever memory says. They
 * only grow apart; a reader between the two stores may refuse a good pointer and asks again under
 * the lock.
 */
struct slab {
    _Atomic(uintptr_t) low; /* the lowest block handed out so far */
    _Atomic(uint32_t) span; /* bytes from there */
    uint16_t class;
    uint8_t unit;   /* of this record in its slab */
    bool fresh;     /* its pages are zero but for the marks of free blocks; see ace_alloc */
    uint16_t index; /* of this record in its SuperSlab */
    uint64_t magic; /* of the class; 0 for 8 bytes, which the fast path then leaves alone */
    struct block *free;
    uint32_t free_count;
    uint32_t used;            /* blocks that are not in `free` and were handed out */
    struct slab *next, *prev; /* among the slabs of the class with something to give */
};

struct superslab {
    struct superslab *next, *prev;
    char *base;
    uint32_t units, free_units;
    uint64_t taken[SUPERSLAB_MAX_UNITS / 64]; /* units of slabs */
    uint64_t dirty[SUPERSLAB_MAX_UNITS / 64]; /* free units with pages that were touched */
    struct slab slabs[];
};

#define NO_CLASS UINT16_MAX

#endif
