#include "analysis/edivisive.h"

#include <stdlib.h>
#include <string.h>

/*
 * A split is proposed from this gain on. Series without a change exceed it in one window of three
 * (simulated), changes that the later tests could accept miss it in one of a hundred.
 */
static const double least_gain = 2.2;

/* Twice the ranks of value[n] in their order, with mid-ranks. */
static void rank_window(const double *value, size_t n, struct an_edivisive_space *space)
{
    for (size_t i = 0; i < n; i++)
        space->item[i] = (struct an_ranked){.value = value[i], .index = i};
    an_rank(space->item, n);
    for (size_t i = 0; i < n; i++)
        space->rank[space->item[i].index] = (int)(2 * space->item[i].rank);
}

/* before[i], after[i]: the distances of point i to all points before it, and after it. */
static double sum_distances(size_t n, struct an_edivisive_space *space)
{
    int total = 0;
    memset(space->after, 0, n * sizeof *space->after);
    for (size_t i = 0; i < n; i++) {
        int before = 0;
        for (size_t j = 0; j < i; j++) {
            int distance = abs(space->rank[i] - space->rank[j]);
            before += distance;
            space->after[j] += distance;
        }
        space->before[i] = before;
        total += before;
    }
    return total;
}

static double pairs_of(double n)
{
    return n * (n - 1) / 2;
}

size_t an_best_split(const double *value, size_t n, size_t min_segment, double *gain,
                     struct an_edivisive_space *space)
{
    *gain = 0;
    if (n < 2 * min_segment)
        return 0;
    rank_window(value, n, space);
    double total = sum_distances(n, space);
    if (!(total > 0))
        return 0;
    double within_left = 0, within_right = total, best = 0;
    double mean = total / pairs_of((double)n);
    size_t at = 0;
    for (size_t split = 1; split + min_segment <= n; split++) {
        within_left += space->before[split - 1];
        within_right -= space->after[split - 1];
        if (split < min_segment)
            continue;
        double left = (double)split, right = (double)(n - split);
        double between = total - within_left - within_right;
        double energy = 2 * between / (left * right) - within_left / pairs_of(left) -
                        within_right / pairs_of(right);
        double q = left * right / (left + right) * energy / mean;
        if (q > best) {
            best = q;
            at = split;
        }
    }
    *gain = best;
    return at;
}

static void split_window(const double *value, size_t n, size_t min_segment, bool *mark,
                         struct an_edivisive_space *space)
{
    /* Parts still to be split; each is smaller than the one it came from. */
    struct {
        size_t start, end;
    } part[AN_WINDOW];
    size_t depth = 0;
    part[depth].start = 0;
    part[depth++].end = n;
    while (depth > 0) {
        size_t start = part[--depth].start, end = part[depth].end;
        double gain;
        size_t split = an_best_split(value + start, end - start, min_segment, &gain, space);
        if (split == 0 || gain < least_gain)
            continue;
        mark[start + split] = true;
        part[depth].start = start;
        part[depth++].end = start + split;
        part[depth].start = start + split;
        part[depth++].end = end;
    }
}

void an_edivisive(const double *value, size_t n, size_t min_segment, bool *mark,
                  struct an_edivisive_space *space)
{
    for (size_t start = 0; start < n; start += AN_WINDOW / 2) {
        /* The last window ends with the series and is full where the series is long enough. */
        bool last = start + AN_WINDOW >= n;
        if (last && n >= AN_WINDOW)
            start = n - AN_WINDOW;
        size_t length = last ? n - start : AN_WINDOW;
        split_window(value + start, length, min_segment, mark + start, space);
        if (last)
            break;
    }
}
