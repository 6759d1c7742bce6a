#include "runner/measure.h"

#include "analysis/checks.h"
#include "analysis/median.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"
#include "runner/failure.h"
#include "runner/passes.h"
#include "runner/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether the pairs can be believed; NAN where a check says nothing. */
struct validity {
    double drift_p, order_p, wall_over_cpu;
    bool repeated;
    const char *reason; /* why they are void; NULL: they are not */
};

/* What one workload gathers. */
struct bench {
    const struct rn_workload *workload;
    struct rn_plan plan;
    struct rn_launcher launcher;
    struct rn_samples *samples;
    struct rn_shipped shipped;
    struct validity validity;
    json_t *measurements;
    json_t *failure;
    json_t *warnings;
};

static bool uses(const struct bench *b, enum rn_arm arm)
{
    return arm == RN_BASE ? b->plan.second == RN_BASE
                          : arm != RN_REFERENCE || b->workload->has_reference;
}

static const char *name_of(const struct bench *b)
{
    return hp_json_string(b->workload->json, "name", "");
}

static double sum(const struct rn_samples *s, enum rn_arm arm, enum rn_metric metric)
{
    double total = 0;
    for (size_t i = 0; i < s->count[arm]; i++)
        total += s->value[arm][metric][i];
    return total;
}

/* Whether drift or order of the arms explains the data. */
static void check_validity(struct bench *b)
{
    static _Thread_local bool head_first[RN_MAX_PAIRS];
    const struct rn_samples *s = b->samples;
    struct an_check drift, order;
    struct validity *v = &b->validity;
    v->drift_p = v->order_p = NAN;
    v->reason = NULL;
    for (size_t i = 0; i < s->pairs; i++)
        head_first[i] = s->first_ran[i] == 0;
    if (an_order_check(s->log_ratio, head_first, s->pairs, &order)) {
        v->order_p = order.p;
        if (!order.passed)
            v->reason = "which arm ran first changed the result";
    }
    if (an_drift_check(s->log_ratio, s->pairs, &drift)) {
        v->drift_p = drift.p;
        if (!drift.passed)
            v->reason = "the difference of the arms drifted during the run";
    }
}

/* Samples; a run that its own checks void is repeated once, with a fresh coin. */
static bool sample(struct bench *b, struct hp_error *err)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        memset(b->samples, 0, sizeof *b->samples);
        b->validity.repeated = attempt > 0;
        if (!rn_sample_pairs(&b->launcher, b->workload, &b->plan, b->samples, &b->failure, err))
            return false;
        b->plan.max_pairs = b->samples->max_pairs;
        check_validity(b);
        if (!b->validity.reason)
            return true;
        json_array_append_new(b->warnings,
                              json_sprintf("%s: %s; %s", name_of(b), b->validity.reason,
                                           attempt ? "the run is void" : "measured again"));
        if (attempt == 0 && !rn_plan_of(b->workload, b->plan.second == RN_BASE, &b->plan, err))
            return false;
    }
    char message[512];
    snprintf(message, sizeof message, "workload %s: %s, twice", name_of(b), b->validity.reason);
    b->failure = rn_failure("validity", NULL, message, NULL);
    return hp_fail(err, HP_FAILED, "the workload failed");
}

/* How long the headline run of an arm will take, by its samples. */
static double headline_seconds(const struct bench *b, enum rn_arm arm)
{
    size_t n = b->samples->count[arm];
    double iterations = (double)hp_json_int(b->workload->json, "iterations", 1);
    double times = (double)rn_headline_iterations(b->workload) / iterations;
    return n > 0 ? times * sum(b->samples, arm, RN_WALL) / (double)n : 0;
}

static bool headlines(struct bench *b, struct hp_error *err)
{
    struct rn_progress *progress = b->workload->room->runner->progress;
    for (enum rn_arm arm = RN_HEAD; arm < RN_ARMS; arm++) {
        /* The reference ties a series together and is no figure of its own. */
        if (!uses(b, arm) || arm == RN_REFERENCE)
            continue;
        rn_progress_set(progress, "headline", arm, RN_ARMS, "%s, %s", name_of(b),
                        rn_arm_names[arm]);
        if (!rn_headline(&b->launcher, b->workload, &b->plan, arm, headline_seconds(b, arm),
                         b->measurements, &b->failure, err))
            return false;
    }
    return true;
}

/* The kernel's share of the CPU time of an arm's steady part; single executions are too short for
 * the clock's ticks, the sum over the run is not. Of a driver that does not tell the modes of its
 * steady part only whole processes are known, much of which is the kernel starting them. */
