#include "tcache.h"

#include "eight.h"
#include "pool.h"
#include "report.h"
#include "stats.h"

/* Blocks of a list while the program frees for good. */
enum { SHORT = 32 };

static bool grow(unsigned class, struct bin *bin)
{
    int32_t cap = thread_cache->classes[class].cap, max = (int32_t)size_classes[class].batch;
    int32_t grown = 2 * cap < max ? 2 * cap : max;
    thread_cache->classes[class].cap = grown;
    bin->room += grown - cap;
    return grown > cap;
}

/* Fills an empty list by way of the spare; false when the pool has nothing. */
static bool refill(unsigned class, struct bin *bin)
{
    struct chain *spare = &thread_cache->classes[class].spare;
    if (spare->count == 0) {
        thread_cache_adopt(class);
        pool_take(class, (unsigned)thread_cache->classes[class].cap, spare);
        if (spare->count == 0)
            return false;
        stats_class(class, STAT_REFILLS);
        thread_cache->classes[class].for_good = false;
        grow(class, bin);
    }
    bin->head = spare->head;
    bin->room = thread_cache->classes[class].cap - (int32_t)spare->count;
    thread_cache_step();
    *spare = (struct chain){NULL, 0};
    return true;
}

/* A list of which the first block is damaged cannot be followed: it is given up. */
static void give_up_list(unsigned class, struct bin *bin)
{
    struct block *damaged = bin->head;
    bin->head = NULL;
    bin->room = thread_cache->classes[class].cap;
    report_corruption(damaged, class, size_classes[class].size);
}

static void count_alloc(unsigned class, bool hit)
{
    if (!stats_on)
        return;
    stats_class(class, STAT_ALLOCS);
    if (hit)
        stats_class(class, STAT_HITS);
}

static void *eight_alloc(void)
{
    struct eight_cache none = {0};
    struct eight_cache *c = thread_cache_on() ? &thread_cache->eights : &none;
    bool hit = c->count > 0;
    if (!hit) {
        thread_cache_adopt(EIGHT_CLASS);
        if (!eight_refill(c))
            return NULL;
        stats_class(EIGHT_CLASS, STAT_REFILLS);
    }
    uint64_t *b = eight_pop(c);
    if (!b)
        return eight_alloc();
    count_alloc(EIGHT_CLASS, hit);
    if (c == &none)
        eight_flush(c, c->count);
    return b;
}

static void eight_free(uint64_t *b)
{
    struct eight_cache none = {0};
    struct eight_cache *c = thread_cache_on() ? &thread_cache->eights : &none;
    stats_total(TOTAL_MAP_LOOKUPS);
    if (stats_on)
        stats_class(EIGHT_CLASS, STAT_FREES);
    if (c->count == EIGHT_KEPT) {
        stats_class(EIGHT_CLASS, STAT_FLUSHES);
        eight_flush(c, EIGHT_KEPT / 2);
    }
    eight_push(c, b);
    if (c == &none)
        eight_flush(c, c->count);
}

void *tcache_alloc_slow(unsigned class)
{
    if (class == EIGHT_CLASS)
        return eight_alloc();
    if (!thread_cache_on()) {
        struct chain one;
        pool_take(class, 1, &one);
        if (one.head) {
            stats_class(class, STAT_REFILLS);
            block_set_used(one.head);
            count_alloc(class, false);
        }
        return one.head;
    }
    struct bin *bin = thread_cache_bin(class);
    if (bin->head && !block_is_free(bin->head))
        give_up_list(class, bin);
    bool hit = bin->head != NULL;
    if (!hit && !refill(class, bin))
        return NULL;
    struct block *b = bin->head;
    if (!block_is_free(b)) {
        give_up_list(class, bin);
        return tcache_alloc_slow(class);
    }
    bin->head = block_next(b);
    thread_cache_step();
    bin->room++;
    block_set_used(b);
    count_alloc(class, hit);
    return b;
}

/* Whether a word of a free block of the class would tell this. */
static bool could_follow(unsigned class, const struct block *next)
{
    if (!next)
        return true;
    if ((uintptr_t)next >> BLOCK_ADDRESS_BITS != 0)
        return false;
    struct slab *s = ss_map_lookup(next);
    return s && s->class == class &&
           ((uintptr_t)next - (uintptr_t)superslab_memory(s - s->unit)) %
                   size_classes[class].size ==
               0;
}

/* Whether a block that does not look free is in a list all the same, because it was written to
 * after it was freed. What is first in a list of this thread is found for certain; the others while
 * one of the two words tells of a block, and no other thread keeps them. */
