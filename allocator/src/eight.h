/*
 * eight.h: the class of 8 bytes, whose blocks are too small for link and mark.
 *
 * A free block holds one word: the number of the next free block of its slab, 14 bits of it, bound
 * to its address and a secret, 50 bits. A block in use looks like that once in 2^50. Such links
 * reach no further than their slab, so what a thread keeps is an array of pointers instead, which
 * is filled and emptied by halves under one lock. The slabs are those of SuperSlabs (superslab.h);
 * `free` in their record is not used. Any thread may call.
 */
#ifndef HAKMEM_EIGHT_H
#define HAKMEM_EIGHT_H

#include "superslab.h"

#include <stdbool.h>

enum { EIGHT_CLASS = 0, EIGHT_KEPT = 64 };

/* What a thread keeps; zeroed is empty. */
struct eight_cache {
    unsigned count;
    uint64_t *blocks[EIGHT_KEPT];
};

/* Fills the empty cache of a thread by half; false with errno ENOMEM. */
bool eight_refill(struct eight_cache *c);
/* Takes n blocks, the ones freed first, out of the cache and back into their slabs. */
void eight_flush(struct eight_cache *c, unsigned n);

/* Whether the block is free, in a slab or a cache. */
bool eight_is_free(const uint64_t *block);
/* The block freed last out of a cache that is not empty; NULL, and a report, when it was written
 * to. And a block in use into a cache that is not full. */
uint64_t *eight_pop(struct eight_cache *c);
void eight_push(struct eight_cache *c, uint64_t *block);
/* Whether the block is the one freed last, whatever was written to it. */
bool eight_kept(const struct eight_cache *c, const void *block);
/* Reports a block that was written to, or is in the cache twice. */
void eight_verify(const struct eight_cache *c);
/* Gives back what is whole of the cache of a thread that a child of fork does not have. */
void eight_adopt(struct eight_cache *c);

/* Blocks in use or in caches. */
unsigned long long eight_used(void);

void eight_lock(void);
void eight_unlock(void);
void eight_reset(void);

#endif
