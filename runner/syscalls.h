/*
 * Reads how many system calls of each kind were made, from what `strace -c`, `perf trace -s` or
 * `perf stat -e 'syscalls:sys_enter_*'` printed: with and without the column of errors, with
 * thousands' separators, with decimal commas, cut off. Pure.
 */
#ifndef RN_SYSCALLS_H
#define RN_SYSCALLS_H

#include <jansson.h>
#include <stddef.h>

/* {"mmap": 9, …}, summed over all threads of the text; the caller owns it, NULL without memory. An
 * empty object where nothing can be read: no program makes no calls. */
json_t *rn_syscalls_read(const char *text, size_t size);

#endif
