/*
 * os.h: everything the allocator asks of the kernel for memory, in one place.
 *
 * All mappings are private, anonymous, readable and writable, and arrive zeroed. The caller owns
 * what it maps and gives exactly that back. Calls are counted here, so that the statistics cannot
 * miss one. Thread-safe; every function keeps errno unless it fails.
 */
#ifndef HAKMEM_OS_H
#define HAKMEM_OS_H

#include <stdbool.h>
#include <stddef.h>

#define OS_PAGE ((size_t)4096)

/* Rounds up to whole pages; 0 when that overflows. */
static inline size_t os_round(size_t size)
{
    return (size + OS_PAGE - 1) & ~(OS_PAGE - 1);
}

/* `size` bytes, a multiple of OS_PAGE. NULL with errno ENOMEM when the kernel refuses. */
void *os_map(size_t size);
/* The same with the address a multiple of `align`, a power of two of at least OS_PAGE. */
void *os_map_aligned(size_t size, size_t align);
/* Gives back [base, base + size), whole pages of own mappings. */
void os_unmap(void *base, size_t size);
/* The pages of [base, base + size) become zero and cost no memory until they are touched. */
void os_purge(void *base, size_t size);
/* Has the pages of [base, base + size) made in one call, for they are about to be touched: half the
 * price of a fault each. A kernel that cannot (before Linux 5.14) is not asked again. */
void os_populate(void *base, size_t size);
/* Grows or shrinks a mapping of its own, moving it if need be; NULL with errno, then unchanged. */
void *os_remap(void *base, size_t old_size, size_t new_size);

#endif
