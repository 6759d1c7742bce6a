#include "tests/analysis/histories.h"

static const char *const names[HISTORY_KINDS] = {
    "skewed",        "sticky modes",    "whole numbers", "weekly",    "there and back",
    "wandering",     "noise by level",  "spikes",        "ramps",     "repeats",
    "calm and wild", "near the ends",   "Laplace",       "rare mode", "coarse digits",
    "daily",         "stairs",          "slope",         "minima",    "busy machine",
    "pool",          "small but clear", "fat tails",     "anything",
};

const char *history_name(enum history_kind kind)
{
    return names[kind];
}

static double between(struct rng *r, double low, double high)
{
    return low + (high - low) * rng_uniform(r);
}

/* As often between 1 and 2 as between 2 and 4. */
static double log_between(struct rng *r, double low, double high)
{
    return low * exp(log(high / low) * rng_uniform(r));
}

/* --- the noise of a benchmark on its machine: log ratios of standard deviation about 1 ----------
 */

static double exponential(struct rng *r)
{
    return -log(rng_uniform(r));
}

static double student3(struct rng *r)
{
    double a = rng_normal(r), b = rng_normal(r), c = rng_normal(r);
    return rng_normal(r) / sqrt(a * a + b * b + c * c);
}

static void fill_independent(struct rng *r, double *x, size_t n, enum history_kind kind)
{
    for (size_t i = 0; i < n; i++) {
        double least = 9;
        switch (kind) {
        case HISTORY_SKEWED:
            x[i] = exponential(r) + exponential(r) * 0.5 + 0.3 * rng_normal(r);
            break;
        case HISTORY_LAPLACE:
            x[i] = (rng_below(r, 2) ? 0.7 : -0.7) * exponential(r);
            break;
        case HISTORY_FAT_TAILS:
            x[i] = student3(r);
            break;
        case HISTORY_MINIMA:
            for (int run = 0; run < 5; run++)
                least = fmin(least, exponential(r));
            x[i] = 4 * least;
            break;
        default:
            x[i] = rng_normal(r);
        }
    }
}

/* Modes: which one a point is in, and how far they are apart in units of the noise within. */
static void add_modes(struct rng *r, double *x, size_t n, enum history_kind kind)
{
    double offset[5] = {0}, gap = between(r, 3, 8);
    size_t modes = kind == HISTORY_POOL ? 3 + rng_below(r, 3) : 2, mode = 0;
    double leave = 1 / between(r, 2, 12), scale = 1 / (1 + gap / 3);
    for (size_t m = 0; m < modes; m++)
        offset[m] = kind == HISTORY_POOL ? between(r, -gap, gap) / 2 : gap * (double)m;
    for (size_t i = 0; i < n; i++) {
        if (kind == HISTORY_POOL)
            mode = rng_below(r, modes);
        else if (kind == HISTORY_RARE_MODE)
            mode = rng_uniform(r) < 0.125;
        else if (rng_uniform(r) < leave)
            mode = 1 - mode;
        x[i] = scale * (x[i] + offset[mode]);
    }
}

static void add_waves(struct rng *r, double *x, size_t n, enum history_kind kind)
{
    double height = between(r, 0.7, 2), period = between(r, 20, 40), phase = between(r, 0, 6.28);
    double slope = (rng_below(r, 2) ? 1 : -1) * between(r, 1, 4) / (double)n, walk = 0;
    size_t day = rng_below(r, 7);
    for (size_t i = 0; i < n; i++) {
        walk = 0.995 * walk + between(r, 0.05, 0.1) * rng_normal(r);
        if (kind == HISTORY_WEEKLY)
            x[i] -= (i + day) % 7 < 2 ? 1.3 * height : 0;
        else if (kind == HISTORY_DAILY)
            x[i] += height * sin(phase + 6.2832 * (double)i / period);
        else if (kind == HISTORY_SLOPE)
            x[i] += slope * (double)i;
        else
            x[i] += walk;
    }
}

