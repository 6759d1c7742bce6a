/*
 * size_class.h: which class serves a size.
 *
 * Classes are numbered upwards through the tiers. Tiny (up to 1024 bytes) has the classes of 8, 16,
 * 32 … 1024 bytes and the steps between them: 16 apart to 128, then four to a doubling, so that
 * rounding wastes at most a fifth of a block above 128 bytes. The tables are filled by
 * size_class_init and constant afterwards; any thread may read.
 */
#ifndef HAKMEM_SIZE_CLASS_H
#define HAKMEM_SIZE_CLASS_H

#include <stddef.h>
#include <stdint.h>

#define TINY_MAX ((size_t)1024)
enum { TINY_CLASSES = 21, CLASSES = TINY_CLASSES };

/* Slabs are runs of units. */
#define UNIT_SHIFT 16
#define UNIT ((size_t)1 << UNIT_SHIFT)

struct size_class {
    uint32_t size;     /* of a block */
    uint32_t units;    /* of a slab */
    uint32_t capacity; /* blocks of a slab */
    uint32_t batch;    /* blocks that change hands at once */
    uint64_t magic;    /* ceil(2^64 / size): n is a multiple of size iff n * magic < magic, n < 2^32
                          (Lemire, Kaser, Kurz, "Faster remainder by direct computation", 2019) */
};
extern struct size_class size_classes[CLASSES];
extern uint8_t size_class_tiny[TINY_MAX / 8 + 1];

void size_class_init(void);

/* The class of a size from 0 to TINY_MAX. */
static inline unsigned size_class_of_tiny(size_t size)
{
    return size_class_tiny[(size + 7) / 8];
}

#endif
