/*
 * The decision on real pairs: tests/bench/bank.txt holds pairs of commits without effect, measured
 * on a busy virtual machine of two CPUs (bank.sh says how it is written). Runs are drawn from it
 * and go through the code that decides. Pairs keep their layout and are taken in stretches of their
 * run, so that what lasts longer than a pair stays together; each run's own median is taken out,
 * for what is asked is how often nothing is called something. This is the short form of make
 * bench-measurement: it proves what the bounds below say, for this bank.
 */
#include "analysis/verdict.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "tests/analysis/random.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1536, LAYOUTS = 64, STRETCH = 16, MOST_RUNS = 64 };

struct bank_run {
    size_t n;
    double pair[MOST];
};

static struct bank_run bank[MOST_RUNS];
static size_t bank_runs;

/* HP_TEST_LONG=1 draws ten times as many. */
static size_t repeats(size_t n)
{
    const char *wish = getenv("HP_TEST_LONG");
    return wish && strcmp(wish, "1") == 0 ? 10 * n : n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void centre(struct bank_run *run)
{
    static double sorted[MOST];
    memcpy(sorted, run->pair, run->n * sizeof *sorted);
    qsort(sorted, run->n, sizeof *sorted, by_value);
    double middle = (sorted[(run->n - 1) / 2] + sorted[run->n / 2]) / 2;
    for (size_t i = 0; i < run->n; i++)
        run->pair[i] -= middle;
}

static void read_bank(void)
{
    struct hp_error err = {0};
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert_msg(hp_file_read("tests/bench/bank.txt", 4u << 20, &text, &err), "%s", err.message);
    char *rest = text.data, *line;
    while ((line = strsep(&rest, "\n")) && *line && bank_runs < MOST_RUNS) {
        struct bank_run *run = &bank[bank_runs];
        char *word = strsep(&line, " ");
        while ((word = strsep(&line, " ")) && run->n < MOST)
            run->pair[run->n++] = atof(word) * 1e-6;
        ck_assert_uint_ge(run->n, LAYOUTS);
        centre(run);
        bank_runs++;
    }
    ck_assert_uint_ge(bank_runs, 2);
}

/* A run of the bank's pairs in stretches from anywhere, with an effect planted on head. */
static struct an_decision draw(struct rng *random, double effect)
{
    static double pair[MOST];
    static uint32_t layout[MOST];
    struct an_plan plan = an_plan_standard(AN_MARGIN, 0);
    struct an_decision decision;
    const struct bank_run *run = &bank[rng_below(random, bank_runs)];
    for (size_t k = 0; k < MOST; k += STRETCH) {
        /* a stretch that began in the same layout */
        size_t turns = (run->n - k % LAYOUTS - STRETCH) / LAYOUTS + 1;
        size_t from = k % LAYOUTS + LAYOUTS * rng_below(random, turns);
        double sign = rng_below(random, 2) ? 1 : -1;
        for (size_t i = 0; i < STRETCH; i++) {
            pair[k + i] = sign * run->pair[from + i] + log1p(effect);
            layout[k + i] = (uint32_t)((k + i) % LAYOUTS);
        }
    }
    ck_assert(an_decide_run(pair, layout, MOST, AN_HIGHER, &plan, &decision));
    return decision;
}

struct counts {
    size_t regressed, improved, equivalent, inside;
    double pairs;
};

static struct counts count(size_t runs, double effect)
{
    struct rng random = {20250101};
    struct counts c = {0};
    for (size_t i = 0; i < runs; i++) {
        struct an_decision d = draw(&random, effect);
        c.regressed += d.verdict == AN_REGRESSED;
        c.improved += d.verdict == AN_IMPROVED;
        c.equivalent += d.verdict == AN_EQUIVALENT;
        c.inside += d.estimate.low <= log1p(effect) && log1p(effect) <= d.estimate.high;
        c.pairs += (double)d.estimate.n / (double)runs;
    }
    printf("bank, %+.1f %%: %zu runs, regressed %zu, improved %zu, equivalent %zu, interval right "
           "%zu, %.0f pairs\n",
           100 * effect, runs, c.regressed, c.improved, c.equivalent, c.inside, c.pairs);
    return c;
}

/* What is called without an effect. The nominal error over all looks is 0.1 % a workload. */
START_TEST(nothing_is_called_something_almost_never)
{
    struct counts c = count(repeats(300), 0);
    /* At 0.1 % more than 2 of 300 come by chance once in 280 times. */
    ck_assert_uint_le(c.regressed + c.improved, repeats(2));
}
END_TEST

START_TEST(effects_are_found)
{
    static const double effects[] = {-0.003, -0.005, -0.01, -0.05};
    size_t before = 0, runs = repeats(60);
    for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
        struct counts c = count(runs, effects[i]);
        ck_assert_uint_ge(c.regressed, before); /* a larger one is not found less often */
        ck_assert_uint_le(c.improved, 1);
        ck_assert_uint_ge(c.inside, runs - runs / 50);
        before = c.regressed;
    }
    ck_assert_uint_ge(before, runs * 9 / 10); /* power 0.9, for this bank, at -5 % */
}
END_TEST

HP_SUITE(bench_bank)
{
    Suite *s = suite_create("bench_bank");
    TCase *t = tcase_create("bank");
    tcase_add_unchecked_fixture(t, read_bank, NULL);
    tcase_add_test(t, nothing_is_called_something_almost_never);
    tcase_add_test(t, effects_are_found);
    tcase_set_timeout(t, 60 * TIME_SCALE);
    suite_add_tcase(s, t);
    return s;
}
