#include "calls.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64 };

struct block {
    unsigned char *p;
    size_t size;
    unsigned char fill;
};

struct input {
    const uint8_t *data;
    size_t left;
};

static unsigned next(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

/* Two bytes: an exponent and what is added to it, so that all tiers are near. */
static size_t next_size(struct input *in)
{
    unsigned exponent = next(in) % 23, more = next(in);
    size_t top = (size_t)1 << exponent;
    return top + (size_t)more * top / 256 - (more & 1);
}

static void demand(int truth)
{
    if (!truth)
        abort();
}

/* Ends, and one byte of each page, of a block stand for all of it. */
static void paint(struct block *b, unsigned char fill)
{
    b->fill = fill;
    for (size_t i = 0; i < b->size; i += i < 64 ? 1 : 997)
        b->p[i] = fill;
    if (b->size > 0)
        b->p[b->size - 1] = fill;
}

static void compare(const struct block *b, size_t size)
{
    for (size_t i = 0; i < size; i += i < 64 ? 1 : 997)
        demand(b->p[i] == b->fill);
}

static void made(struct block *b, size_t size, size_t align, unsigned char fill)
{
    demand(b->p != NULL && (uintptr_t)b->p % align == 0);
    demand(malloc_usable_size(b->p) >= size);
    b->size = size;
    paint(b, fill);
}

static void make(struct input *in, struct block *b, unsigned kind)
{
    unsigned char fill = (unsigned char)(next(in) | 1);
    size_t size = next_size(in), align = size >= 16 ? 16 : 8;
    if (kind == 0) {
        b->p = malloc(size);
    } else if (kind == 1) {
        b->p = calloc(1, size);
        for (size_t i = 0; b->p && i < size; i += i < 64 ? 1 : 997)
            demand(b->p[i] == 0);
    } else {
        void *p = NULL;
        align = (size_t)8 << next(in) % 18;
        demand(posix_memalign(&p, align, size) == 0);
        b->p = p;
    }
    made(b, size, align, fill);
}

static void resize(struct input *in, struct block *b)
{
    size_t size = next_size(in) + 1, before = b->size;
    unsigned char *p = realloc(b->p, size);
    demand(p != NULL);
    b->p = p;
    b->size = size;
    compare(b, before < size ? before : size);
    made(b, size, size >= 16 ? 16 : 8, (unsigned char)(b->fill + 2));
}

static void drop(struct block *b)
{
    compare(b, b->size);
    free(b->p);
    b->p = NULL;
}

void calls_run(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct block blocks[SLOTS] = {{0}};
    while (in.left > 0) {
        unsigned op = next(&in);
        struct block *b = &blocks[op / 4 % SLOTS];
        if (!b->p)
            make(&in, b, op % 4 % 3);
        else if (op % 4 == 0)
            resize(&in, b);
        else
            drop(b);
    }
    for (int i = 0; i < SLOTS; i++)
        if (blocks[i].p)
            drop(&blocks[i]);
}
