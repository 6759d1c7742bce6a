/*
 * thread_cache.h: what a thread keeps for itself, from its first block to its end and over a fork.
 *
 * For each class a thread has a list of free blocks, last in first out, and one spare list. The
 * heads of the lists are in its thread-local storage, for the fast path; the rest is in a record
 * that outlives the thread. Only the owning thread touches either, but for the child of a fork: the
 * lists of the threads that it does not have become orphans, and each class of them goes to the
 * backend when the child first has need of that class. So that no moment is bad for a fork, blocks
 * are written before the lists that they enter, lists are changed before the blocks that leave, and
 * one list is never in two places, unless it is the spare and the list itself.
 */
#ifndef HAKMEM_THREAD_CACHE_H
#define HAKMEM_THREAD_CACHE_H

#include "block.h"
#include "eight.h"
#include "size_class.h"
#include "stats.h"

#include <stdatomic.h>
#include <stdbool.h>

struct bin {
    struct block *head;
    int32_t room; /* blocks that may still be freed into this list */
};

struct tcache {
    struct bin bins[CLASSES];
};
extern __thread struct tcache tcache;

struct thread_cache {
    struct thread_cache *next, *prev; /* of those that a child of fork would have to adopt */
    struct tcache *lists;             /* the owner's */
    struct {
        struct chain spare;
        int32_t cap;   /* blocks of a list: list and room together */
        bool for_good; /* lists are short, because the program frees for good */
    } classes[CLASSES];
    struct eight_cache eights; /* the class of 8 bytes keeps its blocks here */
    struct bin apart[CLASSES]; /* the lists that the fast path does not see; see thread_cache_bin */
};
/* The calling thread's; NULL before it has started, after it has ended, and without memory. */
extern __thread struct thread_cache *thread_cache;

/* What is written before comes first, also for a child of fork that sees the thread stopped here.
 */
static inline void thread_cache_step(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

/* Once, before the first block. */
void thread_cache_init(void);
/* Starts the cache of the calling thread; whether it has one now. */
bool thread_cache_start(void);
static inline bool thread_cache_on(void)
{
    return __builtin_expect(thread_cache != NULL, 1) || thread_cache_start();
}

/* The list of a class. While everything is counted no list is where the fast path sees it, nor are
 * those of classes that W_MAX closes to some of their sizes, since it does not know the size. */
static inline struct bin *thread_cache_bin(unsigned class)
{
    bool apart = stats_on || size_classes[class].min_size > 0;
    return apart ? &thread_cache->apart[class] : &tcache.bins[class];
}

/* Gives all that the calling thread keeps to the backend, and what it finds of orphans. */
void thread_cache_flush(void);
/* Looks whether the lists of the calling thread are whole; a report, if not. */
void thread_cache_verify(void);

/* Whether there may be orphans of the class, and giving them to the backend. */
extern atomic_bool thread_cache_orphans[CLASSES];
void thread_cache_adopt(unsigned class);

/* Around fork: before the locks of the backend, and after them. */
void thread_cache_lock(void);
void thread_cache_unlock(void);
void thread_cache_reset(void);

#endif
