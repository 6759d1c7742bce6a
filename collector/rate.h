/*
 * How much one client address may ask over TCP: so many requests a second, with a reserve for
 * bursts; and few credentials that are wrong. Over the Unix socket nothing is limited. A table of
 * fixed size; when it is full the address that was silent longest is forgotten. Any thread.
 */
#ifndef HP_COLLECTOR_RATE_H
#define HP_COLLECTOR_RATE_H

#include "collector/request.h"

/* Requests a second that an address may send, five times as many at once; 0: no limit. Once,
 * before the server starts. */
void rate_set(int64_t per_second);

/* Whether a request may go on, which it is counted for. With a credential or a login code it needs
 * room for a wrong one too. */
bool rate_take(const struct request *request);

/* Counts a credential that was wrong: RATE_WRONG at once, then one more every RATE_WRONG_S. */
enum { RATE_WRONG = 20, RATE_WRONG_S = 6 };
void rate_wrong(const struct request *request);

#endif
