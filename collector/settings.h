/*
 * The settings of serve from the options to the service. Most of them may change while it runs
 * (SIGHUP); those that belong to sockets, databases, git and threads count from the next start.
 */
#ifndef HP_COLLECTOR_SETTINGS_H
#define HP_COLLECTOR_SETTINGS_H

#include "collector/service.h"
#include "common/options.h"

/* Takes over everything that may change, all or nothing. */
bool settings_apply(struct service *service, const struct hp_values *values, struct hp_error *err);

/* The options that count from the next start; NULL ends the list. */
extern const char *const settings_fixed[];

/* What these are, to compare with later; the caller clears it. */
struct settings_start {
    char **value; /* a row of settings_fixed each; NULL: not given */
};
bool settings_remember(struct settings_start *start, const struct hp_values *values,
                       struct hp_error *err);
void settings_clear(struct settings_start *start);

/* Logs a warning for each that is another now. How many there are. */
int settings_warn(const struct settings_start *start, const struct hp_values *values);

#endif
