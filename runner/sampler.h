/*
 * Pairs of fresh processes until the data decide: a fair coin orders each pair, pair k uses the
 * workload's seed k modulo their number in both arms, and analysis/verdict.h says at fixed numbers
 * of pairs whether to go on. With code layouts, pair k runs in layout k modulo their number in both
 * arms, and the statistics take the pairs of a layout as a cluster. One sample of the suite's
 * reference, in that layout too, follows every fourth pair, and one of the control arm (the driver
 * with the C library's own allocator) every eighth. One that is slow comes more rarely, so that it
 * takes a sixth of the pairs' time, but once in 64 pairs. A commit without parent is paired with
 * the control instead.
 *
 * The coin of pair k is the top bit of output k of SplitMix64 started at coin_seed, so that anyone
 * can draw it again from the result document.
 */
#ifndef RN_SAMPLER_H
#define RN_SAMPLER_H

#include "analysis/verdict.h"
#include "runner/execute.h"

#define RN_MAX_PAIRS 1536
#define RN_SEEDS 16
#define RN_LOOKS 8

/* How a workload is sampled: from the suite and the runner's own ceiling. */
struct rn_plan {
    double margin;            /* fraction */
    enum rn_metric metric;    /* that decides */
    double budget_s;          /* the pairs end at the first look after so long that concludes */
    double limit_s;           /* and after so long at any; 0: never */
    double layout_sd;         /* 0 with layouts, else what the interval is widened by */
    unsigned layouts;         /* pair k runs in code layout k modulo this; 0: all as shipped */
    uint32_t looks[RN_LOOKS]; /* of the job, n_looks of them; none: the standard ones */
    size_t n_looks;
    double critical; /* of the job; 0: the standard one */
    uint32_t max_pairs;
    uint32_t coin_seed;
    int64_t seeds[RN_SEEDS];
    size_t n_seeds;
    enum rn_arm second; /* RN_BASE, or RN_CONTROL for a commit without parent */
};

/* Everything that was sampled. About 350 KiB: made by calloc. */
struct rn_samples {
    size_t pairs;
    uint32_t seed[RN_MAX_PAIRS];
    uint32_t layout[RN_MAX_PAIRS];   /* as shipped: each pair its own */
    uint8_t first_ran[RN_MAX_PAIRS]; /* 0: head ran first */
    double log_ratio[RN_MAX_PAIRS];  /* ln(head/second) of the metric that decides */
    size_t count[RN_ARMS];
    double value[RN_ARMS][RN_METRICS][RN_MAX_PAIRS];
    double time_up_s; /* of the plan, which ended them and not the data; 0: the data did */
    double spent_s;   /* time of the pairs */
    /* The plan's; fewer where the clock brought its single look forward. */
    uint32_t max_pairs;
    bool decided; /* `decision` holds; never when paired with the control */
    struct an_decision decision;
};

/* Pairs as shipped, beside those in many layouts. */
#define RN_SHIPPED_PAIRS 32
struct rn_shipped {
    size_t pairs; /* 0: none were asked for */
    uint32_t seed[RN_SHIPPED_PAIRS];
    uint8_t first_ran[RN_SHIPPED_PAIRS];                   /* 0: head ran first */
    double head[RN_SHIPPED_PAIRS], base[RN_SHIPPED_PAIRS]; /* of the metric that decides */
};

/* The plan of a workload with a fresh coin seed. Its budget is the workload's, and what is
 * inconclusive then may take as long again, but never longer than the runner's, which is the budget
 * where the workload has none. `has_base` false: paired with the control. */
bool rn_plan_of(const struct rn_workload *workload, bool has_base, struct rn_plan *out,
                struct hp_error *err);

/* Whether the coin says that head runs second in pair k. */
bool rn_coin(uint32_t coin_seed, size_t k);

/* The time of the plan that ends the pairs at a look which decided as `out` says, whether or not
 * the data ask for more; 0: none does. What is inconclusive when the budget is spent may be settled
 * by a look more, unless it was the single look that the budget brought forward. */
double rn_time_up(const struct rn_plan *plan, const struct rn_samples *out);

/* After the pairs that decide, where these went through code layouts and no job asked for a
 * sampling of its own: the artifacts as shipped, so that a move of theirs alone is known for what
 * it is. The coin goes on where the longest run would have ended. Errors as rn_execute. */
bool rn_sample_shipped(struct rn_launcher *launcher, const struct rn_workload *workload,
                       const struct rn_plan *plan, struct rn_shipped *out, json_t **failure,
                       struct hp_error *err);

/* Samples until the plan is satisfied. Errors as rn_execute. */
bool rn_sample_pairs(struct rn_launcher *launcher, const struct rn_workload *workload,
                     const struct rn_plan *plan, struct rn_samples *out, json_t **failure,
                     struct hp_error *err);

#endif
