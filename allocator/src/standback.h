/*
 * standback.h: when the library is preloaded into a program that brings an allocator of its own.
 *
 * Standing back means that every call goes to the next allocator in the program's search order,
 * from the first call to the last; blocks of the two are never mixed. It is decided once, at
 * start-up, by HAKMEM_LD_SAFE and HAKMEM_LD_BLOCK_JEMALLOC; HAKMEM_LD_FORBID_LIBC makes it fatal,
 * so that a test cannot measure the wrong allocator unnoticed. It is told on stderr, unless
 * HAKMEM_LD_TRACE=0, and in the statistics file.
 */
#ifndef HAKMEM_STANDBACK_H
#define HAKMEM_STANDBACK_H

#include <stdbool.h>
#include <stddef.h>

extern bool standback_on;
extern const char *standback_why; /* NULL while the library serves */

/* Decides; before the first block. Ends the process when it is forbidden. */
void standback_init(void);

/* The other allocator; only while standback_on. */
void *standback_alloc(size_t size);
void *standback_alloc_aligned(size_t align, size_t size);
void *standback_resize(void *ptr, size_t size);
void standback_free(void *ptr);
size_t standback_usable(void *ptr);

#endif
