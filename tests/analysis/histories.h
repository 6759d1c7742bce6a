/*
 * Histories of benchmarks as other people's services hold them, labelled by construction: a second
 * generator, unlike that of series.h in structure, noise and events, so that the detector can be
 * held against series that its constants were not chosen on. A history is a unit, a benchmark's own
 * noise, a machine that disturbs it, and events that move its level and stay. Seeded: the same
 * series on every machine. The kinds come in two halves of twelve: what is tuned is tuned on the
 * first; the second is measured only.
 */
#ifndef HP_TESTS_HISTORIES_H
#define HP_TESTS_HISTORIES_H

#include "tests/analysis/random.h"

#include <stdbool.h>
#include <stddef.h>

enum { HISTORY_MOST = 600, HISTORY_LABELS = 40 };

enum history_kind {
    /* for tuning */
    HISTORY_SKEWED,        /* times: a floor, and a long tail upwards */
    HISTORY_STICKY_MODES,  /* two modes that stay for 2 to 12 points */
    HISTORY_INTEGERS,      /* whole milliseconds, 15 to 90 of them */
    HISTORY_WEEKLY,        /* a working week: two points of seven are quieter machines */
    HISTORY_BUMPS,         /* each step is taken back after 10 to 30 points */
    HISTORY_WANDERING,     /* the machine's own level walks slowly */
    HISTORY_LEVEL_NOISE,   /* noise grows faster than the level */
    HISTORY_SPIKES,        /* one or two points in a row, up to 60 % away, some 4 % of all */
    HISTORY_RAMPS,         /* a new level is reached over 3 to 10 points */
    HISTORY_REPEATS,       /* most runs give the very same value as the last one */
    HISTORY_CALM_AND_WILD, /* the noise triples and falls again, the level stays */
    HISTORY_LATE_STEPS,    /* the last step has 8 to 20 points after it, or the first before it */
    /* measured only */
    HISTORY_LAPLACE,   /* sharp middle, heavy sides */
    HISTORY_RARE_MODE, /* one run of eight falls into a slower mode */
    HISTORY_COARSE,    /* two or three significant digits */
    HISTORY_DAILY,     /* a wave of 20 to 40 points */
    HISTORY_STAIRS,    /* steps in one direction, 15 to 40 points apart */
    HISTORY_SLOPE,     /* the level creeps one way all the time */
    HISTORY_MINIMA,    /* the least of several runs: nearly constant, now and then a little more */
    HISTORY_BURSTS,    /* for 3 to 4 points in a row the machine was busy */
    HISTORY_POOL,      /* three to five machines that differ, taken at random */
    HISTORY_SMALL_CLEAR, /* steps of 0.5 to 3 % under hardly any noise */
    HISTORY_FAT_TAILS,   /* Student's t with three degrees */
    HISTORY_ANYTHING,    /* any noise with any events */
    HISTORY_KINDS
};

#define HISTORY_TUNED HISTORY_LAPLACE /* the first that is measured only */

struct history {
    double value[HISTORY_MOST];
    size_t n;
    size_t label[HISTORY_LABELS]; /* the first point of each new level; the middle of a ramp */
    size_t n_labels;
};

const char *history_name(enum history_kind kind);

/* 60 to 600 points of this kind; quiet: nothing happened to the level. */
void history_make(struct rng *r, struct history *h, enum history_kind kind, bool quiet);

#endif
