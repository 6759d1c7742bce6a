/*
 * attack.h: small programs that free wrongly, for a process of their own.
 *
 * They are linked with no allocator: the test preloads the one it wants to see. Each is one
 * function in a table; `attack NAME SIZE` runs it with blocks of that size, `attack --list` names
 * all with the sizes they are meant for. A program that comes to its end was not stopped: it exits
 * 0.
 */
#ifndef TEST_ATTACK_H
#define TEST_ATTACK_H

#include <stddef.h>

enum sizes {
    ONE,   /* the size means nothing */
    SMALL, /* up to 1000 bytes */
    EVERY  /* up to 3 MB */
};

struct attack {
    const char *name;
    void (*run)(size_t n);
    enum sizes sizes;
};

/* Each table ends with a name of NULL. */
extern const struct attack double_frees[], late_frees[], invalid_frees[];

/* Runs body(arg) in a thread and waits for it. */
void in_thread(void *(*body)(void *), void *arg);
/* free(p), as a thread's body. */
void *free_it(void *p);

#endif
