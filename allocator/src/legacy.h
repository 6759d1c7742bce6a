/*
 * legacy.h: the Tiny sizes as they were first served: one lock, power-of-two classes, slabs of
 * 64 KiB mapped one by one.
 *
 * A slab keeps one bit for each block, set while the block is in use, in its own header. Nothing
 * is written into free blocks, so every double free is seen, at the price of a search for a bit.
 * Slabs are owned by this module; a slab that becomes empty goes back to the kernel, but for one
 * of each class. Every function takes the module's lock; any thread may call.
 */
#ifndef HAKMEM_LEGACY_H
#define HAKMEM_LEGACY_H

#include <stdbool.h>
#include <stddef.h>

#define LEGACY_MAX ((size_t)1024)
#define LEGACY_CLASSES 8

/* Why a pointer cannot be freed. */
enum legacy_verdict { LEGACY_OK, LEGACY_FOREIGN, LEGACY_MISALIGNED, LEGACY_NOT_IN_USE };

/* A block of the smallest class that holds `size` (1 to LEGACY_MAX) and is aligned to its own
 * size. NULL with errno ENOMEM. */
void *legacy_alloc(size_t size);
/* Frees ptr; anything but LEGACY_OK changes nothing. The size of its class goes to *size unless
 * the pointer is foreign. */
enum legacy_verdict legacy_free(void *ptr, size_t *size);
/* The size of the block in use at ptr, or 0 when it is none of this module's. */
size_t legacy_usable(const void *ptr);

/* Around fork. */
void legacy_lock(void);
void legacy_unlock(void);
void legacy_reset(void);

#endif
