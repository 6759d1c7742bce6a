/*
 * How sure a count of rare events is: tails of the binomial distribution and the exact bound on a
 * rate (Clopper and Pearson 1934). Pure functions; any thread.
 */
#ifndef AN_BINOMIAL_H
#define AN_BINOMIAL_H

#include <stddef.h>

/* The chance of k or more of n, each with chance p in [0, 1]; NAN for another p. */
double an_binomial_tail(size_t k, size_t n, double p);

/*
 * The largest rate that k of n leave possible at one-sided confidence in (0, 1): the p at which k
 * or fewer have the chance 1 - confidence. 1 for k >= n (so also for n = 0); NAN for another
 * confidence.
 */
double an_binomial_upper(size_t k, size_t n, double confidence);

#endif
