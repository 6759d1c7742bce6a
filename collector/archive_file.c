#include "collector/archive_file.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { BLOCK = 256 << 10, LEVEL = 3, WINDOW_LOG = 23 };

/* --- writing ------------------------------------------------------------------------------------
 */

struct archive_out {
    int fd;
    ZSTD_CStream *zstd; /* NULL: plain */
    struct hp_hasher *hasher;
    int64_t lines;
    char block[BLOCK];
};

struct archive_out *archive_out_new(int fd, bool zstd, struct hp_error *err)
{
    struct archive_out *out = calloc(1, sizeof *out);
    if (out) {
        out->fd = fd;
        out->hasher = hp_hasher_new();
        out->zstd = zstd ? ZSTD_createCStream() : NULL;
    }
    if (out && out->hasher && (!zstd || out->zstd)) {
        if (zstd)
            ZSTD_CCtx_setParameter(out->zstd, ZSTD_c_compressionLevel, LEVEL);
        return out;
    }
    archive_out_free(out);
    hp_fail(err, HP_SYSTEM, "out of memory");
    return NULL;
}

void archive_out_free(struct archive_out *out)
{
    if (!out)
        return;
    ZSTD_freeCStream(out->zstd);
    hp_hasher_free(out->hasher);
    free(out);
}

static bool failed(struct hp_error *err)
{
    hp_fail_errno(err, "cannot write the archive");
    if (err->code == HP_SYSTEM)
        err->code = HP_UNAVAILABLE; /* a full disk: later, or elsewhere */
    return false;
}

static bool put_bytes(struct archive_out *out, const char *bytes, size_t size,
                      ZSTD_EndDirective mode, struct hp_error *err)
{
    if (!out->zstd)
        return hp_write_all(out->fd, bytes, size) || failed(err);
    ZSTD_inBuffer in = {bytes, size, 0};
    for (size_t left = 1; left > 0 && (mode == ZSTD_e_end || in.pos < in.size);) {
        ZSTD_outBuffer piece = {out->block, BLOCK, 0};
        left = ZSTD_compressStream2(out->zstd, &piece, &in, mode);
        if (ZSTD_isError(left))
            return hp_fail(err, HP_INTERNAL, "zstd: %s", ZSTD_getErrorName(left));
        if (!hp_write_all(out->fd, out->block, piece.pos))
            return failed(err);
        if (mode != ZSTD_e_end)
            left = 1;
    }
    return true;
}

bool archive_put(struct archive_out *out, const char *line, size_t size, struct hp_error *err)
{
    out->lines++;
    hp_hasher_add(out->hasher, line, size);
    hp_hasher_add(out->hasher, "\n", 1);
    return put_bytes(out, line, size, ZSTD_e_continue, err) &&
           put_bytes(out, "\n", 1, ZSTD_e_continue, err);
}

