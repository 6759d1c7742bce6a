#include "os.h"

#include "counters.h"
#include "options.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

static void count(enum counter_id calls, enum counter_id bytes, size_t size)
{
    counter_add(calls, 1);
    counter_add(bytes, size);
}

static void *failed(void)
{
    counter_add(COUNT_OS_FAILURES, 1);
    errno = ENOMEM;
    return NULL;
}

/* Whether this call is one that a test wants to fail. */
static bool injected(void)
{
    static atomic_llong calls;
    long long n = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
    long long from = option(OPT_OS_FAIL_FROM);
    return n == option(OPT_OS_FAIL_AT) || (from > 0 && n >= from);
}

static void *map_at(void *hint, size_t size)
{
    count(COUNT_OS_MAP_CALLS, COUNT_OS_MAP_BYTES, size);
    if (injected())
        return failed();
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
    count(COUNT_OS_UNMAP_CALLS, COUNT_OS_UNMAP_BYTES, size);
    munmap(base, size);
    errno = saved;
}

void os_purge(void *base, size_t size)
{
    int saved = errno;
    count(COUNT_OS_ADVISE_CALLS, COUNT_OS_ADVISE_BYTES, size);
    madvise(base, size, MADV_DONTNEED);
    errno = saved;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void os_populate(void *base, size_t size)
{
    static atomic_bool refused;
    if (atomic_load_explicit(&refused, memory_order_relaxed))
        return;
    int saved = errno;
    count(COUNT_OS_ADVISE_CALLS, COUNT_OS_ADVISE_BYTES, size);
    if (madvise(base, size, MADV_POPULATE_WRITE) != 0 && errno == EINVAL)
        atomic_store_explicit(&refused, true, memory_order_relaxed);
    errno = saved;
}

void *os_remap(void *base, size_t old_size, size_t new_size)
{
    count(COUNT_OS_REMAP_CALLS, COUNT_OS_REMAP_BYTES, new_size);
    if (injected())
        return failed();
    void *p = mremap(base, old_size, new_size, MREMAP_MAYMOVE);
    return p == MAP_FAILED ? failed() : p;
}
