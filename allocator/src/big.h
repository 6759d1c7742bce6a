/*
 * big.h: blocks that are mappings of their own.
 *
 * A registry out of the blocks' reach knows address and length of each, so nothing of a block is
 * read to free it and a foreign pointer is told apart before it is touched. A few mappings that
 * were freed are kept for the next block of about their size. One lock; any thread.
 */
#ifndef HAKMEM_BIG_H
#define HAKMEM_BIG_H

#include <stdbool.h>
#include <stddef.h>

enum big_verdict { BIG_OK, BIG_FOREIGN, BIG_FREE };

/* A block of at least `size` bytes, a multiple of `align` (a power of two) in address, all zero if
 * `zeroed`. NULL with errno ENOMEM. */
void *big_alloc(size_t size, size_t align, bool zeroed);
/* Frees the block that begins at ptr. Otherwise changes nothing: BIG_FREE when it was freed before
 * and is still kept, its bytes in *size. */
enum big_verdict big_free(void *ptr, size_t *size);
/* Unmaps what is kept; whether there was anything. */
bool big_trim(void);
/* Bytes usable in the block that begins at ptr; 0 when there is none. */
size_t big_usable(const void *ptr);
/* Changes the size of the block at ptr, which must exist, moving it if need be. NULL with errno
 * ENOMEM, then the block is unchanged. */
void *big_resize(void *ptr, size_t size);
/* Blocks in use and their bytes. */
void big_sums(size_t *blocks, size_t *bytes);
/* Whether ptr points into a block but not at its beginning; *block is that beginning. Slow. */
bool big_interior(const void *ptr, void **block, size_t *size);

/* Around fork. */
void big_lock(void);
void big_unlock(void);
void big_reset(void);

#endif