static void add_restlessness(struct rng *r, double *x, size_t n)
{
    double loud = 1;
    size_t next = 20 + rng_below(r, 80);
    for (size_t i = 0; i < n; i++) {
        if (i == next) {
            loud = loud > 1 ? 1 : between(r, 2, 4);
            next = i + 20 + rng_below(r, 100);
        }
        x[i] *= loud;
    }
}

static void fill_noise(struct rng *r, double *x, size_t n, enum history_kind kind)
{
    fill_independent(r, x, n, kind);
    switch (kind) {
    case HISTORY_STICKY_MODES:
    case HISTORY_RARE_MODE:
    case HISTORY_POOL:
        add_modes(r, x, n, kind);
        break;
    case HISTORY_WEEKLY:
    case HISTORY_DAILY:
    case HISTORY_SLOPE:
    case HISTORY_WANDERING:
        add_waves(r, x, n, kind);
        break;
    case HISTORY_CALM_AND_WILD:
        add_restlessness(r, x, n);
        break;
    default:
        break;
    }
}

/* Runs that a busy machine disturbed, of `length` points in a row; always slower or any way. */
static void add_outliers(struct rng *r, double *x, size_t n, double share, size_t length)
{
    for (size_t i = 0; i < n; i++) {
        if (rng_uniform(r) * (double)length >= share)
            continue;
        double away = log_between(r, 0.03, 0.6) * (rng_uniform(r) < 0.75 ? 1 : -0.7);
        for (size_t end = i + 1 + rng_below(r, length); i < end && i < n; i++)
            x[i] += away * between(r, 0.7, 1.3);
    }
}

/* --- what happened to the level -----------------------------------------------------------------
 */

struct benchmark {
    enum history_kind noise, events;
    double sd;      /* of the noise, a fraction of the value */
    double unit;    /* the value at level 0 */
    double quantum; /* values are whole multiples of it; 0: as they are */
};

static size_t distance_to_next(struct rng *r, enum history_kind events, size_t k)
{
    if (events == HISTORY_STAIRS)
        return 15 + rng_below(r, 26);
    if (events == HISTORY_BUMPS)
        return k % 2 ? 10 + rng_below(r, 21) : 30 + rng_below(r, 120);
    return 12 + (size_t)(between(r, 50, 150) * exponential(r));
}

/* Where the level moves, at least 8 points before the end and each 10 after the last. */
static size_t plan_events(struct rng *r, size_t n, enum history_kind events, size_t *when)
{
    size_t at = 8 + rng_below(r, 90), room = events == HISTORY_RAMPS ? 14 : 8, count = 0;
    if (events == HISTORY_LATE_STEPS) {
        if (rng_below(r, 2))
            when[count++] = 8 + rng_below(r, 13);
        if (count == 0 || rng_below(r, 2))
            when[count++] = n - 8 - rng_below(r, 13);
        return count;
    }
    size_t most = events == HISTORY_STAIRS || events == HISTORY_BUMPS ? 8 : 1 + rng_below(r, 6);
    while (at + room <= n && count < most) {
        when[count++] = at;
        at += distance_to_next(r, events, count);
    }
    return count;
}

/* From 2.5 to 15 standard deviations, 0.5 to 200 %, and seen through the rounding. */
static double size_of_step(struct rng *r, const struct benchmark *b, double level)
{
    double size = b->events == HISTORY_SMALL_CLEAR ? log_between(r, 0.005, 0.03)
                                                   : b->sd * log_between(r, 2.5, 15);
    size = fmax(size, 1.6 * b->quantum / (b->unit * exp(level)));
    return fmin(fmax(size, 0.005), 1.1);
}

