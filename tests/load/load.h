/*
 * Load and faults for the whole service, by simulated runners that claim, renew and deliver through
 * the real HTTP API: `build/tests/load fault` kills what it can and accounts for every document,
 * `build/tests/load bench` measures. Not part of the test binary; the short form of `fault` is part
 * of make check.
 *
 * world.c is the service: state folder, private PostgreSQL, collector. runner.c is what a runner
 * does; its documents (document.c) are the golden example, made to fit the job that was claimed.
 * Everything here ends the program with a message where it cannot go on.
 */
#ifndef HP_TESTS_LOAD_H
#define HP_TESTS_LOAD_H

#include "common/cleanup.h"
#include "common/http_client.h"
#include "common/process.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdint.h>

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- world --------------------------------------------------------------------------------------
 */

struct world {
    char state[64];
    char suite_hash[65];
    struct hp_child collector;
    unsigned commits; /* made so far */
    int lease_s;
    const char *keep; /* not NULL: a folder that is used, and left behind */
};

/* A fresh state folder, a durable PostgreSQL that is migrated, repository and suite. */
void world_make(struct world *world, const char *keep, int lease_s);
void world_free(struct world *world);

/* Starts the database after it was killed; false where it does not come up. */
bool world_start_database(const struct world *world);
/* Pid of the postmaster, 0: none. */
pid_t world_postmaster(const struct world *world);

/* Starts a collector on the world's socket with further arguments (NULL: none), and waits for its
 * ready line. */
void world_start_collector(struct world *world, const char *const *arguments);

/* Prints the end of the collector's log, which goes with the world, to stderr. */
void world_tell_log(const struct world *world);

/* Adds commits, each with a job against its parent. False where the database does not answer. */
bool world_add_jobs(struct world *world, unsigned n);

/* A connection as the database's owner; NULL where it does not answer. */
PGconn *world_connect(const struct world *world);
/* The first field of the first row, in static memory; dies on an error. */
const char *world_ask(const struct world *world, const char *sql);

/* "unix:STATE/run/collector.sock" in static memory. */
const char *world_server(const struct world *world);

/* CPU seconds that the database (with all its backends, those that ended too) has used. */
double world_database_cpu(const struct world *world);
/* CPU seconds that a process has used. */
double process_cpu(pid_t pid);

/* Resident memory of a process in KiB. */
long process_rss(pid_t pid);

/* --- documents ----------------------------------------------------------------------------------
 */

enum { LOAD_WORKLOADS = 6, LOAD_FIGURES = 57, LOAD_SAMPLE_SETS = 9 };

/* The suite of six workloads; the caller owns it. */
json_t *document_suite(void);

/* A result for a claimed job, its `tag` in every kernel_share: a relevant regression, or, with
 * `improved`, as much of an improvement, which nobody is told of. The caller frees it. */
char *document_text(const json_t *job, const char *runner, int64_t tag, bool improved,
                    size_t *size);
/* Of many commits few are a regression. */
static inline bool document_improved(int64_t n)
{
    return n % 8 != 0;
}

/* --- runners ------------------------------------------------------------------------------------
 */

/* Claims a job. 1: *job is it; 0: nothing to do; -1: not now. */
int runner_claim(struct hp_http *http, const char *name, json_t **job);

/* Works until SIGTERM, then delivers what is left and returns: claims, spools on disk in FOLDER as
 * hakperf-runner does, delivers. Each document that is in the spool is one line of FOLDER/sent:
 * "RUN JOB TAG". */
void runner_process(const char *server, const char *folder, int number);

/* --- commands -----------------------------------------------------------------------------------
 */

int fault_main(double seconds, unsigned seed, int runners);

struct bench_options {
    double seconds;  /* of each part that runs for a time */
    int64_t samples; /* that are stored before the readers are measured */
    int documents, runners, connections;
    const char *keep;
};
int bench_main(const struct bench_options *options);

#endif
