#include "tcache.h"

#include "eight.h"
#include "pool.h"
#include "report.h"
#include "stats.h"

#include <pthread.h>

enum state { NEW, STARTING, CACHING, COUNTING, ENDED };

/* The cold half of a thread's cache. */
static __thread struct {
    enum state state;
    struct {
        struct chain spare;
        int32_t cap; /* blocks of a list: list and room together */
    } classes[CLASSES];
    struct eight_cache eights;   /* the class of 8 bytes keeps its blocks here */
    struct bin counted[CLASSES]; /* the lists while everything is counted */
} cold;

__thread struct tcache tcache;

static pthread_key_t end_key;
static bool have_key;

enum { FIRST_CAP = 4 };

static int32_t cap_max(unsigned class)
{
    return (int32_t)size_classes[class].batch;
}

/* The list of a class. Classes that W_MAX closes to some of their sizes keep theirs where the fast
 * path does not see it, which does not know the size. */
static struct bin *bin_of(unsigned class)
{
    bool apart = cold.state == COUNTING || size_classes[class].min_size > 0;
    return apart ? &cold.counted[class] : &tcache.bins[class];
}

/* The setting of the key may itself allocate: meanwhile the thread has no cache. */
static void start(void)
{
    cold.state = STARTING;
    if (have_key)
        pthread_setspecific(end_key, &cold);
    for (unsigned c = 0; c < CLASSES; c++)
        cold.classes[c].cap = FIRST_CAP < cap_max(c) ? FIRST_CAP : cap_max(c);
    cold.state = stats_on ? COUNTING : CACHING;
    for (unsigned c = EIGHT_CLASS + 1; c < CLASSES; c++)
        bin_of(c)->room = cold.classes[c].cap;
}

static bool caching(void)
{
    if (cold.state == NEW)
        start();
    return cold.state == CACHING || cold.state == COUNTING;
}

static void flush_class(unsigned c)
{
    struct bin *bin = bin_of(c);
    unsigned count = (unsigned)(cold.classes[c].cap - bin->room);
    struct chain list = {bin->head, count};
    bin->head = NULL;
    bin->room = cold.classes[c].cap;
    if (count > 0)
        pool_give(c, list);
    if (cold.classes[c].spare.count > 0)
        pool_give(c, cold.classes[c].spare);
    cold.classes[c].spare = (struct chain){NULL, 0};
}

void tcache_flush(void)
{
    if (!caching())
        return;
    eight_flush(&cold.eights, cold.eights.count);
    for (unsigned c = EIGHT_CLASS + 1; c < CLASSES; c++)
        flush_class(c);
}

/* Destructors of other keys may allocate and free after this one: they go to the backend. */
static void thread_ends(void *unused)
{
    (void)unused;
    tcache_flush();
    for (unsigned c = 0; c < CLASSES; c++)
        bin_of(c)->room = 0;
    cold.state = ENDED;
}

void tcache_init(void)
{
    have_key = pthread_key_create(&end_key, thread_ends) == 0;
}

static bool grow(unsigned class, struct bin *bin)
{
    int32_t cap = cold.classes[class].cap, max = cap_max(class);
    int32_t grown = 2 * cap < max ? 2 * cap : max;
    cold.classes[class].cap = grown;
    bin->room += grown - cap;
    return grown > cap;
}

/* Fills an empty list; false when the pool has nothing. */
static bool refill(unsigned class, struct bin *bin)
{
    struct chain chain = cold.classes[class].spare;
    if (chain.count > 0) {
        cold.classes[class].spare = (struct chain){NULL, 0};
    } else {
        chain = pool_take(class, (unsigned)cold.classes[class].cap);
        if (chain.count == 0)
            return false;
        stats_class(class, STAT_REFILLS);
        grow(class, bin);
    }
    bin->head = chain.head;
    bin->room = cold.classes[class].cap - (int32_t)chain.count;
    return true;
}

