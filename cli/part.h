/*
 * A program that is kept running beside this one: started, its output passed on line by line,
 * started again when it dies (after 1, 2, 4 … 60 seconds), and ended in an orderly way. A struct
 * part belongs to one thread, which calls part_attend again and again.
 */
#ifndef HP_CLI_PART_H
#define HP_CLI_PART_H

#include "common/io.h"
#include "common/process.h"

struct part {
    const char *name;        /* for messages, borrowed */
    const char *const *argv; /* borrowed */
    struct hp_child child;
    struct hp_buffer output; /* the beginning of a line */
    double started;          /* monotonic seconds; 0: never */
    double next_start;       /* when it may be started again */
    int failures;            /* deaths in a row, without a minute's life between them */
};

/* Starts the program. */
bool part_start(struct part *part, struct hp_error *err);

/* Passes on what it printed, waits at most `wait_ms` for more; starts it again when it is due.
 * Deaths and starts are told on stderr. */
void part_attend(struct part *part, int wait_ms);

/* SIGTERM, then waits for its end as long as `grace_s` while passing on its output; SIGKILL when
 * that is over or `*hurry` grows. Fine if it does not run. */
void part_stop(struct part *part, double grace_s, const volatile int *hurry);

/* Whether it runs now. */
bool part_runs(const struct part *part);

/* Prints one line on stderr, above the progress line. */
void part_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
