/*
 * init.h: what has to happen before the first block is served.
 *
 * The first allocation may come from the dynamic loader, before any constructor and before libc
 * knows the environment; whoever comes first runs init_ensure, which allocates nothing.
 */
#ifndef HAKMEM_INIT_H
#define HAKMEM_INIT_H

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_bool init_done;
void init_slow(void);

static inline void init_ensure(void)
{
    if (__builtin_expect(!atomic_load_explicit(&init_done, memory_order_acquire), 0))
        init_slow();
}

#endif
