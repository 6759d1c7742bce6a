#include "runner/sampler.h"

#include "common/clock.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/metrics.h"
#include "runner/failure.h"
#include "runner/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAIRS_WITHOUT_BASE 64
#define REFERENCE_EVERY 4 /* pairs */
#define CONTROL_EVERY 8   /* pairs */
#define MARK_SHARE 6    /* one that is slow comes more rarely: a sixth of the pairs' time at most */
#define FEWEST_PAIRS 64 /* of each layout one */
#define GLANCE_EVERY 32 /* pairs */

static const int64_t default_seeds[] = {42, 43, 44};

/* What one call of rn_sample_pairs works with. */
struct session {
    struct rn_launcher *launcher;
    const struct rn_workload *workload;
    const struct rn_plan *plan;
    struct rn_samples *out;
    json_t **failure;
    struct hp_error *err;
    const struct an_plan *rules;
    size_t last;             /* pairs, at most */
    size_t every[RN_ARMS];   /* pairs, from one sample of a mark to the next */
    struct an_estimate seen; /* at the last glance */
};

bool rn_coin(uint32_t coin_seed, size_t k)
{
    uint64_t x = (uint64_t)coin_seed + ((uint64_t)k + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (x ^ (x >> 31)) >> 63;
}

static void read_looks(const json_t *plan, struct rn_plan *out)
{
    size_t i;
    json_t *look;
    json_array_foreach (json_object_get(plan, "looks"), i, look) {
        if (out->n_looks < RN_LOOKS)
            out->looks[out->n_looks++] = (uint32_t)json_integer_value(look);
    }
    out->critical = hp_json_number(plan, "critical", 0);
}

static bool read_metric(const json_t *workload, struct rn_plan *out, struct hp_error *err)
{
    const char *name = hp_json_string(workload, "metric", rn_metric_names[RN_THROUGHPUT]);
    for (int m = 0; m < RN_METRICS; m++) {
        out->metric = (enum rn_metric)m;
        if (strcmp(rn_metric_names[m], name) == 0)
            return true;
    }
    hp_fail(err, HP_INVALID, "workload %s: no process has a value of the metric %s that decides it",
            hp_json_string(workload, "name", ""), name);
    return hp_error_hint(err, "`hakperf suite check` lists those that can decide.");
}

/* The rules that the plan comes to; *only has to outlive them. */
static struct an_plan rules_of(const struct rn_plan *plan, uint32_t *only)
{
    struct an_plan rules = an_plan_standard(plan->margin, plan->layout_sd);
    if (plan->n_looks > 0) {
        rules.looks = plan->looks;
        rules.n_looks = plan->n_looks;
    }
    if (plan->critical > 0)
        rules.critical = plan->critical;
    an_plan_limit(&rules, plan->max_pairs, only);
    return rules;
}

/* 0 is without end. */
static double sooner(double a, double b)
{
    return a > 0 && (b <= 0 || a < b) ? a : b;
}

static void set_budget(double workload_s, double runner_s, struct rn_plan *out)
{
    out->budget_s = sooner(workload_s, runner_s);
    out->limit_s = sooner(2 * workload_s, runner_s);
}

bool rn_plan_of(const struct rn_workload *workload, bool has_base, struct rn_plan *out,
                struct hp_error *err)
{
    size_t i;
    json_t *seed;
    uint32_t ceiling = workload->room->runner->max_pairs;
    *out = (struct rn_plan){.margin = hp_json_number(workload->json, "margin", AN_MARGIN),
                            .layout_sd = workload->layouts ? 0 : AN_LAYOUT_SD,
                            .layouts = workload->layouts,
                            .second = has_base ? RN_BASE : RN_CONTROL};
    set_budget(hp_json_number(workload->json, "budget_s", 0), workload->room->runner->budget_s,
               out);
    out->max_pairs = (uint32_t)hp_json_int(workload->json, "max_pairs", RN_MAX_PAIRS);
    if (ceiling && ceiling < out->max_pairs)
        out->max_pairs = ceiling;
    if (!has_base)
        out->max_pairs = PAIRS_WITHOUT_BASE;
    json_array_foreach (json_object_get(workload->json, "seeds"), i, seed) {
        if (out->n_seeds < RN_SEEDS)
            out->seeds[out->n_seeds++] = json_integer_value(seed);
    }
    read_looks(workload->plan, out);
    if (!read_metric(workload->json, out, err))
        return false;
    if (out->n_seeds == 0) {
        memcpy(out->seeds, default_seeds, sizeof default_seeds);
        out->n_seeds = sizeof default_seeds / sizeof default_seeds[0];
    }
    return hp_random_bytes(&out->coin_seed, sizeof out->coin_seed, err);
}

/* One sample in the layout of pair k. */
static bool take(struct session *s, enum rn_arm arm, size_t k, double value[RN_METRICS])
{
    struct rn_sample sample;
    int64_t seed = s->plan->seeds[k % s->plan->n_seeds];
    unsigned layouts = arm == RN_REFERENCE ? s->workload->reference_layouts : s->plan->layouts;
    const struct rn_execution execution = {.arm = arm,
                                           .iterations =
                                               hp_json_int(s->workload->json, "iterations", 1),
                                           .seed = seed,
                                           .layout = layouts ? (unsigned)(k % layouts) + 1 : 0};
    if (!rn_execute(s->launcher, s->workload, &execution, &sample, s->failure, s->err))
        return false;
    memcpy(value, sample.value, sizeof sample.value);
    enum rn_metric decides = s->plan->metric;
    if (isfinite(value[decides]) && value[decides] > 0)
        return true;
    char message[512];
    snprintf(message, sizeof message, "workload %s, %s, seed %lld: it reports no %s%s",
             hp_json_string(s->workload->json, "name", ""), rn_arm_names[arm], (long long)seed,
             decides == RN_THROUGHPUT ? "steady part" : rn_metric_names[decides],
             decides == RN_THROUGHPUT ? "; its iterations are too few" : " above zero");
    *s->failure = rn_failure("validity", rn_arm_names[arm], message, NULL);
    return hp_fail(s->err, HP_FAILED, "the workload failed");
}

static void keep(struct rn_samples *out, enum rn_arm arm, const double value[RN_METRICS])
{
    size_t at = out->count[arm]++;
    for (int m = 0; m < RN_METRICS; m++)
        out->value[arm][m][at] = value[m];
}

static bool take_one(struct session *s, enum rn_arm arm, size_t k)
{
    double value[RN_METRICS];
    if (!take(s, arm, k, value))
        return false;
    keep(s->out, arm, value);
    return true;
}

static bool mark_due(const struct session *s, enum rn_arm arm, size_t k)
{
    return s->every[arm] && k % s->every[arm] == s->every[arm] - 1;
}

/* What follows pair k: the arms that other runs are held against too. */
static bool take_marks(struct session *s, size_t k)
{
    return (!mark_due(s, RN_REFERENCE, k) || take_one(s, RN_REFERENCE, k)) &&
           (!mark_due(s, RN_CONTROL, k) || take_one(s, RN_CONTROL, k));
}

/* Both or neither are kept, so that the arms stay aligned. */
static bool take_pair(struct session *s)
{
    double value[RN_ARMS][RN_METRICS];
    struct rn_samples *out = s->out;
    size_t k = out->pairs;
    int64_t seed = s->plan->seeds[k % s->plan->n_seeds];
    bool swapped = rn_coin(s->plan->coin_seed, k);
    enum rn_arm second = s->plan->second;
    enum rn_arm order[2] = {swapped ? second : RN_HEAD, swapped ? RN_HEAD : second};
    for (int i = 0; i < 2; i++)
        if (!take(s, order[i], k, value[order[i]]))
            return false;
    keep(out, RN_HEAD, value[RN_HEAD]);
    keep(out, second, value[second]);
    out->seed[k] = (uint32_t)seed;
    out->first_ran[k] = swapped;
    out->layout[k] = (uint32_t)(s->plan->layouts ? k % s->plan->layouts : k);
    out->log_ratio[k] = log(value[RN_HEAD][s->plan->metric] / value[second][s->plan->metric]);
    out->pairs++;
    return take_marks(s, k);
}

/* Between looks the interval is only for the eye, and is worked out now and then. */
static struct an_estimate glance(const struct session *s)
{
    static const struct an_estimate nothing = {.low = -INFINITY, .high = INFINITY};
    const struct rn_samples *out = s->out;
    struct an_estimate now;
    if (s->plan->second != RN_BASE ||
        !an_estimate_pairs(out->log_ratio, s->plan->layouts ? out->layout : NULL, out->pairs,
                           s->rules->critical, s->rules->layout_sd, &now))
        return nothing;
    return now;
}

static bool is_look(const struct an_plan *rules, size_t pairs)
{
    for (size_t i = 0; i < rules->n_looks; i++)
        if (rules->looks[i] == pairs)
            return true;
    return false;
}

/* A confirming run has a single look at 512 pairs, for which a commit that became a hundred times
 * slower would need an hour. The clock may bring that look forward: it knows nothing of the data.
 */
static bool may_end_early(const struct an_plan *rules, size_t pairs)
{
    return rules->n_looks == 1 && pairs < rules->looks[0] && pairs % FEWEST_PAIRS == 0;
}

static bool is_past(double spent, double budget)
{
    return budget > 0 && spent > budget;
}

/* Until the last look, or the first one after which there is no time. */
static double left_at_most(const struct session *s, double spent)
{
    const struct an_plan *rules = s->rules;
    double each = spent / (double)s->out->pairs;
    size_t end = s->out->pairs + 1;
    while (end < s->last &&
           !(is_past(each * (double)end, s->plan->limit_s) && is_look(rules, end)) &&
           !(is_past(each * (double)end, s->plan->budget_s) && may_end_early(rules, end)))
        end++;
    return each * (double)end - spent;
}

/* How far it is, the interval so far, and how long it may take. */
static void show(struct session *s, double begin)
{
    const struct rn_samples *out = s->out;
    if (out->pairs % GLANCE_EVERY == 0)
        s->seen = glance(s);
    const struct rn_pairs_progress now = {.workload = hp_json_string(s->workload->json, "name", ""),
                                          .done = (int64_t)out->pairs,
                                          .most = (int64_t)s->last,
                                          .left_s = left_at_most(s, hp_monotonic_s() - begin),
                                          .known = isfinite(s->seen.low) && isfinite(s->seen.high),
                                          .low = expm1(s->seen.low),
                                          .high = expm1(s->seen.high),
                                          .estimate = expm1(s->seen.estimate),
                                          .margin = s->plan->margin};
    rn_progress_pairs(s->workload->room->runner->progress, &now);
}

/* What one execution costs in CPU time: one by the clock would tell of other work too. */
static bool time_one(struct session *s, enum rn_arm arm, double *seconds)
{
    double value[RN_METRICS], begin = hp_monotonic_s();
    bool ok = take(s, arm, 0, value);
    *seconds = ok ? value[RN_USER_CPU] + value[RN_SYSTEM_CPU] : 0;
    if (!(*seconds > 0))
        *seconds = hp_monotonic_s() - begin;
    return ok;
}

static bool time_mark(struct session *s, enum rn_arm arm, size_t usual, double pair_s)
{
    double seconds;
    if (!time_one(s, arm, &seconds))
        return false;
    size_t rare = (size_t)fmin(ceil(MARK_SHARE * seconds / pair_s), FEWEST_PAIRS);
    s->every[arm] = rare > usual ? rare : usual;
    return true;
}

/* Executes every arm once and forgets it: pages and links are warm then, what cannot run at all
 * fails before anything is timed, and a slow mark is known. */
static bool warm_up(struct session *s)
{
    double head_s, second_s;
    if (!time_one(s, RN_HEAD, &head_s) || !time_one(s, s->plan->second, &second_s))
        return false;
    double pair_s = head_s + second_s;
    bool reference = s->workload->has_reference, control = s->plan->second != RN_CONTROL;
    return (!control || time_mark(s, RN_CONTROL, CONTROL_EVERY, pair_s)) &&
           (!reference || time_mark(s, RN_REFERENCE, REFERENCE_EVERY, pair_s));
}

static enum an_better better_of(enum rn_metric metric)
{
    const struct hp_metric *row = hp_metric_find(rn_metric_names[metric]);
    return row && row->better == HP_BETTER_LOWER ? AN_LOWER : AN_HIGHER;
}

static bool is_brought_forward(const struct rn_plan *plan, const struct rn_samples *out)
{
    return out->max_pairs < plan->max_pairs;
}

double rn_time_up(const struct rn_plan *plan, const struct rn_samples *out)
{
    bool enough = is_brought_forward(plan, out) || out->decision.verdict != AN_INCONCLUSIVE;
    if (enough && is_past(out->spent_s, plan->budget_s))
        return plan->budget_s;
    return is_past(out->spent_s, plan->limit_s) ? plan->limit_s : 0;
}

bool rn_sample_pairs(struct rn_launcher *launcher, const struct rn_workload *workload,
                     const struct rn_plan *plan, struct rn_samples *out, json_t **failure,
                     struct hp_error *err)
{
    uint32_t only;
    struct an_plan rules = rules_of(plan, &only);
    size_t last = plan->second == RN_BASE ? rules.looks[rules.n_looks - 1] : PAIRS_WITHOUT_BASE;
    struct session s = {.launcher = launcher,
                        .workload = workload,
                        .plan = plan,
                        .out = out,
                        .failure = failure,
                        .err = err,
                        .rules = &rules,
                        .last = last,
                        .seen = {.low = -INFINITY, .high = INFINITY}};
    double begin = hp_monotonic_s();
    *failure = NULL;
    out->max_pairs = plan->max_pairs;
    if (!warm_up(&s))
        return false;
    while (out->pairs < last) {
        if (!take_pair(&s))
            return false;
        if (out->pairs % 8 == 0)
            show(&s, begin);
        out->spent_s = hp_monotonic_s() - begin;
        bool late = is_past(out->spent_s, plan->budget_s);
        if (late && plan->second == RN_BASE && may_end_early(&rules, out->pairs)) {
            out->max_pairs = (uint32_t)out->pairs;
            an_plan_limit(&rules, out->max_pairs, &only);
        }
        if (plan->second == RN_CONTROL || !is_look(&rules, out->pairs))
            continue;
        const uint32_t *clusters = plan->layouts ? out->layout : NULL;
        if (!an_decide(out->log_ratio, clusters, out->pairs, better_of(plan->metric), &rules,
                       &out->decision))
            return hp_fail(err, HP_INTERNAL, "the pairs cannot be judged");
        out->decided = true;
        double up_s = rn_time_up(plan, out);
        if (!out->decision.stop || is_brought_forward(plan, out))
            out->time_up_s = up_s;
        if (out->decision.stop || up_s > 0)
            break;
    }
    return true;
}

bool rn_sample_shipped(struct rn_launcher *launcher, const struct rn_workload *workload,
                       const struct rn_plan *plan, struct rn_shipped *out, json_t **failure,
                       struct hp_error *err)
{
    struct rn_plan shipped = *plan;
    struct session s = {.launcher = launcher,
                        .workload = workload,
                        .plan = &shipped,
                        .failure = failure,
                        .err = err};
    struct rn_progress *progress = workload->room->runner->progress;
    size_t wanted = plan->max_pairs < RN_SHIPPED_PAIRS ? plan->max_pairs : RN_SHIPPED_PAIRS;
    shipped.layouts = 0;
    out->pairs = 0;
    if (plan->layouts == 0 || plan->n_looks > 0 || plan->second != RN_BASE)
        return true;
    for (size_t k = 0; k < wanted; k++) {
        double value[2][RN_METRICS]; /* head, base */
        bool swapped = rn_coin(plan->coin_seed, RN_MAX_PAIRS + k);
        for (int i = 0; i < 2; i++) {
            int side = i ^ (swapped ? 1 : 0);
            if (!take(&s, side ? RN_BASE : RN_HEAD, k, value[side]))
                return false;
        }
        out->seed[k] = (uint32_t)plan->seeds[k % plan->n_seeds];
        out->first_ran[k] = swapped;
        out->head[k] = value[0][plan->metric];
        out->base[k] = value[1][plan->metric];
        out->pairs = k + 1;
        if (out->pairs % 8 == 0)
            rn_progress_set(progress, "shipped", (int64_t)out->pairs, (int64_t)wanted, "%s",
                            hp_json_string(workload->json, "name", ""));
    }
    return true;
}
