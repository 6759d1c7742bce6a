#include "analysis/step.h"

#include "analysis/modes.h"
#include "analysis/order.h"
#include "analysis/student.h"

#include <math.h>
#include <string.h>

/* The points that judge a step. */
struct sides {
    const double *left, *right;
    size_t n_left, n_right;
    double before, after; /* medians */
};

static double median_of(const double *value, size_t n, double *work)
{
    memcpy(work, value, n * sizeof *value);
    return an_median_in_place(work, n);
}

static struct sides sides_of(const double *value, size_t from, size_t at, size_t to, size_t reach,
                             double *work)
{
    struct sides s = {.n_left = at - from < reach ? at - from : reach,
                      .n_right = to - at < reach ? to - at : reach};
    s.left = value + at - s.n_left;
    s.right = value + at;
    s.before = median_of(s.left, s.n_left, work);
    s.after = median_of(s.right, s.n_right, work);
    return s;
}

/*
 * Where within the two sides the two levels fit best, by absolute distances: ranks and windows know
 * a place only roughly. Costs are relative to staying, which wins ties.
 */
static size_t best_place(const double *value, size_t at, const struct sides *s, size_t keep)
{
    size_t best_at = at;
    double cost = 0, best = 0;
    for (size_t i = at; i + keep < at + s->n_right; i++) {
        cost += fabs(value[i] - s->before) - fabs(value[i] - s->after);
        if (cost < best) {
            best = cost;
            best_at = i + 1;
        }
    }
    cost = 0;
    for (size_t i = at; i > at - s->n_left + keep; i--) {
        cost += fabs(value[i - 1] - s->after) - fabs(value[i - 1] - s->before);
        if (cost < best) {
            best = cost;
            best_at = i - 1;
        }
    }
    return best_at;
}

static size_t nearer_to(double level, double other, const double *value, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += fabs(value[i] - level) < fabs(value[i] - other);
    return count;
}

/*
 * A level is made of min_segment points that are nearer to it than to the other: a shorter burst of
 * outliers with what came after it is none, whatever its median.
 */
static bool are_levels(const struct sides *s, size_t min_segment)
{
    return nearer_to(s->before, s->after, s->left, s->n_left) >= min_segment &&
           nearer_to(s->after, s->before, s->right, s->n_right) >= min_segment;
}

/* The median absolute deviation of both sides, each about its own median. */
static double local_mad(const struct sides *s, double *work)
{
    for (size_t i = 0; i < s->n_left; i++)
        work[i] = fabs(s->left[i] - s->before);
    for (size_t i = 0; i < s->n_right; i++)
        work[s->n_left + i] = fabs(s->right[i] - s->after);
    return an_median_in_place(work, s->n_left + s->n_right);
}

/* The deviations of all points from their level, outliers cut to 4 MAD. */
static void clipped_residuals(const struct sides *s, double mad, double *work)
{
    for (size_t i = 0; i < s->n_left + s->n_right; i++) {
        double x = s->left[i] - (i < s->n_left ? s->before : s->after);
        work[i] = x > 4 * mad ? 4 * mad : x < -4 * mad ? -4 * mad : x;
    }
}

/*
 * Neighbouring points that resemble each other are worth fewer than their number: the factor
 * sqrt((1 - r) / (1 + r)) on z, r the correlation of neighbours about their level, less two
 * standard errors so that series without it lose nothing.
 */
static double autocorrelation_factor(const double *residual, size_t n)
{
    double product = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        square += residual[i] * residual[i];
        product += i > 0 ? residual[i] * residual[i - 1] : 0;
    }
    double r = square > 0 ? product / square - 2 / sqrt((double)n) : 0;
    /* Written so that values whose squares overflow come out as uncorrelated. */
    r = !(r > 0) ? 0 : fmin(r, 0.95);
    return sqrt((1 - r) / (1 + r));
}

/*
 * Whether two levels fit clearly better than one straight line (least squares) by absolute
 * distances: a series that drifts has a step wherever one looks for it.
 */
static bool beats_a_trend(const struct sides *s, const double *residual)
{
    const double clearly = 0.92;
    double n = (double)(s->n_left + s->n_right), middle = (n - 1) / 2;
    double mean = 0, product = 0, cost_of_step = 0, cost_of_line = 0;
    double height = s->after - s->before;
    for (size_t i = 0; i < s->n_left + s->n_right; i++) {
        double x = residual[i] + (i < s->n_left ? 0 : height);
        mean += x / n;
        product += ((double)i - middle) * x;
    }
    double slope = product / (n * (n * n - 1) / 12);
    for (size_t i = 0; i < s->n_left + s->n_right; i++) {
        double x = residual[i] + (i < s->n_left ? 0 : height);
        cost_of_step += fabs(residual[i]);
        cost_of_line += fabs(x - mean - slope * ((double)i - middle));
    }
    return cost_of_step <= clearly * cost_of_line;
}

