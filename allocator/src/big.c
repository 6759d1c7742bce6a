#include "big.h"

#include "counters.h"
#include "lock.h"
#include "os.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct entry {
    uintptr_t addr; /* 0 never used, DELETED given back */
    size_t len;
};
#define DELETED ((uintptr_t)1)

static struct lock the_lock;

/* Open addressing with linear probing, at most half full. */
static struct {
    struct entry *slots;
    size_t size, filled, live;
} table;

static size_t home(uintptr_t addr)
{
    return (size_t)((addr / OS_PAGE) * 0x9E3779B97F4A7C15u >> 20) & (table.size - 1);
}

static struct entry *find(uintptr_t addr)
{
    if (!table.slots || addr <= DELETED)
        return NULL;
    for (size_t i = home(addr);; i = (i + 1) & (table.size - 1)) {
        if (table.slots[i].addr == addr)
            return &table.slots[i];
        if (table.slots[i].addr == 0)
            return NULL;
    }
}

static void insert(uintptr_t addr, size_t len)
{
    size_t i = home(addr);
    while (table.slots[i].addr > DELETED)
        i = (i + 1) & (table.size - 1);
    table.filled += table.slots[i].addr == 0;
    table.slots[i] = (struct entry){addr, len};
    table.live++;
}

static void remove_entry(struct entry *e)
{
    *e = (struct entry){DELETED, 0};
    table.live--;
}

/* Makes room for one more; false when there is no memory. */
static bool reserve(void)
{
    if (table.filled + 1 <= table.size / 2)
        return true;
    struct entry *old = table.slots;
    size_t old_size = table.size;
    size_t size = OS_PAGE / sizeof *old;
    while (size < 4 * (table.live + 1))
        size *= 2;
    struct entry *slots = os_map(size * sizeof *slots);
    if (!slots)
        return false;
    table.slots = slots;
    table.size = size;
    table.filled = table.live = 0;
    for (size_t i = 0; i < old_size; i++)
        if (old[i].addr > DELETED)
            insert(old[i].addr, old[i].len);
    if (old)
        os_unmap(old, old_size * sizeof *old);
    return true;
}

/* --- mappings kept for reuse, the latest last ------------------------------------------------ */

enum { CACHE_MAX = 8 };
#define CACHE_BYTES ((size_t)32 << 20)

static struct entry cache[CACHE_MAX];
static unsigned cached;
static size_t cached_bytes;

static struct entry cache_remove(unsigned i)
{
    struct entry e = cache[i];
    cached--;
    cached_bytes -= e.len;
    for (; i < cached; i++)
        cache[i] = cache[i + 1];
    return e;
}

/* A kept mapping of len bytes or up to an eighth more; addr 0 without one. */
static struct entry cache_take(size_t len, size_t align)
{
    for (unsigned i = cached; i-- > 0;)
        if (cache[i].len >= len && cache[i].len - len <= len / 8 && cache[i].addr % align == 0)
            return cache_remove(i);
    return (struct entry){0, 0};
}

/* Keeps e; what has to go for it is unmapped, the oldest first. */
static void cache_put(struct entry e)
{
    while (cached > 0 && (cached == CACHE_MAX || cached_bytes + e.len > CACHE_BYTES)) {
        struct entry old = cache_remove(0);
        os_unmap((void *)old.addr, old.len);
    }
    cache[cached++] = e;
    cached_bytes += e.len;
}

bool big_trim(void)
{
    lock_acquire(&the_lock);
    bool any = cached > 0;
    while (cached > 0) {
        struct entry e = cache_remove(cached - 1);
        os_unmap((void *)e.addr, e.len);
    }
    lock_release(&the_lock);
    return any;
}

/* --- blocks --------------------------------------------------------------------------------- */

static struct entry map_new(size_t len, size_t align)
{
    void *p = align <= OS_PAGE ? os_map(len) : os_map_aligned(len, align);
    return (struct entry){(uintptr_t)p, len};
}

void *big_alloc(size_t size, size_t align, bool zeroed)
{
    size_t len = os_round(size ? size : 1);
    if (len == 0 || size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    lock_acquire(&the_lock);
    struct entry e = reserve() ? cache_take(len, align) : (struct entry){0, 0};
    bool reused = e.addr != 0;
    if (!reused) {
        lock_release(&the_lock);
        e = map_new(len, align);
        lock_acquire(&the_lock);
    }
    if (e.addr != 0 && !reserve()) {
        os_unmap((void *)e.addr, e.len);
        e.addr = 0;
    }
    if (e.addr != 0)
        insert(e.addr, e.len);
    lock_release(&the_lock);
    if (e.addr == 0) {
        errno = ENOMEM;
        return NULL;
    }
    counter_add(COUNT_BIG_CACHED, reused);
    return reused && zeroed ? memset((void *)e.addr, 0, size) : (void *)e.addr;
}

enum big_verdict big_free(void *ptr, size_t *size)
{
    enum big_verdict verdict = BIG_FOREIGN;
    struct entry out = {0, 0};
    lock_acquire(&the_lock);
    struct entry *e = find((uintptr_t)ptr);
    if (e) {
        out = *e;
        remove_entry(e);
        verdict = BIG_OK;
        if (out.len <= CACHE_BYTES) {
            cache_put(out);
            out.addr = 0;
        }
    }
    for (unsigned i = 0; i < cached && verdict == BIG_FOREIGN; i++)
        if (cache[i].addr == (uintptr_t)ptr) {
            *size = cache[i].len;
            verdict = BIG_FREE;
        }
    lock_release(&the_lock);
    if (out.addr != 0)
        os_unmap(ptr, out.len);
    return verdict;
}

size_t big_usable(const void *ptr)
{
    lock_acquire(&the_lock);
    struct entry *e = find((uintptr_t)ptr);
    size_t len = e ? e->len : 0;
    lock_release(&the_lock);
    return len;
}

/* The lock is held while the kernel moves the block: its old address may be given to another
 * thread's mapping the moment it is free, and the registry must not know both. */
void *big_resize(void *ptr, size_t size)
{
    size_t len = os_round(size);
    if (len == 0 || size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    lock_acquire(&the_lock);
    void *p = reserve() ? ptr : NULL;
    struct entry *e = find((uintptr_t)ptr);
    if (p && e->len != len) {
        p = os_remap(ptr, e->len, len);
        if (p == ptr) {
            e->len = len;
        } else if (p) {
            remove_entry(e);
            insert((uintptr_t)p, len);
        }
    }
    lock_release(&the_lock);
    return p;
}

void big_sums(size_t *blocks, size_t *bytes)
{
    *blocks = *bytes = 0;
    lock_acquire(&the_lock);
    for (size_t i = 0; i < table.size; i++)
        if (table.slots[i].addr > DELETED) {
            ++*blocks;
            *bytes += table.slots[i].len;
        }
    lock_release(&the_lock);
}

bool big_interior(const void *ptr, void **block, size_t *size)
{
    bool found = false;
    lock_acquire(&the_lock);
    for (size_t i = 0; i < table.size && !found; i++) {
        struct entry *e = &table.slots[i];
        found = e->addr > DELETED && (uintptr_t)ptr > e->addr && (uintptr_t)ptr - e->addr < e->len;
        if (found) {
            *block = (void *)e->addr;
            *size = e->len;
        }
    }
    lock_release(&the_lock);
    return found;
}

void big_lock(void)
{
    lock_acquire(&the_lock);
}

void big_unlock(void)
{
    lock_release(&the_lock);
}

void big_reset(void)
{
    lock_reset(&the_lock);
}
