/*
 * Reads what `gcov --json-format --stdout` writes: one JSON object for each object file, with or
 * without an end of line between, in the dialects of gcc 9 to 14. What cannot be read, an object
 * cut off in the middle among it, is skipped up to the end of its line and counted. Pure.
 */
#ifndef RN_GCOV_H
#define RN_GCOV_H

#include <jansson.h>
#include <stddef.h>

/*
 * Adds a whole output to `files`: {PATH: {"lines": {"12": count…}, "functions": {"12 name":
 * {"name", "line", "end", "count"}…}}}; counts of a source file that several objects hold are
 * summed. PATH is relative to the folder `source` where it lies below it, else as the compiler
 * named it. Returns how many lines could not be read.
 */
size_t rn_gcov_read(const char *text, size_t size, const char *source, json_t *files);

/*
 * Puts the functions that gcov saw in headers of the system, where they are only declared, into the
 * files that define them, as `places` tells: lines "NAME FILE:LINE" (paths as above).
 */
void rn_gcov_place(const char *places, size_t size, const char *source, json_t *files);

#endif
