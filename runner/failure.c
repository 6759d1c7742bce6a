#include "runner/failure.h"

#include "common/io.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_LIMIT 2000

json_t *rn_log_tail(const char *text, size_t size)
{
    if (!text || size == 0)
        return json_null();
    size_t kept = size < RN_LOG_LIMIT ? size : RN_LOG_LIMIT;
    return hp_json_bytes(text + size - kept, kept);
}

json_t *rn_failure(const char *stage, const char *arm, const char *message, const json_t *log)
{
    size_t n = strcspn(message, "\n");
    if (n > MESSAGE_LIMIT)
        n = MESSAGE_LIMIT;
    json_t *line = hp_json_bytes(n ? message : "no reason was given", n ? n : 19);
    return json_pack("{s:s, s:s?, s:o, s:O}", "stage", stage, "arm", arm, "message", line, "log",
                     log ? log : json_null());
}

json_t *rn_failure_of(const char *stage, const char *arm, const struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    bool ok = hp_buffer_printf(&text, "%s", err->message);
    if (err->path[0])
        ok = ok && hp_buffer_printf(&text, " at %s", err->path);
    if (err->hint[0])
        ok = ok && hp_buffer_printf(&text, ". %s", err->hint);
    return ok ? rn_failure(stage, arm, hp_buffer_text(&text), NULL) : NULL;
}

static bool line_has(const char *line, size_t size, const char *word)
{
    return memmem(line, size, word, strlen(word)) != NULL;
}

static bool is_blank(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

void rn_telling_line(const char *log, size_t size, char *out, size_t room)
{
    const char *best = NULL;
    size_t best_size = 0;
    int rank = 0; /* 1: last line, 2: says "error" or make's "***", 3: says "error:" */
    for (const char *p = log, *end = log + size; p && p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);
        int worth = is_blank(p, n)             ? 0
                    : line_has(p, n, "error:") ? 3
                    : line_has(p, n, "error")  ? 2
                    : line_has(p, n, " *** ")  ? 2
                                               : 1;
        if (worth > rank || (worth == 1 && rank == 1)) {
            best = p;
            best_size = n;
            rank = worth;
        }
        p += n + 1;
    }
    snprintf(out, room, "%.*s", (int)best_size, best ? best : "");
}
