#include "runner/deliver.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"
#include "runner/spool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define ANSWER_LIMIT 65536

/* A small result is as fast as it is. */
enum { COMPRESS_FROM = 8192, COMPRESS_LEVEL = 3 };

enum rn_delivery rn_delivery_of(long status)
{
    switch (status) {
    case 200:
    case 201:
        return RN_DELIVERED;
    case 400: /* malformed */
    case 409: /* another runner has the job by now */
    case 413: /* too large */
    case 422: /* invalid */
        return RN_REFUSED;
    default:
        /* 401 and 403 too: a token can be put right, a lost result cannot. */
        return RN_KEPT;
    }
}

/* Whether a spooled file is the run that its name says: a disk may have damaged it since. */
static bool is_whole(const char *run, const struct hp_buffer *body, struct hp_error *err)
{
    struct hp_error why = {0};
    HP_JSON json_t *result = hp_json_parse(hp_buffer_text(body), body->size, &why);
    if (result && strcmp(hp_json_string(result, "run", ""), run) == 0)
        return true;
    return hp_fail(err, HP_INVALID, "the file in the spool is damaged: %s",
                   result ? "it holds another run" : why.message);
}

/* Sends it compressed where that pays; one that does not take it so gets it as it is. */
static void put(struct hp_http *http, const char *path, const struct hp_buffer *body,
                struct hp_buffer *answer, long *status, struct hp_error *err)
{
    size_t room = body->size >= COMPRESS_FROM ? ZSTD_compressBound(body->size) : 0;
    HP_FREE char *packed = room > 0 ? malloc(room) : NULL;
    size_t size = packed ? ZSTD_compress(packed, room, body->data, body->size, COMPRESS_LEVEL) : 0;
    if (packed && !ZSTD_isError(size)) {
        hp_http_encoding(http, "zstd");
        (void)hp_http_bytes(http, "PUT", path, "application/json", packed, size, ANSWER_LIMIT,
                            answer, status, err);
        hp_http_encoding(http, NULL);
        if (*status != 415)
            return;
        hp_buffer_clear(answer);
    }
    (void)hp_http_bytes(http, "PUT", path, "application/json", hp_buffer_text(body), body->size,
                        ANSWER_LIMIT, answer, status, err);
}

enum rn_delivery rn_deliver(struct hp_http *http, const char *state, const char *run,
                            struct hp_error *err)
{
    HP_FREE char *file = rn_spool_path(state, run);
    HP_FREE char *path = hp_format("/api/v1/runs/%s", run);
    HP_BUFFER struct hp_buffer body = {0};
    HP_BUFFER struct hp_buffer answer = {0};
    struct hp_error ignored;
    long status = 0;
    if (!file || !path) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return RN_KEPT;
    }
    if (!hp_file_read(file, HP_WIRE_RESULT_LIMIT, &body, err)) {
        if (err->code == HP_LIMIT && rn_spool_refuse(state, run, err, &ignored))
            return RN_REFUSED;
        return RN_KEPT;
    }
    if (!is_whole(run, &body, err))
        return rn_spool_refuse(state, run, err, &ignored) ? RN_REFUSED : RN_KEPT;
    put(http, path, &body, &answer, &status, err);
    enum rn_delivery delivery = rn_delivery_of(status);
    if (delivery == RN_DELIVERED && !rn_spool_remove(state, run, err))
        return RN_KEPT;
    if (delivery == RN_REFUSED && !rn_spool_refuse(state, run, err, &ignored))
        return RN_KEPT;
    return delivery;
}

bool rn_deliver_all(struct hp_http *http, const char *state, struct hp_error *err)
{
    char **runs;
    size_t count;
    bool ok = true;
    if (!rn_spool_list(state, &runs, &count, err))
        return false;
    for (size_t i = 0; i < count && ok; i++) {
        switch (rn_deliver(http, state, runs[i], err)) {
        case RN_DELIVERED:
            hp_log(HP_LOG_INFO, "run %s delivered", runs[i]);
            break;
        case RN_REFUSED:
            hp_log(HP_LOG_ERROR, "run %s refused: %s%s%s; kept in the spool's folder refused",
                   runs[i], err->message, err->path[0] ? " at " : "", err->path);
            break;
        case RN_KEPT:
            ok = false;
            break;
        }
    }
    rn_spool_free(runs, count);
    return ok;
}

double rn_backoff(unsigned failures)
{
    uint16_t random = 0;
    struct hp_error ignored;
    double seconds = failures < 6 ? (double)(1u << failures) : 60;
    (void)hp_random_bytes(&random, sizeof random, &ignored);
    return seconds * (0.75 + 0.5 * random / UINT16_MAX);
}
