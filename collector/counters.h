/*
 * What the collector counts about itself for GET /metrics: requests by route and status with their
 * latencies, results, looks and messages. Counting never waits; any thread.
 */
#ifndef HP_COLLECTOR_COUNTERS_H
#define HP_COLLECTOR_COUNTERS_H

#include "collector/route.h"

enum counter {
    COUNT_STORED,        /* results that were stored */
    COUNT_STORED_BEFORE, /* results that came again */
    COUNT_REFUSED,       /* results that were refused */
    COUNT_VOIDED,        /* results whose verdicts disagreed with their samples */
    COUNT_CLAIMED,
    COUNT_LOOKS,
    COUNT_LOOKS_FAILED,
    COUNT_SENT, /* messages of the outbox */
    COUNT_SEND_FAILED,
    COUNTERS,
};

void counters_add(enum counter counter);

/* As struct server_options.served wants it. */
void counters_served(struct service *service, int route, unsigned status, double seconds);

/* Appends all of it as Prometheus text; `table` names the routes. False without memory. */
bool counters_text(struct hp_buffer *out, const struct route *table);

#endif
