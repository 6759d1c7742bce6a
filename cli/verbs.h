/*
 * The verbs of `hakperf`, one file each (cli_VERB.c). A verb parses its arguments, asks the
 * collector over HTTP (cli/session.h) and prints; it returns the exit code: 0 no relevant
 * regression, 1 regressed, 2 usage, 3 no answer. One thread.
 */
#ifndef HP_CLI_VERBS_H
#define HP_CLI_VERBS_H

#include "common/options.h"

/* The table of all verbs, and of the options that all of them take. */
extern const struct hp_program cli_program;

/* Options of the verbs that have some, each ended by a row without name. */
extern const struct hp_option cli_up_options[];
extern const struct hp_option cli_suite_options[];
extern const struct hp_option cli_queue_options[];
extern const struct hp_option cli_compare_options[];
extern const struct hp_option cli_log_options[];
extern const struct hp_option cli_alerts_options[];
extern const struct hp_option cli_selftest_options[];
extern const struct hp_option cli_token_options[];
extern const struct hp_option cli_audit_options[];

extern const struct hp_option cli_export_options[];
extern const struct hp_option cli_import_options[];

int cli_up(const struct hp_values *values);
int cli_db(const struct hp_values *values);
int cli_suite_apply(const struct hp_values *values);
int cli_suite_check(const struct hp_values *values);
int cli_queue(const struct hp_values *values);
int cli_compare(const struct hp_values *values);
int cli_log(const struct hp_values *values);
int cli_report(const struct hp_values *values);
int cli_status(const struct hp_values *values);
int cli_token_create(const struct hp_values *values);
int cli_token_list(const struct hp_values *values);
int cli_token_revoke(const struct hp_values *values);
int cli_login(const struct hp_values *values);
int cli_export(const struct hp_values *values);
int cli_import(const struct hp_values *values);
int cli_audit(const struct hp_values *values);
int cli_alerts(const struct hp_values *values);
int cli_selftest(const struct hp_values *values);
int cli_changepoints(const struct hp_values *values);
int cli_hook_install(const struct hp_values *values);
int cli_hook_remove(const struct hp_values *values);

#endif
