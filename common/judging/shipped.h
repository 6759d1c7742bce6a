/*
 * What the artifacts as shipped say beside the many code layouts that decide: where they alone
 * moved, it is the place where the linker put the functions, and nobody is woken for it. One
 * computation for the collector and for runs that no collector has seen. Pure: nothing but the
 * result document (common/wire) is looked at.
 */
#ifndef HP_JUDGING_SHIPPED_H
#define HP_JUDGING_SHIPPED_H

#include "analysis/verdict.h"

#include <jansson.h>

/* Most pairs as shipped of a workload. */
#define HP_SHIPPED_MOST 512

struct hp_shipped {
    bool known;                  /* there are such pairs, enough to say anything */
    bool suspect;                /* as an_layout_suspect */
    struct an_estimate estimate; /* log ratios head/base */
};

/* `workload`: of a result document; `decided`: the estimate over the layouts; `critical`: bound of
 * z that the run was decided at. */
struct hp_shipped hp_judge_shipped(const json_t *workload, const struct an_estimate *decided,
                                   double critical);

#endif
