/*
 * threads.h: starting threads of a benchmark together, and what their waiting cost.
 *
 * CPU time alone hides waiting for a lock: voluntary context switches count how often a thread
 * gave up its core, and futex calls (by perf's counter of the system call, where permitted) how
 * often it asked the kernel to wait or to wake.
 */
#ifndef BENCH_THREAD_H
#define BENCH_THREAD_H

#include "bench.h"

enum { BENCH_MAX_THREADS = 64 };

/* Runs body(0) … body(threads - 1), each in a thread of its own, all begun together; returns when
 * the last has ended, with the stretch from the common start to that end. */
struct bench_part bench_run_threads(unsigned threads, void (*body)(unsigned index));

/* Voluntary context switches of the process so far. */
uint64_t bench_voluntary_switches(void);

/* Counts futex calls of this process and of threads started later; a negative number when the
 * kernel does not permit it. bench_futex_calls reads the count, 0 without permission. */
int bench_futex_open(void);
uint64_t bench_futex_calls(int fd);

#endif
