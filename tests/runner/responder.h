/*
 * A collector's voice by script: answers the requests that come to a loopback port one after the
 * other with what it was told, and remembers what was asked. It stands in where the real collector
 * could be brought to such answers only by breaking it. A thread of its own; started and stopped by
 * one test.
 */
#ifndef RN_TEST_RESPONDER_H
#define RN_TEST_RESPONDER_H

#include <stddef.h>

struct answer {
    int status; /* 0: close the connection instead */
    const void *body;
    size_t size; /* 0: body is a text */
};

struct responder;

/* `script` outlives it. After its last answer it listens no more. */
struct responder *responder_start(const struct answer *script, size_t count);
const char *responder_url(const struct responder *responder);

/* Ends and frees it; returns everything that was received, owned by the caller. */
char *responder_stop(struct responder *responder);

#endif
