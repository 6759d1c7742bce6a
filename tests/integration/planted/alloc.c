/*
 * The malloc family for one thread: free lists by size class up to 1024 bytes, a mapping for each
 * block above. Every block has 16 bytes before it that tell its class or its mapping. Real enough
 * to serve a C program, small enough to be built in a moment.
 */
#include "work.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNIT 16
#define CLASSES 64 /* of 16, 32 ... 1024 bytes */
#define CHUNK ((size_t)1 << 20)

struct head {
    uint64_t size;           /* of the block, or of the mapping */
    uint32_t mapped, before; /* `before`: bytes from the mapping's begin to the block */
};

struct block {
    struct block *next;
};

static struct block *lists[CLASSES];
static char *fresh, *fresh_end;

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void *carve(size_t size)
{
    size_t all = size + UNIT;
    if ((size_t)(fresh_end - fresh) < all) {
        fresh = map(CHUNK);
        if (!fresh) {
            fresh_end = NULL;
            return NULL;
        }
        fresh_end = fresh + CHUNK;
    }
    struct head *head = (struct head *)fresh;
    fresh += all;
    *head = (struct head){size, 0, 0};
    return (char *)head + UNIT;
}

static void *mapped(size_t size, size_t align)
{
    size_t before = align > UNIT ? align : UNIT;
    if (size > PTRDIFF_MAX - 2 * before)
        return NULL;
    char *begin = map(size + 2 * before);
    if (!begin)
        return NULL;
    char *block = (char *)(((uintptr_t)begin + UNIT + before - 1) & ~(uintptr_t)(before - 1));
    struct head *head = (struct head *)(block - UNIT);
    *head = (struct head){size + 2 * before, 1, (uint32_t)(block - begin)};
    return block;
}

void *malloc(size_t size)
{
    size_t class = size ? (size - 1) / UNIT : 0;
    void *block;
    planted_work();
    if (class >= CLASSES) {
        block = mapped(size, UNIT);
    } else if (lists[class]) {
        block = lists[class];
        lists[class] = lists[class]->next;
    } else {
        block = carve((class + 1) * UNIT);
    }
    if (!block)
        errno = ENOMEM;
    return block;
}

void free(void *p)
{
    if (!p)
        return;
    struct head *head = (struct head *)((char *)p - UNIT);
    if (head->mapped) {
        munmap((char *)p - head->before, head->size);
        return;
    }
    size_t class = head->size / UNIT - 1;
    ((struct block *)p)->next = lists[class];
    lists[class] = p;
}

size_t malloc_usable_size(void *p)
{
    struct head *head = (struct head *)((char *)p - UNIT);
    return !p ? 0 : head->mapped ? head->size - head->before : head->size;
}

void *calloc(size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = malloc(all);
    return p ? memset(p, 0, all) : NULL;
}

void *realloc(void *p, size_t size)
{
    size_t has = malloc_usable_size(p);
    if (p && size <= has)
        return p;
    void *q = malloc(size);
    if (q && p) {
        memcpy(q, p, has);
        free(p);
    }
    return q;
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *p = align <= UNIT ? malloc(size) : mapped(size, align);
    if (p)
        *out = p;
    return p ? 0 : ENOMEM;
}

void *aligned_alloc(size_t align, size_t size)
{
    void *p = NULL;
    errno = posix_memalign(&p, align, size);
    return p;
}

void *memalign(size_t align, size_t size)
{
    return aligned_alloc(align, size);
}
