#include "common/log.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *log_program = "hakperf";
static enum hp_log_level log_highest = HP_LOG_INFO;

void hp_log_init(const char *program, enum hp_log_level highest)
{
    log_program = program;
    log_highest = highest;
}

void hp_log(enum hp_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    static const char syslog_level[] = {'3', '4', '6', '7'};
    if (level > log_highest)
        return;
    char line[4096];
    int n;
    if (isatty(STDERR_FILENO)) {
        n = snprintf(line, sizeof line, "%s: ", names[level]);
    } else if (getenv("JOURNAL_STREAM")) {
        n = snprintf(line, sizeof line, "<%c>", syslog_level[level]);
    } else {
        char now[HP_TIME_TEXT];
        hp_time_now_text(now);
        n = snprintf(line, sizeof line, "%s %s %s: ", now, names[level], log_program);
    }
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    va_end(args);
    /* One event is one line, whatever a foreign message holds. */
    for (char *p = line; *p; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    size_t length = strlen(line);
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0)
        return; /* nowhere to report that the log is gone */
}

void hp_log_error(enum hp_log_level level, const char *what, const struct hp_error *err)
{
    hp_log(level, "%s: %s%s%s%s%s%s", what, err->message, err->path[0] ? " (at " : "", err->path,
           err->path[0] ? ")" : "", err->hint[0] ? " HINT: " : "", err->hint);
}
