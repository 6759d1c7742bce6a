#include "analysis/changepoints.h"

#include "analysis/edivisive.h"
#include "analysis/order.h"
#include "analysis/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A candidate. Stale: a neighbour went or moved since it was judged. */
struct boundary {
    struct an_step step;
    bool stale;
};

struct detector {
    const struct an_cp_params *params;
    struct an_edivisive_space split;
    struct an_step_space judge;
    bool *mark;
    struct boundary *boundary; /* of the stretch in hand, ascending */
    size_t n_boundaries;
    struct an_changepoint *out; /* the caller's */
    size_t cap, found;
};

struct an_cp_params an_cp_standard(bool relative)
{
    return (struct an_cp_params){
        .min_segment = 5,
        .reach = 60,
        .p = 2e-5,
        .mads = 1.5,
        .step = relative ? 0.01 : log1p(0.01),
        .relative = relative,
    };
}

static bool params_are_valid(const struct an_cp_params *p)
{
    return p->min_segment >= 2 && p->min_segment <= p->reach && p->reach <= AN_CP_REACH_MOST &&
           p->p > 0 && p->p < 1 && isfinite(p->mads) && p->mads >= 0 && isfinite(p->step) &&
           p->step >= 0;
}

static double change_of(const struct an_cp_params *params, double before, double after)
{
    if (!params->relative)
        return expm1(after - before);
    return before < 0 || before > 0 ? after / before - 1 : NAN;
}

/* Marks become boundaries, the first min_segment away from the start and each from the last. */
static void collect(struct detector *d, const bool *mark, size_t n)
{
    size_t last = 0;
    d->n_boundaries = 0;
    for (size_t i = 0; i < n; i++) {
        if (!mark[i] || i - last < d->params->min_segment || n - i < d->params->min_segment)
            continue;
        d->boundary[d->n_boundaries++] = (struct boundary){.step.index = i, .stale = true};
        last = i;
    }
}

/* Judges what is stale; one that moved makes its neighbours stale. Returns whether any was. */
static bool judge_all(struct detector *d, const double *value, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < d->n_boundaries; i++) {
        struct boundary *b = &d->boundary[i];
        if (!b->stale)
            continue;
        size_t from = i > 0 ? b[-1].step.index : 0, was = b->step.index;
        size_t to = i + 1 < d->n_boundaries ? b[1].step.index : n;
        any = true;
        b->step = an_step_judge(value, n, from, was, to, d->params, &d->judge);
        b->stale = false;
        if (b->step.index != was && i > 0)
            b[-1].stale = true;
        if (b->step.index != was && i + 1 < d->n_boundaries)
            b[1].stale = true;
    }
    return any;
}

/* Which of two that are equally strong is the weaker one: as good as by chance, so that a series
 * that looks the same everywhere does not lose them one by one from its end. */
