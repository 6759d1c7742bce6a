#include "common/telling/sentence.h"

#include "common/json.h"
#include "common/telling/basis.h"
#include "common/telling/cause.h"
#include "common/telling/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Who is compared with whom, in words. */
struct names {
    const char *head;      /* "8c1f2e0" */
    const char *other;     /* "its parent" or "1405df6" */
    const json_t *options; /* those that differ, of the first workload where any do */
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

/* --- one workload ----------------------------------------------------------------------------- */

/* ": a rose from x to y, b from …", or nothing where nothing else moved. */
static bool add_moves(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    size_t before = out->size, told = 0;
    bool ok =
        hp_buffer_printf(out, ": ") && cause_add(out, workload, names->options, CAUSE_MOST, &told);
    if (told == 0)
        out->size = before;
    return ok;
}

/* "31 % slower than": of a rate the words for speed, of other metrics their name. */
static bool add_change(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    double change = hp_json_number(workload, "change", 0);
    bool rate = is(workload, "metric", "throughput");
    const char *word =
        rate ? (change < 0 ? "slower" : "faster") : (change < 0 ? "lower" : "higher");
    bool ok = hp_buffer_printf(out, "%s is ", names->head) && words_percent(out, change) &&
              hp_buffer_printf(out, " %s than %s", word, names->other);
    if (ok && !rate)
        ok = hp_buffer_printf(out, " in %s", text(workload, "metric"));
    return ok && hp_buffer_printf(out, " on %s", text(workload, "workload"));
}

static bool add_basis(struct hp_buffer *out, const json_t *workload)
{
    const json_t *how = json_object_get(workload, "how");
    if (is(how, "way", "reference"))
        return hp_buffer_printf(out, "not side by side, but through the reference of both runs%s%s",
                                text(how, "bridge")[0] ? ", joined by " : "", text(how, "bridge"));
    if (is(how, "way", "parents"))
        return hp_buffer_printf(out, "not side by side, but added up over %lld commits",
                                (long long)hp_json_int(how, "commits", 0));
    return hp_buffer_printf(out, "%lld pairs", (long long)hp_json_int(workload, "pairs", 0));
}

/* " (interval 30.2 to 31.9 %, 64 pairs)", the smaller change first */
static bool add_interval(struct hp_buffer *out, const json_t *workload)
{
    double low = hp_json_number(workload, "low", 0), high = hp_json_number(workload, "high", 0);
    int digits = words_decimals(low, high);
    double near = fmin(fabs(low), fabs(high)), far = fmax(fabs(low), fabs(high));
    return hp_buffer_printf(out, " (interval %.*f to %.*f %%, ", digits, 100 * near, digits,
                            100 * far) &&
           add_basis(out, workload) && hp_buffer_printf(out, ")");
}

static const json_t *metric_of(const json_t *workload, const char *name)
{
    size_t i;
    json_t *m;
    json_array_foreach (json_object_get(workload, "metrics"), i, m) {
        if (is(m, "metric", name))
            return m;
    }
    return NULL;
}

/* Whether the time of a workload that another metric decided is known not to have changed. */
static bool same_speed(const json_t *workload)
{
    return is(metric_of(workload, "throughput"), "verdict", "equivalent");
}

static bool tell_share(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    double base = hp_json_number(workload, "base_value", 0);
    double head = hp_json_number(workload, "head_value", 0);
    return hp_buffer_printf(out,
                            "%s spends %s of its time in the kernel than %s on %s: %.1f %% "
                            "instead of %.1f %%",
                            names->head, head > base ? "more" : "less", names->other,
                            text(workload, "workload"), 100 * head, 100 * base);
}

static bool tell_failures(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    double base = hp_json_number(workload, "base_value", 0);
    double head = hp_json_number(workload, "head_value", 0);
    return hp_buffer_printf(out, "%s has %s ACE failures than %s on %s: ", names->head,
                            head > base ? "more" : "fewer", names->other,
                            text(workload, "workload")) &&
           words_number(out, head) && hp_buffer_printf(out, " instead of ") &&
           words_number(out, base) && hp_buffer_printf(out, " in the same work");
}

/* Of what the clock says, that CPU time does not; nothing where it is not known. */
static bool add_clock(struct hp_buffer *out, const json_t *workload)
{
    const json_t *m = metric_of(workload, "wall");
    if (!has_number(m, "change"))
        return true;
    double change = hp_json_number(m, "change", 0);
    return hp_buffer_printf(out, ", and takes ") && words_percent(out, fabs(change)) &&
           hp_buffer_printf(out, " %s by the clock", change > 0 ? "longer" : "less");
}

/* "212 times instead of 12 in the same work, and takes 50 % longer by the clock" */
static bool add_waits(struct hp_buffer *out, const json_t *workload, double base, double head)
{
    return words_number(out, round(head)) && hp_buffer_printf(out, " times instead of ") &&
           words_number(out, round(base)) && hp_buffer_printf(out, " in the same work") &&
           add_clock(out, workload);
}

static bool tell_waits(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    double base = hp_json_number(workload, "base_value", 0);
    double head = hp_json_number(workload, "head_value", 0);
    return hp_buffer_printf(out, "%s waits %s often than %s on %s: ", names->head,
                            head > base ? "more" : "less", names->other,
                            text(workload, "workload")) &&
           add_waits(out, workload, base, head) && add_moves(out, workload, names);
}

/* Beside a change of CPU time, which shows little of it: waiting that gates and that the clock
 * confirms, or nothing. */
static bool add_waits_beside(struct hp_buffer *out, const json_t *workload)
{
    const json_t *m = metric_of(workload, "voluntary_switches");
    if (!json_is_true(json_object_get(m, "gates")) || !is(m, "size", "relevant"))
        return true;
    double base = hp_json_number(m, "base_value", 0), head = hp_json_number(m, "head_value", 0);
    return hp_buffer_printf(out, ", waits %s often, ", head > base ? "more" : "less") &&
           add_waits(out, workload, base, head);
}

static bool tell_changed(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    bool share = is(workload, "metric", "kernel_share");
    if (is(workload, "metric", "voluntary_switches"))
        return tell_waits(out, workload, names);
    if (!share && !is(workload, "metric", "ace_failures"))
        return add_change(out, workload, names) && add_interval(out, workload) &&
               add_waits_beside(out, workload) && add_moves(out, workload, names);
    bool ok = share ? tell_share(out, workload, names) : tell_failures(out, workload, names);
    return ok && (!same_speed(workload) || hp_buffer_printf(out, ", at the same speed"));
}

/* "between 0.21 % slower and 0.34 % faster", or "… 0.21 % lower and 0.34 % higher in cpu" */
static bool add_between(struct hp_buffer *out, const json_t *workload)
{
    bool rate = is(workload, "metric", "throughput");
    double low = hp_json_number(workload, "low", 0), high = hp_json_number(workload, "high", 0);
    return hp_buffer_printf(out, "between %.2f %% %s and %.2f %% %s%s%s", 100 * fabs(low),
                            low < 0 ? (rate ? "slower" : "lower") : (rate ? "faster" : "higher"),
                            100 * fabs(high),
                            high < 0 ? (rate ? "slower" : "lower") : (rate ? "faster" : "higher"),
                            rate ? "" : " in ", rate ? "" : text(workload, "metric"));
}

static bool tell_equivalent(struct hp_buffer *out, const json_t *workload,
                            const struct names *names)
{
    return hp_buffer_printf(out, "%s performs like %s on %s: it is ", names->head, names->other,
                            text(workload, "workload")) &&
           add_between(out, workload) && hp_buffer_printf(out, " (") && add_basis(out, workload) &&
           hp_buffer_printf(out, ")");
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
              add_between(out, workload) && hp_buffer_printf(out, " (") &&
              add_basis(out, workload) && hp_buffer_printf(out, ")");
    if (ok && has_number(workload, "detectable"))
        ok = hp_buffer_printf(out, "; a change of ") &&
             words_percent(out, hp_json_number(workload, "detectable", 0)) &&
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

/* "; the build as shipped alone is 3.4 % slower, which points to where its code lies …" */
static bool add_layout(struct hp_buffer *out, const json_t *workload)
{
    const json_t *shipped = json_object_get(workload, "shipped");
    bool rate = is(workload, "metric", "throughput");
    double change = hp_json_number(shipped, "change", 0);
    if (!hp_json_bool(shipped, "layout_suspect", false))
        return true;
    return hp_buffer_printf(out, "; the build as shipped alone is ") &&
           words_percent(out, fabs(change)) &&
           hp_buffer_printf(out, " %s, which points to where its code lies, not to the change",
                            change < 0 ? (rate ? "slower" : "lower")
                                       : (rate ? "faster" : "higher"));
}

static bool tell_outcome(struct hp_buffer *out, const json_t *workload, const struct names *names)
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

static bool tell_workload(struct hp_buffer *out, const json_t *workload, const struct names *names)
{
    return tell_outcome(out, workload, names) && add_layout(out, workload);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Whether a workload has the verdict that the run had before a fresh one refuted it. */
static bool has_verdict(const json_t *workload, const json_t *comparison)
{
    if (is(comparison, "confirmation", "refuted"))
        return is(workload, "verdict", "regressed") && is(workload, "size", "relevant");
    return is(workload, "verdict", text(comparison, "verdict")) &&
           is(workload, "size", text(comparison, "size"));
}

const json_t *sentence_deciding_workload(const json_t *comparison)
{
    const json_t *found = NULL;
    double largest = -1;
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w) {
        double change = fabs(hp_json_number(w, "change", 0));
        if (has_verdict(w, comparison) && change > largest) {
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
        n += has_verdict(w, comparison);
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

/* Of revisions that were joined too loosely for what the workloads ask about. */
static bool add_offer(struct hp_buffer *out, const json_t *comparison)
{
    return !json_is_string(json_object_get(comparison, "measure")) ||
           hp_buffer_printf(out, "; only a direct measurement can tell more");
}

/* Before what the first run read, so that nobody takes it for a finding. */
static bool add_refuted(struct hp_buffer *out)
{
    return hp_buffer_printf(out, "%c fresh run did not confirm that ", out->size > 0 ? 'a' : 'A');
}

static bool add_confirmation(struct hp_buffer *out, const json_t *comparison)
{
    static const struct {
        const char *state, *words;
    } told[] = {
        {"pending", "; waiting for confirmation by a fresh run"},
        {"confirmed", "; confirmed by a fresh run"},
        {"unanswered", "; not confirmed, because the fresh run could not be made"},
    };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (is(comparison, "confirmation", told[i].state))
            return hp_buffer_printf(out, "%s", told[i].words);
    return true;
}

/* "; both changed functions ran". That none ran was said at the beginning. */
static bool add_coverage(struct hp_buffer *out, const json_t *comparison)
{
    const json_t *coverage = json_object_get(comparison, "coverage");
    size_t before = out->size;
    bool known = false;
    bool ok = cause_never_ran(coverage) ||
              (hp_buffer_printf(out, "; ") && cause_add_coverage(out, coverage, &known));
    if (!known)
        out->size = before;
    return ok;
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
    bool ok = hp_buffer_printf(out, "%s performs like %s on ", names->head, names->other);
    ok = ok && (i == 2 ? hp_buffer_printf(out, "both") : hp_buffer_printf(out, "all %zu", i));
    return ok && hp_buffer_printf(out, " workloads: none differs by more than ") &&
           words_percent(out, widest);
}

/* "; retained RSS rose from 4.5 to 18.2 MiB", of one workload. */
static bool add_memory(struct hp_buffer *out, const json_t *workload)
{
    double by;
    const json_t *memory = cause_memory(workload, &by);
    return !memory || (hp_buffer_printf(out, "; ") && cause_add_memory(out, memory));
}

/* The same of the workload where memory moved most. */
static bool add_most_memory(struct hp_buffer *out, const json_t *comparison)
{
    const json_t *where = NULL;
    double most = 0, by;
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w)
        if (cause_memory(w, &by) && by > most) {
            most = by;
            where = w;
        }
    return !where ||
           (add_memory(out, where) && hp_buffer_printf(out, " on %s", text(where, "workload")));
}

/* The verdict of what was timed. */
static bool tell_timed(struct hp_buffer *out, const json_t *comparison, const struct names *names)
{
    const json_t *workload = sentence_deciding_workload(comparison);
    size_t all = json_array_size(json_object_get(comparison, "workloads"));
    bool ok, refuted = is(comparison, "confirmation", "refuted");
    if (!workload)
        return tell_failed(out, "", "", names);
    if (is(comparison, "verdict", "equivalent") && all > 1 && count_alike(comparison) == all)
        ok = tell_all_equivalent(out, comparison, names);
    else
        ok = (!refuted || add_refuted(out)) && tell_workload(out, workload, names) &&
             add_coverage(out, comparison) && (refuted || add_others(out, comparison));
    return ok && add_most_memory(out, comparison) && add_confirmation(out, comparison) &&
           add_offer(out, comparison);
}

static bool tell_comparison(struct hp_buffer *out, const json_t *comparison,
                            const struct names *names)
{
    const json_t *coverage = json_object_get(comparison, "coverage");
    bool known;
    if (json_is_null(json_object_get(comparison, "verdict")))
        return hp_buffer_printf(out, "%s was measured, and has no parent to be compared with",
                                names->head);
    if (is(comparison, "verdict", "identical"))
        return tell_identical(out, names);
    if (json_is_string(json_object_get(comparison, "reason")))
        return tell_failed(out, "", text(comparison, "reason"), names);
    if (cause_never_ran(coverage) &&
        !(cause_add_coverage(out, coverage, &known) && hp_buffer_printf(out, " in any workload; ")))
        return false;
    return tell_timed(out, comparison, names);
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

/* "together with A, B" of a workload that changed; null where nothing else moved. */
static bool set_cause(json_t *workload, const struct names *names, struct hp_buffer *out)
{
    size_t told = 0;
    bool changed = is(workload, "verdict", "regressed") || is(workload, "verdict", "improved");
    bool ok = !changed || (hp_buffer_printf(out, "together with: ") &&
                           cause_add(out, workload, names->options, CAUSE_MOST, &told));
    ok = ok && json_object_set_new(workload, "cause",
                                   told ? hp_json_bytes(out->data, out->size) : json_null()) == 0;
    hp_buffer_clear(out);
    return ok;
}

/* Options are those of the library, whichever workload it served when they were asked for. */
static const json_t *options_that_differ(const json_t *comparison)
{
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w) {
        const json_t *list = json_object_get(w, "configuration");
        if (json_array_size(list) > 0)
            return list;
    }
    return NULL;
}

bool sentence_add(json_t *comparison, struct hp_error *err)
{
    const json_t *base = json_object_get(comparison, "base");
    bool parent = hp_json_bool(comparison, "against_parent", false);
    struct names names = {text(json_object_get(comparison, "head"), "short"),
                          parent || !json_is_object(base) ? "its parent" : text(base, "short"),
                          options_that_differ(comparison)};
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = tell_comparison(&out, comparison, &names) && set_sentence(comparison, &out) &&
              basis_add(comparison);
    size_t i;
    json_t *w;
    json_array_foreach (json_object_get(comparison, "workloads"), i, w)
        ok = ok && tell_workload(&out, w, &names) && add_memory(&out, w) && set_sentence(w, &out) &&
             set_cause(w, &names, &out);
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}
