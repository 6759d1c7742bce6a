/*
 * From the spool to the collector: a result leaves the spool only after the collector said that it
 * has it. Used by one thread.
 */
#ifndef RN_DELIVER_H
#define RN_DELIVER_H

#include "common/http_client.h"

#include <stddef.h>

enum rn_delivery {
    RN_DELIVERED, /* 200 or 201: acknowledged, removed from the spool */
    RN_REFUSED,   /* for good, or damaged on disk: set aside with the reason */
    RN_KEPT       /* not now: the collector is away or does not take it at present */
};

/* What an answer's status (0: none) means for a result. */
enum rn_delivery rn_delivery_of(long status);

/* Delivers one run. RN_KEPT and RN_REFUSED fill err with the reason. */
enum rn_delivery rn_deliver(struct hp_http *http, const char *state, const char *run,
                            struct hp_error *err);

/* Delivers all, oldest first, and logs each. True if the spool is empty of what can be delivered;
 * false with err at the first that was kept. */
bool rn_deliver_all(struct hp_http *http, const char *state, struct hp_error *err);

/* Seconds to wait before attempt `failures` + 1: doubling from 1 to 60, each ±25 % at random so
 * that many runners do not return at the same moment. */
double rn_backoff(unsigned failures);

#endif
