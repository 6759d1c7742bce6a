/*
 * Seeded random numbers for the tests of analysis/: the same on every machine and every run, so
 * that a failure can be repeated. The state belongs to the caller.
 */
#ifndef HP_TESTS_RANDOM_H
#define HP_TESTS_RANDOM_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

/* Time limits are those of a plain build; instrumented ones get this much more. */
#ifdef __OPTIMIZE__
#define TIME_SCALE (UNDER_SANITIZER ? 20 : 1)
#else
#define TIME_SCALE 20
#endif

struct rng {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood 2014). */
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in (0, 1). */
static inline double rng_uniform(struct rng *r)
{
    return ((double)(rng_next(r) >> 11) + 0.5) * 0x1p-53;
}

/* Uniform in 0 .. below - 1. */
static inline size_t rng_below(struct rng *r, size_t below)
{
    return (size_t)(rng_uniform(r) * (double)below);
}

/* Standard normal (Box and Muller, one of the two). */
static inline double rng_normal(struct rng *r)
{
    double radius = sqrt(-2 * log(rng_uniform(r)));
    return radius * cos(6.283185307179586 * rng_uniform(r));
}

/* Any finite double at all: huge, tiny, 0 of both signs. */
static inline double rng_any(struct rng *r)
{
    for (;;) {
        uint64_t bits = rng_next(r);
        double x;
        memcpy(&x, &bits, sizeof x);
        if (rng_uniform(r) < 0.1)
            return bits % 2 ? 0.0 : -0.0;
        if (isfinite(x))
            return x;
    }
}

/* Like the pairs of real runs: mostly narrow, now and then a disturbed process. */
static inline double rng_heavy(struct rng *r)
{
    double scale = rng_uniform(r) < 0.05 ? 6 : 1;
    return scale * rng_normal(r);
}

#endif
