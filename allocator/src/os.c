#include "os.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

struct os_counters os_counters;

static void count(atomic_ullong *calls, atomic_ullong *bytes, size_t size)
{
    atomic_fetch_add_explicit(calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(bytes, size, memory_order_relaxed);
}

static void *failed(void)
{
    atomic_fetch_add_explicit(&os_counters.failures, 1, memory_order_relaxed);
    errno = ENOMEM;
    return NULL;
}

static void *map_at(void *hint, size_t size)
{
    count(&os_counters.map_calls, &os_counters.map_bytes, size);
    void *p = mmap(hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? failed() : p;
}

void *os_map(size_t size)
{
    return map_at(NULL, size);
}

void *os_map_aligned(size_t size, size_t align)
{
    char *p = map_at(NULL, size);
    if (!p || ((uintptr_t)p & (align - 1)) == 0)
        return p;
    os_unmap(p, size);
    if (size + align < size)
        return failed();
    p = map_at(NULL, size + align);
    if (!p)
        return NULL;
    size_t head = (size_t)(-(uintptr_t)p & (align - 1));
    if (head > 0)
        os_unmap(p, head);
    if (align - head > 0)
        os_unmap(p + head + size, align - head);
    return p + head;
}

void os_unmap(void *base, size_t size)
{
    int saved = errno;
    count(&os_counters.unmap_calls, &os_counters.unmap_bytes, size);
    munmap(base, size);
    errno = saved;
}

void *os_remap(void *base, size_t old_size, size_t new_size)
{
    count(&os_counters.remap_calls, &os_counters.remap_bytes, new_size);
    void *p = mremap(base, old_size, new_size, MREMAP_MAYMOVE);
    return p == MAP_FAILED ? failed() : p;
}
