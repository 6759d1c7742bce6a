/*
 * route.h: which tier serves a size, and which tier a pointer belongs to.
 *
 * The functions of hakmem.h and the malloc family are thin above these. Size alone selects the
 * tier: up to TINY_MAX bytes Tiny, above it a mapping. Any thread may call.
 */
#ifndef HAKMEM_ROUTE_H
#define HAKMEM_ROUTE_H

#include <stddef.h>

/* Every block of at least this many bytes is aligned to it; smaller ones to their size. */
#define MIN_ALIGN ((size_t)16)

/* These are the slow ways: malloc.c tries the cache of the thread first. */
/* `size` bytes; NULL with errno ENOMEM. Size 0 counts as 1. */
void *route_alloc(size_t size);
/* The same, zeroed. */
void *route_alloc_zeroed(size_t size);
/* The same, aligned to `align`, a power of two. */
void *route_alloc_aligned(size_t align, size_t size);
/* Frees a block; aborts with a message in the name of `call` when ptr is none. NULL is ignored. */
void route_free(void *ptr, const char *call);
/* Usable bytes of the block at ptr; aborts as route_free does. */
size_t route_usable(const void *ptr, const char *call);
/* Aborts in the name of `call` when the block at ptr cannot have been asked for with this size, or
 * with this size and alignment. */
void route_check_size(const void *ptr, size_t size, const char *call);
void route_check_aligned_size(const void *ptr, size_t align, size_t size, const char *call);
/* realloc for a block and a size above 0. NULL with errno ENOMEM, then the block is unchanged. */
void *route_resize(void *ptr, size_t size);

/* Takes every lock, releases every lock, or resets them in the child: around fork. */
void route_lock_all(void);
void route_unlock_all(void);
void route_reset_all(void);

#endif
