/*
 * Where a series may have changed: e-divisive splitting (Matteson and James 2014) with exponent 1,
 * on the ranks of overlapping windows. It proposes generously; an_changepoints decides. The caller
 * owns the arrays; values must be finite.
 */
#ifndef AN_EDIVISIVE_H
#define AN_EDIVISIVE_H

#include "analysis/order.h"

#include <stdbool.h>
#include <stddef.h>

/* Points in a window; every point but the outermost lies in two. */
#define AN_WINDOW 128

struct an_edivisive_space {
    struct an_ranked item[AN_WINDOW];
    /* Twice the ranks, so that mid-ranks are whole: sums of integers are several times as fast. */
    int rank[AN_WINDOW], before[AN_WINDOW], after[AN_WINDOW];
};

/*
 * Sets mark[i] for every i in value[n] at which a new level may begin, at least min_segment (2 or
 * more) from both ends and from other marks of the same window; other marks are left as they are.
 */
void an_edivisive(const double *value, size_t n, size_t min_segment, bool *mark,
                  struct an_edivisive_space *space);

/*
 * The best split of value[n], n up to AN_WINDOW: the index that begins the second part, or 0 when
 * there is none. *gain is the energy statistic in units of the mean distance of two points.
 */
size_t an_best_split(const double *value, size_t n, size_t min_segment, double *gain,
                     struct an_edivisive_space *space);

#endif
