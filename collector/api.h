/*
 * The handlers of the endpoints, one a row of common/wire/README.md. Each obeys the contract of
 * `handler` in collector/route.h; they keep nothing between calls.
 */
#ifndef HP_COLLECTOR_API_H
#define HP_COLLECTOR_API_H

#include "collector/mirror.h"
#include "collector/service.h"

handler api_health, api_ready, api_metrics, api_openapi;
handler api_suite_put;
handler api_repositories, api_look, api_jobs_add, api_log, api_commit, api_profile, api_compare,
    api_series;
handler api_changepoints, api_suspects, api_selftest;
handler api_status, api_events, api_job, api_jobs, api_alerts, api_alert, api_alert_act;
handler api_export, api_import;
handler api_claim, api_source, api_progress, api_release, api_run_put, api_job_cancel,
    api_job_retry;
handler api_tokens, api_token_create, api_token_revoke, api_login_link, api_audit, api_webhook;
handler page_login, page_file;

/* As struct server_options.stranger wants it: a browser is told how to log in. */
void page_stranger(const struct request *request, struct answer *answer);

/* Finds a repository in `db` (the service's, or its readers'): its number as text, and its mirror,
 * which the caller releases. HP_NOT_FOUND with a hint. */
bool api_repository(struct service *service, struct db *db, const char *name, char id[DB_TEXT],
                    struct mirror *mirror, struct hp_error *err);

/* Resolves the revision of parameter `name` in a mirror; the error's path is that name. */
bool api_rev(const struct mirror *mirror, const char *name, const char *rev, char sha[GIT_SHA_TEXT],
             struct hp_error *err);

/* A path segment as a job's number. HP_NOT_FOUND for one that is none. */
bool api_job_number(const char *text, int64_t *out, struct hp_error *err);

#endif
