#include "big.h"

#include "lock.h"
#include "os.h"

#include <errno.h>
#include <stdint.h>

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

void *big_alloc(size_t size, size_t align)
{
    size_t len = os_round(size ? size : 1);
    if (len == 0 || size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = align <= OS_PAGE ? os_map(len) : os_map_aligned(len, align);
    if (!p)
        return NULL;
    lock_acquire(&the_lock);
    bool ok = reserve();
    if (ok)
        insert((uintptr_t)p, len);
    lock_release(&the_lock);
    if (!ok) {
        os_unmap(p, len);
        errno = ENOMEM;
        return NULL;
    }
    return p;
}

bool big_free(void *ptr)
{
    lock_acquire(&the_lock);
    struct entry *e = find((uintptr_t)ptr);
    size_t len = e ? e->len : 0;
    if (e)
        remove_entry(e);
    lock_release(&the_lock);
    if (e)
        os_unmap(ptr, len);
    return e != NULL;
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
