/*
 * A whole hakperf for an integration test: an own state folder below /tmp, `hakperf up` with its
 * database, collector and runner, and a receiver of webhooks. One a process. It is opened and
 * closed outside the tests (unchecked fixtures), because Check runs each test in a fork that may
 * die; what it started is ended by pid, and its folder removed, whatever the tests did.
 *
 * Inside a test: hakperf(…) and git(…) run a program in a folder and give its outcome.
 */
#ifndef HP_TESTS_INTEGRATION_HOUSE_H
#define HP_TESTS_INTEGRATION_HOUSE_H

#include "common/process.h"

/* Fixtures. Opening does not fail: house_ready tells. */
void house_open(void);
void house_close(void);

/* NULL when all answers; else what went wrong, with the end of the service's own output. */
const char *house_ready(void);

/* An absolute path below the house's folder; static text, good for the next seven calls. */
const char *house_path(const char *name);

/* STATE, the address of the page ("http://127.0.0.1:PORT"), and what the receiver was sent so far
 * (the caller frees it). */
const char *house_state(void);
const char *house_page(void);
char *house_webhooks(void);

/* Pid of the running collector or runner ("serve", "work"), 0 if it does not run now. */
pid_t house_pid(const char *verb);

/* Runs argv, ended by NULL, in `folder` (NULL: the house's) for at most `seconds`. An assertion
 * fails if it cannot be started or takes longer. */
void house_run(struct hp_outcome *outcome, const char *folder, double seconds,
               const char *const *argv);

/* The built program of that name in the build folder. */
const char *house_program(const char *name);

/* A new variable `outcome`, cleared at the end of the scope. */
#define HAKPERF(outcome, ...)                      \
    HP_OUTCOME struct hp_outcome outcome = {0};    \
    house_run(&(outcome), house_path("work"), 240, \
              (const char *const[]){house_program("hakperf"), __VA_ARGS__, NULL})
#define GIT(outcome, ...)                       \
    HP_OUTCOME struct hp_outcome outcome = {0}; \
    house_run(&(outcome), house_path("work"), 60, (const char *const[]){"git", __VA_ARGS__, NULL})

#define ck_assert_has(buffer, text)                                                      \
    ck_assert_msg(strstr(hp_buffer_text(buffer), text), "\"%s\" is not in \"%s\"", text, \
                  hp_buffer_text(buffer))
#define ck_assert_exit(outcome, code)                                                             \
    ck_assert_msg((outcome).exit_code == (code), "%s, not %d: %s%s", hp_outcome_text(&(outcome)), \
                  code, hp_buffer_text(&(outcome).out), hp_buffer_text(&(outcome).err))

#endif
