/*
 * own_names.h: included before everything by builds in which a sanitizer owns the standard names:
 * the test's calls then mean this allocator's own ones.
 */
#ifndef TEST_OWN_NAMES_H
#define TEST_OWN_NAMES_H

#include "hakmem.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static inline int own_posix_memalign(void **out, size_t align, size_t size)
{
    *out = hak_memalign(align, size);
    return *out ? 0 : ENOMEM;
}

#define malloc hak_malloc
#define calloc hak_calloc
#define realloc hak_realloc
#define free hak_free
#define posix_memalign own_posix_memalign
#define malloc_usable_size hak_usable_size

#endif