static uint64_t lot(size_t index)
{
    uint64_t x = (uint64_t)index * 0x9e3779b97f4a7c15;
    return (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
}

static bool is_weaker(const struct an_step *a, const struct an_step *b, size_t start)
{
    if (b->kept || a->strength < b->strength)
        return true;
    return !(a->strength > b->strength) && lot(start + a->index) < lot(start + b->index);
}

/*
 * Removes every boundary that failed and is weaker than its neighbours that failed, all at once:
 * rounds stay few however long the series. Returns how many went.
 */
static size_t prune(struct detector *d, size_t start)
{
    size_t left = 0, n = d->n_boundaries;
    bool gone_before = false;
    struct an_step before = {.kept = true};
    for (size_t i = 0; i < n; i++) {
        struct boundary b = d->boundary[i];
        bool weakest = is_weaker(&b.step, &before, start) &&
                       (i + 1 == n || is_weaker(&b.step, &d->boundary[i + 1].step, start));
        before = b.step;
        if (!b.step.kept && weakest && !gone_before) {
            if (left > 0)
                d->boundary[left - 1].stale = true;
            gone_before = true;
            continue;
        }
        b.stale = b.stale || gone_before;
        gone_before = false;
        d->boundary[left++] = b;
    }
    d->n_boundaries = left;
    return n - left;
}

/* The change points of one epoch, or of the end of one; those before `settled` are not told. */
static void detect(struct detector *d, const double *value, size_t start, size_t end,
                   size_t settled)
{
    size_t n = end - start;
    if (n < 2 * d->params->min_segment)
        return;
    memset(d->mark, 0, n * sizeof *d->mark);
    an_edivisive(value + start, n, d->params->min_segment, d->mark, &d->split);
    collect(d, d->mark, n);
    /* Removing comes to an end by itself; moving to and fro is cut short. */
    for (int moves = 0; judge_all(d, value + start, n) && moves < 8;)
        moves = prune(d, start) > 0 ? 0 : moves + 1;
    while (prune(d, start) > 0) {
    }
    for (size_t i = 0; i < d->n_boundaries; i++) {
        const struct an_step *step = &d->boundary[i].step;
        if (!step->kept || start + step->index < settled)
            continue;
        if (d->found < d->cap)
            d->out[d->found] = (struct an_changepoint){
                .index = start + step->index,
                .before = step->before,
                .after = step->after,
                .change = change_of(d->params, step->before, step->after),
                .p = step->p,
            };
        d->found++;
    }
}

static size_t epoch_end(const uint32_t *epoch, size_t start, size_t n)
{
    size_t end = start + 1;
    if (!epoch)
        return n;
    while (end < n && epoch[end] == epoch[start])
        end++;
    return end;
}

static struct detector *detector_new(size_t n, const struct an_cp_params *params,
                                     struct an_changepoint *out, size_t cap)
{
    struct detector *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->params = params;
    d->out = out;
    d->cap = cap;
    d->mark = calloc(n + 1, sizeof *d->mark);
    d->boundary = calloc(n / params->min_segment + 1, sizeof *d->boundary);
    if (d->mark && d->boundary)
        return d;
    free(d->mark);
    free(d->boundary);
    free(d);
    return NULL;
}

static void detector_free(struct detector *d)
{
    free(d->mark);
    free(d->boundary);
    free(d);
}

bool an_changepoints(const double *value, const uint32_t *epoch, size_t n,
                     const struct an_cp_params *params, struct an_changepoint *out, size_t cap,
                     size_t *found)
{
    if (!params_are_valid(params) || !an_all_finite(value, n))
        return false;
    struct detector *d = detector_new(n, params, out, cap);
    if (!d)
        return false;
    for (size_t start = 0, end; start < n; start = end) {
        end = epoch_end(epoch, start, n);
        detect(d, value, start, end, 0);
    }
    *found = d->found;
    detector_free(d);
    return true;
}

bool an_changepoints_append(const double *value, const uint32_t *epoch, size_t n, size_t n_before,
                            const struct an_changepoint *known, size_t n_known,
                            const struct an_cp_params *params, struct an_changepoint *out,
                            size_t cap, size_t *found)
{
    size_t context = AN_CP_REACH_MOST + AN_WINDOW;
    if (n_before > n)
        return false;
    for (size_t i = 0; i < n_known; i++)
        if (known[i].index >= n_before || (i > 0 && known[i].index <= known[i - 1].index))
            return false;
    if (n_before == 0 || n - n_before > AN_CP_SETTLED / 4 || n < AN_CP_SETTLED + context)
        return an_changepoints(value, epoch, n, params, out, cap, found);

    size_t settled = n - AN_CP_SETTLED, start = settled - context;
    if (!params_are_valid(params) || !an_all_finite(value + start, n - start))
        return false;
    struct detector *d = detector_new(n - start, params, out, cap);
    if (!d)
        return false;
    for (; d->found < n_known && known[d->found].index < settled; d->found++)
        if (d->found < cap)
            out[d->found] = known[d->found];
    for (size_t end; start < n; start = end) {
        end = start + epoch_end(epoch ? epoch + start : NULL, 0, n - start);
        detect(d, value, start, end, settled);
    }
    *found = d->found;
    detector_free(d);
    return true;
}
