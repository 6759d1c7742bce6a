#include "common/telling/cause.h"

#include "common/json.h"
#include "common/telling/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* From here a shift of the kernel's share is worth telling: two points. */
#define SHARE_POINTS 0.02
/* Of a function's share of the profile, which 3,000 samples know to about a point. */
#define PROFILE_POINTS 0.05
/* A counter that moved by at least this factor may be told. */
#define COUNTER_FACTOR 1.5
/* A system call or event that is this rare in both costs nothing. */
#define COUNTER_LEAST 64
#define INSTRUCTIONS_LEAST 0.01
/* Resident memory is told from here on: both a share and KiB. */
#define MEMORY_LEAST 0.05
#define MEMORY_KIB 256

/* What one call appends to. */
struct clauses {
    struct hp_buffer *out;
    size_t told, most;
    bool ok;
};

static const char *text(const json_t *object, const char *key)
{
    return hp_json_string(object, key, "");
}

static double side(const json_t *pair, const char *which)
{
    return hp_json_number(pair, which, NAN);
}

static bool begin(struct clauses *c)
{
    if (!c->ok || c->told == c->most)
        return false;
    c->ok = c->told == 0 || hp_buffer_printf(c->out, ", ");
    c->told++;
    return c->ok;
}

static const char *verb(const json_t *pair)
{
    return side(pair, "head") > side(pair, "base") ? "rose" : "fell";
}

static void tell_move(struct clauses *c, const char *name, const json_t *pair)
{
    char words[192];
    if (!begin(c))
        return;
    snprintf(words, sizeof words, "%s %s", name, verb(pair));
    c->ok = words_move(c->out, words, pair);
}

/* By what factor it moved, as a logarithm; 0 where it is not told. */
static double loudness(const json_t *pair)
{
    double base = side(pair, "base"), head = side(pair, "head");
    if (!isfinite(base) || !isfinite(head) || fmax(fabs(base), fabs(head)) < COUNTER_LEAST)
        return 0;
    double factor = fabs(log((fabs(head) + 1) / (fabs(base) + 1)));
    return factor >= log(COUNTER_FACTOR) ? factor : 0;
}

/* The loudest of a list, without ACE's own counters, which have their clause; NULL: none is. */
static const json_t *loudest(const json_t *list)
{
    const json_t *found = NULL;
    double largest = 0;
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        double by = strncmp(text(item, "name"), "ace.fail", 8) == 0 ? 0 : loudness(item);
        if (by > largest) {
            largest = by;
            found = item;
        }
    }
    return found;
}

static void tell_options(struct clauses *c, const json_t *workload, const json_t *elsewhere)
{
    const json_t *list = json_object_get(workload, "configuration");
    if (json_array_size(list) == 0 && json_array_size(json_object_get(workload, "counters")) == 0)
        list = elsewhere;
    const json_t *option = json_array_get(list, 0);
    if (!option || !begin(c))
        return;
    c->ok = words_move(c->out, text(option, "name"), option);
    if (c->ok && json_array_size(list) > 1)
        c->ok = hp_buffer_printf(c->out, " (and %zu more option%s)", json_array_size(list) - 1,
                                 json_array_size(list) > 2 ? "s" : "");
}

/* System calls by kind say more than a counter of the library that counts the same. */
static void tell_counts(struct clauses *c, const json_t *workload)
{
    char name[160];
    const json_t *call = loudest(json_object_get(workload, "syscalls"));
    const json_t *counter = loudest(json_object_get(workload, "counters"));
    if (call) {
        snprintf(name, sizeof name, "%s calls", text(call, "name"));
        tell_move(c, name, call);
    }
    if (counter && !(call && strstr(text(counter, "name"), text(call, "name"))))
        tell_move(c, text(counter, "name"), counter);
}

static void tell_share(struct clauses *c, const json_t *workload)
{
    const json_t *share = json_object_get(workload, "kernel_share");
    double base = side(share, "base"), head = side(share, "head");
    if (!(fabs(head - base) >= SHARE_POINTS) || !begin(c))
        return;
    c->ok = hp_buffer_printf(c->out, "kernel share %s from %.0f %% to %.0f %%", verb(share),
                             100 * base, 100 * head);
}

/* "ace.fail.threshold" -> "Threshold". */
static void cause_name(const json_t *counter, char *out, size_t room)
{
    const char *dot = strrchr(text(counter, "name"), '.');
    snprintf(out, room, "ACE %s failures", dot ? dot + 1 : "");
    if (out[4] >= 'a' && out[4] <= 'z')
        out[4] = (char)(out[4] - 'a' + 'A');
}