static void make_levels(struct rng *r, struct history *h, const struct benchmark *b, double *level)
{
    size_t when[HISTORY_LABELS], count = plan_events(r, h->n, b->events, when);
    double way = rng_below(r, 2) ? 1 : -1, now = 0, last = 0;
    for (size_t k = 0; k < count; k++) {
        size_t length = b->events == HISTORY_RAMPS ? 3 + rng_below(r, 8) : 1;
        double size = size_of_step(r, b, now);
        if (b->events != HISTORY_STAIRS)
            way = rng_below(r, 2) ? 1 : -1;
        size = b->events == HISTORY_BUMPS && k % 2 ? -last : way * size;
        if (fabs(now + size) > 1.5)
            size = -size;
        now += size;
        last = size;
        h->label[h->n_labels++] = when[k] + length / 2;
        for (size_t i = when[k]; i < h->n; i++)
            level[i] += size * fmin(1, (double)(i - when[k] + 1) / (double)length);
    }
}

/* --- a whole history ----------------------------------------------------------------------------
 */

static double deviation(const double *x, size_t n)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean) / (double)n;
    return sqrt(square);
}

static struct benchmark benchmark_of(struct rng *r, enum history_kind kind)
{
    struct benchmark b = {.noise = kind, .events = kind, .unit = log_between(r, 1e-6, 1e9)};
    if (kind == HISTORY_ANYTHING) {
        b.noise = (enum history_kind)rng_below(r, HISTORY_ANYTHING);
        b.events = (enum history_kind)rng_below(r, HISTORY_ANYTHING);
    }
    b.sd = b.events == HISTORY_SMALL_CLEAR                           ? log_between(r, 0.0003, 0.001)
           : b.noise == HISTORY_REPEATS || b.noise == HISTORY_MINIMA ? log_between(r, 0.001, 0.01)
                                                                     : log_between(r, 0.002, 0.05);
    if (b.noise == HISTORY_INTEGERS) {
        b.unit = between(r, 15, 90);
        b.quantum = 1;
    }
    if (b.noise == HISTORY_COARSE)
        b.quantum = pow(10, floor(log10(b.unit)) - 1 - (double)rng_below(r, 2));
    return b;
}

static void disturb(struct rng *r, double *x, size_t n, enum history_kind noise)
{
    if (noise == HISTORY_SPIKES)
        add_outliers(r, x, n, 0.04, 2);
    else if (noise == HISTORY_BURSTS)
        add_outliers(r, x, n, 0.03, 4);
    else if (rng_below(r, 2))
        add_outliers(r, x, n, 0.01, 1);
}

/* Values as the tool writes them: the very same ones again, whole milliseconds, few digits. */
static void write_down(struct rng *r, struct history *h, const struct benchmark *b,
                       const double *level, const double *x)
{
    double same = b->noise == HISTORY_REPEATS ? between(r, 0.5, 0.85) : 0;
    for (size_t i = 0; i < h->n; i++) {
        bool moved = i == 0 || level[i] < level[i - 1] || level[i] > level[i - 1];
        double value = b->unit * exp(level[i] + x[i]);
        if (b->quantum > 0)
            value = round(value / b->quantum) * b->quantum;
        h->value[i] = !moved && rng_uniform(r) < same ? h->value[i - 1] : value;
    }
}

void history_make(struct rng *r, struct history *h, enum history_kind kind, bool quiet)
{
    double x[HISTORY_MOST], level[HISTORY_MOST] = {0};
    struct benchmark b = benchmark_of(r, kind);
    h->n = 60 + rng_below(r, HISTORY_MOST - 60 + 1);
    h->n_labels = 0;
    if (!quiet)
        make_levels(r, h, &b, level);
    fill_noise(r, x, h->n, b.noise);
    double scale = b.sd / deviation(x, h->n);
    double power = b.noise == HISTORY_LEVEL_NOISE ? between(r, 0.5, 1.5) : 0;
    for (size_t i = 0; i < h->n; i++)
        x[i] *= scale * exp(power * level[i]);
    disturb(r, x, h->n, b.noise);
    write_down(r, h, &b, level, x);
}
