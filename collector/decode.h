/*
 * Bodies that come compressed (Content-Encoding: zstd): expanded before a handler sees them, never
 * to more than the route takes, whatever the frame announces.
 */
#ifndef HP_COLLECTOR_DECODE_H
#define HP_COLLECTOR_DECODE_H

#include "common/error.h"
#include "common/io.h"

/* Replaces a body by what it holds, at most `limit` bytes. `encoding`: the header, NULL or
 * "identity" for none. HP_LIMIT: it holds more; HP_INVALID: broken, or cut off; HP_USAGE: another
 * encoding. */
bool body_decode(const char *encoding, struct hp_buffer *body, size_t limit, struct hp_error *err);

#endif
