#include "size_class.h"

struct size_class size_classes[CLASSES];
uint8_t size_class_tiny[TINY_MAX / 8 + 1];
uint8_t size_class_quick[QUICK_MAX / 256 + 1];

/* The class after one of `size` bytes. */
static uint32_t next_size(uint32_t size)
{
    if (size < 16)
        return 2 * size;
    if (size < 128)
        return size + 16;
    if (size == 48 << 10)
        return 52 << 10;
    if (size == 52 << 10)
        return 56 << 10;
    return size + ((uint32_t)1 << (31 - __builtin_clz(size))) / 4;
}

/* Slabs of a few blocks at least, whose tail wastes at most a sixteenth. */
static uint32_t units_of(uint32_t size)
{
    uint32_t at_least = size <= 8192 ? 8 : size < LARGE_MIN ? 4 : 1;
    for (uint32_t n = 1; n <= ACE_MAX / UNIT; n++) {
        uint32_t bytes = n * (uint32_t)UNIT, blocks = bytes / size;
        if (blocks >= at_least && bytes - blocks * size <= bytes / 16)
            return n;
    }
    return (uint32_t)((size + UNIT - 1) / UNIT);
}

/* A batch is at most 64 blocks; 32 KiB of Tiny, 64 KiB above. */
static uint32_t batch_of(uint32_t size)
{
    uint32_t n = (size <= TINY_MAX ? 32 << 10 : 64 << 10) / size;
    return n > 64 ? 64 : n < 1 ? 1 : n;
}

/* The smallest size that passes W_MAX, when the class would get smaller ones too. */
static uint32_t min_size_of(uint32_t size, uint32_t below, uint64_t wmax)
{
    uint64_t least = ((uint64_t)size * 1000 + wmax - 1) / wmax;
    return least <= below + 1 ? 0 : (uint32_t)least;
}

void size_class_init(uint64_t wmax_mid, uint64_t wmax_large)
{
    uint32_t size = 8, below = 0;
    for (unsigned c = 0; c < CLASSES; c++) {
        struct size_class *k = &size_classes[c];
        k->size = size;
        k->units = units_of(size);
        k->capacity = (uint32_t)(k->units * UNIT / size);
        k->batch = batch_of(size);
        k->magic = UINT64_MAX / size + 1;
        if (size > TINY_MAX)
            k->min_size = min_size_of(size, below, size < LARGE_MIN ? wmax_mid : wmax_large);
        below = size;
        size = next_size(size);
    }
    for (unsigned i = 0, c = 0; i <= TINY_MAX / 8; i++) {
        while (size_classes[c].size < i * 8)
            c++;
        size_class_tiny[i] = (uint8_t)c;
    }
    for (unsigned i = 0, c = 0; i <= QUICK_MAX / 256; i++) {
        while (size_classes[c].size < i * 256)
            c++;
        size_class_quick[i] = (uint8_t)c;
    }
}

unsigned size_class_of(size_t size)
{
    if (size <= TINY_MAX)
        return size_class_of_tiny(size);
    if (size <= QUICK_MAX)
        return size_class_of_quick(size);
    if (size <= LARGE_MIN) {
        unsigned c = size_class_quick[QUICK_MAX / 256];
        while (size_classes[c].size < size)
            c++;
        return c;
    }
    /* Four to a doubling, counted down from the last. */
    unsigned below = 63 - (unsigned)__builtin_clzll(size - 1); /* the power of two below size */
    unsigned quarter = (unsigned)((size - 1) >> (below - 2)) & 3;
    return CLASSES - 4 * (21 - below) + quarter;
}
