#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 512 };

static void put(struct text *t, const char *s, size_t n)
{
    if (n > t->size - t->len)
        n = t->size - t->len;
    memcpy(t->buf + t->len, s, n);
    t->len += n;
}

static void put_number(struct text *t, unsigned long long value, unsigned base)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    put(t, digits + at, sizeof digits - at);
}

static void put_signed(struct text *t, long long value)
{
    if (value < 0)
        put(t, "-", 1);
    put_number(t, value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value, 10);
}

/* Formats one conversion; returns the position after it. */
static const char *convert(struct text *t, const char *f, va_list *args)
{
    if (strncmp(f, "zu", 2) == 0) {
        put_number(t, va_arg(*args, size_t), 10);
        return f + 2;
    }
    if (strncmp(f, "llu", 3) == 0) {
        put_number(t, va_arg(*args, unsigned long long), 10);
        return f + 3;
    }
    const char *s;
    char c;
    switch (*f) {
    case 's':
        s = va_arg(*args, const char *);
        s = s ? s : "(null)";
        put(t, s, strlen(s));
        break;
    case 'd':
        put_signed(t, va_arg(*args, int));
        break;
    case 'u':
        put_number(t, va_arg(*args, unsigned), 10);
        break;
    case 'x':
        put_number(t, va_arg(*args, unsigned), 16);
        break;
    case 'p':
        put(t, "0x", 2);
        put_number(t, (uintptr_t)va_arg(*args, void *), 16);
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        put(t, &c, 1);
        break;
    case '%':
        put(t, "%", 1);
        break;
    default:
        put(t, "?", 1);
        return f;
    }
    return f + 1;
}

static void format_into(struct text *t, const char *f, va_list *args)
{
    while (*f) {
        size_t plain = strcspn(f, "%");
        put(t, f, plain);
        f += plain;
        if (*f == '%')
            f = convert(t, f + 1, args);
    }
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_into(t, format, &args);
    va_end(args);
}

static void write_all(int fd, const char *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, buf, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        buf += n;
        len -= (size_t)n;
    }
}

static void line(const char *prefix, const char *format, va_list *args)
{
    int saved = errno;
    char buf[LINE];
    struct text t = {buf, sizeof buf - 1, 0};
    text_add(&t, "%s", prefix);
    format_into(&t, format, args);
    t.size = sizeof buf;
    put(&t, "\n", 1);
    write_all(STDERR_FILENO, buf, t.len);
    errno = saved;
}

void log_line(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line("", format, &args);
    va_end(args);
}

void log_fatal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line("hakmem: ", format, &args);
    va_end(args);
    abort();
}
