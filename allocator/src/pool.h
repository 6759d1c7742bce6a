/*
 * pool.h: the shared backend: for each class, the slabs that can give a block.
 *
 * Blocks leave and come back in chains, so that one lock serves many of them. A chain is a list
 * written as block.h says. Each class has a depot of chains that came back, which leave again as
 * they are; only when the depot is full are the blocks of a chain put back into their slabs. The
 * capacity of a depot adapts: by counts of calls alone, so that a fixed sequence of calls gives
 * fixed decisions. Each class has a lock of its own; any thread may call. A slab that becomes empty
 * goes back to its SuperSlab, but for one of each class below 64 KiB.
 */
#ifndef HAKMEM_POOL_H
#define HAKMEM_POOL_H

#include "superslab.h"

#include <stdbool.h>

/* Blocks of the class to *out, about `want`, never more than the batch of the class; an empty chain
 * with errno ENOMEM, or EAGAIN at the cap of ACE, when there are none. */
void pool_take(unsigned class, unsigned want, struct chain *out);
/* Gives a chain of free blocks of the class back, whichever slabs they are from; it is empty
 * afterwards. True where so much was given in a row that the program seems to free for good: then
 * what a thread still keeps only holds slabs back. */
bool pool_give(unsigned class, struct chain *chain);
/* Both write the chain while they hold the lock of the class, which fork takes too: whatever moment
 * a child was made at, a list is the backend's or the thread's. */

/* Whether the depot, or the slab with this first record, holds the block at ptr as a free one. For
 * a block that was written to; slow. */
bool pool_holds(const struct slab *slab, const void *ptr);

/* Gives the class `count` more slabs to carve from; returns how many it got. None for the class of
 * 8 bytes. */
unsigned pool_prewarm(unsigned class, unsigned count);

/* Bytes of the blocks outside of slabs, in use or in caches of threads, and of those free inside.
 */
struct pool_sums {
    size_t used, free;
};
struct pool_sums pool_sums(void);

/* Puts the blocks of all depots back into their slabs. */
void pool_drain(void);

/* Blocks of the class that wait in its slabs and depot, handed out before and free now. */
unsigned long long pool_free_blocks(unsigned class);

/* Why a pointer cannot be freed. */
enum pool_verdict { POOL_OK, POOL_FOREIGN, POOL_INSIDE, POOL_NEVER, POOL_FREE };

/* What ptr is; its slab's first record and class go to *slab when it is in one. Exact, not fast:
 * it waits for the lock of the class. */
enum pool_verdict pool_judge(const void *ptr, struct slab **slab);

/* Around fork. */
void pool_lock(void);
void pool_unlock(void);
void pool_reset(void);

#endif
