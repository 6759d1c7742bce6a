/*
 * The estimate against its definition: every shift between the averages of two values tried one
 * by one, ranks counted pair by pair, and the variance taken over all changes of sign.
 */
#include "analysis/estimate.h"
#include "analysis/order.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST = 40 };

struct sample {
    double value[MOST];
    uint32_t cluster[MOST];
    size_t n;
    bool clustered;
};

/* Continuous or on a coarse grid (ties and zeros); clusters of very different sizes, or none. */
static struct sample make_sample(struct rng *r, size_t most)
{
    struct sample s = {.n = 1 + rng_below(r, most), .clustered = rng_below(r, 2)};
    size_t kind = rng_below(r, 4), clusters = 1 + rng_below(r, s.n);
    double shift = rng_normal(r);
    for (size_t i = 0; i < s.n; i++) {
        double x = rng_normal(r) + shift;
        s.value[i] = kind == 0 ? floor(2 * x) / 4 : kind == 1 ? floor(x) : x;
        double u = rng_uniform(r);
        s.cluster[i] = (uint32_t)(u * u * (double)clusters) * 1000003u;
    }
    return s;
}

/* rank |x_i| by counting; ties and the value itself count half. */
static void slow_sums(const struct sample *s, double shift, double *sum)
{
    memset(sum, 0, MOST * sizeof *sum);
    for (size_t i = 0; i < s->n; i++) {
        double x = s->value[i] - shift, rank = 0.5;
        size_t home = i;
        for (size_t j = s->n; j-- > 0;) {
            double y = fabs(s->value[j] - shift);
            rank += y < fabs(x) ? 1 : y > fabs(x) ? 0 : 0.5;
            if (s->clustered && s->cluster[j] == s->cluster[i])
                home = j;
        }
        sum[home] += x > 0 ? rank : x < 0 ? -rank : 0;
    }
}

static double slow_z(const struct sample *s, double shift)
{
    double sum[MOST], total = 0, square = 0;
    slow_sums(s, shift, sum);
    for (size_t j = 0; j < MOST; j++) {
        total += sum[j];
        square += sum[j] * sum[j];
    }
    return square > 0 ? total / sqrt(square) : 0;
}

static size_t slow_walsh(const struct sample *s, double *walsh)
{
    size_t m = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = i; j < s->n; j++)
            walsh[m++] = (s->value[i] + s->value[j]) / 2;
    an_sort(walsh, m);
    return m;
}

/* z only changes at the averages: try each stretch between two of them, from the left. */
static double slow_low(const struct sample *s, const double *walsh, size_t m, double c)
{
    if (slow_z(s, walsh[0] - 1) <= c)
        return -INFINITY;
    for (size_t k = 0; k + 1 < m; k++)
        if (walsh[k + 1] - walsh[k] > 1e-12 && slow_z(s, (walsh[k] + walsh[k + 1]) / 2) <= c)
            return walsh[k];
    return walsh[m - 1];
}

static double slow_high(const struct sample *s, const double *walsh, size_t m, double c)
{
    if (slow_z(s, walsh[m - 1] + 1) >= -c)
        return INFINITY;
    for (size_t k = m - 1; k > 0; k--)
        if (walsh[k] - walsh[k - 1] > 1e-12 && slow_z(s, (walsh[k] + walsh[k - 1]) / 2) >= -c)
            return walsh[k];
    return walsh[0];
}

static const uint32_t *clusters_of(const struct sample *s)
{
    return s->clustered ? s->cluster : NULL;
}

static void assert_close(double is, double should)
{
    if (isinf(should))
        ck_assert(is == should);
    else
        ck_assert_double_eq_tol(is, should, 1e-9);
}

