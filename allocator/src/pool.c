#include "pool.h"

#include "counters.h"
#include "eight.h"
#include "options.h"
#include "os.h"
#include "report.h"
#include "ss_map.h"
#include "stats.h"

#include <assert.h>
#include <errno.h>

/* A depot holds so many chains, and no more than so many bytes. */
enum { DEPOT_MAX = 16, DEPOT_BYTES = 256 << 10, WINDOW = 32 };
/* After so many gives without a take the program is taken to free for good: what the depot holds
 * goes back too, because each of its blocks keeps a slab from being returned. */
enum { FOR_GOOD = 2 * DEPOT_MAX };
/* Bytes of a batch from which on a slab is populated. */
enum { POPULATE_FROM = 16 << 10 };

struct class_pool {
    struct lock lock;
    struct slab *partial;
    unsigned long long free_blocks;
    unsigned long long used; /* blocks outside of slabs: in use, in caches, in the depot */
    unsigned chains, cap;    /* of the depot; cap 0 is not set yet */
    unsigned takes, hits;    /* of the depot, in this window */
    unsigned lowest;         /* chains that were never needed in this window */
    unsigned gives;          /* in a row, without a take */
    struct chain depot[DEPOT_MAX];
} __attribute__((aligned(64)));
static struct class_pool pools[CLASSES];

#ifndef NDEBUG
/* What must be true of a slab whenever it is not being changed; of its free blocks, the first ones
 * are looked at, up to one that the program wrote over. */
static bool slab_is_valid(const struct slab *s)
{
    const struct size_class *k = &size_classes[s->class];
    uint32_t span = atomic_load_explicit(&s->span, memory_order_relaxed);
    uintptr_t low = atomic_load_explicit(&s->low, memory_order_relaxed);
    uintptr_t memory = (uintptr_t)superslab_memory(s);
    unsigned listed = 0;
    for (const struct block *b = s->free; listed < s->free_count && listed < 64 && block_is_free(b);
         b = block_next(b), listed++)
        if ((uintptr_t)b - low >= span || ((uintptr_t)b - memory) % k->size != 0)
            return false;
    return s->unit == 0 && span % k->size == 0 && low >= memory &&
           low + span <= memory + (size_t)k->capacity * k->size &&
           s->used + s->free_count == span / k->size;
}
#endif

static void list_add(struct class_pool *p, struct slab *s)
{
    s->prev = NULL;
    s->next = p->partial;
    if (s->next)
        s->next->prev = s;
    p->partial = s;
}

static void list_remove(struct class_pool *p, struct slab *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        p->partial = s->next;
    if (s->next)
        s->next->prev = s->prev;
}

static unsigned carved(const struct slab *s)
{
    return atomic_load_explicit(&s->span, memory_order_relaxed) / size_classes[s->class].size;
}

static bool exhausted(const struct slab *s)
{
    return s->free_count == 0 && carved(s) == size_classes[s->class].capacity;
}

/* All records of a slab say the same about what was handed out. */
static void set_window(struct slab *s, uintptr_t low, size_t span)
{
    for (unsigned i = 0; i < size_classes[s->class].units; i++) {
        atomic_store_explicit(&s[i].low, low, memory_order_relaxed);
        atomic_store_explicit(&s[i].span, (uint32_t)span, memory_order_relaxed);
    }
}

/* A slab whose blocks leave by the batch gets all its pages at once; one of which a few are asked
 * takes a page when it needs it. */
static void populate(struct slab *s, unsigned n)
{
    const struct size_class *k = &size_classes[s->class];
    if (!s->fresh || k->size > OS_PAGE || n * k->size < POPULATE_FROM)
        return;
    s->fresh = false;
    os_populate(superslab_memory(s), k->units * UNIT);
}

/* Hands out up to n blocks for the first time, as a list before `next`. */
static unsigned carve(struct slab *s, unsigned n, struct block **head)
{
    const struct size_class *k = &size_classes[s->class];
    uintptr_t memory = (uintptr_t)superslab_memory(s);
    uintptr_t low = atomic_load_explicit(&s->low, memory_order_relaxed);
    size_t span = atomic_load_explicit(&s->span, memory_order_relaxed);
    uintptr_t end = memory + (size_t)k->capacity * k->size, from;
    unsigned left = (unsigned)((end - low - span) / k->size);
    if (left > 0) {
        n = n < left ? n : left;
        from = low + span;
    } else {
        left = (unsigned)((low - memory) / k->size);
        n = n < left ? n : left;
        from = low = low - (size_t)n * k->size;
    }
    set_window(s, low, span + (size_t)n * k->size);
    populate(s, n);
    struct block *next = *head;
    for (unsigned i = n; i-- > 0;) {
        struct block *b = (struct block *)(from + (size_t)i * k->size);
        block_set_free(b, next);
        next = b;
    }
    *head = next;
    s->used += n;
    return n;
}

