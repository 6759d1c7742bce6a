/*
 * The whole service in one foreground process: private PostgreSQL, collector and runner in one
 * state folder. `hakperf up` is the only caller; one thread, one struct up a process.
 *
 *   hakperf up ─┬─ hakperf-collector db start … db stop      (a server of its own in between)
 *               ├─ hakperf-collector serve                   kept running
 *               └─ hakperf-runner work                       kept running
 */
#ifndef HP_CLI_UP_H
#define HP_CLI_UP_H

#include "cli/part.h"
#include "cli/session.h"

#define UP_ARGUMENTS 24

struct up {
    char *state, *collector, *runner; /* the folder, and the two programs */
    char *server;                     /* unix:STATE/run/collector.sock */
    char *token;                      /* the runner's token file */
    char *notes;                      /* STATE/run/up.pids */
    int lock;                         /* STATE/run/up.lock; -1 */
    bool was_killed;                  /* the one before left its note behind */
    bool database_is_ours;            /* started here or by a killed one, so stopped here */
    const char *serve_argv[UP_ARGUMENTS], *work_argv[UP_ARGUMENTS];
    struct part serve, work;
    bool with_runner;
    struct cli_session session;
};

/* Finds the programs, makes the folders, takes the lock (HP_CONFLICT where another `hakperf up`
 * holds it) and ends what a killed one left. Nothing is started yet. */
bool up_prepare(struct up *up, const struct hp_values *values, struct hp_error *err);

/* Starts database, collector and runner, in this order, each when the one before answers.
 * `*stopping` ends the waiting (HP_UNAVAILABLE). On an error the caller calls up_stop. */
bool up_start(struct up *up, const volatile int *stopping, struct hp_error *err);

/* A one-time link to the page; the caller frees it. NULL where the collector has no page. */
char *up_login_link(struct up *up, struct hp_error *err);

/* Ends runner, collector and database, in this order, and gives the lock back. When `*hurry` grows,
 * whatever is slow is killed; the database still ends in its own orderly way. */
void up_stop(struct up *up, const volatile int *hurry);

#endif
