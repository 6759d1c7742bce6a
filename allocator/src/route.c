#include "route.h"

#include "ace.h"
#include "big.h"
#include "counters.h"
#include "hakmem.h"
#include "init.h"
#include "legacy.h"
#include "log.h"
#include "meta.h"
#include "options.h"
#include "os.h"
#include "pool.h"
#include "report.h"
#include "ss_map.h"
#include "standback.h"
#include "stats.h"
#include "tcache.h"
#include "thread_cache.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* A Tiny block; the legacy path serves when SuperSlabs are off or cannot be had. */
static void *tiny_alloc(unsigned class, size_t size)
{
    if (option(OPT_TINY_USE_SUPERSLAB)) {
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

/* Above Tiny: the class of ACE, or a mapping. */
static void *large_alloc(unsigned class, size_t size, size_t align, bool zeroed)
{
    void *p = class < CLASSES ? ace_alloc(class, size, zeroed) : NULL;
    if (p)
        return p;
    stats_total(TOTAL_BIG_ALLOCS);
    return big_alloc(size, align, zeroed);
}

void *route_alloc(size_t size)
{
    init_ensure();
    if (standback_on)
        return standback_alloc(size);
    if (size <= TINY_MAX)
        return tiny_alloc(size_class_of_tiny(size), size);
    return large_alloc(size < ACE_MAX ? size_class_of(size) : CLASSES, size, MIN_ALIGN, false);
}

void *route_alloc_zeroed(size_t size)
{
    init_ensure();
    if (standback_on) {
        void *p = standback_alloc(size);
        return p ? memset(p, 0, size) : NULL;
    }
    if (size > TINY_MAX)
        return large_alloc(size < ACE_MAX ? size_class_of(size) : CLASSES, size, MIN_ALIGN, true);
    void *p = route_alloc(size);
    return p ? memset(p, 0, size) : NULL;
}

/* Slabs begin on a unit, so up to that a class that is a multiple of `align` keeps it. */
void *route_alloc_aligned(size_t align, size_t size)
{
    init_ensure();
    if (standback_on)
        return standback_alloc_aligned(align, size);
    size_t least = size > align ? size : align;
    unsigned class = least < ACE_MAX && align <= UNIT ? size_class_of(least) : CLASSES;
    while (class < CLASSES && size_classes[class].size % align != 0)
        class ++;
    if (class < TINY_CLASSES)
        return tiny_alloc(class, size_classes[class].size);
    return large_alloc(class, class < CLASSES ? size_classes[class].size : size, align, false);
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
    if (!ptr)
        return;
    if (standback_on) {
        standback_free(ptr);
        return;
    }
    if (tcache_free_slow(ptr, call))
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
    switch (big_free(ptr, &size)) {
    case BIG_OK:
        stats_total(TOTAL_BIG_FREES);
        return;
    case BIG_FREE:
        report_double_free(call, ptr, size);
    case BIG_FOREIGN:
        refuse(ptr, call);
    }
}

size_t route_usable(const void *ptr, const char *call)
{
    if (standback_on)
        return standback_usable((void *)(uintptr_t)ptr);
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

/* Up to half of a block is what realloc leaves where it is; a mapping is whole pages. */
void route_check_size(const void *ptr, size_t size, const char *call)
{
    if (standback_on)
        return;
    size_t usable = route_usable(ptr, call);
    bool small = size <= usable / 2 && usable > MIN_ALIGN && usable > os_round(size);
    if (size > usable || small)
        report_size(call, ptr, size, usable);
}

void route_check_aligned_size(const void *ptr, size_t align, size_t size, const char *call)
{
    if (standback_on)
        return;
    size_t usable = route_usable(ptr, call);
    if (size > usable)
        report_size(call, ptr, size, usable);
    if (align == 0 || (align & (align - 1)) != 0 || ((uintptr_t)ptr & (align - 1)) != 0)
        report_alignment(call, ptr, align);
}

void *route_resize(void *ptr, size_t size)
{
    if (standback_on)
        return standback_resize(ptr, size);
    size_t old = route_usable(ptr, "realloc");
    if (size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    if (size <= old && size > old / 2)
        return ptr;
    if (old >= ACE_MAX && size >= ACE_MAX && !tcache_find(ptr))
        return big_resize(ptr, size);
    void *p = hak_malloc(size);
    if (!p)
        return NULL;
    memcpy(p, ptr, size < old ? size : old);
    hak_free(ptr);
    return p;
}

void route_lock_all(void)
{
    thread_cache_lock();
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
    thread_cache_unlock();
}

void route_reset_all(void)
{
    meta_reset();
    ss_map_reset();
    big_reset();
    legacy_reset();
    pool_reset();
    thread_cache_reset();
}