/* Takes up to n blocks off the slab's free list, as a list before *head. The slab is whole when
 * damage is reported: the program's handler may allocate from it. */
static unsigned unlink_free(struct slab *s, unsigned n, struct block **head)
{
    unsigned taken = 0;
    while (taken < n && s->free_count > 0) {
        struct block *b = s->free;
        if (!block_is_free(b)) {
            s->free = NULL;
            s->used += s->free_count;
            s->free_count = 0;
            report_corruption(b, s->class, size_classes[s->class].size);
            break;
        }
        s->free = block_next(b);
        s->free_count--;
        s->used++;
        block_set_free(b, *head);
        *head = b;
        taken++;
    }
    return taken;
}

static void dismantle(struct class_pool *p, unsigned class, struct chain chain);

static unsigned depot_max(unsigned class)
{
    unsigned n = DEPOT_BYTES / (size_classes[class].batch * size_classes[class].size);
    return n > DEPOT_MAX ? DEPOT_MAX : n;
}

static struct chain depot_pop(struct class_pool *p)
{
    struct chain chain = p->depot[--p->chains];
    p->free_blocks -= chain.count;
    if (p->chains < p->lowest)
        p->lowest = p->chains;
    return chain;
}

/* At the end of each window of takes: a depot that missed often grows, and one that never came
 * down to half of itself shrinks. */
static void adapt(struct class_pool *p, unsigned class)
{
    if (++p->takes < WINDOW)
        return;
    unsigned max = depot_max(class);
    if (p->hits < WINDOW * 3 / 4 && p->cap < max) {
        p->cap = 2 * p->cap < max ? 2 * p->cap : max;
        counter_add(COUNT_ACE_GROWN, class >= TINY_CLASSES);
    } else if (p->hits == WINDOW && p->cap > 1 && p->lowest > p->cap / 2) {
        p->cap /= 2;
        counter_add(COUNT_ACE_SHRUNK, class >= TINY_CLASSES);
        while (p->chains > p->cap)
            dismantle(p, class, depot_pop(p));
    }
    p->takes = p->hits = 0;
    p->lowest = p->chains;
}

static struct chain take_from_slabs(struct class_pool *p, unsigned class, unsigned want)
{
    struct chain chain = {NULL, 0};
    while (chain.count < want) {
        struct slab *s = p->partial;
        if (!s) {
            if (chain.count > 0 || !(s = superslab_take(class)))
                break;
            stats_class(class, STAT_SLABS_TAKEN);
            list_add(p, s);
        }
        assert(slab_is_valid(s));
        unsigned freed = unlink_free(s, want - chain.count, &chain.head);
        unsigned n = freed + carve(s, want - chain.count - freed, &chain.head);
        p->free_blocks -= freed;
        chain.count += n;
        if (exhausted(s))
            list_remove(p, s);
    }
    p->used += chain.count;
    return chain;
}

void pool_take(unsigned class, unsigned want, struct chain *out)
{
    struct class_pool *p = &pools[class];
    lock_acquire(&p->lock);
    p->gives = 0;
    if (p->chains > 0 && (want > 1 || size_classes[class].batch == 1)) {
        *out = depot_pop(p);
        p->hits++;
    } else {
        unsigned long long cap =
            class < TINY_CLASSES ? 0 : (unsigned long long)option(OPT_ACE_POOL_CAP);
        if (cap > 0 && p->used + want > cap)
            want = p->used < cap ? (unsigned)(cap - p->used) : 0;
        *out = take_from_slabs(p, class, want);
        if (want == 0)
            errno = EAGAIN;
    }
    adapt(p, class);
    lock_release(&p->lock);
}

static void give_one(struct class_pool *p, unsigned class, struct block *b)
{
    struct slab *s = ss_map_lookup(b);
    s -= s->unit;
    assert(s->used > 0 && s->class == class);
    if (exhausted(s))
        list_add(p, s);
    block_set_free(b, s->free);
    s->free = b;
    s->free_count++;
    p->free_blocks++;
    p->used--;
    if (--s->used == 0 && (s->prev || s->next || size_classes[class].size >= LARGE_MIN)) {
        list_remove(p, s);
        p->free_blocks -= s->free_count;
        stats_class(class, STAT_SLABS_RELEASED);
        superslab_give(s);
    }
}

