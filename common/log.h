/*
 * The log: one line an event to stderr. On a terminal "level: message", elsewhere
 * "2026-01-31T12:00:00.123Z level program: message", and with the syslog prefix "<6>" that
 * systemd's journal reads when JOURNAL_STREAM is set. Secrets are never passed to it.
 * Any thread may log; a line is written by one write(2).
 */
#ifndef HP_COMMON_LOG_H
#define HP_COMMON_LOG_H

#include "common/error.h"

enum hp_log_level { HP_LOG_ERROR, HP_LOG_WARNING, HP_LOG_INFO, HP_LOG_DEBUG };

/* Sets the program's name and the highest level that is written. Called once, before threads. */
void hp_log_init(const char *program, enum hp_log_level highest);

void hp_log(enum hp_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Logs an error with its path and hint, behind "what: ". */
void hp_log_error(enum hp_log_level level, const char *what, const struct hp_error *err);

#endif
