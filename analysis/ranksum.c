#include "analysis/ranksum.h"

#include <math.h>
#include <string.h>

/* Ranks both samples in space->item, those of the left first by index; returns z. */
static double rank_both(const double *left, size_t n_left, const double *right, size_t n_right,
                        struct an_ranksum_space *space)
{
    size_t n = n_left + n_right;
    struct an_ranked *item = space->item;
    for (size_t i = 0; i < n; i++)
        item[i] = (struct an_ranked){.value = i < n_left ? left[i] : right[i - n_left], .index = i};
    double ties = an_rank(item, n), sum = 0, nd = (double)n;
    for (size_t i = 0; i < n; i++)
        sum += item[i].index >= n_left ? item[i].rank : 0;
    double of_left = (double)n_left, of_right = (double)n_right;
    double variance = of_left * of_right / 12 * (nd + 1 - ties / (nd * (nd - 1)));
    return variance > 0 ? (sum - of_right * (nd + 1) / 2) / sqrt(variance) : 0;
}

/*
 * The chance that k of the n ranks, chosen at random, sum to at most that of the sample that was
 * seen. Sums are doubled so that mid-ranks are whole; `low` tells which tail: the ranks are
 * mirrored for the upper one. Sums beyond the one seen are never counted, which keeps the table
 * small exactly where the chance is small.
 */
static double exact_tail(struct an_ranksum_space *space, size_t n, size_t n_left, bool of_left,
                         bool low)
{
    size_t k = of_left ? n_left : n - n_left, seen = 0, used = 0;
    for (size_t i = 0; i < n; i++) {
        double rank = space->item[i].rank;
        size_t doubled = (size_t)(2 * (low ? rank : (double)(n + 1) - rank));
        seen += (space->item[i].index < n_left) == of_left ? doubled : 0;
    }
    for (size_t j = 0; j <= k; j++)
        memset(space->ways[j], 0, (seen + 1) * sizeof space->ways[j][0]);
    space->ways[0][0] = 1;
    double choices = 1;
    for (size_t i = 0; i < n; i++) {
        double rank = space->item[i].rank;
        size_t doubled = (size_t)(2 * (low ? rank : (double)(n + 1) - rank));
        used++;
        for (size_t j = used < k ? used : k; j > 0; j--)
            for (size_t s = seen + 1; s-- > doubled;)
                space->ways[j][s] += space->ways[j - 1][s - doubled];
    }
    for (size_t j = 0; j < k; j++)
        choices *= (double)(n - j) / (double)(j + 1);
    double within = 0;
    for (size_t s = 0; s <= seen; s++)
        within += space->ways[k][s];
    return within / choices;
}

struct an_ranksum an_ranksum(const double *left, size_t n_left, const double *right, size_t n_right,
                             struct an_ranksum_space *space)
{
    struct an_ranksum out = {.z = rank_both(left, n_left, right, n_right, space)};
    size_t n = n_left + n_right;
    bool of_left = n_left <= n_right;
    if ((of_left ? n_left : n_right) > AN_RANKSUM_EXACT) {
        out.p = an_two_sided_p(out.z);
        return out;
    }
    /* Low ranks in the smaller sample mean z < 0 when that is the right one. */
    bool low = of_left ? out.z > 0 : out.z < 0;
    out.p = fmin(1, 2 * exact_tail(space, n, n_left, of_left, low));
    return out;
}

double an_ranksum_z(const double *left, size_t n_left, const double *right, size_t n_right,
                    struct an_ranksum_space *space)
{
    return rank_both(left, n_left, right, n_right, space);
}