static void kernel_share(struct bench *b)
{
    bool steady = isfinite(sum(b->samples, RN_HEAD, RN_STEADY_SYSTEM_CPU) +
                           sum(b->samples, b->plan.second, RN_STEADY_SYSTEM_CPU));
    enum rn_metric user = steady ? RN_STEADY_USER_CPU : RN_USER_CPU;
    enum rn_metric kernel = steady ? RN_STEADY_SYSTEM_CPU : RN_SYSTEM_CPU;
    for (enum rn_arm arm = RN_HEAD; arm < RN_ARMS; arm++) {
        double system = sum(b->samples, arm, kernel), all = system + sum(b->samples, arm, user);
        if (uses(b, arm))
            rn_measure(b->measurements, arm, "kernel_share", all > 0 ? system / all : (double)NAN,
                       b->samples->count[arm], "no tick of the clock found it running");
    }
    if (!steady)
        json_array_append_new(
            b->warnings, json_sprintf("%s: the driver does not tell user and kernel time of its "
                                      "steady part, so the kernel's share is of whole processes, "
                                      "their start included",
                                      name_of(b)));
}

/* The median over all samples of wall by CPU time; NAN where there are none. */
static double wall_over_cpu(const struct rn_samples *s)
{
    double *ratio = calloc((size_t)RN_ARMS * RN_MAX_PAIRS, sizeof *ratio), median = NAN;
    size_t n = 0;
    for (enum rn_arm arm = RN_HEAD; ratio && arm < RN_ARMS; arm++)
        for (size_t i = 0; i < s->count[arm]; i++) {
            double wall = s->value[arm][RN_WALL][i], cpu = s->value[arm][RN_CPU][i];
            if (wall >= 0 && cpu > 0)
                ratio[n++] = wall / cpu;
        }
    if (n == 0 || !an_median(ratio, n, &median))
        median = NAN;
    free(ratio);
    return median;
}

/* CPU time is what is compared, so sharing voids nothing; but it makes caches colder. */
static void check_sharing(struct bench *b)
{
    double ratio = b->validity.wall_over_cpu = wall_over_cpu(b->samples);
    if (hp_json_int(b->workload->json, "threads", 1) == 1 && ratio > 1.1)
        json_array_append_new(
            b->warnings,
            json_sprintf("%s: the measuring CPU was shared, wall time is %.2f of CPU time",
                         name_of(b), ratio));
}

static json_t *validity_json(const struct bench *b)
{
    const struct validity *v = &b->validity;
    if (b->samples->pairs == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:b}", "drift_p", hp_json_real(v->drift_p), "order_p",
                     hp_json_real(v->order_p), "wall_over_cpu", hp_json_real(v->wall_over_cpu),
                     "repeated", v->repeated);
}

/* Any look is a valid end, but the reader should know why there are so few pairs. */
static void check_time(struct bench *b)
{
    if (b->samples->time_up_s > 0)
        json_array_append_new(
            b->warnings, json_sprintf("%s: ended after %zu pairs, because the time of %g s was up",
                                      name_of(b), b->samples->pairs, b->samples->time_up_s));
}

static json_t *values(const double *value, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, hp_json_real(value[i]));
    return list;
}

static void add_samples(json_t *sets, const struct rn_samples *s, enum rn_arm arm, int m)
{
    size_t known = 0;
    while (known < s->count[arm] && !isfinite(s->value[arm][m][known]))
        known++;
    if (known < s->count[arm])
        json_array_append_new(sets, json_pack("{s:s, s:s, s:o}", "arm", rn_arm_names[arm], "metric",
                                              rn_metric_names[m], "values",
                                              values(s->value[arm][m], s->count[arm])));
}

/* Of a metric that no process gave, nothing. */
static json_t *samples_json(const struct bench *b)
{
    json_t *sets = json_array();
    for (enum rn_arm arm = RN_HEAD; arm < RN_ARMS; arm++)
        for (int m = 0; m < RN_METRICS && uses(b, arm); m++)
            add_samples(sets, b->samples, arm, m);
    return sets;
}

static json_t *pairs_json(const struct bench *b)
{
    const struct rn_samples *s = b->samples;
    json_t *seed = json_array(), *first_ran = json_array(), *layout = json_array();
    for (size_t i = 0; i < s->pairs; i++) {
        json_array_append_new(seed, json_integer((json_int_t)s->seed[i]));
        json_array_append_new(first_ran, json_integer(s->first_ran[i]));
        json_array_append_new(layout, json_integer((json_int_t)s->layout[i]));
    }
    return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o}", "count", (json_int_t)s->pairs, "first",
                     rn_arm_names[RN_HEAD], "second", rn_arm_names[b->plan.second], "seed", seed,
                     "first_ran", first_ran, "layout", layout);
}