START_TEST(interval_and_estimate_follow_the_definition)
{
    struct rng r = {11};
    static double walsh[MOST * MOST];
    int bounded = 0;
    for (int trial = 0; trial < 1500; trial++) {
        struct sample s = make_sample(&r, MOST);
        double c = 0.5 + 3.5 * rng_uniform(&r);
        size_t m = slow_walsh(&s, walsh);
        struct an_estimate e;
        ck_assert(an_estimate_pairs(s.value, clusters_of(&s), s.n, c, 0, &e));
        double middle = m % 2 ? walsh[m / 2] : (walsh[m / 2 - 1] + walsh[m / 2]) / 2;
        assert_close(e.estimate, middle);
        assert_close(e.low, fmin(slow_low(&s, walsh, m, c), middle));
        assert_close(e.high, fmax(slow_high(&s, walsh, m, c), middle));
        assert_close(e.z, slow_z(&s, 0));
        ck_assert_uint_eq(e.n, s.n);
        bounded += isfinite(e.low) && isfinite(e.high);
    }
    ck_assert_int_gt(bounded, 500);
}
END_TEST

/* Under no change the sign of each cluster is a fair coin: z is the total in units of the
 * standard deviation over all 2^J equally likely totals. */
START_TEST(variance_is_that_of_all_changes_of_sign)
{
    struct rng r = {12};
    for (int trial = 0; trial < 300; trial++) {
        struct sample s = make_sample(&r, 10);
        double sum[MOST], total = 0, square = 0, z;
        slow_sums(&s, 0, sum);
        for (uint32_t signs = 0; signs < 1u << s.n; signs++) {
            double flipped = 0;
            for (size_t j = 0; j < s.n; j++)
                flipped += signs >> j & 1 ? -sum[j] : sum[j];
            square += flipped * flipped;
        }
        for (size_t j = 0; j < s.n; j++)
            total += sum[j];
        double deviation = sqrt(square / (double)(1u << s.n));
        ck_assert(an_signed_rank(s.value, clusters_of(&s), s.n, 0, &z));
        ck_assert_double_eq_tol(z, deviation > 0 ? total / deviation : 0, 1e-9);
    }
}
END_TEST

START_TEST(without_clusters_it_is_wilcoxons_statistic)
{
    struct rng r = {13};
    double value[500], z;
    for (size_t n = 1; n <= 500; n++) {
        double nd = (double)n, positive = 0;
        for (size_t i = 0; i < n; i++)
            value[i] = (double)(i + 1) * (rng_uniform(&r) < 0.5 ? -1 : 1);
        for (size_t i = 0; i < n; i++)
            positive += value[i] > 0 ? value[i] : 0;
        double mean = nd * (nd + 1) / 4, variance = nd * (nd + 1) * (2 * nd + 1) / 24;
        ck_assert(an_signed_rank(value, NULL, n, 0, &z));
        ck_assert_double_eq_tol(z, (positive - mean) / sqrt(variance), 1e-9);
    }
}
END_TEST

START_TEST(all_labels_different_is_unclustered)
{
    struct rng r = {14};
    for (int trial = 0; trial < 200; trial++) {
        struct sample s = make_sample(&r, MOST);
        struct an_estimate plain, labelled;
        for (size_t i = 0; i < s.n; i++)
            s.cluster[i] = (uint32_t)(i * 2654435761u);
        ck_assert(an_estimate_pairs(s.value, NULL, s.n, 2, 0, &plain));
        ck_assert(an_estimate_pairs(s.value, s.cluster, s.n, 2, 0, &labelled));
        ck_assert_mem_eq(&plain, &labelled, sizeof plain);
    }
}
END_TEST

/* Swapped arms mirror everything; a shift of all values shifts everything but z. */
START_TEST(mirrored_and_shifted)
{
    struct rng r = {15};
    for (int trial = 0; trial < 300; trial++) {
        struct sample s = make_sample(&r, MOST), t = s;
        struct an_estimate a, b;
        ck_assert(an_estimate_pairs(s.value, clusters_of(&s), s.n, 2, 0.1, &a));
        for (size_t i = 0; i < s.n; i++)
            t.value[i] = -s.value[i];
        ck_assert(an_estimate_pairs(t.value, clusters_of(&s), s.n, 2, 0.1, &b));
        assert_close(b.estimate, -a.estimate);
        assert_close(b.low, -a.high);
        assert_close(b.high, -a.low);
        assert_close(b.z, -a.z);
        for (size_t i = 0; i < s.n; i++)
            t.value[i] = s.value[i] + 0.5;
        ck_assert(an_estimate_pairs(t.value, clusters_of(&s), s.n, 2, 0.1, &b));
        assert_close(b.estimate, a.estimate + 0.5);
        assert_close(b.low, a.low + 0.5);
        assert_close(b.high, a.high + 0.5);
    }
}
END_TEST

