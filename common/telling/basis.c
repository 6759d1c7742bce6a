#include "common/telling/basis.h"

#include "common/io.h"
#include "common/json.h"

#include <limits.h>
#include <string.h>

/* What the workloads of a comparison rest on. */
struct ways {
    size_t all, reference, parents;
    long long pairs_least, pairs_most; /* of those with pairs of their own */
    long long commits;                 /* most of a workload's line */
    const char *bridge; /* the commit that joins the epochs of two runs; NULL: none has to */
};

static void count(const json_t *workload, struct ways *w)
{
    const json_t *how = json_object_get(workload, "how");
    const char *way = hp_json_string(how, "way", "");
    long long pairs = (long long)hp_json_int(workload, "pairs", 0);
    long long commits = (long long)hp_json_int(how, "commits", 0);
    w->all++;
    w->reference += strcmp(way, "reference") == 0;
    w->parents += strcmp(way, "parents") == 0;
    w->commits = commits > w->commits ? commits : w->commits;
    w->bridge = hp_json_string(how, "bridge", w->bridge);
    if (json_is_object(how) || pairs <= 0)
        return;
    w->pairs_least = pairs < w->pairs_least ? pairs : w->pairs_least;
    w->pairs_most = pairs > w->pairs_most ? pairs : w->pairs_most;
}

static bool tell_joined(struct hp_buffer *out, const struct ways *w)
{
    bool both = w->reference > 0 && w->parents > 0;
    bool ok = hp_buffer_printf(out, "not side by side: ");
    if (w->reference > 0)
        ok = ok && hp_buffer_printf(out, "through the reference of both runs%s%s",
                                    w->bridge ? ", joined by " : "", w->bridge ? w->bridge : "");
    if (both)
        ok = ok && hp_buffer_printf(out, " (%zu of %zu workloads), ", w->reference, w->all);
    if (w->parents > 0)
        ok = ok && hp_buffer_printf(out, "added up over %lld commit%s", w->commits,
                                    w->commits == 1 ? "" : "s");
    if (both)
        ok = ok && hp_buffer_printf(out, " (%zu of %zu)", w->parents, w->all);
    return ok;
}

static bool tell_pairs(struct hp_buffer *out, const struct ways *w)
{
    if (w->pairs_least == w->pairs_most)
        return hp_buffer_printf(out, "side by side, %lld pairs", w->pairs_most);
    return hp_buffer_printf(out, "side by side, %lld to %lld pairs", w->pairs_least, w->pairs_most);
}

bool basis_add(json_t *comparison)
{
    HP_BUFFER struct hp_buffer text = {0};
    struct ways ways = {.pairs_least = LLONG_MAX};
    size_t i;
    json_t *workload;
    bool ok = true;
    json_array_foreach (json_object_get(comparison, "workloads"), i, workload)
        count(workload, &ways);
    if (ways.reference + ways.parents > 0)
        ok = tell_joined(&text, &ways);
    else if (ways.pairs_most > 0)
        ok = tell_pairs(&text, &ways);
    else if (strcmp(hp_json_string(comparison, "verdict", ""), "identical") == 0)
        ok = hp_buffer_printf(&text, "by their code, which is the same");
    return ok &&
           json_object_set_new(comparison, "basis",
                               text.size ? hp_json_bytes(text.data, text.size) : json_null()) == 0;
}
