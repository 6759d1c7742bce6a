/*
 * An archive as a file: lines of JSON, as they are or in one zstd frame (told by its first bytes),
 * ended by a line {"end":{"lines":N,"sha256":"…"}} that covers all bytes before it. Written and
 * read once from front to back, in little memory, by one thread.
 */
#ifndef HP_COLLECTOR_ARCHIVE_FILE_H
#define HP_COLLECTOR_ARCHIVE_FILE_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/* A longer line is no archive of ours. */
enum { ARCHIVE_LINE_LIMIT = 64 << 20 };

struct archive_out;

/* Writes to an open descriptor, which stays the caller's. NULL without memory. */
struct archive_out *archive_out_new(int fd, bool zstd, struct hp_error *err);
void archive_out_free(struct archive_out *out);
static inline void archive_out_clear(struct archive_out **out)
{
    archive_out_free(*out);
}
#define ARCHIVE_OUT __attribute__((cleanup(archive_out_clear)))

/* One line, without its line break. */
bool archive_put(struct archive_out *out, const char *line, size_t size, struct hp_error *err);

/* The last line; nothing follows. */
bool archive_put_end(struct archive_out *out, struct hp_error *err);

struct archive_in;

/* Reads an open descriptor from its beginning. NULL with an error. */
struct archive_in *archive_in_new(int fd, struct hp_error *err);
void archive_in_free(struct archive_in *in);
static inline void archive_in_clear(struct archive_in **in)
{
    archive_in_free(*in);
}
#define ARCHIVE_IN __attribute__((cleanup(archive_in_clear)))

/* The next line, NUL-terminated and valid until the next call; NULL with code HP_OK after the last
 * line was found to be right, else NULL with HP_INVALID: cut off, damaged, or no archive. */
const char *archive_next(struct archive_in *in, size_t *size, struct hp_error *err);

/* The number of the line that archive_next gave, from 1 on. */
int64_t archive_line(const struct archive_in *in);

#endif
