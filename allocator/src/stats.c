#include "stats.h"

#include "options.h"

bool stats_on;
atomic_ullong class_stats[CLASSES][STAT_COUNT];
atomic_ullong stat_totals[TOTAL_COUNT];

void stats_init(void)
{
    stats_on = option(OPT_STATS_FILE) != 0;
}
