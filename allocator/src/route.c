#include "route.h"

#include "big.h"
#include "legacy.h"
#include "report.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

void *route_alloc(size_t size)
{
    if (size <= LEGACY_MAX)
        return legacy_alloc(size ? size : 1);
    return big_alloc(size, MIN_ALIGN);
}

void *route_alloc_zeroed(size_t size)
{
    if (size > LEGACY_MAX)
        return big_alloc(size, MIN_ALIGN);
    void *p = route_alloc(size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *route_alloc_aligned(size_t align, size_t size)
{
    /* A power-of-two block of at least `align` bytes is aligned to it. */
    if (size <= LEGACY_MAX && align <= LEGACY_MAX)
        return legacy_alloc(size > align ? size : align);
    return big_alloc(size, align);
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
    size_t size = 0;
    switch (legacy_free(ptr, &size)) {
    case LEGACY_OK:
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
}

size_t route_usable(const void *ptr, const char *call)
{
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
    if (old > LEGACY_MAX && size > LEGACY_MAX)
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
    legacy_lock();
    big_lock();
}

void route_unlock_all(void)
{
    big_unlock();
    legacy_unlock();
}

void route_reset_all(void)
{
    big_reset();
    legacy_reset();
}
