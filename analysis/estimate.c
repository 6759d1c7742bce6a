#include "analysis/estimate.h"

#include "analysis/order.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

struct item {
    double value;
    size_t cluster; /* 0 .. number of clusters - 1 */
};

/* The pairs sorted by value, and room for one sum a cluster. */
struct pairs {
    struct item *item;
    double *sum;
    size_t n, n_clusters;
};

/* The test at one shift: z = total / norm. */
struct point {
    int64_t shift; /* ordinal */
    double total;  /* sum of the signed ranks */
    double norm;   /* root of the sum of the squared sums of the clusters */
};

static int by_cluster(const void *left, const void *right)
{
    size_t a = ((const struct item *)left)->cluster, b = ((const struct item *)right)->cluster;
    return (a > b) - (a < b);
}

static int by_value(const void *left, const void *right)
{
    double a = ((const struct item *)left)->value, b = ((const struct item *)right)->value;
    return (a > b) - (a < b);
}

/* Replaces arbitrary labels by 0, 1, 2 ...; returns how many there are. */
static size_t number_clusters(struct item *item, size_t n)
{
    size_t next = 0;
    qsort(item, n, sizeof *item, by_cluster);
    for (size_t i = 0; i < n;) {
        size_t label = item[i].cluster;
        for (; i < n && item[i].cluster == label; i++)
            item[i].cluster = next;
        next++;
    }
    return next;
}

static void pairs_release(struct pairs *p)
{
    free(p->item);
    free(p->sum);
    *p = (struct pairs){0};
}

static bool pairs_init(struct pairs *p, const double *value, const uint32_t *cluster, size_t n)
{
    *p = (struct pairs){.n = n, .n_clusters = n};
    if (n == 0 || !an_all_finite(value, n))
        return false;
    p->item = calloc(n, sizeof *p->item);
    p->sum = calloc(n, sizeof *p->sum);
    if (!p->item || !p->sum) {
        pairs_release(p);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        p->item[i] = (struct item){value[i], cluster ? cluster[i] : i};
    if (cluster)
        p->n_clusters = number_clusters(p->item, n);
    qsort(p->item, n, sizeof *p->item, by_value);
    return true;
}

/* The mirror image, still sorted: the upper bound is the lower bound of it. */
static void pairs_negate(struct pairs *p)
{
    for (size_t i = 0, j = p->n - 1; i < j; i++, j--) {
        struct item t = p->item[i];
        p->item[i] = p->item[j];
        p->item[j] = t;
    }
    for (size_t i = 0; i < p->n; i++)
        p->item[i].value = -p->item[i].value;
}

static size_t first_at_least(const struct pairs *p, double shift)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->item[middle].value < shift)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * Adds every signed rank to the sum of its cluster: walks away from the shift to both sides at
 * once, nearest first, so that no sorting by absolute value is needed.
 */
static void sum_signed_ranks(struct pairs *p, double shift)
{
    const struct item *item = p->item;
    size_t left = first_at_least(p, shift), right = left; /* left side is item[0 .. left) */
    for (size_t ranked = 0; ranked < p->n;) {
        double below = left > 0 ? shift - item[left - 1].value : INFINITY;
        double above = right < p->n ? item[right].value - shift : INFINITY;
        size_t left_end = left, right_end = right;
        if (left > 0 && below <= above)
            while (left_end > 0 && item[left_end - 1].value >= item[left - 1].value)
                left_end--;
        if (right < p->n && above <= below)
            while (right_end < p->n && item[right_end].value <= item[right].value)
                right_end++;
        size_t ties = (left - left_end) + (right_end - right);
        double rank = (double)ranked + ((double)ties + 1) / 2;
        for (; left > left_end; left--)
            p->sum[item[left - 1].cluster] -= rank;
        /* Equal to the shift: ranked, but of neither sign. */
        bool zero = right < right_end && item[right].value <= shift;
        for (; right < right_end; right++)
            p->sum[item[right].cluster] += zero ? 0 : rank;
        ranked += ties;
    }
}

static struct point evaluate(struct pairs *p, int64_t shift)
{
    struct point at = {.shift = shift};
    double square = 0;
    for (size_t j = 0; j < p->n_clusters; j++)
        p->sum[j] = 0;
    sum_signed_ranks(p, an_from_ordinal(shift));
    for (size_t j = 0; j < p->n_clusters; j++) {
        at.total += p->sum[j];
        square += p->sum[j] * p->sum[j];
    }
    at.norm = sqrt(square);
    return at;
}

static double z_of(struct point at)
{
    return at.norm > 0 ? at.total / at.norm : 0;
}

static bool rejects(struct point at, double critical)
{
    return at.total > critical * at.norm;
}

/*
 * Whether every shift between two is rejected. Each S_j can only fall as the shift grows, so
 * between a and b the vector S is no further from S(a) and S(b) together, in the 1-norm and
 * therefore in the 2-norm, than total(a) - total(b): its norm is at most the mean of the two
 * norms plus half of that.
 */
