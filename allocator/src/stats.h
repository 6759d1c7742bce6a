/*
 * stats.h: counts for each class.
 *
 * Rare events are counted always. Every single allocation, free and lookup is counted only when
 * HAKMEM_STATS_FILE is set: `stats_on` is decided once at start-up, and the paths that count are
 * then taken instead of the fast ones. Counters are atomic. stats_file.c writes the file.
 */
#ifndef HAKMEM_STATS_H
#define HAKMEM_STATS_H

#include "size_class.h"

#include <stdatomic.h>
#include <stdbool.h>

enum stat_id {
#define STAT(id, name) STAT_##id,
#include "stats.def"
#undef STAT
    STAT_COUNT
};

/* Requests that no class of SuperSlabs serves. */
enum stat_total {
    TOTAL_MAP_LOOKUPS,
    TOTAL_BIG_ALLOCS,
    TOTAL_BIG_FREES,
    TOTAL_LEGACY_ALLOCS,
    TOTAL_LEGACY_FREES,
    TOTAL_COUNT
};

extern bool stats_on;
extern atomic_ullong class_stats[CLASSES][STAT_COUNT];
extern atomic_ullong stat_totals[TOTAL_COUNT];

static inline void stats_class(unsigned class, enum stat_id id)
{
    atomic_fetch_add_explicit(&class_stats[class][id], 1, memory_order_relaxed);
}

static inline void stats_total(enum stat_total id)
{
    if (__builtin_expect(stats_on, 0))
        atomic_fetch_add_explicit(&stat_totals[id], 1, memory_order_relaxed);
}

/* Decides stats_on from the options. */
void stats_init(void);

#endif
