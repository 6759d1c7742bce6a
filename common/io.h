/*
 * Files and byte buffers. Writes that must survive a crash go through hp_file_replace, which
 * leaves either the old file or the whole new one.
 */
#ifndef HP_COMMON_IO_H
#define HP_COMMON_IO_H

#include "common/error.h"

#include <stddef.h>
#include <sys/types.h>

/* A growing run of bytes with a NUL byte behind it. {0} is empty. */
struct hp_buffer {
    char *data; /* NULL while empty */
    size_t size;
    size_t room;
};

/* Appends; false only without memory, and then nothing changed. */
bool hp_buffer_append(struct hp_buffer *buffer, const void *bytes, size_t size);
bool hp_buffer_printf(struct hp_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Frees the contents and makes it empty. */
void hp_buffer_clear(struct hp_buffer *buffer);
/* The text, "" when empty; valid until the next call. */
const char *hp_buffer_text(const struct hp_buffer *buffer);

#define HP_BUFFER __attribute__((cleanup(hp_buffer_clear)))

/* malloc'ed printf; NULL without memory. */
char *hp_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The whole file of at most `limit` bytes, appended to an empty buffer. HP_LIMIT if it is larger,
 * HP_NOT_FOUND if there is none. */
bool hp_file_read(const char *path, size_t limit, struct hp_buffer *out, struct hp_error *err);

/* Writes path.tmp beside it, fsyncs, renames over `path`, fsyncs the folder. Mode as given. */
bool hp_file_replace(const char *path, const void *data, size_t size, mode_t mode,
                     struct hp_error *err);

/* Makes a folder and those above it with that mode; fine if it exists as a folder. */
bool hp_make_dirs(const char *path, mode_t mode, struct hp_error *err);

/* Removes a tree without following links out of it; fine if it does not exist. */
bool hp_remove_tree(const char *path, struct hp_error *err);

/* Writes all bytes to a descriptor; false with errno on failure. */
bool hp_write_all(int fd, const void *data, size_t size);

#endif
