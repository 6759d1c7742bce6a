/*
 * Reads what `gcov --json-format --stdout` writes: one JSON object a line for each object file, in
 * the dialects of gcc 9 to 14. What cannot be read, a line cut off in the middle among it, is
 * skipped and counted. Pure.
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

#endif
