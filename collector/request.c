#include "collector/request.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes percent codes in place; a plus is a space in parameters only. */
static bool decode(char *text, bool plus)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        char c = *at;
        if (c == '%') {
            int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
            if (low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high * 16 + low);
            at += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = '\0';
    return true;
}

static bool is_utf8(const char *text)
{
    HP_JSON json_t *string = json_string(text); /* which is what jansson takes nothing else for */
    return string != NULL;
}

static bool malformed(struct hp_error *err, const char *why)
{
    return hp_fail(err, HP_USAGE, "the request's target is malformed: %s", why);
}

static bool parse_path(struct request *request, char *path, struct hp_error *err)
{
    for (char *save = NULL, *part = strtok_r(path, "/", &save); part;
         part = strtok_r(NULL, "/", &save)) {
        if (request->segments == REQUEST_SEGMENTS)
            return malformed(err, "too many segments");
        if (!decode(part, false))
            return malformed(err, "bad percent code");
        if (!is_utf8(part))
            return malformed(err, "it is not UTF-8");
        request->segment[request->segments++] = part;
    }
    return true;
}

static bool parse_query(struct request *request, char *query, struct hp_error *err)
{
    for (char *save = NULL, *part = strtok_r(query, "&", &save); part;
         part = strtok_r(NULL, "&", &save)) {
        if (request->params == REQUEST_PARAMS)
            return malformed(err, "too many parameters");
        char *equals = strchr(part, '=');
        char *value = equals ? equals + 1 : part + strlen(part);
        if (equals)
            *equals = '\0';
        if (!decode(part, true) || !decode(value, true))
            return malformed(err, "bad percent code");
        if (!is_utf8(part) || !is_utf8(value))
            return malformed(err, "it is not UTF-8");
        request->param[request->params++] = (struct request_param){part, value};
    }
    return true;
}

bool request_parse(struct request *request, const char *target, struct hp_error *err)
{
    request->memory = strdup(target);
    if (!request->memory)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (*target != '/')
        return malformed(err, "it does not start with a slash");
    char *query = strchr(request->memory, '?');
    if (query)
        *query++ = '\0';
    return parse_path(request, request->memory, err) &&
           (!query || parse_query(request, query, err));
}

void request_release(struct request *request)
{
    if (request->body_fd > 0)
        close(request->body_fd);
    free(request->memory);
    hp_buffer_clear(&request->body);
}

const char *request_param(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->params; i++)
        if (strcmp(request->param[i].name, name) == 0)
            return request->param[i].value;
    return NULL;
}

bool request_int(const struct request *request, const char *name, int64_t min, int64_t max,
                 int64_t fallback, int64_t *out, struct hp_error *err)
{
    *out = fallback;
    const char *text = request_param(request, name);
    if (!text)
        return true;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < min || value > max) {
        hp_fail(err, HP_USAGE, "'%s' must be a whole number from %lld to %lld", name,
                (long long)min, (long long)max);
        return hp_error_path(err, "%s", name);
    }
    *out = value;
    return true;
}

const char *request_need(const struct request *request, const char *name, struct hp_error *err)
{
    const char *text = request_param(request, name);
    if (text && *text)
        return text;
    hp_fail(err, HP_USAGE, "the parameter '%s' is missing", name);
    hp_error_path(err, "%s", name);
    return NULL;
}

json_t *request_json(const struct request *request, struct hp_error *err)
{
    if (request->body.size == 0) {
        hp_fail(err, HP_INVALID, "the request has no body");
        hp_error_hint(err, "Send a JSON object.");
        return NULL;
    }
    HP_JSON json_t *value = hp_json_parse(request->body.data, request->body.size, err);
    if (value && !json_is_object(value)) {
        hp_fail(err, HP_INVALID, "the body is not a JSON object");
        return NULL;
    }
    return hp_take(value);
}

static void clear_body(struct answer *answer)
{
    free(answer->body);
    if (answer->fd > 0)
        close(answer->fd);
    answer->body = NULL;
    answer->fixed = NULL;
    answer->size = 0;
    answer->fd = 0;
}

void answer_release(struct answer *answer)
{
    clear_body(answer);
    for (size_t i = 0; i < answer->headers; i++)
        free(answer->header[i].value);
    *answer = (struct answer){0};
}

bool answer_json(struct answer *answer, unsigned status, json_t *value, struct hp_error *err)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (!answer_text(answer, text))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    answer->status = status;
    return true;
}

bool answer_text(struct answer *answer, char *text)
{
    clear_body(answer);
    answer->body = text;
    if (!text)
        return false;
    answer->status = 200;
    answer->content_type = "application/json";
    answer->size = strlen(text);
    return true;
}

static unsigned status_of(const struct hp_error *err, bool authenticated)
{
    switch (err->code) {
    case HP_USAGE:
        return 400;
    case HP_INVALID:
        return 422;
    case HP_NOT_FOUND:
        return 404;
    case HP_CONFLICT:
        return 409;
    case HP_DENIED:
        return authenticated ? 403 : 401;
    case HP_UNAVAILABLE:
        return 503;
    case HP_TIMEOUT:
        return 504;
    case HP_LIMIT:
        return 413;
    case HP_FAILED:
        return 502;
    case HP_OK:
    case HP_SYSTEM:
    case HP_INTERNAL:
        break;
    }
    return 500;
}

void answer_error(struct answer *answer, const struct hp_error *err, bool authenticated)
{
    /* A handler that knows better (429) has set the status already. */
    unsigned status = answer->status >= 400 ? answer->status : status_of(err, authenticated);
    answer_release(answer);
    struct hp_error ignored;
    if (!answer_json(answer, status, hp_error_json(err), &ignored)) {
        answer->fixed = "{\"code\":\"system\",\"message\":\"out of memory\",\"hint\":null,"
                        "\"path\":null}";
        answer->size = strlen(answer->fixed);
        answer->status = 500;
        answer->content_type = "application/json";
    }
    if (status == 503 || status == 429)
        answer_header(answer, "Retry-After", "%d", status == 503 ? 5 : 60);
    if (status == 401)
        answer_header(answer, "WWW-Authenticate", "Bearer realm=\"hakperf\"");
}

bool answer_header(struct answer *answer, const char *name, const char *format, ...)
{
    if (answer->headers == ANSWER_HEADERS)
        return false;
    va_list args;
    va_start(args, format);
    char *value = NULL;
    int length = vasprintf(&value, format, args);
    va_end(args);
    if (length < 0)
        return false;
    answer->header[answer->headers].name = name;
    answer->header[answer->headers++].value = value;
    return true;
}
