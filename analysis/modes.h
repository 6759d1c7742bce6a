/*
 * Noise of two modes that stay for some points looks like steps to and fro. Used by an_step_judge
 * alone. Pure functions, any thread may call.
 */
#ifndef AN_MODES_H
#define AN_MODES_H

#include <stdbool.h>
#include <stddef.h>

/* How many points a side are looked at. */
#define AN_MODES_REACH 100

/*
 * Whether the levels before and after the step at value[at], 0 < at < n, are two modes of the noise
 * around it: within AN_MODES_REACH points a side each level was visited for 3 points or more three
 * times besides, hardly a point lies between them, and the step's own two stays are not five times
 * as long as the mean of those visits.
 */
bool an_are_modes(const double *value, size_t n, size_t at, double before, double after);

#endif
