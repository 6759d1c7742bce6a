/*
 * meta.h: memory for the allocator's own structures, apart from the blocks of the program.
 *
 * Zeroed, aligned to a cache line, never given back; users keep free lists of what they retire.
 * Thread-safe by a lock of its own.
 */
#ifndef HAKMEM_META_H
#define HAKMEM_META_H

#include <stddef.h>

/* `size` zeroed bytes; NULL with errno ENOMEM. */
void *meta_alloc(size_t size);

void meta_lock(void);
void meta_unlock(void);
void meta_reset(void);

#endif
