#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const code_names[] = {
    [HP_OK] = "ok",
    [HP_USAGE] = "usage",
    [HP_INVALID] = "invalid",
    [HP_NOT_FOUND] = "not_found",
    [HP_CONFLICT] = "conflict",
    [HP_DENIED] = "denied",
    [HP_UNAVAILABLE] = "unavailable",
    [HP_TIMEOUT] = "timeout",
    [HP_LIMIT] = "limit",
    [HP_FAILED] = "failed",
    [HP_SYSTEM] = "system",
    [HP_INTERNAL] = "internal",
};
#define CODE_COUNT (sizeof code_names / sizeof code_names[0])

/* Messages may carry bytes of foreign programs; the error body must stay valid UTF-8. */
static void clean_text(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++)
        if ((*p < 0x20 && *p != '\t' && *p != '\n') || *p == 0x7f)
            *p = '?';
}

bool hp_fail(struct hp_error *err, enum hp_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *err = (struct hp_error){.code = code};
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    clean_text(err->message);
    return false;
}

bool hp_fail_errno(struct hp_error *err, const char *format, ...)
{
    int saved = errno;
    va_list args;
    va_start(args, format);
    *err = (struct hp_error){.code = HP_SYSTEM};
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->message)
        snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", strerror(saved));
    clean_text(err->message);
    errno = saved;
    return false;
}

bool hp_error_context(struct hp_error *err, const char *format, ...)
{
    char context[sizeof err->message], before[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(before, err->message, sizeof before);
    if (snprintf(err->message, sizeof err->message, "%s: %s", context, before) < 0)
        memcpy(err->message, before, sizeof before);
    clean_text(err->message);
    return false;
}

bool hp_error_hint(struct hp_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    clean_text(err->hint);
    return false;
}

bool hp_error_path(struct hp_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->path, sizeof err->path, format, args);
    va_end(args);
    clean_text(err->path);
    return false;
}

const char *hp_code_name(enum hp_code code)
{
    return (size_t)code < CODE_COUNT ? code_names[code] : "internal";
}

enum hp_code hp_code_parse(const char *name)
{
    for (size_t i = 0; i < CODE_COUNT; i++)
        if (strcmp(code_names[i], name) == 0)
            return (enum hp_code)i;
    return HP_INTERNAL;
}

/* A JSON string of text that may have been cut inside a UTF-8 sequence. */
static json_t *text_json(const char *text)
{
    size_t n = strlen(text);
    json_t *s = json_stringn(text, n);
    for (size_t cut = 1; !s && cut <= 4 && cut <= n; cut++)
        s = json_stringn(text, n - cut);
    if (s)
        return s;
    char ascii[sizeof((struct hp_error){0}.message)];
    size_t i = 0;
    for (; text[i] && i + 1 < sizeof ascii; i++)
        ascii[i] = (char)((unsigned char)text[i] < 0x80 ? text[i] : '?');
    ascii[i] = '\0';
    return json_string(ascii);
}

json_t *hp_error_json(const struct hp_error *err)
{
    return json_pack("{s:s, s:o, s:o, s:o}", "code", hp_code_name(err->code), "message",
                     text_json(err->message[0] ? err->message : "unknown error"), "hint",
                     err->hint[0] ? text_json(err->hint) : json_null(), "path",
                     err->path[0] ? text_json(err->path) : json_null());
}

void hp_error_from_json(struct hp_error *err, const json_t *body)
{
    const char *code = json_string_value(json_object_get(body, "code"));
    const char *message = json_string_value(json_object_get(body, "message"));
    const char *hint = json_string_value(json_object_get(body, "hint"));
    const char *path = json_string_value(json_object_get(body, "path"));
    hp_fail(err, code ? hp_code_parse(code) : HP_INTERNAL, "%s",
            message ? message : "an answer that is not understood");
    if (hint)
        hp_error_hint(err, "%s", hint);
    if (path)
        hp_error_path(err, "%s", path);
}

void hp_error_print(const char *program, const struct hp_error *err)
{
    bool colour = isatty(STDERR_FILENO) != 0;
    fprintf(stderr, "%s: %s%s%s", program, colour ? "\033[31m" : "", err->message,
            colour ? "\033[0m" : "");
    if (err->path[0])
        fprintf(stderr, " (at %s)", err->path);
    fputc('\n', stderr);
    if (err->hint[0])
        fprintf(stderr, "HINT: %s\n", err->hint);
}
