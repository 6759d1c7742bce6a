/*
 * The verbs of hakperf-collector: each parses its options, prints, and returns an exit code. What
 * they do lies in the modules beside. Used by one thread.
 */
#ifndef HP_COLLECTOR_VERBS_H
#define HP_COLLECTOR_VERBS_H

#include "collector/db.h"
#include "common/options.h"

#define COLLECTOR_PROGRAM "hakperf-collector"

extern const struct hp_option serve_options[];

/* Runs the verb that the command line names. */
int collector_main(int argc, char **argv);

/* Parses the command line, environment and configuration file of `serve` anew and calls `run` with
 * the values instead of serving; for SIGHUP. The exit code of `run`, or 2. */
int collector_serve_again(int (*run)(const struct hp_values *values));

int verb_serve(const struct hp_values *values);
int verb_config_show(const struct hp_values *values);
int verb_db_start(const struct hp_values *values);
int verb_db_init(const struct hp_values *values);
int verb_db_stop(const struct hp_values *values);
int verb_db_status(const struct hp_values *values);
int verb_db_url(const struct hp_values *values);
int verb_db_psql(const struct hp_values *values);
int verb_db_backup(const struct hp_values *values);
int verb_db_restore(const struct hp_values *values);
int verb_db_migrate(const struct hp_values *values);
int verb_token_create(const struct hp_values *values);
int verb_token_list(const struct hp_values *values);
int verb_token_revoke(const struct hp_values *values);
int verb_login_link(const struct hp_values *values);

/* Prints the error (with --json: its body on stdout) and gives its exit code. */
int verb_fail(const struct hp_values *values, const struct hp_error *err);

/* The state folder of --state, after which the program runs as the service's user. With `make` it
 * exists. The caller frees it. */
char *verb_state(const struct hp_values *values, bool make, struct hp_error *err);

/* The database of --database, else the private one as `role`, which must be running. The caller
 * frees it. */
char *verb_database_url(const struct hp_values *values, const char *state, const char *role,
                        struct hp_error *err);

/* That database, opened for a single command. The caller closes it. */
struct db *verb_database(const struct hp_values *values, const char *state, struct hp_error *err);

#endif
