#include "report.h"

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

void report_foreign(const char *call, const void *ptr)
{
    log_fatal("%s(): invalid pointer %p: not memory of this allocator, or given back already", call,
              ptr);
}
