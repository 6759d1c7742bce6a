/*
 * lock.h: a small mutual exclusion lock over one futex word.
 *
 * The allocator cannot use a lock that allocates, and after fork the child must be able to reset
 * it whatever its state was; so it has its own. Zero is unlocked: a static lock needs no set-up.
 * States: 0 free, 1 held, 2 held and someone may sleep on it. Not recursive.
 */
#ifndef HAKMEM_LOCK_H
#define HAKMEM_LOCK_H

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

struct lock {
    atomic_uint word;
};

/* Waits until the lock is free: spins for a short while, then sleeps. Keeps errno. */
void lock_acquire_slow(struct lock *l);

/* The calling thread is about to end the process: from now on it waits for no lock for long, since
 * it may hold the one it wants. */
void lock_pass(void);

static inline void lock_acquire(struct lock *l)
{
    unsigned expected = 0;
    if (!atomic_compare_exchange_strong_explicit(&l->word, &expected, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        lock_acquire_slow(l);
}

static inline void lock_release(struct lock *l)
{
    if (atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2) {
        int saved = errno;
        syscall(SYS_futex, &l->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        errno = saved;
    }
}

/* In the child of a fork: the lock is free, whoever held it in the parent. */
static inline void lock_reset(struct lock *l)
{
    atomic_store_explicit(&l->word, 0, memory_order_relaxed);
}

#endif
