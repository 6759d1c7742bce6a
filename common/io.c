#include "common/io.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

static bool buffer_reserve(struct hp_buffer *buffer, size_t extra)
{
    if (extra >= SIZE_MAX / 4 - buffer->size)
        return false;
    size_t need = buffer->size + extra + 1;
    if (need <= buffer->room)
        return true;
    size_t room = buffer->room ? buffer->room : 256;
    while (room < need)
        room *= 2;
    char *data = realloc(buffer->data, room);
    if (!data)
        return false;
    buffer->data = data;
    buffer->room = room;
    return true;
}

bool hp_buffer_append(struct hp_buffer *buffer, const void *bytes, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return false;
    if (size)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return true;
}

bool hp_buffer_printf(struct hp_buffer *buffer, const char *format, ...)
{
    va_list args;
    HP_FREE char *text = NULL;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        text = NULL;
        return false;
    }
    return hp_buffer_append(buffer, text, (size_t)n);
}

void hp_buffer_clear(struct hp_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct hp_buffer){0};
}

const char *hp_buffer_text(const struct hp_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

char *hp_format(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

bool hp_file_read(const char *path, size_t limit, struct hp_buffer *out, struct hp_error *err)
{
    HP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        hp_fail_errno(err, "cannot read %s", path);
        if (errno == ENOENT || errno == ENOTDIR)
            err->code = HP_NOT_FOUND;
        return false;
    }
    char block[65536];
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0) {
        if (out->size + (size_t)n > limit)
            return hp_fail(err, HP_LIMIT, "%s is larger than %zu bytes", path, limit);
        if (!hp_buffer_append(out, block, (size_t)n))
            return hp_fail(err, HP_SYSTEM, "cannot read %s: out of memory", path);
    }
    return n == 0 || hp_fail_errno(err, "cannot read %s", path);
}

bool hp_write_all(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static bool sync_parent(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) {
        errno = ENAMETOOLONG;
        return false;
    }
    HP_FD int dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir >= 0 && fsync(dir) == 0;
}

bool hp_file_replace(const char *path, const void *data, size_t size, mode_t mode,
                     struct hp_error *err)
{
    HP_FREE char *temporary = hp_format("%s.tmp.%d", path, (int)getpid());
    if (!temporary)
        return hp_fail(err, HP_SYSTEM, "cannot write %s: out of memory", path);
    unlink(temporary);
    HP_FD int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return hp_fail_errno(err, "cannot create %s", temporary);
    if (!hp_write_all(fd, data, size) || fchmod(fd, mode) != 0 || fsync(fd) != 0 ||
        rename(temporary, path) != 0 || !sync_parent(path)) {
        hp_fail_errno(err, "cannot write %s", path);
        unlink(temporary);
        return false;
    }
    return true;
}

bool hp_make_dirs(const char *path, mode_t mode, struct hp_error *err)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return hp_fail(err, HP_INVALID, "path is too long: %s", path);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST)
            return hp_fail_errno(err, "cannot create folder %s", copy);
        *p = end;
        if (end == '\0')
            break;
    }
    struct stat st;
    if (stat(path, &st) != 0)
        return hp_fail_errno(err, "cannot use folder %s", path);
    return S_ISDIR(st.st_mode) || hp_fail(err, HP_SYSTEM, "%s is not a folder", path);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)where;
    return (type == FTW_DP ? rmdir(path) : unlink(path)) == 0 || errno == ENOENT ? 0 : -1;
}

/* A read-only folder would keep its entries: make every folder writable on the way down. */
static int open_folder(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)where;
    if ((type == FTW_D || type == FTW_DNR) && (st->st_mode & S_IRWXU) != S_IRWXU)
        (void)chmod(path, (st->st_mode & 07777) | S_IRWXU);
    return 0;
}

bool hp_remove_tree(const char *path, struct hp_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT || hp_fail_errno(err, "cannot remove %s", path);
    nftw(path, open_folder, 32, FTW_PHYS);
    if (nftw(path, remove_entry, 32, FTW_PHYS | FTW_DEPTH) != 0)
        return hp_fail_errno(err, "cannot remove %s", path);
    return true;
}
