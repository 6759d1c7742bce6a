/*
 * Events for those who follow the service (GET /api/v1/events): every change of a job as JOB STATE.
 * One thread asks the database twice a second while there are streams, and tells all of them; it
 * hears of what any collector did.
 *
 * The id of an event is the oldest transaction that was not over when it was told, so a stream that
 * begins with it misses nothing, whichever collector it reaches; what changed meanwhile is told
 * once, in its last state, and where a transaction was open then, maybe a second time.
 */
#ifndef HP_COLLECTOR_EVENTS_H
#define HP_COLLECTOR_EVENTS_H

#include "collector/service.h"

/* More changes than this at a time are told by one event `reset`: ask anew for what you show. */
enum { EVENTS_AT_ONCE = 1000 };

struct events; /* what was told last; belongs to one thread */

struct events *events_new(void);
void events_free(struct events *events);

/* Tells what changed since the last call, and whoever is new what it missed. Cheap without
 * streams. */
void events_tell(struct events *events, struct service *service);

/* Reads a Last-Event-ID: -1 for none (NULL, ""), -2 for one that was never ours. */
int64_t events_id(const char *text);

#endif
