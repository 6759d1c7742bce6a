#include "analysis/counter.h"

#include <math.h>
#include <stdlib.h>

/* head - base without the wrap of unsigned numbers; exact up to 2^53. */
static double difference(uint64_t base, uint64_t head)
{
    return head >= base ? (double)(head - base) : -(double)(base - head);
}

static double mean_of(const uint64_t *value, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)value[i];
    return sum / (double)n;
}

static struct an_outcome changed(double by, enum an_better better, enum an_size size)
{
    bool good = (by > 0) == (better == AN_HIGHER);
    return (struct an_outcome){good ? AN_IMPROVED : AN_REGRESSED, size};
}

struct counted {
    uint32_t seed;
    uint64_t base, head;
};

static int by_seed(const void *left, const void *right)
{
    uint32_t a = ((const struct counted *)left)->seed, b = ((const struct counted *)right)->seed;
    return (a > b) - (a < b);
}

bool an_counter_exact(const uint64_t *base, const uint64_t *head, const uint32_t *seed, size_t n,
                      enum an_better better, struct an_counted *out)
{
    if (n == 0)
        return false;
    struct counted *item = calloc(n, sizeof *item);
    if (!item)
        return false;
    for (size_t i = 0; i < n; i++)
        item[i] = (struct counted){seed ? seed[i] : 0, base[i], head[i]};
    qsort(item, n, sizeof *item, by_seed);

    bool repeats = true;
    double total = difference(item[0].base, item[0].head), seeds = 1;
    for (size_t i = 1; i < n; i++) {
        if (item[i].seed != item[i - 1].seed) {
            total += difference(item[i].base, item[i].head);
            seeds++;
        } else if (item[i].base != item[i - 1].base || item[i].head != item[i - 1].head) {
            repeats = false;
        }
    }
    free(item);

    struct an_counted c = {.base = mean_of(base, n), .head = mean_of(head, n)};
    c.deterministic = repeats;
    c.low = repeats ? total / seeds : -INFINITY;
    c.high = repeats ? total / seeds : INFINITY;
    if (!repeats)
        c.outcome = (struct an_outcome){AN_INCONCLUSIVE, AN_SIZE_NONE};
    else if (c.low < 0 || c.low > 0)
        c.outcome = changed(total, better, AN_RELEVANT);
    else
        c.outcome = (struct an_outcome){AN_EQUIVALENT, AN_SIZE_NONE};
    *out = c;
    return true;
}

bool an_counter_paired(const uint64_t *base, const uint64_t *head, const uint32_t *cluster,
                       size_t n, double critical, double margin, enum an_better better,
                       struct an_counted *out)
{
    if (n == 0 || !(isfinite(margin) && margin >= 0))
        return false;
    double *by = calloc(n, sizeof *by);
    if (!by)
        return false;
    bool all_equal = true;
    for (size_t i = 0; i < n; i++) {
        by[i] = difference(base[i], head[i]);
        all_equal = all_equal && base[i] == head[i];
    }
    struct an_estimate e;
    bool ok = an_estimate_pairs(by, cluster, n, critical, 0, &e);
    free(by);
    if (!ok)
        return false;

    struct an_counted c = {
        .base = mean_of(base, n), .head = mean_of(head, n), .low = e.low, .high = e.high};
    double bound = margin * c.base;
    if (e.low > 0 || e.high < 0)
        c.outcome = changed(e.estimate, better, AN_RELEVANT);
    else if (all_equal || (e.low >= -bound && e.high <= bound))
        c.outcome = (struct an_outcome){AN_EQUIVALENT, AN_SIZE_NONE};
    else
        c.outcome = (struct an_outcome){AN_INCONCLUSIVE, AN_SIZE_NONE};
    *out = c;
    return true;
}

bool an_share_samples(const double *user, const double *kernel, size_t n, struct an_samples *out)
{
    double all = 0, in_kernel = 0, spread = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(isfinite(user[i]) && user[i] >= 0 && isfinite(kernel[i]) && kernel[i] >= 0))
            return false;
        in_kernel += kernel[i];
        all += user[i] + kernel[i];
    }
    if (!(all > 0 && isfinite(all)))
        return false;
    double share = in_kernel / all, worth = floor(all / AN_TICK_S);
    for (size_t i = 0; i < n; i++) {
        double residual = kernel[i] - share * (user[i] + kernel[i]);
        spread += residual * residual;
    }
    double variance = n > 1 ? spread / (all * all) * (double)n / (double)(n - 1) : 0;
    if (variance > 0)
        worth = fmin(worth, floor(share * (1 - share) / variance));
    worth = fmax(worth, 1);
    *out =
        (struct an_samples){.in_kernel = (uint64_t)llround(share * worth), .all = (uint64_t)worth};
    return true;
}

/* Wilson's interval for one proportion. */
static void wilson(struct an_samples s, double critical, double *low, double *high)
{
    double n = (double)s.all, p = (double)s.in_kernel / n, c2 = critical * critical;
    double centre = (p + c2 / (2 * n)) / (1 + c2 / n);
    double half = critical / (1 + c2 / n) * sqrt(p * (1 - p) / n + c2 / (4 * n * n));
    *low = fmax(0, centre - half);
    *high = fmin(1, centre + half);
}

bool an_kernel_share(struct an_samples base, struct an_samples head, double critical,
                     struct an_counted *out)
{
    if (base.all == 0 || head.all == 0 || base.in_kernel > base.all || head.in_kernel > head.all ||
        !(isfinite(critical) && critical > 0))
        return false;
    double base_low, base_high, head_low, head_high;
    wilson(base, critical, &base_low, &base_high);
    wilson(head, critical, &head_low, &head_high);
    struct an_counted c = {.base = (double)base.in_kernel / (double)base.all,
                           .head = (double)head.in_kernel / (double)head.all};
    double by = c.head - c.base;
    c.low = by - hypot(c.head - head_low, base_high - c.base);
    c.high = by + hypot(head_high - c.head, c.base - base_low);
    /* 0.22 - 0.20 is a little under 0.02 in binary. */
    bool counts = fabs(by) >= AN_SHARE_MARGIN - 1e-12;
    if (c.low > 0 || c.high < 0)
        c.outcome = changed(by, AN_LOWER, counts ? AN_RELEVANT : AN_SMALL);
    else if (c.low >= -AN_SHARE_MARGIN && c.high <= AN_SHARE_MARGIN)
        c.outcome = (struct an_outcome){AN_EQUIVALENT, AN_SIZE_NONE};
    else
        c.outcome = (struct an_outcome){AN_INCONCLUSIVE, AN_SIZE_NONE};
    *out = c;
    return true;
}
