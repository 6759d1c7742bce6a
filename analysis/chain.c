#include "analysis/chain.h"

#include <math.h>

static bool is_valid(const struct an_estimate *e)
{
    return isfinite(e->estimate) && e->low <= e->estimate && e->high >= e->estimate;
}

/* A sum in the making: the squares of the half-widths below and above. */
struct sum {
    double estimate, below, above;
    size_t n;
};

static void add(struct sum *s, double estimate, double below, double above, size_t n)
{
    s->estimate += estimate;
    s->below += below * below;
    s->above += above * above;
    s->n = n < s->n ? n : s->n;
}

static void add_step(struct sum *s, const struct an_estimate *e)
{
    add(s, e->estimate, e->estimate - e->low, e->high - e->estimate, e->n);
}

static struct an_estimate estimate_of(const struct sum *s, double critical)
{
    double below = sqrt(s->below), above = sqrt(s->above);
    struct an_estimate e = {.n = s->n,
                            .estimate = s->estimate,
                            .low = s->estimate - below,
                            .high = s->estimate + above,
                            .detectable = (below + above) / 2 * (1 + 1.28 / critical)};
    /* The side towards 0 is the one that a test against 0 would look at. */
    double towards = s->estimate > 0 ? below : above;
    if (s->estimate > 0 || s->estimate < 0)
        e.z = critical * s->estimate / towards;
    return e;
}

static bool critical_is_valid(double critical)
{
    return isfinite(critical) && critical > 0;
}

bool an_chain(const struct an_estimate *step, size_t n, double critical, struct an_estimate *out)
{
    if (n == 0 || !critical_is_valid(critical))
        return false;
    struct sum s = {.n = SIZE_MAX};
    for (size_t i = 0; i < n; i++) {
        if (!is_valid(&step[i]))
            return false;
        add_step(&s, &step[i]);
    }
    *out = estimate_of(&s, critical);
    return true;
}

bool an_through_reference(const struct an_estimate *base, const struct an_estimate *head,
                          double critical, struct an_estimate *out)
{
    if (!critical_is_valid(critical) || !is_valid(base) || !is_valid(head))
        return false;
    struct sum s = {.n = SIZE_MAX};
    add_step(&s, head);
    add(&s, -base->estimate, base->high - base->estimate, base->estimate - base->low, base->n);
    *out = estimate_of(&s, critical);
    return true;
}

const struct an_estimate *an_tighter(const struct an_estimate *a, const struct an_estimate *b)
{
    return b->high - b->low < a->high - a->low ? b : a;
}

bool an_is_tight(const struct an_estimate *estimate, double margin)
{
    return (estimate->high - estimate->low) / 2 <= margin;
}

static bool is_small_regression(struct an_outcome o)
{
    return o.verdict == AN_REGRESSED && o.size == AN_SMALL;
}

/* Whether a stretch may not reach over this commit. */
static bool is_barrier(struct an_outcome o)
{
    bool changed = o.verdict == AN_REGRESSED || o.verdict == AN_IMPROVED;
    return (changed && o.size != AN_SMALL) || o.verdict == AN_FAILED ||
           o.verdict == AN_INCONCLUSIVE;
}

static bool is_proven_loss(const struct an_estimate *total, double worse, double margin)
{
    double nearest = worse > 0 ? total->low : -total->high;
    return worse * total->estimate >= margin && nearest > 0;
}

bool an_accumulate(const struct an_estimate *step, const struct an_outcome *outcome, size_t n,
                   enum an_better better, double margin, double critical,
                   struct an_accumulated *out)
{
    struct an_accumulated best = {0};
    double worse = better == AN_HIGHER ? -1 : 1; /* the sign of a loss */
    if (n == 0 || !critical_is_valid(critical) || !(isfinite(margin) && margin > 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_barrier(outcome[i]) && !is_valid(&step[i]))
            return false;
    size_t last = n, members = 0;
    struct sum s = {.n = SIZE_MAX};
    for (size_t i = n; i-- > 0;) {
        if (is_barrier(outcome[i]) && last < n)
            break;
        if (is_small_regression(outcome[i])) {
            members++;
            last = last < n ? last : i;
        }
        if (last == n)
            continue;
        add_step(&s, &step[i]);
        struct an_estimate total = estimate_of(&s, critical);
        bool more = best.members == 0 || worse * total.estimate > worse * best.total.estimate;
        if (is_small_regression(outcome[i]) && members > 1 && more &&
            is_proven_loss(&total, worse, margin))
            best = (struct an_accumulated){
                .first = i, .last = last, .members = members, .total = total};
    }
    *out = best;
    return true;
}
