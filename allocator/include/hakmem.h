/*
 * hakmem.h: what HAKMEM offers beside the malloc family.
 *
 * The library replaces malloc and its relatives (see malloc(3)) by being linked in or named in
 * LD_PRELOAD. The hak_ functions below are the same allocator by its own names; blocks of the one
 * may be given to the other. Every function may be called from any thread.
 */
#ifndef HAKMEM_H
#define HAKMEM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As malloc(3): `size` bytes aligned for any object of that size; 0 bytes give a unique pointer.
 * NULL with errno ENOMEM when there is no memory or size exceeds PTRDIFF_MAX. */
void *hak_malloc(size_t size);
/* As calloc(3): zeroed; NULL with ENOMEM also when count * size overflows. */
void *hak_calloc(size_t count, size_t size);
/* As realloc(3) of glibc: NULL is malloc, size 0 of a block frees it and returns NULL. */
void *hak_realloc(void *ptr, size_t size);
/* As free(3): NULL does nothing; errno is kept. A pointer that is no block in use aborts. */
void hak_free(void *ptr);
/* As memalign(3): `align` is rounded up to a power of two. */
void *hak_memalign(size_t align, size_t size);
/* Bytes usable in the block at ptr, at least what was asked for; 0 for NULL. */
size_t hak_usable_size(void *ptr);

/* What a size gets: its tier ("tiny", "ace" or "big"), class (-1 for big) and bytes of a block.
 * False when no block can be that large. */
struct hak_size_class {
    const char *tier;
    int class_index;
    size_t block_size;
};
bool hak_size_class(size_t size, struct hak_size_class *out);

/* Maps SuperSlabs of Tiny until HAKMEM_PREWARM of them are empty, and keeps that many; done at
 * start-up too. Returns how many are empty now. */
unsigned hak_ss_prewarm_init(void);
/* Gives a class `count` more slabs to take blocks from. Returns how many it got: fewer when the
 * kernel refuses, 0 for a class that is none. */
unsigned hak_ss_prewarm_class(unsigned class, unsigned count);

/* Version of the library, such as "0.1.0". */
const char *hak_version(void);

#ifdef __cplusplus
}
#endif
#endif
