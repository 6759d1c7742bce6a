/*
 * malloc.c: the malloc family of C, POSIX and glibc, and the hak_ names for it.
 *
 * The standard names are aliases, so that a program which links or preloads the library calls the
 * same code. Semantics follow glibc where the standards leave a choice.
 */
#include "big.h"
#include "canary.h"
#include "hakmem.h"
#include "init.h"
#include "options.h"
#include "os.h"
#include "pool.h"
#include "route.h"
#include "tcache.h"
#include "thread_cache.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static bool power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

EXPORT void *hak_malloc(size_t size)
{
    void *p = NULL;
    canary();
    if (__builtin_expect(size <= TINY_MAX, 1))
        p = tcache_alloc(size_class_of_tiny(size));
    else if (size <= QUICK_MAX)
        p = tcache_alloc(size_class_of_quick(size));
    if (__builtin_expect(p != NULL, 1))
        return p;
    return route_alloc(size);
}

EXPORT void *hak_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return no_memory();
    if (bytes > QUICK_MAX)
        return route_alloc_zeroed(bytes);
    void *p = hak_malloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

EXPORT void hak_free(void *ptr)
{
    if (__builtin_expect(!tcache_free(ptr), 0))
        route_free(ptr, "free");
}

EXPORT void *hak_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return hak_malloc(size);
    if (size == 0) {
        route_free(ptr, "realloc");
        return NULL;
    }
    return route_resize(ptr, size);
}

EXPORT void *hak_memalign(size_t align, size_t size)
{
    if (align <= MIN_ALIGN)
        return route_alloc(align > size ? align : size);
    if (align > PTRDIFF_MAX) {
        errno = EINVAL;
        return NULL;
    }
    if (!power_of_two(align))
        align = (size_t)1 << (64 - __builtin_clzll(align - 1));
    return route_alloc_aligned(align, size);
}

EXPORT size_t hak_usable_size(void *ptr)
{
    return ptr ? route_usable(ptr, "malloc_usable_size") : 0;
}

EXPORT const char *hak_version(void)
{
    return HAKMEM_VERSION;
}

#ifndef HAKMEM_OWN_NAMES_ONLY
/* --- the standard names ------------------------------------------------------------------- */

#define ALIAS(of) EXPORT __attribute__((alias(#of)))

ALIAS(hak_malloc) void *malloc(size_t size);
ALIAS(hak_calloc) void *calloc(size_t count, size_t size);
ALIAS(hak_realloc) void *realloc(void *ptr, size_t size);
ALIAS(hak_free) void free(void *ptr);
ALIAS(hak_memalign) void *memalign(size_t align, size_t size);
ALIAS(hak_usable_size) size_t malloc_usable_size(void *ptr);

EXPORT void *reallocarray(void *ptr, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return no_memory();
    return hak_realloc(ptr, bytes);
}

/* C23. The size is not needed to free, but one that the block cannot have been asked for with shows
 * that the program is wrong about what it frees. */
EXPORT void free_sized(void *ptr, size_t size);
EXPORT void free_sized(void *ptr, size_t size)
{
    if (ptr)
        route_check_size(ptr, size, "free_sized");
    hak_free(ptr);
}

EXPORT void free_aligned_sized(void *ptr, size_t align, size_t size);
EXPORT void free_aligned_sized(void *ptr, size_t align, size_t size)
{
    if (ptr)
        route_check_aligned_size(ptr, align, size, "free_aligned_sized");
    hak_free(ptr);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    if (!power_of_two(align)) {
        errno = EINVAL;
        return NULL;
    }
    return hak_memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    if (!power_of_two(align) || align % sizeof(void *) != 0)
        return EINVAL;
    int saved = errno;
    void *p = hak_memalign(align, size);
    errno = saved;
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

EXPORT void *valloc(size_t size)
{
    return hak_memalign(OS_PAGE, size);
}

EXPORT void *pvalloc(size_t size)
{
    size_t rounded = os_round(size);
    if (rounded < size)
        return no_memory();
    return hak_memalign(OS_PAGE, rounded ? rounded : OS_PAGE);
}

/* Gives what it can back to the kernel; `pad` bytes are not kept, the next block is cheap anyway.
 */
EXPORT int malloc_trim(size_t pad)
{
    (void)pad;
    init_ensure();
    thread_cache_flush();
    pool_drain();
    bool big = big_trim();
    return superslab_trim() || big;
}

/* What is mapped for blocks, in blocks and free; the figures of glibc as far as they mean something
 * here. Blocks that wait in caches of threads count as in use. */
EXPORT struct mallinfo2 mallinfo2(void)
{
    init_ensure();
    struct pool_sums sums = pool_sums();
    struct mallinfo2 info = {0};
    big_sums(&info.hblks, &info.hblkhd);
    info.uordblks = sums.used;
    info.fordblks = sums.free;
    info.arena = sums.used + sums.free;
    return info;
}

#endif /* HAKMEM_OWN_NAMES_ONLY */

EXPORT unsigned hak_ss_prewarm_class(unsigned class, unsigned count)
{
    init_ensure();
    return class < CLASSES ? pool_prewarm(class, count) : 0;
}

EXPORT unsigned hak_ss_prewarm_init(void)
{
    init_ensure();
    return superslab_prewarm((unsigned)option(OPT_PREWARM));
}

EXPORT bool hak_size_class(size_t size, struct hak_size_class *out)
{
    init_ensure();
    if (size > PTRDIFF_MAX)
        return false;
    unsigned class = size < ACE_MAX ? size_class_of(size) : CLASSES;
    if (class < CLASSES) {
        out->tier = class < TINY_CLASSES ? "tiny" : "ace";
        out->class_index = (int)class;
        out->block_size = size_classes[class].size;
    } else {
        out->tier = "big";
        out->class_index = -1;
        out->block_size = os_round(size);
    }
    return true;
}

/* --- the beginning, and fork ---------------------------------------------------------------- */

/* The first block is mostly older than this. Where it is not, the tables that the fast path reads
 * without asking are filled before the program can have a second thread. */
static __attribute__((constructor(101))) void start(void)
{
    init_ensure();
    pthread_atfork(route_lock_all, route_unlock_all, route_reset_all);
}

/* --- the end -------------------------------------------------------------------------------- */

/* After the destructors that have no number: the statistics are written. */
static __attribute__((destructor(101))) void verify_at_exit(void)
{
    if (option(OPT_CHECK_AT_EXIT))
        thread_cache_verify();
}
