#include "collector/archive_file.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Reads it to its end: every line is a text within its size, and an end that was found right came
 * without an error. */
void fuzz_archive(const uint8_t *data, size_t size)
{
    struct hp_error err = {0};
    HP_FD int fd = memfd_create("archive", MFD_CLOEXEC);
    if (fd < 0 || !hp_write_all(fd, data, size))
        return;
    ARCHIVE_IN struct archive_in *in = archive_in_new(fd, &err);
    if (!in)
        return;
    int64_t lines = 0;
    size_t length = 0;
    for (const char *line; (line = archive_next(in, &length, &err)); lines++)
        if (line[length] != '\0' || memchr(line, '\n', length))
            abort();
    if (archive_line(in) != lines || (err.code != HP_OK && !err.message[0]))
        abort();
}