/* A list of which the first block is damaged cannot be followed: it is given up. */
static void give_up_list(unsigned class, struct bin *bin)
{
    report_corruption(bin->head, class, size_classes[class].size);
    bin->head = NULL;
    bin->room = cold.classes[class].cap;
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
    struct eight_cache *c = &cold.eights;
    bool keep = caching(), hit = c->count > 0;
    if (!hit) {
        if (!eight_refill(c))
            return NULL;
        stats_class(EIGHT_CLASS, STAT_REFILLS);
    }
    uint64_t *b = c->blocks[--c->count];
    if (!eight_is_free(b)) {
        report_corruption_word(b, EIGHT_CLASS, 8);
        return eight_alloc();
    }
    *b = 0;
    count_alloc(EIGHT_CLASS, hit);
    if (!keep)
        eight_flush(c, c->count);
    return b;
}

static void eight_free(uint64_t *b)
{
    struct eight_cache *c = &cold.eights;
    stats_total(TOTAL_MAP_LOOKUPS);
    if (stats_on)
        stats_class(EIGHT_CLASS, STAT_FREES);
    if (c->count == EIGHT_KEPT) {
        stats_class(EIGHT_CLASS, STAT_FLUSHES);
        eight_flush(c, EIGHT_KEPT / 2);
    }
    eight_set_free(b);
    c->blocks[c->count++] = b;
    if (!caching())
        eight_flush(c, c->count);
}

void *tcache_alloc_slow(unsigned class)
{
    if (class == EIGHT_CLASS)
        return eight_alloc();
    if (!caching()) {
        struct chain one = pool_take(class, 1);
        if (one.head) {
            stats_class(class, STAT_REFILLS);
            block_set_used(one.head);
            count_alloc(class, false);
        }
        return one.head;
    }
    struct bin *bin = bin_of(class);
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
    bin->room++;
    block_set_used(b);
    count_alloc(class, hit);
    return b;
}

struct slab *tcache_find_slow(const void *ptr, const char *call)
{
    struct slab *s;
    stats_total(TOTAL_MAP_LOOKUPS);
    switch (pool_judge(ptr, &s)) {
    case POOL_OK:
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

/* Makes room in a full list: longer, or aside as the spare, or the old spare to the backend. */
static void make_room(unsigned class, struct bin *bin)
{
    if (grow(class, bin))
        return;
    struct chain list = {bin->head, (unsigned)(cold.classes[class].cap - bin->room)};
    if (cold.classes[class].spare.count > 0) {
        stats_class(class, STAT_FLUSHES);
        pool_give(class, cold.classes[class].spare);
    }
    cold.classes[class].spare = list;
    bin->head = NULL;
    bin->room = cold.classes[class].cap;
}

/* Whether ptr is certainly a block in use of 8 bytes. */
static bool eight_in_use(const void *ptr)
{
    const struct slab *s = ss_map_lookup(ptr);
    if (!s || s->class != EIGHT_CLASS || (uintptr_t)ptr % 8 != 0)
        return false;
    uintptr_t low = atomic_load_explicit(&s->low, memory_order_relaxed);
    return (uintptr_t)ptr - low < atomic_load_explicit(&s->span, memory_order_relaxed) &&
           !eight_is_free(ptr);
}

bool tcache_free_slow(void *ptr, const char *call)
{
    if (eight_in_use(ptr)) {
        eight_free(ptr);
        return true;
    }
    struct slab *s = tcache_find_slow(ptr, call);
    if (!s)
        return false;
    unsigned class = s->class;
    if (stats_on)
        stats_class(class, STAT_FREES);
    if (!caching()) {
        block_set_free(ptr, NULL);
        pool_give(class, (struct chain){ptr, 1});
        return true;
    }
    struct bin *bin = bin_of(class);
    if (bin->room <= 0)
        make_room(class, bin);
    bin->room--;
    block_set_free(ptr, bin->head);
    bin->head = ptr;
    return true;
}
