#include "eight.h"

#include "report.h"
#include "ss_map.h"
#include "stats.h"

#include <string.h>

enum { LINK_BITS = 14, NONE = (1 << LINK_BITS) - 1 };
#define LINK_MASK ((uint64_t)NONE)

static struct lock the_lock;
static struct slab *partial; /* slabs with a free block */
static unsigned long long used;

/* SplitMix64's finalizer over address and secret: the mark in the high bits, a veil for the link
 * in the low ones. */
static uint64_t pattern(const uint64_t *block)
{
    uint64_t x = (uintptr_t)block ^ block_secrets.mark;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

bool eight_is_free(const uint64_t *block)
{
    return ((*block ^ pattern(block)) & ~LINK_MASK) == 0;
}

static void set_free(uint64_t *block, unsigned next)
{
    *block = pattern(block) ^ next;
}

void eight_set_free(uint64_t *block)
{
    set_free(block, NONE);
}

static unsigned next_of(const uint64_t *block)
{
    return (unsigned)((*block ^ pattern(block)) & LINK_MASK);
}

/* The head of a slab's list is kept where other classes have a pointer, as number + 1. */
static unsigned head_of(const struct slab *s)
{
    return s->free_count ? (unsigned)(uintptr_t)s->free - 1 : NONE;
}

static void set_head(struct slab *s, unsigned number)
{
    s->free = (struct block *)(uintptr_t)(number + 1);
}

static bool exhausted(const struct slab *s)
{
    return s->free_count == 0 && atomic_load_explicit(&s->span, memory_order_relaxed) / 8 ==
                                     size_classes[EIGHT_CLASS].capacity;
}

static void list_add(struct slab *s)
{
    s->prev = NULL;
    s->next = partial;
    if (s->next)
        s->next->prev = s;
    partial = s;
}

static void list_remove(struct slab *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        partial = s->next;
    if (s->next)
        s->next->prev = s->prev;
}

/* One block of the slab, freed before or never handed out; upwards to the end, then downwards. */
static uint64_t *take_one(struct slab *s)
{
    uint64_t *memory = (uint64_t *)(void *)superslab_memory(s);
    unsigned head = head_of(s);
    s->used++;
    if (head != NONE) {
        uint64_t *b = memory + head;
        if (!eight_is_free(b)) {
            report_corruption_word(b, EIGHT_CLASS, 8);
            s->used += s->free_count - 1;
            s->free_count = 0;
            return NULL;
        }
        s->free_count--;
        set_head(s, next_of(b));
        return b;
    }
    uintptr_t low = atomic_load_explicit(&s->low, memory_order_relaxed);
    uint32_t span = atomic_load_explicit(&s->span, memory_order_relaxed);
    uintptr_t block = low + span;
    if (block == (uintptr_t)(memory + size_classes[EIGHT_CLASS].capacity)) {
        block = low - 8;
        atomic_store_explicit(&s->low, block, memory_order_relaxed);
    }
    atomic_store_explicit(&s->span, span + 8, memory_order_relaxed);
    return (uint64_t *)block;
}

bool eight_refill(struct eight_cache *c)
{
    lock_acquire(&the_lock);
    while (c->count < EIGHT_KEPT / 2) {
        struct slab *s = partial;
        if (!s) {
            if (c->count > 0 || !(s = superslab_take(EIGHT_CLASS)))
                break;
            stats_class(EIGHT_CLASS, STAT_SLABS_TAKEN);
            list_add(s);
        }
        uint64_t *b = take_one(s);
        if (exhausted(s))
            list_remove(s);
        if (!b)
            continue;
        set_free(b, NONE);
        c->blocks[c->count++] = b;
    }
    used += c->count;
    lock_release(&the_lock);
    return c->count > 0;
}

static void give_one(uint64_t *b)
{
    struct slab *s = ss_map_lookup(b);
    unsigned number = (unsigned)(((uintptr_t)b - (uintptr_t)superslab_memory(s)) / 8);
    if (exhausted(s))
        list_add(s);
    set_free(b, head_of(s));
    set_head(s, number);
    s->free_count++;
    if (--s->used == 0 && (s->prev || s->next)) {
        list_remove(s);
        stats_class(EIGHT_CLASS, STAT_SLABS_RELEASED);
        superslab_give(s);
    }
}

void eight_flush(struct eight_cache *c, unsigned n)
{
    lock_acquire(&the_lock);
    for (unsigned i = 0; i < n; i++) {
        if (eight_is_free(c->blocks[i]))
            give_one(c->blocks[i]);
        else
            report_corruption_word(c->blocks[i], EIGHT_CLASS, 8);
    }
    used -= n;
    lock_release(&the_lock);
    c->count -= n;
    memmove(c->blocks, c->blocks + n, c->count * sizeof c->blocks[0]);
}

unsigned long long eight_used(void)
{
    lock_acquire(&the_lock);
    unsigned long long n = used;
    lock_release(&the_lock);
    return n;
}

void eight_lock(void)
{
    lock_acquire(&the_lock);
}

void eight_unlock(void)
{
    lock_release(&the_lock);
}

void eight_reset(void)
{
    lock_reset(&the_lock);
}
