/*
 * What the runner's tests stand on: a temporary folder with a state folder in it, a runner that
 * uses it, and copies of hakperf and hakperf-runner of the build under test ($BUILD/bin). Made in a
 * checked fixture, that is in each test's own process, which then runs as user hakperf if it was
 * root: limits on processes do not hold for root, and production does not run as root either.
 */
#ifndef RN_TEST_FIXTURE_H
#define RN_TEST_FIXTURE_H

#include "runner/build.h"
#include "runner/execute.h"

#include <check.h>

struct fixture {
    char *folder;
    struct rn_runner runner;
    struct rn_room room;
    volatile int cancel;
};

extern struct fixture fx;

/* Checked fixtures: with and without a sandbox. */
void fx_open(void);
void fx_open_plain(void);
void fx_close(void);

/* fx_open and, in FOLDER, repo/ with the tagged commits plain (a driver and a library that does
 * nothing), comment, slow, crawling and broken (does not compile), and suite.json for them. */
void fx_open_repository(void);

/* FOLDER/name; the caller frees it. */
char *fx_path(const char *name);

/* Writes FOLDER/name, making folders above it. */
void fx_write(const char *name, const char *text, mode_t mode);

/* Whether FOLDER/name exists. */
bool fx_exists(const char *name);

/* Runs a program in FOLDER; aborts if it fails. fx_output: what it printed, owned by the caller. */
void fx_run(const char *const *argv);
char *fx_output(const char *const *argv);

/* FOLDER/name as a tar archive in a nameless file. */
int fx_tar(const char *name);

/* Parses; aborts on a syntax error. Single quotes stand for double ones. */
json_t *fx_json(const char *text);

/* Until the sandbox for samples runs, at most half a minute; its command line alone names the
 * driver's folder in this fixture's state. */
void fx_wait_for_samples(void);

/* Whether any process of this user has `word` in its command line. */
bool fx_process_with(const char *word);

/* Waits up to a second for none to have it. */
bool fx_no_process_with(const char *word);

#endif
