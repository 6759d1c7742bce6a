/*
 * Reads the number of instructions from a file that callgrind wrote. Pure.
 */
#ifndef RN_CALLGRIND_H
#define RN_CALLGRIND_H

#include <stddef.h>

/* The sum of event Ir over all parts of the file: the totals at the end of each, or its summary
 * where there are none. NAN where the file is cut off or is none. */
double rn_callgrind_read(const char *text, size_t size);

#endif