bool archive_put_end(struct archive_out *out, struct hp_error *err)
{
    char hash[HP_HASH_TEXT], line[160];
    hp_hasher_end(out->hasher, hash);
    int n = snprintf(line, sizeof line, "{\"end\":{\"lines\":%lld,\"sha256\":\"%s\"}}\n",
                     (long long)out->lines, hash);
    return put_bytes(out, line, (size_t)n, ZSTD_e_end, err);
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct archive_in {
    int fd;
    ZSTD_DStream *zstd; /* NULL: plain */
    size_t frame_left;  /* what zstd said last; 0: the frame is whole */
    struct hp_hasher *hasher;
    int64_t lines;
    char file[BLOCK]; /* as it lies on disk */
    ZSTD_inBuffer unread;
    struct hp_buffer text; /* expanded, from `at` on not yet given */
    size_t at;
    bool full;  /* zstd has more than it could give */
    bool ended; /* the file */
};

struct archive_in *archive_in_new(int fd, struct hp_error *err)
{
    static const unsigned char magic[4] = {0x28, 0xB5, 0x2F, 0xFD};
    struct archive_in *in = calloc(1, sizeof *in);
    if (!in || !(in->hasher = hp_hasher_new())) {
        archive_in_free(in);
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    in->fd = fd;
    ssize_t n = lseek(fd, 0, SEEK_SET) == 0 ? read(fd, in->file, BLOCK) : -1;
    if (n < 0) {
        hp_fail_errno(err, "cannot read the archive");
        archive_in_free(in);
        return NULL;
    }
    in->unread = (ZSTD_inBuffer){in->file, (size_t)n, 0};
    if (n < 4 || memcmp(in->file, magic, 4) != 0)
        return in;
    in->zstd = ZSTD_createDStream();
    if (in->zstd &&
        !ZSTD_isError(ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG)))
        return in;
    archive_in_free(in);
    hp_fail(err, HP_SYSTEM, "out of memory");
    return NULL;
}

void archive_in_free(struct archive_in *in)
{
    if (!in)
        return;
    ZSTD_freeDStream(in->zstd);
    hp_hasher_free(in->hasher);
    hp_buffer_clear(&in->text);
    free(in);
}

int64_t archive_line(const struct archive_in *in)
{
    return in->lines;
}

static bool read_file(struct archive_in *in, struct hp_error *err)
{
    ssize_t n;
    while ((n = read(in->fd, in->file, BLOCK)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return hp_fail_errno(err, "cannot read the archive");
    in->unread = (ZSTD_inBuffer){in->file, (size_t)n, 0};
    in->ended = n == 0;
    return true;
}

static bool expand(struct archive_in *in, struct hp_error *err)
{
    char block[65536];
    ZSTD_outBuffer piece = {block, sizeof block, 0};
    in->frame_left = ZSTD_decompressStream(in->zstd, &piece, &in->unread);
    in->full = piece.pos == piece.size;
    if (ZSTD_isError(in->frame_left))
        return hp_fail(err, HP_INVALID, "the archive is damaged: %s",
                       ZSTD_getErrorName(in->frame_left));
    return hp_buffer_append(&in->text, block, piece.pos) ||
           hp_fail(err, HP_SYSTEM, "out of memory");
}

/* More text behind what there is; at the end of the file nothing changes. */
static bool more(struct archive_in *in, struct hp_error *err)
{
    if (in->at > 0) {
        memmove(in->text.data, in->text.data + in->at, in->text.size - in->at);
        in->text.size -= in->at;
        in->text.data[in->text.size] = '\0';
        in->at = 0;
    }
    if (in->text.size > ARCHIVE_LINE_LIMIT)
        return hp_fail(err, HP_INVALID, "line %lld is longer than %d bytes",
                       (long long)in->lines + 1, ARCHIVE_LINE_LIMIT);
    if (!in->full && in->unread.pos == in->unread.size && !read_file(in, err))
        return false;
    if (in->ended)
        return true;
    if (in->zstd)
        return expand(in, err);
    bool ok = hp_buffer_append(&in->text, in->file, in->unread.size);
    in->unread.pos = in->unread.size;
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}

/* The last line against all that came before it, and nothing behind it. */
static bool check_end(struct archive_in *in, const char *line, size_t size, struct hp_error *err)
{
    char hash[HP_HASH_TEXT];
    HP_JSON json_t *value = hp_json_parse(line, size, err);
    if (!value)
        return hp_error_context(err, "the last line");
    const json_t *end = json_object_get(value, "end");
    hp_hasher_end(in->hasher, hash);
    if (hp_json_int(end, "lines", -1) != in->lines ||
        strcmp(hp_json_string(end, "sha256", ""), hash) != 0)
        return hp_fail(err, HP_INVALID,
                       "the archive was changed or damaged: its content does not fit its hash");
    while (!in->ended && in->at == in->text.size)
        if (!more(in, err))
            return false;
    if (in->zstd && in->frame_left != 0)
        return hp_fail(err, HP_INVALID, "the archive is cut off at its end");
    if (in->at < in->text.size)
        return hp_fail(err, HP_INVALID, "something follows the end of the archive");
    return true;
}

const char *archive_next(struct archive_in *in, size_t *size, struct hp_error *err)
{
    char *end;
    size_t searched = 0;
    while (!(end = in->text.size > in->at + searched
                       ? memchr(in->text.data + in->at + searched, '\n',
                                in->text.size - in->at - searched)
                       : NULL)) {
        searched = in->text.size - in->at;
        if (!more(in, err))
            return NULL;
        if (in->ended) {
            hp_fail(err, HP_INVALID, "the archive is cut off after line %lld",
                    (long long)in->lines);
            return NULL;
        }
    }
    char *line = in->text.data + in->at;
    *size = (size_t)(end - line);
    *end = '\0';
    in->at += *size + 1;
    if (memchr(line, '\0', *size)) {
        hp_fail(err, HP_INVALID, "line %lld holds a NUL byte", (long long)in->lines + 1);
        return NULL;
    }
    if (strncmp(line, "{\"end\":", 7) == 0) {
        HP_FREE char *last = strndup(line, *size); /* what follows may move the text */
        err->code = HP_OK;
        if (!last)
            hp_fail(err, HP_SYSTEM, "out of memory");
        else
            check_end(in, last, *size, err);
        return NULL;
    }
    in->lines++;
    hp_hasher_add(in->hasher, line, *size);
    hp_hasher_add(in->hasher, "\n", 1);
    return line;
}
