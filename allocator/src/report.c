#include "report.h"

#include "counters.h"
#include "log.h"

void report_double_free(const char *call, const void *ptr, size_t size)
{
    log_fatal("%s(): double free of %p: this block of %zu bytes is not in use", call, ptr, size);
}

void report_interior(const char *call, const void *ptr, size_t size)
{
    log_fatal("%s(): invalid pointer %p: inside a block of %zu bytes, not at its beginning", call,
              ptr, size);
}

void report_corruption(const void *ptr, unsigned class, size_t size)
{
    const unsigned char *p = ptr;
    counter_add(COUNT_HEADER_RESETS, 1);
    log_line("[TLS_SLL_HDR_RESET] cls=%u base=%p got=0x%x%x%x%x%x%x%x%x", class, ptr, p[7], p[6],
             p[5], p[4], p[3], p[2], p[1], p[0]);
    log_fatal("free block %p of %zu bytes was written to after it was freed", ptr, size);
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
