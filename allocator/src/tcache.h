/*
 * tcache.h: the fast paths of malloc and free, from and to what the thread keeps.
 *
 * A block goes to the list of the thread that frees it, wherever it came from. A full list becomes
 * the spare, a full spare goes as a whole to the shared backend, and an empty list takes the spare
 * or a whole list from there: no list is ever walked to be cut. Lists begin short and grow with
 * use. When a thread ends, its lists go to the backend, where the next thread takes them up.
 *
 * Until a thread has started its cache, after it has ended, and while everything is counted
 * (stats.h), the fast lists stay empty and without room, so that every call takes the slow path
 * without the fast one having to ask.
 */
#ifndef HAKMEM_TCACHE_H
#define HAKMEM_TCACHE_H

#include "ss_map.h"
#include "thread_cache.h"

/* A block of the class, or NULL when its pool has none: the caller goes to the next tier. */
void *tcache_alloc_slow(unsigned class);
/* Frees ptr, which the fast path could not; true when it was a block of a SuperSlab. Aborts in the
 * name of `call` when it points into one but is no block in use. */
bool tcache_free_slow(void *ptr, const char *call);
/* The slab of a block in use, found the careful way; NULL when ptr is in no SuperSlab. Aborts as
 * tcache_free_slow does. */
struct slab *tcache_find_slow(const void *ptr, const char *call);

/* Whether ptr is a block in use of the slab that its unit says; false is no answer. */
static inline bool tcache_in_use(const struct slab *s, const void *ptr)
{
    uint64_t offset = (uintptr_t)ptr - atomic_load_explicit(&s->low, memory_order_relaxed);
    uint32_t span = atomic_load_explicit(&s->span, memory_order_relaxed);
    return offset < span && offset * s->magic < s->magic && !block_may_be_free(ptr);
}

/* The slab of ptr when it is a block in use of a SuperSlab; NULL is no answer: ask the slow way. */
static inline struct slab *tcache_find(const void *ptr)
{
    struct slab *s = ss_map_lookup(ptr);
    return s && tcache_in_use(s, ptr) ? s : NULL;
}

/* A block of the class, or NULL when the list is empty or damaged: take the slow path. */
static inline void *tcache_alloc(unsigned class)
{
    struct bin *bin = &tcache.bins[class];
    struct block *b = bin->head;
    if (__builtin_expect(!b || !block_is_free(b), 0))
        return NULL;
    bin->head = block_next(b);
    thread_cache_step();
    bin->room++;
    block_set_used(b);
    return b;
}

/* Whether ptr was freed; false means the slow path has to. */
static inline __attribute__((always_inline)) bool tcache_free(void *ptr)
{
    struct slab *s = ss_map_at_home(ptr);
    if (__builtin_expect(!s || !tcache_in_use(s, ptr), 0))
        return false;
    struct bin *bin = &tcache.bins[s->class];
    struct block *head = bin->head;
    int32_t room = bin->room - 1;
    if (__builtin_expect(room < 0 || head == ptr, 0))
        return false;
    bin->room = room;
    block_set_free(ptr, head);
    thread_cache_step();
    bin->head = ptr;
    return true;
}

#endif
