/* SHA-256 (OpenSSL) of bytes, files and JSON values, as 64 lower case hexadecimal digits. */
#ifndef HP_COMMON_HASH_H
#define HP_COMMON_HASH_H

#include "common/error.h"

#include <stddef.h>

#define HP_HASH_TEXT 65

/* Never fails: SHA-256 of `size` bytes at `data`. */
void hp_hash_bytes(const void *data, size_t size, char out[HP_HASH_TEXT]);

/* HMAC-SHA256 of bytes under a key (RFC 2104). */
void hp_hmac(const void *key, size_t key_size, const void *data, size_t size,
             unsigned char out[32]);

/* SHA-256 of bytes that come piece by piece. */
struct hp_hasher;
struct hp_hasher *hp_hasher_new(void); /* NULL without memory */
void hp_hasher_add(struct hp_hasher *hasher, const void *data, size_t size);
/* The hash of all that was added; nothing is added afterwards. */
void hp_hasher_end(struct hp_hasher *hasher, char out[HP_HASH_TEXT]);
void hp_hasher_free(struct hp_hasher *hasher); /* NULL is fine */

/* SHA-256 of a file's content. */
bool hp_hash_file(const char *path, char out[HP_HASH_TEXT], struct hp_error *err);

/* SHA-256 of the canonical text of a JSON value: keys sorted, no spaces. */
bool hp_hash_json(const json_t *value, char out[HP_HASH_TEXT], struct hp_error *err);

/* Whether two texts are equal, in a time that depends on their lengths only. */
bool hp_equal_secret(const char *a, const char *b);

/* Fills `size` bytes from the system's random source. */
bool hp_random_bytes(void *out, size_t size, struct hp_error *err);

/* `size` bytes as lower case hexadecimal; out holds 2 * size + 1. */
void hp_hex(const void *bytes, size_t size, char *out);

#endif
