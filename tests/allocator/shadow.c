#include "shadow.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct block {
    unsigned char *p;
    size_t size, align;
    unsigned char fill;
};

struct model {
    struct block *blocks;
    size_t slots, max;
    uint32_t state;
};

static uint32_t draw(struct model *m)
{
    uint32_t x = m->state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return m->state = x;
}

static _Noreturn void fail(const struct block *b, const char *what)
{
    fprintf(stderr, "shadow: %s: block %p of %zu bytes\n", what, (void *)b->p, b->size);
    abort();
}

/* Log-uniform, with the borders of classes visited often. */
static size_t draw_size(struct model *m)
{
    unsigned bits = 1;
    while (((size_t)1 << bits) < m->max)
        bits++;
    size_t top = (size_t)1 << draw(m) % (bits + 1);
    size_t size = draw(m) % 4 == 0 ? top + draw(m) % 3 - 1 : draw(m) % top + top / 2;
    return size > m->max ? m->max : size;
}

static void verify(const struct block *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (b->p[i] != (unsigned char)(b->fill + i % 251))
            fail(b, "contents changed");
}

static void fill(struct block *b, unsigned char value)
{
    b->fill = value;
    if ((uintptr_t)b->p % b->align != 0)
        fail(b, "misaligned");
    if (malloc_usable_size(b->p) < b->size)
        fail(b, "usable size too small");
    for (size_t i = 0; i < b->size; i++)
        b->p[i] = (unsigned char)(value + i % 251);
}

static void make(struct model *m, struct block *b)
{
    b->size = draw_size(m);
    b->align = b->size >= 16 ? 16 : 8;
    switch (draw(m) % 8) {
    case 0:
        b->p = calloc(1, b->size);
        for (size_t i = 0; b->p && i < b->size; i++)
            if (b->p[i] != 0)
                fail(b, "calloc left dirt");
        break;
    case 1:
        b->align = (size_t)8 << draw(m) % 14;
        if (posix_memalign((void **)&b->p, b->align, b->size) != 0)
            b->p = NULL;
        break;
    default:
        b->p = malloc(b->size);
    }
    if (!b->p)
        fail(b, "no memory");
    fill(b, (unsigned char)draw(m));
}

static void resize(struct model *m, struct block *b)
{
    size_t size = draw_size(m) + 1;
    unsigned char *p = realloc(b->p, size);
    if (!p)
        fail(b, "no memory in realloc");
    b->p = p;
    b->align = size >= 16 ? 16 : 8;
    verify(b, size < b->size ? size : b->size);
    b->size = size;
    fill(b, (unsigned char)draw(m));
}

static void drop(struct block *b)
{
    verify(b, b->size);
    free(b->p);
    b->p = NULL;
}

void shadow_run(uint32_t seed, uint64_t steps, size_t slots, size_t max)
{
    size_t bytes = slots * sizeof(struct block);
    struct model m = {.slots = slots, .max = max, .state = seed ? seed : 1};
    m.blocks = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m.blocks == MAP_FAILED)
        abort();
    for (uint64_t i = 0; i < steps; i++) {
        struct block *b = &m.blocks[draw(&m) % slots];
        if (!b->p)
            make(&m, b);
        else if (draw(&m) % 4 == 0)
            resize(&m, b);
        else
            drop(b);
    }
    for (size_t i = 0; i < slots; i++)
        if (m.blocks[i].p)
            drop(&m.blocks[i]);
    munmap(m.blocks, bytes);
}
