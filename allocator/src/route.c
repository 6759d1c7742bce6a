#include "route.h"

#include "ace.h"
#include "big.h"
#include "counters.h"
#include "init.h"
#include "legacy.h"
#include "log.h"
#include "meta.h"
#include "options.h"
#include "pool.h"
#include "report.h"
#include "ss_map.h"
#include "stats.h"
#include "tcache.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* The smallest block of a SuperSlab: it must hold link and mark. Below, the legacy path serves. */
enum { POOL_MIN = 9 };

/* A Tiny block; the legacy path serves when SuperSlabs are off or cannot be had. */
static void *tiny_alloc(unsigned class, size_t size)
{
    if (size >= POOL_MIN && option(OPT_TINY_USE_SUPERSLAB)) {
        void *p = tcache_alloc_slow(class);
        if (p)
            return p;
        counter_add(COUNT_SS_FALLBACK, 1);
        stats_class(class, STAT_FALLBACKS);
        log_line("[SS_BACKEND] shared_fail→legacy cls=%u", class);
    }
    stats_total(TOTAL_LEGACY_ALLOCS);
    return legacy_alloc(size ? size : 1);
}

/* Above Tiny. There is no class for these sizes yet: each is a failure of ACE, and a mapping. */
static void *large_alloc(size_t size, size_t align)
{
    if (size > TINY_MAX && size < ACE_LIMIT)
        ace_fail(ACE_THRESHOLD, CLASSES, size, TINY_MAX);
    stats_total(TOTAL_BIG_ALLOCS);
    return big_alloc(size, align);
}

void *route_alloc(size_t size)
{
    init_ensure();
    if (size <= TINY_MAX)
        return tiny_alloc(size_class_of_tiny(size), size);
    return large_alloc(size, MIN_ALIGN);
}

void *route_alloc_zeroed(size_t size)
{
    init_ensure();
    if (size > TINY_MAX)
        return large_alloc(size, MIN_ALIGN);
    void *p = route_alloc(size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *route_alloc_aligned(size_t align, size_t size)
{
    init_ensure();
    if (size > TINY_MAX || align > TINY_MAX)
        return large_alloc(size, align);
    /* Slabs begin on a unit, so a class that is a multiple of `align` keeps it. */
    unsigned class = size_class_of_tiny(size > align ? size : align);
    while (size_classes[class].size % align != 0)
        class ++;
    return tiny_alloc(class, size_classes[class].size);
}

/* No tier has a block that begins at ptr: say what it is instead. */
static _Noreturn void refuse(const void *ptr, const char *call)
{
    void *block;
    size_t size;
    if (big_interior(ptr, &block, &size))
        report_interior(call, ptr, size);
    report_foreign(call, ptr);
}

void route_free(void *ptr, const char *call)
{
    if (!ptr || tcache_free_slow(ptr, call))
        return;
    size_t size = 0;
    switch (legacy_free(ptr, &size)) {
    case LEGACY_OK:
        stats_total(TOTAL_LEGACY_FREES);
        return;
    case LEGACY_MISALIGNED:
        report_interior(call, ptr, size);
    case LEGACY_NOT_IN_USE:
        report_double_free(call, ptr, size);
    case LEGACY_FOREIGN:
        break;
    }
    if (!big_free(ptr))
        refuse(ptr, call);
    stats_total(TOTAL_BIG_FREES);
}

size_t route_usable(const void *ptr, const char *call)
{
    const struct slab *s = tcache_find(ptr);
    if (!s)
        s = tcache_find_slow(ptr, call);
    if (s)
        return size_classes[s->class].size;
    size_t size = legacy_usable(ptr);
    if (size == 0)
        size = big_usable(ptr);
    if (size == 0)
        refuse(ptr, call);
    return size;
}

void *route_resize(void *ptr, size_t size)
{
    size_t old = route_usable(ptr, "realloc");
    if (size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    if (old > TINY_MAX && size > TINY_MAX)
        return big_resize(ptr, size);
    if (size <= old && size > old / 2)
        return ptr;
    void *p = route_alloc(size);
    if (!p)
        return NULL;
    memcpy(p, ptr, size < old ? size : old);
    route_free(ptr, "realloc");
    return p;
}

void route_lock_all(void)
{
    pool_lock();
    legacy_lock();
    big_lock();
    ss_map_lock();
    meta_lock();
}

void route_unlock_all(void)
{
    meta_unlock();
    ss_map_unlock();
    big_unlock();
    legacy_unlock();
    pool_unlock();
}

void route_reset_all(void)
{
    meta_reset();
    ss_map_reset();
    big_reset();
    legacy_reset();
    pool_reset();
}
