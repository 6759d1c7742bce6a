/*
 * report.h: what is said when a program misuses the allocator. These end the process: going on
 * after such a fault is how a fault becomes an exploit.
 */
#ifndef HAKMEM_REPORT_H
#define HAKMEM_REPORT_H

#include <stddef.h>

/* `call` is the function the program called, such as "free". */
_Noreturn void report_double_free(const char *call, const void *ptr, size_t size);
/* A pointer into a block of `size` bytes, but not to its beginning. */
_Noreturn void report_interior(const char *call, const void *ptr, size_t size);
/* A free block whose link or mark was written over, found before the link was followed. Returns
 * only with HAKMEM_ABORT_ON_CORRUPTION=0; the caller then gives up what it could not follow. */
void report_corruption(const void *ptr, unsigned class, size_t size);
/* A list that does not end where its length says: at b, or at its end when that is NULL. As above.
 */
void report_list(const void *b, unsigned class, size_t size);
/* The same for a block of one word. */
void report_corruption_word(const void *ptr, unsigned class, size_t size);
/* A place in a SuperSlab where no block was handed out, or none since its slab was. */
_Noreturn void report_never(const char *call, const void *ptr);
/* A size that the block was not asked for with. */
_Noreturn void report_size(const char *call, const void *ptr, size_t size, size_t usable);
/* An alignment that the block does not have. */
_Noreturn void report_alignment(const char *call, const void *ptr, size_t align);
/* A pointer that no tier knows. */
_Noreturn void report_foreign(const char *call, const void *ptr);

#endif
