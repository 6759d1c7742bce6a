/*
 * A comparison in one sentence that a person can act on: what changed, by how much, how sure that
 * is, and what else moved with it. What moved is told as fact beside the change and never as its
 * proven cause. The same text serves terminal, page, alert and message.
 */
#include "collector/view_internal.h"

#include "common/io.h"
#include "common/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* From here a shift of the kernel's share is worth telling: two points. */
#define SHARE_POINTS 0.02
/* A counter that moved by at least this factor may be told. */
#define COUNTER_FACTOR 1.5

/* Who is compared with whom, in words. */
struct names {
    const char *head;  /* "8c1f2e0" */
    const char *other; /* "its parent" or "1405df6" */
};

static const char *text(const json_t *object, const char *key)
{
    return hp_json_string(object, key, "");
}

static bool is(const json_t *object, const char *key, const char *value)
{
    return strcmp(text(object, key), value) == 0;
}

static bool has_number(const json_t *object, const char *key)
{
    return json_is_number(json_object_get(object, key));
}

/* --- figures in words ------------------------------------------------------------------------- */

/* Decimals that show a percentage without pretending more than it holds. */
static int decimals(double percent)
{
    double size = fabs(percent);
    return size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2;
}

static bool add_percent(struct hp_buffer *out, double fraction)
{
    double percent = 100 * fraction;
    return hp_buffer_printf(out, "%.*f %%", decimals(percent), fabs(percent));
}

/* Ends of an interval keep one decimal more than the estimate. */
static int interval_decimals(double a, double b)
{
    double smaller = fmin(fabs(100 * a), fabs(100 * b));
    return smaller >= 0.995 ? 1 : 2;
}

/* 74112 → "74,112"; fractions keep four digits. */
static bool add_number(struct hp_buffer *out, double value)
{
    char digits[64];
    if (value != floor(value) || fabs(value) >= 1e15)
        return hp_buffer_printf(out, "%.4g", value);
    snprintf(digits, sizeof digits, "%.0f", fabs(value));
    size_t n = strlen(digits);
    bool ok = value >= 0 || hp_buffer_append(out, "-", 1);
    for (size_t i = 0; ok && i < n; i++)
        ok = hp_buffer_append(out, &digits[i], 1) &&
             ((n - i - 1) % 3 != 0 || i + 1 == n || hp_buffer_append(out, ",", 1));
    return ok;
}

static bool add_value(struct hp_buffer *out, const json_t *value)
{
    if (json_is_number(value))
        return add_number(out, json_number_value(value));
    if (json_is_string(value))
        return hp_buffer_printf(out, "%s", json_string_value(value));
    return hp_buffer_printf(out, "nothing");
}

/* "NAME from BASE to HEAD" */
static bool add_move(struct hp_buffer *out, const char *name, const json_t *pair)
{
    return hp_buffer_printf(out, "%s from ", name) &&
           add_value(out, json_object_get(pair, "base")) && hp_buffer_printf(out, " to ") &&
           add_value(out, json_object_get(pair, "head"));
}

/* --- what moved with it ----------------------------------------------------------------------- */

/* The counter that moved by the largest factor, but ACE's own, which have their figure. */
static const json_t *loudest_counter(const json_t *workload)
{
    const json_t *found = NULL;
    double largest = log(COUNTER_FACTOR);
    size_t i;
    json_t *counter;
    json_array_foreach (json_object_get(workload, "counters"), i, counter) {
        double factor = fabs(log((fabs(hp_json_number(counter, "head", 0)) + 1) /
                                 (fabs(hp_json_number(counter, "base", 0)) + 1)));
        if (has_number(counter, "head") && has_number(counter, "base") && factor > largest &&
            strncmp(text(counter, "name"), "ace.fail", 8) != 0) {
            largest = factor;
            found = counter;
        }
    }
    return found;
}

static bool add_share(struct hp_buffer *out, const json_t *share)
{
    return hp_buffer_printf(out, "kernel share from %.0f %% to %.0f %%",
                            100 * hp_json_number(share, "base", 0),
                            100 * hp_json_number(share, "head", 0));
}

