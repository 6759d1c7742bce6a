/*
 * counters.h: counts of rare events, kept always. Any thread may count; sums may be read at any
 * time and are exact when nobody else runs.
 */
#ifndef HAKMEM_COUNTERS_H
#define HAKMEM_COUNTERS_H

#include <stdatomic.h>

enum counter_id {
#define COUNTER(id, name) COUNT_##id,
#include "counters.def"
#undef COUNTER
    COUNTER_COUNT
};

extern atomic_ullong counters[COUNTER_COUNT];
extern const char *const counter_names[COUNTER_COUNT];

static inline void counter_add(enum counter_id id, unsigned long long n)
{
    atomic_fetch_add_explicit(&counters[id], n, memory_order_relaxed);
}

static inline unsigned long long counter_get(enum counter_id id)
{
    return atomic_load_explicit(&counters[id], memory_order_relaxed);
}

#endif
