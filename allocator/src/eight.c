#include "eight.h"

#include "report.h"
#include "ss_map.h"
#include "stats.h"

#include <string.h>

/* A slab has half as many blocks as a link can tell: the upper half says where a block is. */
enum { LINK_BITS = 14, NONE = (1 << LINK_BITS) - 1, IN_CACHE = NONE - 1 };
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

static unsigned next_of(const uint64_t *block)
{
    return (unsigned)((*block ^ pattern(block)) & LINK_MASK);
}

static bool in_cache(const uint64_t *block)
{
    return (*block ^ pattern(block)) == IN_CACHE;
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
        set_free(b, IN_CACHE);
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

/* All that changes here does so under the lock, so that fork finds a block here or there. */
void eight_flush(struct eight_cache *c, unsigned n)
{
    lock_acquire(&the_lock);
    for (unsigned i = 0; i < n; i++) {
        if (in_cache(c->blocks[i]))
            give_one(c->blocks[i]);
        else
            report_corruption_word(c->blocks[i], EIGHT_CLASS, 8);
    }
    used -= n;
    c->count -= n;
    memmove(c->blocks, c->blocks + n, c->count * sizeof c->blocks[0]);
    lock_release(&the_lock);
}

uint64_t *eight_pop(struct eight_cache *c)
{
    uint64_t *b = c->blocks[c->count - 1];
    c->count--;
    atomic_signal_fence(memory_order_seq_cst);
    if (!in_cache(b)) {
        report_corruption_word(b, EIGHT_CLASS, 8);
        return NULL;
    }
    *b = 0;
    return b;
}

void eight_push(struct eight_cache *c, uint64_t *block)
{
    set_free(block, IN_CACHE);
    c->blocks[c->count] = block;
    atomic_signal_fence(memory_order_seq_cst);
    c->count++;
}

bool eight_kept(const struct eight_cache *c, const void *block)
{
    return c->count > 0 && c->blocks[c->count - 1] == block;
}

void eight_verify(const struct eight_cache *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (!in_cache(c->blocks[i]))
            report_corruption_word(c->blocks[i], EIGHT_CLASS, 8);
        for (unsigned k = 0; k < i; k++)
            if (c->blocks[k] == c->blocks[i])
                report_list(c->blocks[i], EIGHT_CLASS, 8);
    }
}

void eight_adopt(struct eight_cache *c)
{
    unsigned n = 0;
    for (unsigned i = 0; i < c->count && i < EIGHT_KEPT; i++) {
        uint64_t *b = c->blocks[i];
        struct slab *s = b ? ss_map_lookup(b) : NULL;
        if (s && s->class == EIGHT_CLASS && in_cache(b))
            c->blocks[n++] = b;
    }
    c->count = n;
    eight_flush(c, n);
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