/* ": a from x to y, b from …", or nothing where nothing else moved. */
static bool add_moves(struct hp_buffer *out, const json_t *workload)
{
    const json_t *counter = loudest_counter(workload);
    const json_t *share = json_object_get(workload, "kernel_share");
    const json_t *ace = json_object_get(workload, "ace_failures");
    const json_t *option = json_array_get(json_object_get(workload, "configuration"), 0);
    double shift = hp_json_number(share, "head", NAN) - hp_json_number(share, "base", NAN);
    bool with_share = fabs(shift) >= SHARE_POINTS;
    bool with_ace = has_number(ace, "head") && has_number(ace, "base") &&
                    hp_json_number(ace, "head", 0) != hp_json_number(ace, "base", 0);
    const char *lead = ": ";
    bool ok = true;
    if (counter) {
        ok = hp_buffer_printf(out, "%s", lead) && add_move(out, text(counter, "name"), counter);
        lead = ", ";
    }
    if (ok && with_share) {
        ok = hp_buffer_printf(out, "%s", lead) && add_share(out, share);
        lead = ", ";
    }
    if (ok && with_ace) {
        ok = hp_buffer_printf(out, "%s", lead) && add_move(out, "ACE failures", ace);
        lead = ", ";
    }
    if (ok && option)
        ok = hp_buffer_printf(out, "%s", lead) && add_move(out, text(option, "name"), option);
    return ok;
}

/* --- one workload ----------------------------------------------------------------------------- */

/* "31 % slower than": of a rate the words for speed, of other metrics their name. */
static bool add_change(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    double change = hp_json_number(workload, "change", 0);
    bool rate = is(workload, "metric", "throughput");
    const char *word =
        rate ? (change < 0 ? "slower" : "faster") : (change < 0 ? "lower" : "higher");
    bool ok = hp_buffer_printf(out, "%s is ", names->head) && add_percent(out, change) &&
              hp_buffer_printf(out, " %s than %s", word, names->other);
    if (ok && !rate)
        ok = hp_buffer_printf(out, " in %s", text(workload, "metric"));
    return ok && hp_buffer_printf(out, " on %s", text(workload, "workload"));
}

/* " (interval 30.2 to 31.9 %, 64 pairs)", the smaller change first */
static bool add_interval(struct hp_buffer *out, const json_t *workload)
{
    double low = hp_json_number(workload, "low", 0), high = hp_json_number(workload, "high", 0);
    int digits = interval_decimals(low, high);
    double near = fmin(fabs(low), fabs(high)), far = fmax(fabs(low), fabs(high));
    return hp_buffer_printf(out, " (interval %.*f to %.*f %%, %lld pairs)", digits, 100 * near,
                            digits, 100 * far, (long long)hp_json_int(workload, "pairs", 0));
}

static bool tell_changed(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    return add_change(out, workload, names) && add_interval(out, workload) &&
           add_moves(out, workload);
}

/* "between 0.21 % slower and 0.34 % faster", or their likes */
static bool add_between(struct hp_buffer *out, const json_t *workload)
{
    bool rate = is(workload, "metric", "throughput");
    double low = hp_json_number(workload, "low", 0), high = hp_json_number(workload, "high", 0);
    return hp_buffer_printf(out, "between %.2f %% %s and %.2f %% %s", 100 * fabs(low),
                            low < 0 ? (rate ? "slower" : "lower") : (rate ? "faster" : "higher"),
                            100 * fabs(high),
                            high < 0 ? (rate ? "slower" : "lower") : (rate ? "faster" : "higher"));
}

static bool tell_equivalent(struct hp_buffer *out, const json_t *workload,
                            const struct names *names)
{
    return hp_buffer_printf(out, "%s performs like %s on %s: it is ", names->head, names->other,
                            text(workload, "workload")) &&
           add_between(out, workload) &&
           hp_buffer_printf(out, " (%lld pairs)", (long long)hp_json_int(workload, "pairs", 0));
}

static bool tell_inconclusive(struct hp_buffer *out, const json_t *workload,
                              const struct names *names)
{
    long long pairs = (long long)hp_json_int(workload, "pairs", 0);
    if (!has_number(workload, "low") || !has_number(workload, "high"))
        return hp_buffer_printf(out, "%lld pairs are too few to tell %s from %s on %s", pairs,
                                names->head, names->other, text(workload, "workload"));
    bool ok = hp_buffer_printf(out, "%s may be faster or slower than %s on %s: it is ", names->head,
                               names->other, text(workload, "workload")) &&
              add_between(out, workload) && hp_buffer_printf(out, " (%lld pairs)", pairs);
    if (ok && has_number(workload, "detectable"))
        ok = hp_buffer_printf(out, "; a change of ") &&
             add_percent(out, hp_json_number(workload, "detectable", 0)) &&
             hp_buffer_printf(out, " would most likely have been seen");
    return ok;
}