static bool free_but_written(const struct slab *s, const void *ptr)
{
    unsigned class = s->class;
    if (class == EIGHT_CLASS)
        return thread_cache && eight_kept(&thread_cache->eights, ptr);
    struct chain list = {NULL, 0}, spare = {NULL, 0};
    if (thread_cache) {
        const struct bin *bin = thread_cache_bin(class);
        list = (struct chain){bin->head, (unsigned)(thread_cache->classes[class].cap - bin->room)};
        spare = thread_cache->classes[class].spare;
    }
    if (list.head == ptr || spare.head == ptr)
        return true;
    if (!could_follow(class, block_next(ptr)) && !could_follow(class, block_next_by_mark(ptr)))
        return false;
    return chain_has(list, ptr) || chain_has(spare, ptr) || pool_holds(s, ptr);
}

struct slab *tcache_find_slow(const void *ptr, const char *call)
{
    struct slab *s;
    stats_total(TOTAL_MAP_LOOKUPS);
    switch (pool_judge(ptr, &s)) {
    case POOL_OK:
        if (free_but_written(s, ptr))
            report_double_free(call, ptr, size_classes[s->class].size);
        return s;
    case POOL_INSIDE:
        report_interior(call, ptr, size_classes[s->class].size);
    case POOL_NEVER:
        report_never(call, ptr);
    case POOL_FREE:
        report_double_free(call, ptr, size_classes[s->class].size);
    case POOL_FOREIGN:
        break;
    }
    return NULL;
}

/* A list is shorter while the program frees for good: whatever is left in it at the end holds a
 * slab back for each block. */
static void set_for_good(unsigned class, struct bin *bin, bool for_good)
{
    int32_t batch = (int32_t)size_classes[class].batch;
    thread_cache->classes[class].for_good = for_good;
    if (for_good)
        thread_cache->classes[class].cap = batch < SHORT ? batch : SHORT;
    bin->room = thread_cache->classes[class].cap;
}

/* Makes room in a full list: longer, or aside as the spare, or the old spare to the backend. */
static void make_room(unsigned class, struct bin *bin)
{
    struct chain *spare = &thread_cache->classes[class].spare;
    bool for_good = thread_cache->classes[class].for_good;
    if (!for_good && grow(class, bin))
        return;
    if (spare->count > 0) {
        stats_class(class, STAT_FLUSHES);
        for_good = pool_give(class, spare);
    }
    *spare = (struct chain){bin->head, (unsigned)(thread_cache->classes[class].cap - bin->room)};
    thread_cache_step();
    bin->head = NULL;
    if (for_good) {
        stats_class(class, STAT_FLUSHES);
        for_good = pool_give(class, spare);
    }
    set_for_good(class, bin, for_good);
}

/* Whether ptr is certainly a block in use of 8 bytes. */
static bool eight_in_use(const void *ptr)
{
    const struct slab *s = ss_map_lookup(ptr);
    if (!s || s->class != EIGHT_CLASS || (uintptr_t)ptr % 8 != 0)
        return false;
    uintptr_t low = atomic_load_explicit(&s->low, memory_order_relaxed);
    return (uintptr_t)ptr - low < atomic_load_explicit(&s->span, memory_order_relaxed) &&
           !eight_is_free(ptr) && !(thread_cache && eight_kept(&thread_cache->eights, ptr));
}

/* Most blocks come here for want of room alone, and need no lock to be known. */
static struct slab *find_to_free(const void *ptr, const char *call)
{
    struct slab *s = tcache_find(ptr);
    if (!s || !thread_cache || thread_cache_bin(s->class)->head == ptr ||
        thread_cache->classes[s->class].spare.head == ptr)
        return tcache_find_slow(ptr, call);
    stats_total(TOTAL_MAP_LOOKUPS);
    return s;
}

bool tcache_free_slow(void *ptr, const char *call)
{
    if (eight_in_use(ptr)) {
        eight_free(ptr);
        return true;
    }
    struct slab *s = find_to_free(ptr, call);
    if (!s)
        return false;
    unsigned class = s->class;
    if (stats_on)
        stats_class(class, STAT_FREES);
    if (!thread_cache_on()) {
        struct chain one = {ptr, 1};
        block_set_free(ptr, NULL);
        pool_give(class, &one);
        return true;
    }
    struct bin *bin = thread_cache_bin(class);
    if (bin->room <= 0)
        make_room(class, bin);
    bin->room--;
    block_set_free(ptr, bin->head);
    thread_cache_step();
    bin->head = ptr;
    return true;
}
