/*
 * A series from a file. CSV: one value a line, or index,value, separated by comma, semicolon, tab
 * or blanks; a first line of words is a title, and of several columns the one titled "value"
 * counts, else the last; a text of one line may hold all values. Behind # are remarks. JSON: an
 * array of numbers, of [index, value] or of objects with "value"; an object that holds such an
 * array as "values", "points", "series", "data" or "raw"; or one of these a line. A field that is
 * empty, NA or null is a missing point. One thread.
 */
#ifndef HP_CLI_SERIES_FILE_H
#define HP_CLI_SERIES_FILE_H

#include "common/error.h"

#include <stddef.h>

/* Reads the file, "-" being the standard input; *value is malloc'ed, the caller frees it, also when
 * *n is 0. A missing point is NAN. HP_INVALID with the line or the index of what is no finite
 * number or comes before the point ahead of it by its own index. */
bool cli_series_read(const char *file, double **value, size_t *n, struct hp_error *err);

#endif