START_TEST(layout_widens_in_quadrature)
{
    struct rng r = {16};
    double value[256];
    struct an_estimate narrow, wide;
    for (size_t i = 0; i < 256; i++)
        value[i] = 0.01 + 0.01 * rng_normal(&r);
    ck_assert(an_estimate_pairs(value, NULL, 256, 3.7, 0, &narrow));
    ck_assert(an_estimate_pairs(value, NULL, 256, 3.7, AN_LAYOUT_SD, &wide));
    double extra = 3.7 * 0.0045, below = narrow.estimate - narrow.low,
           above = narrow.high - narrow.estimate;
    assert_close(wide.low, narrow.estimate - sqrt(below * below + extra * extra));
    assert_close(wide.high, narrow.estimate + sqrt(above * above + extra * extra));
    assert_close(wide.z, narrow.z);
    assert_close(wide.detectable, (wide.high - wide.low) / 2 * (1 + 1.28 / 3.7));
}
END_TEST

START_TEST(degenerate_series)
{
    double value[64];
    struct an_estimate e;
    /* One pair says nothing about its own spread. */
    value[0] = 0.25;
    ck_assert(an_estimate_pairs(value, NULL, 1, 3.7, 0, &e));
    ck_assert(e.estimate == 0.25 && e.low == -INFINITY && e.high == INFINITY);
    ck_assert(isinf(e.detectable) && e.z == 1);
    /* A constant series is known exactly, once there are enough of it: sqrt(n) > c. */
    for (size_t i = 0; i < 64; i++)
        value[i] = -0.125;
    ck_assert(an_estimate_pairs(value, NULL, 13, 3.7, 0, &e));
    ck_assert(e.low == -INFINITY && e.high == INFINITY && e.estimate == -0.125);
    ck_assert(an_estimate_pairs(value, NULL, 14, 3.7, 0, &e));
    ck_assert(e.low == -0.125 && e.high == -0.125 && e.detectable == 0);
    /* All pairs of one layout: nothing can be excluded however many there are. */
    uint32_t same[64] = {0};
    ck_assert(an_estimate_pairs(value, same, 64, 3.7, 0, &e));
    ck_assert(e.low == -INFINITY && e.high == INFINITY && e.z == -1);
    for (size_t i = 0; i < 64; i++)
        value[i] = 0;
    ck_assert(an_estimate_pairs(value, NULL, 64, 3.7, 0, &e));
    ck_assert(e.low == 0 && e.high == 0 && e.z == 0 && e.estimate == 0);
    /* The largest numbers there are. */
    for (size_t i = 0; i < 64; i++)
        value[i] = i % 2 ? 1.7e308 : -1.7e308;
    ck_assert(an_estimate_pairs(value, NULL, 64, 3.7, 0, &e));
    ck_assert(e.low <= e.estimate && e.estimate <= e.high);
}
END_TEST

START_TEST(any_finite_values)
{
    struct rng r = {18};
    for (int trial = 0; trial < 500; trial++) {
        double value[100];
        uint32_t cluster[100];
        size_t n = 1 + rng_below(&r, 100);
        struct an_estimate e;
        for (size_t i = 0; i < n; i++) {
            value[i] = rng_any(&r);
            cluster[i] = (uint32_t)rng_below(&r, 30);
        }
        ck_assert(an_estimate_pairs(value, trial % 2 ? cluster : NULL, n, 2, 0, &e));
        ck_assert(e.low <= e.estimate && e.estimate <= e.high && isfinite(e.z));
    }
}
END_TEST

START_TEST(too_few_pairs_exclude_nothing)
{
    double value[18];
    struct an_estimate e;
    for (size_t i = 0; i < 18; i++)
        value[i] = 1 + (double)i / 100;
    ck_assert(an_estimate_pairs(value, NULL, 17, 3.7, 0, &e));
    ck_assert(isinf(e.low) && isinf(e.high));
    ck_assert(an_estimate_pairs(value, NULL, 18, 3.7, 0, &e));
    assert_close(e.low, value[0]);
    assert_close(e.high, value[17]);
}
END_TEST

