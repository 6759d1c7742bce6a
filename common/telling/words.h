/*
 * Figures in words: percentages, counts and values as a sentence shows them. Each function appends
 * to a buffer and is false only without memory; `out` is the caller's.
 */
#ifndef HP_COMMON_TELLING_WORDS_H
#define HP_COMMON_TELLING_WORDS_H

#include "common/io.h"

#include <jansson.h>

/* "31 %", "0.42 %": the size of a fraction, with as many decimals as it holds. */
bool words_percent(struct hp_buffer *out, double fraction);

/* Decimals for both ends of an interval of fractions, one more than the estimate has. */
int words_decimals(double a, double b);

/* 74112 -> "74,112"; fractions keep four digits. */
bool words_number(struct hp_buffer *out, double value);

/* A JSON number or string; "nothing" for anything else. */
bool words_value(struct hp_buffer *out, const json_t *value);

/* "NAME from BASE to HEAD" of {"base", "head"}. */
bool words_move(struct hp_buffer *out, const char *name, const json_t *pair);

#endif