static void dismantle(struct class_pool *p, unsigned class, struct chain chain)
{
    for (struct block *b = chain.head; chain.count > 0; chain.count--) {
        if (!block_is_free(b)) {
            report_corruption(b, class, size_classes[class].size);
            return;
        }
        struct block *next = block_next(b);
        give_one(p, class, b);
        b = next;
    }
}

bool pool_give(unsigned class, struct chain *chain)
{
    struct class_pool *p = &pools[class];
    lock_acquire(&p->lock);
    if (p->cap == 0 && depot_max(class) > 0)
        p->cap = 1;
    bool for_good = ++p->gives > FOR_GOOD;
    if (for_good && p->chains > 0)
        dismantle(p, class, depot_pop(p));
    if (!for_good && (chain->count > 1 || size_classes[class].batch == 1) && p->chains < p->cap) {
        p->depot[p->chains++] = *chain;
        p->free_blocks += chain->count;
    } else {
        dismantle(p, class, *chain);
    }
    *chain = (struct chain){NULL, 0};
    lock_release(&p->lock);
    return for_good;
}

bool pool_holds(const struct slab *slab, const void *ptr)
{
    struct class_pool *p = &pools[slab->class];
    bool found;
    lock_acquire(&p->lock);
    found = chain_has((struct chain){slab->free, slab->free_count}, ptr);
    for (unsigned i = 0; i < p->chains && !found; i++)
        found = chain_has(p->depot[i], ptr);
    lock_release(&p->lock);
    return found;
}

unsigned pool_prewarm(unsigned class, unsigned count)
{
    struct class_pool *p = &pools[class];
    unsigned got = 0;
    if (class == EIGHT_CLASS)
        return 0;
    lock_acquire(&p->lock);
    for (struct slab *s; got < count && (s = superslab_take(class)); got++) {
        stats_class(class, STAT_SLABS_TAKEN);
        list_add(p, s);
    }
    lock_release(&p->lock);
    return got;
}

struct pool_sums pool_sums(void)
{
    struct pool_sums sums = {(size_t)eight_used() * 8, 0};
    for (unsigned c = 0; c < CLASSES; c++) {
        lock_acquire(&pools[c].lock);
        sums.used += (size_t)pools[c].used * size_classes[c].size;
        sums.free += (size_t)pools[c].free_blocks * size_classes[c].size;
        lock_release(&pools[c].lock);
    }
    return sums;
}

void pool_drain(void)
{
    for (unsigned c = 0; c < CLASSES; c++) {
        struct class_pool *p = &pools[c];
        lock_acquire(&p->lock);
        while (p->chains > 0)
            dismantle(p, c, depot_pop(p));
        lock_release(&p->lock);
    }
}

/* What was handed out of the slab, read when nobody changes it. */
static void window(const struct slab *s, unsigned class, uintptr_t *low, uint32_t *span)
{
    if (class == EIGHT_CLASS)
        eight_lock();
    else
        lock_acquire(&pools[class].lock);
    *low = atomic_load_explicit(&s->low, memory_order_relaxed);
    *span = atomic_load_explicit(&s->span, memory_order_relaxed);
    if (class == EIGHT_CLASS)
        eight_unlock();
    else
        lock_release(&pools[class].lock);
}

enum pool_verdict pool_judge(const void *ptr, struct slab **slab)
{
    struct slab *s = ss_map_lookup(ptr);
    if (!s || s->class == NO_CLASS)
        return s ? POOL_NEVER : POOL_FOREIGN;
    unsigned class = s->class;
    *slab = s - s->unit;
    uintptr_t low;
    uint32_t span;
    window(s, class, &low, &span);
    if (((uintptr_t)ptr - (uintptr_t)superslab_memory(*slab)) % size_classes[class].size != 0)
        return POOL_INSIDE;
    if ((uintptr_t)ptr - low >= span)
        return POOL_NEVER;
    bool is_free = class == EIGHT_CLASS ? eight_is_free(ptr) : block_is_free(ptr);
    return is_free ? POOL_FREE : POOL_OK;
}

unsigned long long pool_free_blocks(unsigned class)
{
    lock_acquire(&pools[class].lock);
    unsigned long long n = pools[class].free_blocks;
    lock_release(&pools[class].lock);
    return n;
}

void pool_lock(void)
{
    eight_lock();
    for (unsigned c = 0; c < CLASSES; c++)
        lock_acquire(&pools[c].lock);
    superslab_lock();
}

void pool_unlock(void)
{
    superslab_unlock();
    for (unsigned c = CLASSES; c-- > 0;)
        lock_release(&pools[c].lock);
    eight_unlock();
}

void pool_reset(void)
{
    superslab_reset();
    eight_reset();
    for (unsigned c = 0; c < CLASSES; c++)
        lock_reset(&pools[c].lock);
}