static bool is_large_enough(const struct sides *s, double mad, const struct an_cp_params *params)
{
    double step = fabs(s->after - s->before);
    double least = params->relative ? params->step * fabs(s->before) : params->step;
    return step > 0 && step >= least && step >= params->mads * mad;
}

/* The |z| with the two-sided chance p, by bisection: erfc has no inverse in libm. */
static double z_with_p(double p)
{
    double low = 0, high = 40;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (an_two_sided_p(middle) > p)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/*
 * The chance of so large a step where neighbours resemble each other: ranks say no more than
 * "wholly apart" of it, which takes many points that are not alike. Student's t of the two medians
 * (pi / 2: their variance to that of means) with the numbers of points that count. Heavy tails make
 * it a little too small, hence the factor; simulated on series with a correlation of 0.5 it finds
 * 86 instead of 82 % of the steps and flags no more of the quiet ones.
 */
static double chance_of_size(const struct sides *s, double mad, const double *residual,
                             double factor)
{
    const double guard = 300;
    size_t n = s->n_left + s->n_right;
    double left = factor * factor * (double)s->n_left, right = factor * factor * (double)s->n_right;
    double mean = 0, freedom = left + right - 2;
    for (size_t i = 0; i < n; i++)
        mean += fabs(residual[i]) / (double)n;
    double sd = fmax(1.482602218505602 * mad, sqrt(M_PI / 2) * mean);
    if (!(freedom >= 1) || !(sd > 0) || !isfinite(sd))
        return 1;
    double error = sd * sqrt(M_PI / 2) * sqrt(1 / left + 1 / right);
    return fmin(1, guard * 2 * an_student_tail(fabs(s->after - s->before) / error, freedom));
}

static struct an_step judge(const double *value, size_t from, size_t at, size_t to,
                            const struct an_cp_params *params, struct an_step_space *space)
{
    struct sides s;
    bool moved = true;
    /* The levels change with the place, and a better place may show; three times is enough. */
    for (int i = 0; i < 3 && moved; i++) {
        s = sides_of(value, from, at, to, params->reach, space->work);
        size_t place = best_place(value, at, &s, params->min_segment);
        moved = place != at;
        at = place;
    }
    if (moved)
        s = sides_of(value, from, at, to, params->reach, space->work);
    double mad = local_mad(&s, space->work);
    clipped_residuals(&s, mad, space->work);
    double factor = autocorrelation_factor(space->work, s.n_left + s.n_right);
    double z = an_ranksum_z(s.left, s.n_left, s.right, s.n_right, &space->ranksum);
    struct an_step out = {
        .index = at, .before = s.before, .after = s.after, .strength = fabs(z) * factor};
    /* The exact chance is dear: only where the rest agrees and it can still come out small. */
    if (out.strength <= 2 || !are_levels(&s, params->min_segment) ||
        !is_large_enough(&s, mad, params) || !beats_a_trend(&s, space->work))
        return out;
    out.p = an_ranksum(s.left, s.n_left, s.right, s.n_right, &space->ranksum).p;
    if (factor < 1)
        out.p = fmin(an_two_sided_p(z_with_p(out.p) * factor),
                     chance_of_size(&s, mad, space->work, factor));
    out.kept = out.p <= params->p;
    return out;
}

/*
 * Where the level drifts, the points far away say nothing of this step, or the opposite: the near
 * ones alone may tell it, at a much smaller chance, for it is a second try and few points know
 * little of how they resemble each other. Simulated on series of thirteen kinds: the share of steps
 * found rises in each, under a drift from 78 to 84 %, while quiet series are flagged as often as
 * before.
 */
static struct an_step judge_wide_and_near(const double *value, size_t from, size_t at, size_t to,
                                          const struct an_cp_params *params,
                                          struct an_step_space *space)
{
    const size_t near = 24;
    struct an_step wide = judge(value, from, at, to, params, space);
    if (wide.kept || params->reach <= near || params->min_segment > near)
        return wide;
    struct an_cp_params close = *params;
    close.reach = near;
    close.p *= 0.01;
    struct an_step narrow = judge(value, from, at, to, &close, space);
    return narrow.kept ? narrow : wide;
}

struct an_step an_step_judge(const double *value, size_t n, size_t from, size_t at, size_t to,
                             const struct an_cp_params *params, struct an_step_space *space)
{
    struct an_step step = judge_wide_and_near(value, from, at, to, params, space);
    step.kept = step.kept && !an_are_modes(value, n, step.index, step.before, step.after);
    return step;
}
