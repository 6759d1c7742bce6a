/*
 * The real collector for tests: the program itself, on the test's own database of the store
 * fixture, with a state folder of its own, and real git repositories in temporary folders.
 *
 *     tcase_add_unchecked_fixture(t, collector_begin, collector_end);
 *     START_TEST(x) { collector_start(NULL); … collector_stop(); }
 *
 * Each test is a process of its own and may run one collector at a time; one that a failed test
 * leaves behind is ended by collector_end. Every function but collector_ask_raw and
 * collector_ask_bytes fails the test where it cannot do its work.
 */
#ifndef HP_TESTS_COLLECTOR_FIXTURE_H
#define HP_TESTS_COLLECTOR_FIXTURE_H

#include "common/http_client.h"
#include "tests/collector/store_fixture.h"

#include <jansson.h>
#include <sys/types.h>

/* Once a test case: the database server; the end of what tests left behind. */
void collector_begin(void);
void collector_end(void);

/* Starts the collector with further arguments (ended by NULL; NULL: none) and waits until it is
 * ready. */
void collector_start(const char *const *arguments);

/* Ends it by SIGTERM; its exit code. */
int collector_stop(void);

/* Ends it by SIGKILL. */
void collector_kill(void);

void collector_signal(int signal_number);

/* Runs the program with arguments (ended by NULL) to its end, `--state` and `--database` added
 * where `connected`. What it printed, both streams, is in static memory. */
int collector_run(const char *const *arguments, bool connected, const char **printed);

/* The collector's state folder, the page's address, its port. */
const char *collector_state(void);
const char *collector_address(void);
int collector_port(void);

/* A request over the Unix socket; the status, and the body in *answer (may be NULL; else owned by
 * the caller, NULL where there is none that is JSON). */
long collector_ask(const char *method, const char *path, const json_t *body, json_t **answer);

/* The same over TCP with a token (NULL: none). */
long collector_ask_as(const char *token, const char *method, const char *path, const json_t *body,
                      json_t **answer);

/* The code of the error body that a request over the socket gives; "" where it succeeded. */
const char *collector_error(const char *method, const char *path, const json_t *body);

/* Sends bytes over TCP and gives what came back until the end, in static memory. */
const char *collector_ask_raw(const char *text);
const char *collector_ask_bytes(const void *bytes, size_t size);

/* Makes a token of that scope by the program; in static memory. */
const char *collector_token(const char *scope, const char *name);

/* Runs git in a repository, fails the test where git does; what it printed, without the last line
 * break, in static memory. */
const char *repo_git(const char *repository, const char *const *arguments);
#define REPO_GIT(repository, ...) repo_git(repository, (const char *const[]){__VA_ARGS__, NULL})

/* Makes an empty repository with branch main, in static memory (four at most). */
const char *repo_make(void);

/* Writes a file of the repository, commits it; the commit's name, in static memory. */
const char *repo_commit(const char *repository, const char *path, const char *text,
                        const char *subject);

/* A suite for a repository, named "r" there, that watches lib/; the caller owns it. */
json_t *suite_for(const char *repository);

/* Applies that suite; the answer, which the caller owns. */
json_t *suite_apply(const char *repository);

/* The same where nobody wants the answer. */
void suite_applied(const char *repository);

/* Claims a job as a runner; NULL where none waits. The caller owns it. */
json_t *claim(const char *runner);

/* The golden example of a failed run, made to fit a claimed job; the caller owns it. */
json_t *failed_result(const json_t *job);

#endif
