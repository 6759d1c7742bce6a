#include "ss_map.h"

#include "lock.h"
#include "log.h"
#include "options.h"
#include "os.h"

/*
 * An open hash table with one entry for each granule of 512 KiB, home by the low bits of the
 * granule's number: neighbours in memory are neighbours here and do not collide. Readers take no
 * lock. An entry's record pointer is stored before its key and stays while the SuperSlab does; a
 * forgotten entry keeps its place. When the table is half full, a larger one takes over; readers
 * may still hold the old one, which therefore stays mapped.
 */
#define FIRST_SIZE 2048
#define FORGOTTEN UINTPTR_MAX

static struct ss_map_entry first[FIRST_SIZE];
static struct ss_map_table first_table = {first, FIRST_SIZE - 1};
/* Before the first SuperSlab. */
static struct ss_map_entry none[2] = {{FORGOTTEN, NULL}, {0, NULL}};
static struct ss_map_table no_table = {none, 1};
_Atomic(struct ss_map_table *) ss_map_current = &no_table;

static struct lock the_lock;
static size_t filled = 1, live;

/* The entry of a registered granule. */
static struct ss_map_entry *entry_of(struct ss_map_table *t, uintptr_t granule)
{
    size_t i = granule & t->mask;
    while (atomic_load_explicit(&t->entries[i].granule, memory_order_relaxed) != granule)
        i = (i + 1) & t->mask;
    return &t->entries[i];
}

/* Where a granule that is not registered goes. */
static struct ss_map_entry *place(struct ss_map_table *t, uintptr_t granule)
{
    size_t i = granule & t->mask;
    for (;; i = (i + 1) & t->mask) {
        uintptr_t key = atomic_load_explicit(&t->entries[i].granule, memory_order_relaxed);
        if (key == 0 || key == FORGOTTEN)
            return &t->entries[i];
    }
}

static void put(struct ss_map_table *t, uintptr_t granule, struct slab *slabs)
{
    struct ss_map_entry *e = place(t, granule);
    filled += atomic_load_explicit(&e->granule, memory_order_relaxed) == 0;
    live++;
    atomic_store_explicit(&e->slabs, slabs, memory_order_relaxed);
    atomic_store_explicit(&e->granule, granule, memory_order_release);
}

/* Makes room for n more entries; false when there is no memory. */
static bool reserve(size_t n)
{
    struct ss_map_table *old = atomic_load_explicit(&ss_map_current, memory_order_relaxed);
    if (filled + n <= (old->mask + 1) / 2)
        return true;
    size_t size = FIRST_SIZE;
    while (size < 4 * (live + n))
        size *= 2;
    struct ss_map_table *t = &first_table;
    if (old != &no_table) {
        t = os_map(os_round(sizeof *t + size * sizeof *t->entries));
        if (!t)
            return false;
        t->entries = (struct ss_map_entry *)(t + 1);
    }
    t->mask = size - 1;
    atomic_store_explicit(&t->entries[0].granule, FORGOTTEN, memory_order_relaxed);
    filled = 1;
    live = 0;
    for (size_t i = 0; i <= old->mask; i++) {
        uintptr_t key = atomic_load_explicit(&old->entries[i].granule, memory_order_relaxed);
        if (key != 0 && key != FORGOTTEN)
            put(t, key, atomic_load_explicit(&old->entries[i].slabs, memory_order_relaxed));
    }
    atomic_store_explicit(&ss_map_current, t, memory_order_release);
    return true;
}

#ifdef NDEBUG
static void trace(const char *event, const void *ptr, const struct slab *slab)
{
    (void)event, (void)ptr, (void)slab;
}
#else
void ss_map_trace(const char *event, const void *ptr, const struct slab *slab)
{
    if (option(OPT_SS_MAP_TRACE))
        log_line("[SS_MAP_%s] ptr=%p slab=%p", event, ptr, (const void *)slab);
}
#define trace ss_map_trace
#endif

bool ss_map_add(struct superslab *ss)
{
    lock_acquire(&the_lock);
    size_t n = ss->units / GRANULE_UNITS;
    bool ok = reserve(n);
    struct ss_map_table *t = atomic_load_explicit(&ss_map_current, memory_order_relaxed);
    for (size_t i = 0; ok && i < n; i++)
        put(t, ((uintptr_t)ss->base >> GRANULE_SHIFT) + i, &ss->slabs[i * GRANULE_UNITS]);
    lock_release(&the_lock);
    trace("ADD", ss->base, ss->slabs);
    return ok;
}

/* An entry is forgotten: never used again when nothing can lie behind it, and so are those before
 * it that were kept for its sake. Else a process that maps and unmaps for ever would need ever new
 * tables. */
static void forget(struct ss_map_table *t, struct ss_map_entry *e)
{
    atomic_store_explicit(&e->granule, FORGOTTEN, memory_order_release);
    live--;
    size_t i = (size_t)(e - t->entries);
    if (atomic_load_explicit(&t->entries[(i + 1) & t->mask].granule, memory_order_relaxed) != 0)
        return;
    while (i > 0 &&
           atomic_load_explicit(&t->entries[i].granule, memory_order_relaxed) == FORGOTTEN) {
        atomic_store_explicit(&t->entries[i].granule, 0, memory_order_release);
        filled--;
        i--;
    }
}

void ss_map_remove(struct superslab *ss)
{
    trace("REMOVE", ss->base, ss->slabs);
    lock_acquire(&the_lock);
    struct ss_map_table *t = atomic_load_explicit(&ss_map_current, memory_order_relaxed);
    for (size_t i = 0; i < ss->units / GRANULE_UNITS; i++)
        forget(t, entry_of(t, ((uintptr_t)ss->base >> GRANULE_SHIFT) + i));
    lock_release(&the_lock);
}

struct slab *ss_map_probe(const void *ptr)
{
    struct ss_map_table *t = atomic_load_explicit(&ss_map_current, memory_order_acquire);
    uintptr_t granule = (uintptr_t)ptr >> GRANULE_SHIFT;
    for (size_t i = granule & t->mask;; i = (i + 1) & t->mask) {
        uintptr_t key = atomic_load_explicit(&t->entries[i].granule, memory_order_acquire);
        if (key == granule && key != 0)
            return atomic_load_explicit(&t->entries[i].slabs, memory_order_relaxed) +
                   ((uintptr_t)ptr >> UNIT_SHIFT) % GRANULE_UNITS;
        if (key == 0)
            return NULL;
    }
}

void ss_map_lock(void)
{
    lock_acquire(&the_lock);
}

void ss_map_unlock(void)
{
    lock_release(&the_lock);
}

void ss_map_reset(void)
{
    lock_reset(&the_lock);
}