static bool tell_identical(struct hp_buffer *out, const struct names *names)
{
    return hp_buffer_printf(out, "%s builds to the same code as %s, so nothing was timed",
                            names->head, names->other);
}

static bool tell_failed(struct hp_buffer *out, const char *where, const char *reason,
                        const struct names *names)
{
    return hp_buffer_printf(out, "%s could not be measured%s%s: %s", names->head,
                            where[0] ? " on " : "", where, reason[0] ? reason : "no reason given");
}

static bool tell_workload(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    if (is(workload, "verdict", "failed"))
        return tell_failed(out, text(workload, "workload"), text(workload, "reason"), names);
    if (is(workload, "verdict", "identical"))
        return tell_identical(out, names);
    if (is(workload, "verdict", "equivalent"))
        return tell_equivalent(out, workload, names);
    if (is(workload, "verdict", "inconclusive"))
        return tell_inconclusive(out, workload, names);
    return tell_changed(out, workload, names);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool same_verdict(const json_t *a, const json_t *b)
{
    return is(a, "verdict", text(b, "verdict")) && is(a, "size", text(b, "size"));
}

const json_t *view_deciding_workload(const json_t *comparison)
{
    const json_t *found = NULL;
    double largest = -1;
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w) {
        double change = fabs(hp_json_number(w, "change", 0));
        if (same_verdict(w, comparison) && change > largest) {
            largest = change;
            found = w;
        }
    }
    return found;
}

static size_t count_alike(const json_t *comparison)
{
    size_t n = 0, i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w)
        n += same_verdict(w, comparison);
    return n;
}

/* "; the same holds for 2 of the 5 other workloads" */
static bool add_others(struct hp_buffer *out, const json_t *comparison)
{
    size_t all = json_array_size(json_object_get(comparison, "workloads"));
    size_t alike = count_alike(comparison);
    if (all < 2)
        return true;
    if (alike < 2)
        return hp_buffer_printf(out, "; it is the only one of %zu workloads with this verdict",
                                all);
    return hp_buffer_printf(out, "; %zu of %zu workloads have this verdict", alike, all);
}

static bool tell_all_equivalent(struct hp_buffer *out, const json_t *comparison,
                                const struct names *names)
{
    double widest = 0;
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w)
        widest = fmax(widest,
                      fmax(fabs(hp_json_number(w, "low", 0)), fabs(hp_json_number(w, "high", 0))));
    return hp_buffer_printf(out,
                            "%s performs like %s on all %zu workloads: none differs by more "
                            "than ",
                            names->head, names->other, i) &&
           add_percent(out, widest);
}

static bool tell_comparison(struct hp_buffer *out, const json_t *comparison,
                            const struct names *names)
{
    const json_t *workload = view_deciding_workload(comparison);
    size_t all = json_array_size(json_object_get(comparison, "workloads"));
    if (json_is_null(json_object_get(comparison, "verdict")))
        return hp_buffer_printf(out, "%s was measured, and has no parent to be compared with",
                                names->head);
    if (is(comparison, "verdict", "identical"))
        return tell_identical(out, names);
    if (json_is_string(json_object_get(comparison, "reason")))
        return tell_failed(out, "", text(comparison, "reason"), names);
    if (!workload)
        return tell_failed(out, "", "", names);
    if (is(comparison, "verdict", "equivalent") && all > 1 && count_alike(comparison) == all)
        return tell_all_equivalent(out, comparison, names);
    return tell_workload(out, workload, names) && add_others(out, comparison);
}

/* Ends the sentence and puts it into the object. */
static bool set_sentence(json_t *object, struct hp_buffer *out)
{
    size_t n = out->size;
    bool ended = n > 0 && strchr(".!?", out->data[n - 1]) != NULL;
    bool ok = ended || hp_buffer_append(out, ".", 1);
    ok = ok && json_object_set_new(object, "sentence", hp_json_bytes(out->data, out->size)) == 0;
    hp_buffer_clear(out);
    return ok;
}

bool view_sentence_add(json_t *comparison, struct hp_error *err)
{
    const json_t *base = json_object_get(comparison, "base");
    bool parent = hp_json_bool(comparison, "against_parent", false);
    struct names names = {text(json_object_get(comparison, "head"), "short"),
                          parent || !json_is_object(base) ? "its parent" : text(base, "short")};
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = tell_comparison(&out, comparison, &names) && set_sentence(comparison, &out);
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w)
        ok = ok && tell_workload(&out, w, &names) && set_sentence(w, &out);
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}
