/*
 * Reading JSON that comes from outside, and getting values out of documents that were already
 * checked against their schema.
 */
#ifndef HP_COMMON_JSON_H
#define HP_COMMON_JSON_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/* Parses one value; duplicate keys, trailing text and nesting deeper than 64 are refused with the
 * line and column. The caller owns the result. */
json_t *hp_json_parse(const char *text, size_t size, struct hp_error *err);

/* Reads and parses a file of at most `limit` bytes. */
json_t *hp_json_read_file(const char *path, size_t limit, struct hp_error *err);

/* Canonical text: compact, keys sorted. The caller frees it; NULL without memory. */
char *hp_json_text(const json_t *value);

/* Members of an object with a fallback where absent, null or of another type; borrowed. */
const char *hp_json_string(const json_t *object, const char *key, const char *fallback);
int64_t hp_json_int(const json_t *object, const char *key, int64_t fallback);
double hp_json_number(const json_t *object, const char *key, double fallback);
bool hp_json_bool(const json_t *object, const char *key, bool fallback);

/* A JSON number, or null where the value is NaN or infinite. */
json_t *hp_json_real(double value);

/* A JSON string of bytes that may not be UTF-8: what is not becomes U+FFFD. Never NULL but without
 * memory. */
json_t *hp_json_bytes(const char *bytes, size_t size);

#endif