static void tell_failures(struct clauses *c, const json_t *workload)
{
    const json_t *all = json_object_get(workload, "ace_failures"), *found = NULL;
    double largest = 0;
    char name[160] = "ACE failures";
    size_t i;
    json_t *counter;
    json_array_foreach (json_object_get(workload, "counters"), i, counter) {
        double by = fabs(side(counter, "head") - side(counter, "base"));
        if (strncmp(text(counter, "name"), "ace.fail.", 9) == 0 && by > largest) {
            largest = by;
            found = counter;
        }
    }
    if (found)
        cause_name(found, name, sizeof name);
    else if (fabs(side(all, "head") - side(all, "base")) > 0)
        found = all;
    if (found)
        tell_move(c, name, found);
}

static void tell_profile(struct clauses *c, const json_t *workload)
{
    const json_t *hot = json_array_get(json_object_get(workload, "profile"), 0);
    double base = side(hot, "base"), head = side(hot, "head");
    if (!(fabs(head - base) >= PROFILE_POINTS) || !begin(c))
        return;
    c->ok = hp_buffer_printf(c->out, "%s takes %.0f %% of the time instead of %.0f %%",
                             text(hot, "name"), 100 * head, 100 * base);
}

static void tell_instructions(struct clauses *c, const json_t *workload)
{
    const json_t *pair = json_object_get(workload, "instructions");
    double base = side(pair, "base"), head = side(pair, "head");
    if (base > 0 && fabs(head / base - 1) >= INSTRUCTIONS_LEAST)
        tell_move(c, "instructions for each operation", pair);
}

bool cause_add(struct hp_buffer *out, const json_t *workload, const json_t *elsewhere, size_t most,
               size_t *told)
{
    struct clauses c = {.out = out, .most = most, .ok = true};
    tell_options(&c, workload, elsewhere);
    tell_counts(&c, workload);
    tell_share(&c, workload);
    tell_failures(&c, workload);
    tell_profile(&c, workload);
    tell_instructions(&c, workload);
    *told = c.told;
    return c.ok;
}

const json_t *cause_memory(const json_t *workload, double *by)
{
    const json_t *found = NULL;
    size_t i;
    json_t *m;
    *by = 0;
    json_array_foreach (json_object_get(workload, "metrics"), i, m) {
        const char *verdict = text(m, "verdict");
        double base = hp_json_number(m, "base_value", NAN);
        double head = hp_json_number(m, "head_value", NAN);
        bool memory = strcmp(text(m, "metric"), "peak_rss") == 0 ||
                      strcmp(text(m, "metric"), "retained_rss") == 0;
        bool proven = strcmp(verdict, "regressed") == 0 || strcmp(verdict, "improved") == 0;
        if (!memory || !proven || !(base > 0 && head > 0) || fabs(head - base) < MEMORY_KIB ||
            fabs(head / base - 1) < MEMORY_LEAST)
            continue;
        if (fabs(log(head / base)) > *by) {
            *by = fabs(log(head / base));
            found = m;
        }
    }
    return found;
}

bool cause_add_memory(struct hp_buffer *out, const json_t *metric)
{
    double base = hp_json_number(metric, "base_value", 0);
    double head = hp_json_number(metric, "head_value", 0);
    const char *name = strcmp(text(metric, "metric"), "peak_rss") == 0 ? "peak" : "retained";
    return hp_buffer_printf(out, "%s RSS %s from %.1f to %.1f MiB", name,
                            head > base ? "rose" : "fell", base / 1024, head / 1024);
}

static long long functions_of(const json_t *coverage, const char *key)
{
    return (long long)hp_json_int(coverage, key, 0);
}

bool cause_never_ran(const json_t *coverage)
{
    return functions_of(coverage, "functions") > 0 &&
           functions_of(coverage, "functions_executed") == 0;
}

bool cause_add_coverage(struct hp_buffer *out, const json_t *coverage, bool *known)
{
    long long all = functions_of(coverage, "functions");
    long long ran = functions_of(coverage, "functions_executed");
    *known = all > 0;
    if (!*known)
        return true;
    if (ran < all)
        return hp_buffer_printf(out, "%lld of %lld changed functions ran", ran, all);
    if (all == 1)
        return hp_buffer_printf(out, "the changed function ran");
    if (all == 2)
        return hp_buffer_printf(out, "both changed functions ran");
    return hp_buffer_printf(out, "all %lld changed functions ran", all);
}
