/* What gates beside the time, and what is only shown, of each workload and over all of the run. */
#include "collector/ingest_internal.h"

#include "common/cleanup.h"

#include <stdlib.h>

void ingest_gate(struct ingest_workload *w, bool threads, double critical)
{
    struct an_counted_gate gates[HP_BESIDE_MOST];
    size_t n = 0;
    w->n_metrics = hp_judge_beside(w->json, threads, critical, w->metrics);
    while (n < w->n_metrics && w->metrics[n].gates) {
        gates[n] = (struct an_counted_gate){w->metrics[n].outcome, w->metrics[n].excusable};
        n++;
    }
    w->outcome = an_gate(w->timed, gates, n, &w->decided_by);
}

bool ingest_adjust(struct ingest_run *run, struct hp_error *err)
{
    HP_FREE struct hp_judged **shown =
        calloc(run->n * HP_BESIDE_MOST + 1, sizeof(struct hp_judged *));
    size_t n = 0;
    for (size_t w = 0; shown && w < run->n; w++)
        for (size_t i = 0; i < run->workloads[w].n_metrics; i++)
            if (!run->workloads[w].metrics[i].gates)
                shown[n++] = &run->workloads[w].metrics[i];
    return (shown && hp_judged_adjust(shown, n)) || hp_fail(err, HP_SYSTEM, "out of memory");
}
