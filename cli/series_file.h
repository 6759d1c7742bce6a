/*
 * A series from a file: CSV (one value a line, or index,value; a first line of words is a title) or
 * JSON (an array of numbers, or of objects with "value"). One thread.
 */
#ifndef HP_CLI_SERIES_FILE_H
#define HP_CLI_SERIES_FILE_H

#include "common/error.h"

#include <stddef.h>

/* Reads the file; *value is malloc'ed, the caller frees
 * it, also when *n is 0. HP_INVALID with the line or the index of what is no finite number. */
bool cli_series_read(const char *file, double **value, size_t *n, struct hp_error *err);

#endif
