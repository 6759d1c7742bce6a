/* Time: monotonic for durations, RFC 3339 in UTC for people and documents. */
#ifndef HP_COMMON_CLOCK_H
#define HP_COMMON_CLOCK_H

#include <stdint.h>

#define HP_TIME_TEXT 32

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t hp_monotonic_ns(void);

/* Seconds of CLOCK_MONOTONIC. */
double hp_monotonic_s(void);

/* The present as "2026-01-31T12:00:00.123Z". */
void hp_time_now_text(char out[HP_TIME_TEXT]);

/* Sleeps so many milliseconds, or until a signal arrives. */
void hp_sleep_ms(int milliseconds);

#endif
