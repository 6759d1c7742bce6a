/*
 * size_class.h: which class serves a size.
 *
 * Classes are numbered upwards through the tiers. Tiny (up to 1024 bytes) has the classes of 8, 16,
 * 32 … 1024 bytes and the steps between them: 16 apart to 128, then four to a doubling. ACE goes on
 * with four to a doubling to 2 MiB, and 52 KiB besides: Mid up to 56 KiB, Large from 64 KiB. Above
 * 128 bytes a class is never more than 1.25 times the smallest size that goes to it, so that a
 * W_MAX of 1.25 or more lets every size pass. The tables are filled by size_class_init and constant
 * afterwards; any thread may read.
 */
#ifndef HAKMEM_SIZE_CLASS_H
#define HAKMEM_SIZE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TINY_MAX ((size_t)1024)
#define QUICK_MAX ((size_t)32768) /* sizes whose class is found in a table */
#define ACE_MAX ((size_t)2 << 20) /* the largest class */
#define LARGE_MIN ((size_t)65536) /* the smallest class of the Large pool */
enum { TINY_CLASSES = 21, CLASSES = TINY_CLASSES + 45 };

/* Slabs are runs of units. */
#define UNIT_SHIFT 16
#define UNIT ((size_t)1 << UNIT_SHIFT)

struct size_class {
    uint32_t size;     /* of a block */
    uint32_t units;    /* of a slab */
    uint32_t capacity; /* blocks of a slab */
    uint32_t batch;    /* blocks that change hands at once */
    uint32_t min_size; /* smaller requests fail W_MAX here; 0 when none does */
    uint64_t magic;    /* ceil(2^64 / size): n is a multiple of size iff n * magic < magic, n < 2^32
                          (Lemire, Kaser, Kurz, "Faster remainder by direct computation", 2019) */
};
extern struct size_class size_classes[CLASSES];
extern uint8_t size_class_tiny[TINY_MAX / 8 + 1];
extern uint8_t size_class_quick[QUICK_MAX / 256 + 1];

/* Fills the tables. A class serves a size of ACE only if class <= W_MAX * size; the two W_MAX are
 * in thousandths. */
void size_class_init(uint64_t wmax_mid, uint64_t wmax_large);

/* The class of a size from 0 to TINY_MAX. */
static inline unsigned size_class_of_tiny(size_t size)
{
    return size_class_tiny[(size + 7) / 8];
}

/* The class of a size above TINY_MAX and up to QUICK_MAX. */
static inline unsigned size_class_of_quick(size_t size)
{
    return size_class_quick[(size + 255) / 256];
}

/* The class of any size up to ACE_MAX. */
unsigned size_class_of(size_t size);

#endif
