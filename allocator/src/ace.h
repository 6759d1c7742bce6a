/*
 * ace.h: the Adaptive Cache Engine: sizes above Tiny and below 2 MiB, and why it could not serve.
 *
 * A request that ACE cannot serve goes on to the next tier; here it is counted by cause and class
 * and, with HAKMEM_ACE_TRACE, told on stderr without allocating. Any thread may call.
 */
#ifndef HAKMEM_ACE_H
#define HAKMEM_ACE_H

#include <stdbool.h>
#include <stddef.h>

enum ace_cause {
    ACE_THRESHOLD,  /* no class is small enough for the size */
    ACE_EXHAUSTION, /* the pool of the class is at its cap */
    ACE_MAPFAIL,    /* the kernel refused memory */
    ACE_CAUSES
};
extern const char *const ace_cause_names[ACE_CAUSES];

/* What failed for a cause and class (CLASSES when there is no class). */
struct ace_failure {
    unsigned long long count;
    size_t first_size;
};

/* A block for a size above Tiny, from its class; NULL, the failure counted, when ACE cannot
 * serve. `class` is what size_class_of says, or a larger one for the sake of alignment. With
 * `zeroed` the first `size` bytes are zero; pages that the kernel just gave are then left
 * untouched. */
void *ace_alloc(unsigned class, size_t size, bool zeroed);

/* Counts one failure and traces it. `limit` is what the cause ran into: the largest class that
 * would do, the cap, or the bytes asked of the kernel. */
void ace_fail(enum ace_cause cause, unsigned class, size_t size, size_t limit);
struct ace_failure ace_failure(enum ace_cause cause, unsigned class);

#endif
