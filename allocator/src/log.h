/*
 * log.h: messages on stderr from inside an allocator.
 *
 * Nothing here allocates, locks or uses stdio: a line is formatted on the stack and written with
 * one write(2). Usable at any time, in signal handlers too. Keeps errno.
 */
#ifndef HAKMEM_LOG_H
#define HAKMEM_LOG_H

#include <stddef.h>

/* A line being composed; longer text is cut, never overrun. */
struct text {
    char *buf;
    size_t size, len;
};

/* Appends by format. Understands %s %d %u %zu %llu %p %x %c %% only; anything else is a bug. */
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes one line to stderr; same conversions as text_add, the newline is added. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with the prefix "hakmem: ", then abort(). For misuse that must not go on. */
_Noreturn void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
