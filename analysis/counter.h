/*
 * Verdicts on what is counted rather than timed: ACE failures, system calls, and the share of time
 * in the kernel. The outcome has the same words as a timed metric. Pure functions: the caller owns
 * every array, nothing is kept between calls, any thread may call.
 */
#ifndef AN_COUNTER_H
#define AN_COUNTER_H

#include "analysis/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's share of the time counts from two points. */
#define AN_SHARE_MARGIN 0.02

struct an_counted {
    struct an_outcome outcome;
    double base, head;  /* mean a process; or the share, 0 to 1 */
    double low, high;   /* bounds of head - base, both equal to it where the comparison is exact */
    bool deterministic; /* every process of an arm with the same seed counted the same */
};

/*
 * Single-threaded counters, which repeat exactly: base[i] and head[i] of n processes an arm, with
 * the workload seed of each (NULL: all the same). Where all agree, the totals over the distinct
 * seeds decide: equal is equivalent, anything else is improved or regressed, relevant however
 * small. Where a counter did not repeat, deterministic is false and the outcome inconclusive:
 * an_counter_paired is then the test. False, and *out unwritten, when n is 0 or memory ran out.
 */
AN_CHECKED bool an_counter_exact(const uint64_t *base, const uint64_t *head, const uint32_t *seed,
                                 size_t n, enum an_better better, struct an_counted *out);

/*
 * Counters that vary from process to process (threads): the clustered signed rank test on
 * head[i] - base[i] at `critical`. Changed when 0 is excluded, always relevant; equivalent when
 * the interval lies within margin x the mean of base, or every difference is 0; else inconclusive.
 * margin is a fraction >= 0 (0.05 for 5 %); cluster and errors as in an_estimate_pairs.
 */
AN_CHECKED bool an_counter_paired(const uint64_t *base, const uint64_t *head,
                                  const uint32_t *cluster, size_t n, double critical, double margin,
                                  enum an_better better, struct an_counted *out);

/* Samples of a profile: how many, and how many of them in the kernel. */
struct an_samples {
    uint64_t in_kernel, all;
};

/* One tick of the kernel's clock, by which times in user and kernel mode are told apart: 4 ms at
 * 250 Hz, which is what this assumes. At 1000 Hz it is careful; at 100 Hz the spread below tells.
 */
#define AN_TICK_S 0.004

/*
 * The times that n processes spent in user and in kernel mode (seconds, >= 0) as samples of a
 * profile: the share of the sums, and how many independent samples that share is worth. That is at
 * most one a tick, and fewer where the processes differ by more than ticks explain: p (1 - p) over
 * the variance of the ratio of sums (Cochran 1977, section 6.3). False, and *out unwritten, when n
 * is 0, a time is not finite or negative, or all are 0.
 */
AN_CHECKED bool an_share_samples(const double *user, const double *kernel, size_t n,
                                 struct an_samples *out);

/*
 * The share of samples in the kernel, lower is better: Newcombe's interval (1998, method 10) for
 * the difference of two independent proportions at `critical` standard deviations. Regressed or
 * improved when 0 is excluded: relevant where the difference is AN_SHARE_MARGIN or more, else
 * small. Equivalent when the interval holds 0 and lies within the margin. False, and *out
 * unwritten, when an arm has no samples or more in the kernel than in all, or critical is not
 * finite and positive.
 */
AN_CHECKED bool an_kernel_share(struct an_samples base, struct an_samples head, double critical,
                                struct an_counted *out);

#endif
