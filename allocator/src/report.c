#include "report.h"

#include "block.h"
#include "counters.h"
#include "lock.h"
#include "log.h"
#include "options.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#ifndef NDEBUG
#include <execinfo.h>
#include <unistd.h>
#endif

void report_double_free(const char *call, const void *ptr, size_t size)
{
    bool frees = strcmp(call, "malloc_usable_size") != 0;
    log_fatal("%s(): %s of %p: this block of %zu bytes is not in use", call,
              frees ? "double free" : "use after free", ptr, size);
}

void report_interior(const char *call, const void *ptr, size_t size)
{
    log_fatal("%s(): invalid pointer %p: inside a block of %zu bytes, not at its beginning", call,
              ptr, size);
}

static void trace_reset(const void *ptr, unsigned class, uintptr_t got, uintptr_t expect)
{
    static atomic_uint count;
    unsigned n = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    counter_add(COUNT_HEADER_RESETS, 1);
    log_line("[TLS_SLL_HDR_RESET] cls=%u base=%p got=%p expect=%p count=%u", class, ptr,
             (void *)got, (void *)expect, n);
#ifndef NDEBUG
    void *frames[32];
    backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
#endif
}

/* Whether the process shall end; the first who asks ends it. */
static bool shall_end(void)
{
    static atomic_bool ending;
    return option(OPT_ABORT_ON_CORRUPTION) && !atomic_exchange(&ending, true);
}

/* This may run under a lock, and the program may have a handler that allocates: better that it
 * passes than that it waits for ever, and that what else is damaged is given up than that it is
 * reported again and again. */
static _Noreturn void end(void)
{
    lock_pass();
    abort();
}

static void corruption(const void *ptr, unsigned class, size_t size, uintptr_t got,
                       uintptr_t expect)
{
    trace_reset(ptr, class, got, expect);
    if (!shall_end())
        return;
    log_line("hakmem: free block %p of %zu bytes was written to after it was freed", ptr, size);
    end();
}

void report_corruption(const void *ptr, unsigned class, size_t size)
{
    const struct block *b = ptr;
    corruption(ptr, class, size, b->mark, b->link ^ (uintptr_t)b ^ block_secrets.mark);
}

void report_corruption_word(const void *ptr, unsigned class, size_t size)
{
    corruption(ptr, class, size, *(const uintptr_t *)ptr, 0);
}

void report_list(const void *b, unsigned class, size_t size)
{
    if (class > 0 && b && !block_is_free(b)) {
        report_corruption(b, class, size);
        return;
    }
    trace_reset(b, class, (uintptr_t)b, 0);
    if (!shall_end())
        return;
    log_line("hakmem: a list of free blocks of %zu bytes is damaged: one of them, such as %p, was "
             "freed twice, or written to after it was freed",
             size, b);
    end();
}

void report_size(const char *call, const void *ptr, size_t size, size_t usable)
{
    log_fatal("%s(): wrong size %zu for %p: a block of %zu bytes", call, size, ptr, usable);
}

void report_alignment(const char *call, const void *ptr, size_t align)
{
    log_fatal("%s(): wrong alignment %zu for %p", call, align, ptr);
}

void report_never(const char *call, const void *ptr)
{
    log_fatal("%s(): invalid pointer %p: no block here is in use", call, ptr);
}

void report_foreign(const char *call, const void *ptr)
{
    log_fatal("%s(): invalid pointer %p: not memory of this allocator, or given back already", call,
              ptr);
}

#ifndef NDEBUG
/* The first backtrace of a process loads a library and allocates: let it not be in a report. */
static __attribute__((constructor)) void load_backtrace(void)
{
    void *frame;
    backtrace(&frame, 1);
}
#endif
