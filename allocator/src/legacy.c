#include "legacy.h"

#include "lock.h"
#include "os.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define SLAB_SIZE ((size_t)65536)
/* Blocks begin here: past the header, and a multiple of every block size. */
#define SLAB_HEAD ((size_t)2048)
#define SLAB_BITS ((SLAB_SIZE - SLAB_HEAD) / 8)
#define WORD 64

struct slab {
    struct slab *next, *prev; /* among the slabs of its class with a free block */
    unsigned class, capacity, used;
    unsigned hint; /* no free bit below this word */
    uint64_t in_use[(SLAB_BITS + WORD - 1) / WORD];
};
_Static_assert(sizeof(struct slab) <= SLAB_HEAD, "the header must end before the first block");

static struct lock the_lock;
static struct slab *partial[LEGACY_CLASSES];

/* The registry: a set of slab addresses by linear probing, at most half full. */
static struct {
    uintptr_t *slots;
    size_t size, filled, live;
} registry;

#define DELETED ((uintptr_t)1)

static size_t registry_home(uintptr_t base)
{
    return (size_t)((base / SLAB_SIZE) * 0x9E3779B97F4A7C15u >> 20) & (registry.size - 1);
}

static bool registry_has(uintptr_t base)
{
    if (!registry.slots || base <= DELETED)
        return false;
    for (size_t i = registry_home(base);; i = (i + 1) & (registry.size - 1)) {
        if (registry.slots[i] == base)
            return true;
        if (registry.slots[i] == 0)
            return false;
    }
}

static void registry_put(uintptr_t base)
{
    size_t i = registry_home(base);
    while (registry.slots[i] > DELETED)
        i = (i + 1) & (registry.size - 1);
    registry.filled += registry.slots[i] == 0;
    registry.slots[i] = base;
    registry.live++;
}

static void registry_drop(uintptr_t base)
{
    size_t i = registry_home(base);
    while (registry.slots[i] != base)
        i = (i + 1) & (registry.size - 1);
    registry.slots[i] = DELETED;
    registry.live--;
}

/* Makes room for one more; false when there is no memory. */
static bool registry_reserve(void)
{
    if (registry.filled + 1 <= registry.size / 2)
        return true;
    uintptr_t *old = registry.slots;
    size_t old_size = registry.size;
    size_t size = OS_PAGE / sizeof *old;
    while (size < 4 * (registry.live + 1))
        size *= 2;
    uintptr_t *slots = os_map(size * sizeof *slots);
    if (!slots)
        return false;
    registry.slots = slots;
    registry.size = size;
    registry.filled = registry.live = 0;
    for (size_t i = 0; i < old_size; i++)
        if (old[i] > DELETED)
            registry_put(old[i]);
    if (old)
        os_unmap(old, old_size * sizeof *old);
    return true;
}

static void list_add(struct slab *s)
{
    s->prev = NULL;
    s->next = partial[s->class];
    if (s->next)
        s->next->prev = s;
    partial[s->class] = s;
}

static void list_remove(struct slab *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        partial[s->class] = s->next;
    if (s->next)
        s->next->prev = s->prev;
}

static size_t block_size(unsigned class)
{
    return (size_t)8 << class;
}

static unsigned class_of(size_t size)
{
    return size <= 8 ? 0 : (unsigned)(64 - __builtin_clzll(size - 1)) - 3;
}

static struct slab *slab_new(unsigned class)
{
    if (!registry_reserve())
        return NULL;
    struct slab *s = os_map_aligned(SLAB_SIZE, SLAB_SIZE);
    if (!s)
        return NULL;
    s->class = class;
    s->capacity = (unsigned)((SLAB_SIZE - SLAB_HEAD) / block_size(class));
    registry_put((uintptr_t)s);
    list_add(s);
    return s;
}

static void *slab_take(struct slab *s)
{
    unsigned w = s->hint;
    while (s->in_use[w] == UINT64_MAX)
        w++;
    unsigned bit = (unsigned)__builtin_ctzll(~s->in_use[w]);
    s->in_use[w] |= (uint64_t)1 << bit;
    s->hint = w;
    if (++s->used == s->capacity)
        list_remove(s);
    return (char *)s + SLAB_HEAD + (w * WORD + bit) * block_size(s->class);
}

static void slab_give(struct slab *s, unsigned index)
{
    s->in_use[index / WORD] &= ~((uint64_t)1 << index % WORD);
    if (index / WORD < s->hint)
        s->hint = index / WORD;
    if (s->used-- == s->capacity)
        list_add(s);
    if (s->used == 0 && (s->prev || s->next)) {
        list_remove(s);
        registry_drop((uintptr_t)s);
        os_unmap(s, SLAB_SIZE);
    }
}

void *legacy_alloc(size_t size)
{
    unsigned class = class_of(size);
    lock_acquire(&the_lock);
    struct slab *s = partial[class] ? partial[class] : slab_new(class);
    void *p = s ? slab_take(s) : NULL;
    lock_release(&the_lock);
    return p;
}

/* Finds the block of ptr; called with the lock held. */
static enum legacy_verdict locate(const void *ptr, struct slab **slab, unsigned *index)
{
    uintptr_t at = (uintptr_t)ptr, base = at & ~(SLAB_SIZE - 1);
    if (!registry_has(base))
        return LEGACY_FOREIGN;
    struct slab *s = (struct slab *)base;
    *slab = s;
    size_t offset = at - base - SLAB_HEAD, size = block_size(s->class);
    if (at - base < SLAB_HEAD || offset % size != 0)
        return LEGACY_MISALIGNED;
    *index = (unsigned)(offset / size);
    if (*index >= s->capacity || !(s->in_use[*index / WORD] >> *index % WORD & 1))
        return LEGACY_NOT_IN_USE;
    return LEGACY_OK;
}

enum legacy_verdict legacy_free(void *ptr, size_t *size)
{
    struct slab *s = NULL;
    unsigned index = 0;
    lock_acquire(&the_lock);
    enum legacy_verdict v = locate(ptr, &s, &index);
    if (v != LEGACY_FOREIGN)
        *size = block_size(s->class);
    if (v == LEGACY_OK)
        slab_give(s, index);
    lock_release(&the_lock);
    return v;
}

size_t legacy_usable(const void *ptr)
{
    struct slab *s = NULL;
    unsigned index = 0;
    lock_acquire(&the_lock);
    size_t size = locate(ptr, &s, &index) == LEGACY_OK ? block_size(s->class) : 0;
    lock_release(&the_lock);
    return size;
}

void legacy_lock(void)
{
    lock_acquire(&the_lock);
}

void legacy_unlock(void)
{
    lock_release(&the_lock);
}

void legacy_reset(void)
{
    lock_reset(&the_lock);
}