/* null where all was measured as shipped, or nothing was asked for. */
static json_t *shipped_json(const struct rn_shipped *s)
{
    json_t *seed = json_array(), *first_ran = json_array();
    for (size_t i = 0; i < s->pairs; i++) {
        json_array_append_new(seed, json_integer((json_int_t)s->seed[i]));
        json_array_append_new(first_ran, json_integer(s->first_ran[i]));
    }
    HP_JSON json_t *all =
        json_pack("{s:o, s:o, s:o, s:o}", "seed", seed, "first_ran", first_ran, "first",
                  values(s->head, s->pairs), "second", values(s->base, s->pairs));
    return s->pairs > 0 ? hp_take(all) : json_null();
}

static json_t *decision_json(const struct rn_samples *s)
{
    const struct an_estimate *e = &s->decision.estimate;
    /* An interval without an end cannot be written as a number; such a run decided nothing. */
    if (!s->decided || !isfinite(e->low) || !isfinite(e->high))
        return json_null();
    return json_pack("{s:s, s:s?, s:I, s:f, s:f, s:f}", "verdict",
                     an_verdict_name(s->decision.verdict), "size", an_size_name(s->decision.size),
                     "pairs", (json_int_t)e->n, "estimate", e->estimate, "low", e->low, "high",
                     e->high);
}

static json_t *document(const struct bench *b, struct hp_error *err)
{
    char hash[HP_HASH_TEXT];
    if (!hp_workload_hash(b->workload->suite, b->workload->json, hash, err))
        return NULL;
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:O, s:{s:f, s:f, s:I, s:I, s:s}, s:o, s:o, s:O, s:{s:n, s:n}, s:o, s:o, "
        "s:o}",
        "name", name_of(b), "hash", hash, "status", b->failure ? "failed" : "measured", "failure",
        b->failure ? b->failure : json_null(), "plan", "margin", b->plan.margin, "layout_sd",
        b->plan.layout_sd, "max_pairs", (json_int_t)b->plan.max_pairs, "coin_seed",
        (json_int_t)b->plan.coin_seed, "metric", rn_metric_names[b->plan.metric], "pairs",
        pairs_json(b), "samples", samples_json(b), "measurements", b->measurements, "configuration",
        "head", "base", "decision", b->failure ? json_null() : decision_json(b->samples),
        "validity", validity_json(b), "shipped", shipped_json(&b->shipped));
    if (!json)
        hp_fail(err, HP_SYSTEM, "out of memory");
    return json;
}

static void tell(const struct bench *b)
{
    const struct rn_samples *s = b->samples;
    const struct an_estimate *e = &s->decision.estimate;
    rn_progress_hide();
    if (b->failure)
        hp_log(HP_LOG_WARNING, "%s", hp_json_string(b->failure, "message", ""));
    else if (s->decided)
        hp_log(HP_LOG_INFO, "workload %s: %s%s%s, %+.2f %% (%+.2f to %+.2f), %zu pairs", name_of(b),
               an_verdict_name(s->decision.verdict), s->decision.size != AN_SIZE_NONE ? " " : "",
               s->decision.size != AN_SIZE_NONE ? an_size_name(s->decision.size) : "",
               100 * expm1(e->estimate), 100 * expm1(e->low), 100 * expm1(e->high), s->pairs);
    else
        hp_log(HP_LOG_INFO, "workload %s: measured against the control, %zu pairs", name_of(b),
               s->pairs);
}

/* Everything between launcher and document. False only if there is to be no document. */
static bool run(struct bench *b, struct hp_error *err)
{
    if (!rn_launcher_start(b->workload->room, &b->workload->limits, &b->launcher, err))
        return false;
    bool ok = sample(b, err);
    if (ok)
        kernel_share(b);
    if (ok && (b->plan.budget_s <= 0 || b->samples->spent_s < b->plan.budget_s))
        ok = rn_sample_shipped(&b->launcher, b->workload, &b->plan, &b->shipped, &b->failure, err);
    ok = ok && (b->workload->pairs_only || headlines(b, err));
    rn_launcher_stop(&b->launcher);
    check_sharing(b);
    check_time(b);
    return ok || b->failure;
}

json_t *rn_measure_workload(const struct rn_workload *workload, bool has_base, json_t *warnings,
                            struct hp_error *err)
{
    struct bench b = {.workload = workload, .warnings = warnings};
    json_t *json = NULL;
    b.samples = calloc(1, sizeof *b.samples);
    b.measurements = json_array();
    if (!b.samples || !b.measurements)
        hp_fail(err, HP_SYSTEM, "out of memory");
    else if (rn_plan_of(workload, has_base, &b.plan, err) && run(&b, err)) {
        json = document(&b, err);
        tell(&b);
    }
    json_decref(b.measurements);
    json_decref(b.failure);
    free(b.samples);
    return json;
}