/* Counts are often equal in both arms. Zero is excluded all the same, by a bound that can be
 * divided and multiplied: the smallest number there is cannot. */
START_TEST(a_bound_beside_zero_is_no_subnormal)
{
    double value[64], mirror[64];
    for (size_t i = 0; i < 64; i++) {
        value[i] = i < 40 ? 0 : 10;
        mirror[i] = -value[i];
    }
    struct an_estimate e, m;
    ck_assert(an_estimate_pairs(value, NULL, 64, 3.7, 0, &e));
    ck_assert_double_gt(e.low, 1e-17);
    ck_assert_double_lt(e.low, 1e-12);
    ck_assert(an_estimate_pairs(mirror, NULL, 64, 3.7, 0, &m));
    ck_assert(m.high <= -e.low && m.high >= -e.low);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    double value[20];
    struct an_estimate e, untouched;
    memset(&e, 0x5a, sizeof e);
    untouched = e;
    for (size_t i = 0; i < 20; i++)
        value[i] = (double)i;
    const double bad[] = {NAN, INFINITY, -INFINITY, 0, -1};
    double z = 77;
    ck_assert(!an_estimate_pairs(value, NULL, 0, 3.7, 0, &e));
    ck_assert(!an_signed_rank(value, NULL, 0, 0, &z));
    for (size_t i = 0; i < 5; i++) {
        ck_assert(!an_estimate_pairs(value, NULL, 20, bad[i], 0, &e));
        if (bad[i] != 0)
            ck_assert(!an_estimate_pairs(value, NULL, 20, 3.7, bad[i], &e));
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert(!an_signed_rank(value, NULL, 20, bad[i], &z));
        value[i * 9] = bad[i];
        ck_assert(!an_estimate_pairs(value, NULL, 20, 3.7, 0, &e));
        ck_assert(!an_signed_rank(value, NULL, 20, 0, &z));
        ck_assert(!an_hodges_lehmann(value, 20, &z));
        value[i * 9] = 0;
    }
    ck_assert(z == 77);
    ck_assert_mem_eq(&e, &untouched, sizeof e);
}
END_TEST

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

START_TEST(largest_run_is_quick)
{
    struct rng r = {17};
    static double value[1536];
    static uint32_t cluster[1536];
    double worst = 0;
    for (int trial = 0; trial < 20; trial++) {
        double layout[64];
        for (size_t j = 0; j < 64; j++)
            layout[j] = 0.006 * rng_normal(&r);
        for (size_t i = 0; i < 1536; i++) {
            cluster[i] = i % 64;
            value[i] = 0.01 * rng_heavy(&r) + layout[i % 64];
        }
        double best = 1;
        for (int i = 0; i < 3; i++) {
            struct an_estimate e;
            double start = seconds();
            ck_assert(an_estimate_pairs(value, trial % 2 ? cluster : NULL, 1536, 3.7, 0, &e));
            best = fmin(best, seconds() - start);
        }
        worst = fmax(worst, best);
    }
    printf("estimate of 1536 pairs: at most %.2f ms\n", worst * 1e3);
    ck_assert_double_lt(worst, TIME_SCALE * 0.02);
}
END_TEST

HP_SUITE(analysis_estimate)
{
    Suite *s = suite_create("analysis_estimate");
    TCase *t = tcase_create("definition");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, interval_and_estimate_follow_the_definition);
    tcase_add_test(t, variance_is_that_of_all_changes_of_sign);
    tcase_add_test(t, without_clusters_it_is_wilcoxons_statistic);
    suite_add_tcase(s, t);
    t = tcase_create("properties");
    tcase_add_test(t, all_labels_different_is_unclustered);
    tcase_add_test(t, mirrored_and_shifted);
    tcase_add_test(t, layout_widens_in_quadrature);
    suite_add_tcase(s, t);
    t = tcase_create("edges");
    tcase_add_test(t, degenerate_series);
    tcase_add_test(t, any_finite_values);
    tcase_add_test(t, too_few_pairs_exclude_nothing);
    tcase_add_test(t, a_bound_beside_zero_is_no_subnormal);
    tcase_add_test(t, bad_input_changes_nothing);
    tcase_add_test(t, largest_run_is_quick);
    suite_add_tcase(s, t);
    return s;
}
