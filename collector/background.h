/*
 * What the collector does without being asked, in threads of its own, so that neither a repository
 * nor a webhook that does not answer holds up the others or the server: looking at every repository
 * at start and then at every poll; ending leases, letting parked claims try again, and once a day
 * the housekeeping of the store; sending the messages of the outbox; and telling the event
 * streams.
 */
#ifndef HP_COLLECTOR_BACKGROUND_H
#define HP_COLLECTOR_BACKGROUND_H

#include "collector/service.h"

struct background;

struct background *background_start(struct service *service, struct hp_error *err);

/* Tells the threads to look now: settings have changed. */
void background_poke(struct background *background);

/* Ends them, and cancels git for good: first server_drain, then this, then server_stop. NULL is
 * fine. */
void background_stop(struct background *background);

#endif
