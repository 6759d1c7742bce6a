#include "superslab.h"

#include "counters.h"
#include "meta.h"
#include "os.h"
#include "ss_map.h"
#include "stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct superslab_pool superslab_tiny, superslab_ace;

#define HUGE_PAGE ((size_t)2 << 20)

/* What a pool keeps at least: empty SuperSlabs, and free units whose pages stay. */
enum { KEEP_EMPTY = 2, KEEP_DIRTY_UNITS = 512, ACE_UNITS = 128 };

void superslab_init(size_t tiny_size)
{
    superslab_tiny.size_units = (uint32_t)(tiny_size / UNIT);
    superslab_ace.size_units = ACE_UNITS;
}

static bool bit_get(const uint64_t *bits, unsigned i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static void bits_set(uint64_t *bits, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++)
        bits[i / 64] |= (uint64_t)1 << i % 64;
}

/* Clears n bits and returns how many of them were set. */
static unsigned bits_clear(uint64_t *bits, unsigned from, unsigned n)
{
    unsigned set = 0;
    for (unsigned i = from; i < from + n; i++) {
        set += bit_get(bits, i);
        bits[i / 64] &= ~((uint64_t)1 << i % 64);
    }
    return set;
}

/* First of n free units in a row; the number of units when there is none. */
static unsigned find_run(const struct superslab *ss, unsigned n)
{
    if (ss->free_units < n)
        return ss->units;
    unsigned run = 0;
    for (unsigned i = 0; i < ss->units; i++) {
        run = bit_get(ss->taken, i) ? 0 : run + 1;
        if (run == n)
            return i + 1 - n;
    }
    return ss->units;
}

/* By address: the first fit then packs what is in use together, and the rest becomes empty. */
static void list_add(struct superslab_pool *pool, struct superslab *ss)
{
    struct superslab *before = NULL, *after = pool->list;
    while (after && after->base < ss->base) {
        before = after;
        after = after->next;
    }
    ss->prev = before;
    ss->next = after;
    if (before)
        before->next = ss;
    else
        pool->list = ss;
    if (after)
        after->prev = ss;
}

static void list_remove(struct superslab_pool *pool, struct superslab *ss)
{
    if (ss->prev)
        ss->prev->next = ss->next;
    else
        pool->list = ss->next;
    if (ss->next)
        ss->next->prev = ss->prev;
}

/* Descriptors are kept for the next SuperSlab of the same size. */
static struct superslab *descriptor_free[SUPERSLAB_MAX_UNITS / GRANULE_UNITS + 1];
static struct lock descriptor_lock;

static struct superslab *descriptor_get(unsigned units)
{
    struct superslab **list = &descriptor_free[units / GRANULE_UNITS];
    lock_acquire(&descriptor_lock);
    struct superslab *ss = *list;
    if (ss)
        *list = ss->next;
    lock_release(&descriptor_lock);
    size_t bytes = sizeof *ss + units * sizeof ss->slabs[0];
    if (ss)
        memset(ss, 0, bytes);
    else
        ss = meta_alloc(bytes);
    return ss;
}

static void descriptor_put(struct superslab *ss)
{
    struct superslab **list = &descriptor_free[ss->units / GRANULE_UNITS];
    lock_acquire(&descriptor_lock);
    ss->next = *list;
    *list = ss;
    lock_release(&descriptor_lock);
}

/* Aligned for huge pages where it is large enough for one. */
static struct superslab *superslab_map(struct superslab_pool *pool, unsigned units)
{
    struct superslab *ss = descriptor_get(units);
    if (!ss)
        return NULL;
    size_t bytes = units * UNIT;
    ss->units = ss->free_units = units;
    ss->base = os_map_aligned(bytes, bytes < HUGE_PAGE ? bytes : HUGE_PAGE);
    for (unsigned i = 0; i < units; i++)
        ss->slabs[i].class = NO_CLASS;
    if (ss->base && !ss_map_add(ss)) {
        os_unmap(ss->base, bytes);
        ss->base = NULL;
    }
    if (!ss->base) {
        descriptor_put(ss);
        return NULL;
    }
    counter_add(COUNT_SS_CREATED, 1);
    pool->count++;
    pool->empty++;
    list_add(pool, ss);
    return ss;
}

/* A SuperSlab of the usual size, or of what the kernel still gives, down to `least` units. */
static struct superslab *superslab_new(struct superslab_pool *pool, unsigned least)
{
    for (unsigned units = pool->size_units; units >= least && units >= GRANULE_UNITS; units /= 2) {
        struct superslab *ss = superslab_map(pool, units);
        if (ss)
            return ss;
    }
    return NULL;
}

static void superslab_release(struct superslab_pool *pool, struct superslab *ss)
{
    pool->units_dirty -= bits_clear(ss->dirty, 0, ss->units);
    pool->count--;
    pool->empty--;
    list_remove(pool, ss);
    ss_map_remove(ss);
    os_unmap(ss->base, ss->units * UNIT);
    counter_add(COUNT_SS_RELEASED, 1);
    descriptor_put(ss);
}

static struct superslab *owner_of(const struct slab *s, unsigned *first)
{
    /* Slabs are the tail of their descriptor; the unit number leads to its head. */
    *first = s->index;
    return (struct superslab *)((uintptr_t)(s - s->index) - offsetof(struct superslab, slabs));
}

char *superslab_memory(const struct slab *s)
{
    unsigned first;
    struct superslab *ss = owner_of(s, &first);
    return ss->base + first * UNIT;
}

/* The block a slab begins with, turned from slab to slab by the golden ratio. */
static unsigned starting_block(struct superslab_pool *pool, const struct size_class *k)
{
    pool->colour += 0x9E3779B9u;
    return (unsigned)((uint64_t)pool->colour * k->capacity >> 32);
}

