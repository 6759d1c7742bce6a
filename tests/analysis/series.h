/*
 * Labelled series for the tests of the change point detector: levels that step at known places,
 * under the noise that performance series have. Seeded, so that a failure can be repeated.
 */
#ifndef HP_TESTS_SERIES_H
#define HP_TESTS_SERIES_H

#include "tests/analysis/random.h"

#include <stddef.h>

enum { SERIES_MOST = 600, LABELS_MOST = 60 };

enum noise {
    NOISE_NORMAL,
    NOISE_HEAVY,     /* one point in ten is four times as noisy */
    NOISE_BIMODAL,   /* two levels, taken at random */
    NOISE_QUANTIZED, /* rounded to whole standard deviations: mostly ties */
    NOISE_MILD_AR,   /* neighbours correlate with 0.25 */
    NOISE_STRONG_AR, /* with 0.5 */
    NOISE_DRIFT,     /* a slow wave of 1.5 standard deviations */
    NOISE_WORLD,     /* heavy tails and a correlation of up to 0.7, larger steps */
    NOISE_KINDS
};

static const char *const noise_names[NOISE_KINDS] = {
    "normal",  "heavy tails", "bimodal",    "quantized",
    "AR 0.25", "AR 0.5",      "slow drift", "as in the world",
};

struct series {
    double value[SERIES_MOST];
    size_t n;
    size_t label[LABELS_MOST]; /* the first point of each new level */
    size_t n_labels;
};

static inline double correlation_of(struct rng *r, enum noise kind)
{
    if (kind == NOISE_WORLD)
        return 0.7 * rng_uniform(r);
    return kind == NOISE_MILD_AR ? 0.25 : kind == NOISE_STRONG_AR ? 0.5 : 0;
}

static inline double one_noise(struct rng *r, enum noise kind, double correlation, double *previous)
{
    double x = rng_normal(r);
    if ((kind == NOISE_HEAVY || kind == NOISE_WORLD) && rng_uniform(r) < 0.1)
        x *= 4;
    if (kind == NOISE_BIMODAL)
        x = (rng_uniform(r) < 0.3 ? 2 : 0) + 0.3 * x;
    if (kind == NOISE_QUANTIZED)
        x = round(x);
    *previous = correlation * *previous + sqrt(1 - correlation * correlation) * x;
    return *previous;
}

/*
 * Adds noise of standard deviation sd (a log ratio) to level[0 .. s->n), makes raw values about
 * 100 of it, and in every second series lets up to 2 % of the points be outliers.
 */
static inline void series_fill(struct rng *r, struct series *s, enum noise kind, double sd,
                               const double *level)
{
    double outliers = rng_below(r, 2) ? 0.02 * rng_uniform(r) : 0, phase = 6.28 * rng_uniform(r);
    double previous = 0, correlation = correlation_of(r, kind);
    for (size_t i = 0; i < s->n; i++) {
        double x = one_noise(r, kind, correlation, &previous);
        if (kind == NOISE_DRIFT)
            x += 1.5 * sin(phase + 6.28 * (double)i / 250);
        if (rng_uniform(r) < outliers)
            x += (rng_uniform(r) < 0.8 ? 1 : -1) * (4 + 16 * rng_uniform(r));
        s->value[i] = 100 * exp(level[i] + sd * x);
    }
}

/*
 * 60 to 560 points with noise of 0.2 to 5 %. Unless quiet, steps of 1.5 to 11 standard deviations
 * (NOISE_WORLD: 2.5 to 18), and of at least 1.2 %, follow each other after 10 points or more, some
 * 90 on average.
 */
static inline void series_make(struct rng *r, struct series *s, enum noise kind, bool quiet)
{
    double sd = 0.002 * exp(3.2 * rng_uniform(r)), level[SERIES_MOST], height = 0;
    double least = kind == NOISE_WORLD ? 2.5 : 1.5;
    s->n = 60 + rng_below(r, 500);
    s->n_labels = 0;
    size_t next = quiet ? s->n : 10 + rng_below(r, 100);
    for (size_t i = 0; i < s->n; i++) {
        if (i == next && i + 6 < s->n) {
            double step = fmax(least * exp(2 * rng_uniform(r)) * sd, 0.012);
            height += rng_below(r, 2) ? step : -step;
            s->label[s->n_labels++] = i;
            next = i + 10 + (size_t)(-80 * log(rng_uniform(r)));
        }
        level[i] = height;
    }
    series_fill(r, s, kind, sd, level);
}

#endif
