/*
 * Sends the messages of store.outbox to the webhook: POST of a JSON object, again and again with
 * growing pauses until somebody takes it (2xx). Each message arrives at least once; its "id", also
 * in the header X-Hakperf-Delivery, tells a repeated one. Only http and https, no redirects.
 */
#ifndef HP_COLLECTOR_OUTBOX_H
#define HP_COLLECTOR_OUTBOX_H

#include "collector/service.h"

/* Sends what is due, until nothing is or `stop` becomes non-zero. One thread at a time. */
void outbox_send(struct service *service, const volatile int *stop);

/* Whether a text is an address that messages can be sent to. HP_USAGE otherwise. */
bool outbox_check_url(const char *url, struct hp_error *err);

#endif