static struct slab *slab_init(struct superslab_pool *pool, struct superslab *ss, unsigned at,
                              unsigned class, bool fresh)
{
    const struct size_class *k = &size_classes[class];
    uintptr_t low = (uintptr_t)ss->base + at * UNIT + starting_block(pool, k) * (size_t)k->size;
    for (unsigned i = 0; i < k->units; i++) {
        struct slab *s = &ss->slabs[at + i];
        *s = (struct slab){
            .class = (uint16_t) class, .unit = (uint8_t)i, .magic = k->size > 8 ? k->magic : 0};
        s->index = (uint16_t)(at + i);
        s->fresh = fresh;
        atomic_store_explicit(&s->low, low, memory_order_relaxed);
    }
    return &ss->slabs[at];
}

unsigned superslab_prewarm(unsigned count)
{
    struct superslab_pool *pool = &superslab_tiny;
    lock_acquire(&pool->lock);
    while (pool->empty < count && superslab_new(pool, GRANULE_UNITS))
        ;
    pool->keep_empty = count;
    unsigned empty = pool->empty;
    lock_release(&pool->lock);
    return empty;
}

struct slab *superslab_take(unsigned class)
{
    struct superslab_pool *pool = superslab_pool_of(class);
    unsigned n = size_classes[class].units, at = 0;
    lock_acquire(&pool->lock);
    struct superslab *ss = pool->list;
    for (; ss; ss = ss->next)
        if ((at = find_run(ss, n)) < ss->units)
            break;
    bool fresh = !ss;
    if (fresh) {
        ss = superslab_new(pool, n);
        at = 0;
    }
    struct slab *s = NULL;
    if (ss) {
        if (ss->free_units == ss->units) {
            pool->empty--;
            counter_add(COUNT_SS_REUSED, !fresh);
            stats_class(class, fresh ? STAT_SS_CREATED : STAT_SS_REUSED);
        }
        ss->free_units -= n;
        if (ss->free_units == 0)
            list_remove(pool, ss);
        bits_set(ss->taken, at, n);
        unsigned dirty = bits_clear(ss->dirty, at, n);
        pool->units_dirty -= dirty;
        pool->units_taken += n;
        s = slab_init(pool, ss, at, class, dirty == 0);
    }
    lock_release(&pool->lock);
    return s;
}

/* From now on no pointer into the unit is a block. */
static void slab_forget(struct slab *s)
{
    atomic_store_explicit(&s->span, 0, memory_order_relaxed);
    s->class = NO_CLASS;
}

static void purge_one(struct superslab_pool *pool, struct superslab *ss)
{
    for (unsigned i = 0, n; i < ss->units; i += n) {
        n = 1;
        if (!bit_get(ss->dirty, i))
            continue;
        while (i + n < ss->units && bit_get(ss->dirty, i + n))
            n++;
        os_purge(ss->base + i * UNIT, n * UNIT);
        pool->units_dirty -= bits_clear(ss->dirty, i, n);
    }
}

/* Gives pages of free runs back to the kernel, from the SuperSlabs that are chosen last, until at
 * most `keep` units keep theirs. */
static void purge(struct superslab_pool *pool, uint32_t keep)
{
    struct superslab *ss = pool->list;
    while (ss && ss->next)
        ss = ss->next;
    for (; ss && pool->units_dirty > keep; ss = ss->prev)
        purge_one(pool, ss);
}

void superslab_give(struct slab *s)
{
    unsigned at, class = s->class, n = size_classes[class].units;
    struct superslab_pool *pool = superslab_pool_of(class);
    struct superslab *ss = owner_of(s, &at);
    lock_acquire(&pool->lock);
    for (unsigned i = at; i < at + n; i++)
        slab_forget(&ss->slabs[i]);
    bits_clear(ss->taken, at, n);
    bits_set(ss->dirty, at, n);
    pool->units_dirty += n;
    pool->units_taken -= n;
    if (ss->free_units == 0)
        list_add(pool, ss);
    ss->free_units += n;
    if (ss->free_units == ss->units) {
        pool->empty++;
        if (pool->empty > KEEP_EMPTY + pool->count / 8 && pool->empty > pool->keep_empty) {
            superslab_release(pool, ss);
            stats_class(class, STAT_SS_RELEASED);
        }
    }
    uint32_t keep = KEEP_DIRTY_UNITS + pool->units_taken / 2;
    if (pool->units_dirty > keep)
        purge(pool, keep / 2);
    lock_release(&pool->lock);
}

static bool trim(struct superslab_pool *pool)
{
    bool any = false;
    lock_acquire(&pool->lock);
    for (struct superslab *ss = pool->list, *next; ss; ss = next) {
        next = ss->next;
        if (ss->free_units == ss->units && pool->empty > pool->keep_empty) {
            superslab_release(pool, ss);
            any = true;
        }
    }
    any |= pool->units_dirty > 0;
    purge(pool, 0);
    lock_release(&pool->lock);
    return any;
}

bool superslab_trim(void)
{
    bool tiny = trim(&superslab_tiny), ace = trim(&superslab_ace);
    return tiny || ace;
}

void superslab_lock(void)
{
    lock_acquire(&superslab_tiny.lock);
    lock_acquire(&superslab_ace.lock);
    lock_acquire(&descriptor_lock);
}

void superslab_unlock(void)
{
    lock_release(&descriptor_lock);
    lock_release(&superslab_ace.lock);
    lock_release(&superslab_tiny.lock);
}

void superslab_reset(void)
{
    lock_reset(&descriptor_lock);
    lock_reset(&superslab_ace.lock);
    lock_reset(&superslab_tiny.lock);
}
