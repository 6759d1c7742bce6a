#include "meta.h"

#include "lock.h"
#include "os.h"

#define CHUNK ((size_t)65536)
#define LINE ((size_t)64)

static struct lock the_lock;
static char *next;
static size_t left;

void *meta_alloc(size_t size)
{
    size = (size + LINE - 1) & ~(LINE - 1);
    if (size > CHUNK / 4)
        return os_map(os_round(size));
    lock_acquire(&the_lock);
    if (left < size) {
        char *chunk = os_map(CHUNK);
        if (!chunk) {
            lock_release(&the_lock);
            return NULL;
        }
        next = chunk;
        left = CHUNK;
    }
    void *p = next;
    next += size;
    left -= size;
    lock_release(&the_lock);
    return p;
}

void meta_lock(void)
{
    lock_acquire(&the_lock);
}

void meta_unlock(void)
{
    lock_release(&the_lock);
}

void meta_reset(void)
{
    lock_reset(&the_lock);
}
