#include "collector/decode.h"

#include "common/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* A window of 8 MiB, what zstd's own levels below "ultra" use: memory that a frame may ask for. */
enum { WINDOW_LOG = 23, BLOCK = 128 << 10 };

static bool expand(ZSTD_DStream *stream, const struct hp_buffer *body, size_t limit, char *block,
                   struct hp_buffer *out, struct hp_error *err)
{
    ZSTD_inBuffer in = {body->data, body->size, 0};
    size_t left = 1;
    while (in.pos < in.size || left != 0) {
        size_t before = in.pos;
        ZSTD_outBuffer piece = {block, BLOCK, 0};
        left = ZSTD_decompressStream(stream, &piece, &in);
        if (ZSTD_isError(left))
            return hp_fail(err, HP_INVALID, "the body is no zstd frame: %s",
                           ZSTD_getErrorName(left));
        if (piece.pos > limit - out->size)
            return hp_fail(err, HP_LIMIT, "the body is larger than %zu bytes when expanded", limit);
        if (!hp_buffer_append(out, block, piece.pos))
            return hp_fail(err, HP_SYSTEM, "out of memory");
        if (left != 0 && piece.pos == 0 && in.pos == before)
            return hp_fail(err, HP_INVALID, "the body is a zstd frame that was cut off");
    }
    return true;
}

bool body_decode(const char *encoding, struct hp_buffer *body, size_t limit, struct hp_error *err)
{
    if (!encoding || strcasecmp(encoding, "identity") == 0 || body->size == 0)
        return true;
    if (strcasecmp(encoding, "zstd") != 0) {
        hp_fail(err, HP_USAGE, "bodies in the encoding '%.40s' are not taken", encoding);
        return hp_error_hint(err, "Send it as it is, or with Content-Encoding: zstd.");
    }
    ZSTD_DStream *stream = ZSTD_createDStream();
    HP_FREE char *block = malloc(BLOCK);
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = stream && block &&
              !ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG));
    if (!ok)
        hp_fail(err, HP_SYSTEM, "out of memory");
    ok = ok && expand(stream, body, limit, block, &out, err);
    ZSTD_freeDStream(stream);
    if (!ok)
        return false;
    struct hp_buffer compressed = *body;
    *body = out;
    out = compressed;
    return true;
}
