/*
 * A series from a file. CSV: one value a line, or index,value, separated by comma, semicolon or
 * tab; a first line of words is a title, and of several columns the one titled "value" counts, else
 * the last. JSON: an array of numbers, of [index, value] or of objects with "value"; an object that
 * holds such an array as "values", "points", "series", "data" or "raw"; or one of these a line. One
 * thread.
 */
#ifndef HP_CLI_SERIES_FILE_H
#define HP_CLI_SERIES_FILE_H

#include "common/error.h"

#include <stddef.h>

/* Reads the file, "-" being the standard input; *value is malloc'ed, the caller frees it, also when
 * *n is 0. HP_INVALID with the line or the index of what is no finite number. */
bool cli_series_read(const char *file, double **value, size_t *n, struct hp_error *err);

#endif
