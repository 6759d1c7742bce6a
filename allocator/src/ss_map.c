#include "ss_map.h"

#include "os.h"

/* Linear probing from the first slot: the cost grows with the number of SuperSlabs. */
static struct lock the_lock;
static struct superslab **slots;
static size_t size, filled;

bool ss_map_add(struct superslab *ss)
{
    lock_acquire(&the_lock);
    size_t i = 0;
    while (i < filled && slots[i])
        i++;
    if (i == size) {
        size_t bytes = size ? size * sizeof *slots : OS_PAGE;
        struct superslab **grown = size ? os_remap(slots, bytes, 2 * bytes) : os_map(bytes);
        if (!grown) {
            lock_release(&the_lock);
            return false;
        }
        slots = grown;
        size = size ? 2 * size : OS_PAGE / sizeof *slots;
    }
    slots[i] = ss;
    if (i == filled)
        filled++;
    lock_release(&the_lock);
    return true;
}

void ss_map_remove(struct superslab *ss)
{
    lock_acquire(&the_lock);
    for (size_t i = 0; i < filled; i++)
        if (slots[i] == ss)
            slots[i] = NULL;
    lock_release(&the_lock);
}

struct slab *ss_map_lookup(const void *ptr)
{
    struct slab *found = NULL;
    lock_acquire(&the_lock);
    for (size_t i = 0; i < filled && !found; i++)
        if (slots[i]) {
            size_t offset = (uintptr_t)ptr - (uintptr_t)slots[i]->base;
            if (offset < slots[i]->units * UNIT)
                found = &slots[i]->slabs[offset / UNIT];
        }
    lock_release(&the_lock);
    return found;
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
