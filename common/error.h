/*
 * Errors as values. A function that can fail returns false or NULL and fills a struct hp_error at
 * the deepest place that knows what went wrong; callers above add context, and the top logs or
 * prints it once. Every code has a stable name (the wire's error body) and an exit code.
 *
 * A struct hp_error owns nothing; it may be copied, and {0} is "no error". Not shared by threads.
 */
#ifndef HP_COMMON_ERROR_H
#define HP_COMMON_ERROR_H

#include <jansson.h>
#include <stdbool.h>

enum hp_code {
    HP_OK,
    HP_USAGE,       /* the command line or the request is not understood */
    HP_INVALID,     /* a document or value is malformed; `path` says where */
    HP_NOT_FOUND,   /* no such revision, repository, job, … */
    HP_CONFLICT,    /* contradicts what is stored: stale lease, changed migration, … */
    HP_DENIED,      /* who asks may not */
    HP_UNAVAILABLE, /* a service does not answer now; trying again may help */
    HP_TIMEOUT,     /* took longer than its limit */
    HP_LIMIT,       /* larger or more than is accepted */
    HP_FAILED,      /* a program that was run did not succeed: build, benchmark, git */
    HP_SYSTEM,      /* the operating system refused */
    HP_INTERNAL,    /* a defect of ours */
};

struct hp_error {
    enum hp_code code;
    char message[1024]; /* lower case, no full stop */
    char hint[512];     /* what the reader can do, a sentence; "" if nothing */
    char path[256];     /* JSON pointer or parameter; "" if none */
};

/* Sets code and message, clears hint and path. Always returns false, so that `return hp_fail(…)`.
 */
bool hp_fail(struct hp_error *err, enum hp_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As hp_fail with HP_SYSTEM and ": " strerror(errno) behind the message. */
bool hp_fail_errno(struct hp_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message. Always returns false. */
bool hp_error_context(struct hp_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the hint. Always returns false. */
bool hp_error_hint(struct hp_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the path. Always returns false. */
bool hp_error_path(struct hp_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The stable name of a code, as in the error body ("not_found"); "ok" for HP_OK. */
const char *hp_code_name(enum hp_code code);

/* The code of a name; HP_INTERNAL for a name that is none. */
enum hp_code hp_code_parse(const char *name);

/* The error body {"code", "message", "hint", "path"}; the caller owns it. NULL: out of memory. */
json_t *hp_error_json(const struct hp_error *err);

/* Fills err from an error body as received; other documents give HP_INTERNAL with their text. */
void hp_error_from_json(struct hp_error *err, const json_t *body);

/* Prints "PROGRAM: message (path)" and "HINT: …" to stderr; colour only on a terminal. */
void hp_error_print(const char *program, const struct hp_error *err);

#endif