static bool rejects_between(struct point a, struct point b, double critical)
{
    return b.total > critical * (a.norm + b.norm + (a.total - b.total)) / 2;
}

static int64_t middle_of(int64_t a, int64_t b)
{
    return (a & b) + ((a ^ b) >> 1);
}

/*
 * The smallest shift that is not rejected. With clusters z need not fall monotonically, so plain
 * bisection could land on a later crossing: this one goes left first and drops a stretch only when
 * rejects_between proves it. The stack holds right ends, each within the last.
 */
static double lower_bound(struct pairs *p, double critical)
{
    struct point right[68];
    size_t depth = 0;
    double least = p->item[0].value;
    struct point left = evaluate(p, an_ordinal(least) - 1);
    if (!rejects(left, critical))
        return -INFINITY;
    right[depth++] = evaluate(p, an_ordinal(p->item[p->n - 1].value));
    for (;;) {
        struct point end = right[depth - 1];
        bool adjacent = left.shift + 1 == end.shift;
        if (adjacent && !rejects(end, critical))
            return an_from_ordinal(end.shift);
        if (adjacent || rejects_between(left, end, critical)) {
            left = end;
            depth--;
        } else {
            right[depth++] = evaluate(p, middle_of(left.shift, end.shift));
        }
    }
}

/* How many of the (value_i + value_j) / 2, i <= j, are at most x. */
static uint64_t walsh_up_to(const struct pairs *p, double x)
{
    uint64_t count = 0;
    size_t end = p->n;
    for (size_t i = 0; i < end; i++) {
        while (end > i && 0.5 * p->item[i].value + 0.5 * p->item[end - 1].value > x)
            end--;
        count += end - i;
    }
    return count;
}

/* The k-th smallest of them, k from 1. */
static double walsh_select(const struct pairs *p, uint64_t k)
{
    int64_t low = an_ordinal(p->item[0].value), high = an_ordinal(p->item[p->n - 1].value);
    while (low < high) {
        int64_t middle = middle_of(low, high);
        if (walsh_up_to(p, an_from_ordinal(middle)) >= k)
            high = middle;
        else
            low = middle + 1;
    }
    return an_from_ordinal(low);
}

static double hodges_lehmann(const struct pairs *p)
{
    uint64_t count = (uint64_t)p->n * (p->n + 1) / 2;
    double upper = walsh_select(p, count / 2 + 1);
    return count % 2 ? upper : 0.5 * walsh_select(p, count / 2) + 0.5 * upper;
}

/* Where pairs are equal, 0 is left out by the smallest number there is, which others' arithmetic
 * takes for 0: such a bound is told as the rounding of the largest value. */
static double apart_from_zero(double bound, double largest)
{
    double least = largest * DBL_EPSILON;
    return fabs(bound) > 0 && fabs(bound) < least ? copysign(least, bound) : bound;
}

bool an_signed_rank(const double *value, const uint32_t *cluster, size_t n, double shift, double *z)
{
    struct pairs p;
    if (!isfinite(shift) || !pairs_init(&p, value, cluster, n))
        return false;
    *z = z_of(evaluate(&p, an_ordinal(shift)));
    pairs_release(&p);
    return true;
}

bool an_hodges_lehmann(const double *value, size_t n, double *out)
{
    struct pairs p;
    if (!pairs_init(&p, value, NULL, n))
        return false;
    *out = hodges_lehmann(&p);
    pairs_release(&p);
    return true;
}

bool an_estimate_pairs(const double *log_ratio, const uint32_t *cluster, size_t n, double critical,
                       double layout_sd, struct an_estimate *out)
{
    struct pairs p;
    if (!(isfinite(critical) && critical > 0 && isfinite(layout_sd) && layout_sd >= 0))
        return false;
    if (!pairs_init(&p, log_ratio, cluster, n))
        return false;
    double estimate = hodges_lehmann(&p);
    double z = z_of(evaluate(&p, 0));
    double largest = fmax(fabs(p.item[0].value), fabs(p.item[n - 1].value));
    double low = apart_from_zero(lower_bound(&p, critical), largest);
    pairs_negate(&p);
    double high = -apart_from_zero(lower_bound(&p, critical), largest);
    pairs_release(&p);
    /* With ties and a tiny c the bounds can pass the estimate by a rounding step. */
    if (layout_sd > 0 || low > estimate)
        low = estimate - hypot(fmax(estimate - low, 0), critical * layout_sd);
    if (layout_sd > 0 || high < estimate)
        high = estimate + hypot(fmax(high - estimate, 0), critical * layout_sd);
    *out = (struct an_estimate){.n = n,
                                .estimate = estimate,
                                .low = low,
                                .high = high,
                                .z = z,
                                .detectable = (high - low) / 2 * (1 + 1.28 / critical)};
    return true;
}
