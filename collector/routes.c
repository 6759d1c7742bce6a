/* The table of common/wire/README.md. The page comes last: it answers for any other name. */
#include "collector/api.h"
#include "common/wire.h"

enum { SMALL = 64 << 10, WEBHOOK = 4 << 20 };
#define ARCHIVE ((size_t)256 << 30) /* of what the disk holds */

const struct route routes[] = {
    {"GET", "/healthz", SCOPE_PUBLIC, 0, api_health, ROUTE_QUICK},
    {"GET", "/readyz", SCOPE_PUBLIC, 0, api_ready, ROUTE_PLAIN},
    {"GET", "/metrics", SCOPE_READ, 0, api_metrics, ROUTE_PLAIN},
    {"GET", "/login", SCOPE_PUBLIC, 0, page_login, ROUTE_PLAIN},
    {"PUT", "/api/v1/suites", SCOPE_ADMIN, HP_WIRE_SUITE_LIMIT, api_suite_put, ROUTE_SLOW},
    {"GET", "/api/v1/repositories", SCOPE_READ, 0, api_repositories, ROUTE_PLAIN},
    {"POST", "/api/v1/repositories/{}/look", SCOPE_SUBMIT, SMALL, api_look, ROUTE_SLOW},
    {"POST", "/api/v1/repositories/{}/jobs", SCOPE_SUBMIT, SMALL, api_jobs_add, ROUTE_SLOW},
    {"GET", "/api/v1/repositories/{}/log", SCOPE_READ, 0, api_log, ROUTE_PLAIN},
    {"GET", "/api/v1/repositories/{}/commits/{}", SCOPE_READ, 0, api_commit, ROUTE_PLAIN},
    {"GET", "/api/v1/repositories/{}/commits/{}/profile", SCOPE_READ, 0, api_profile, ROUTE_PLAIN},
    {"GET", "/api/v1/repositories/{}/compare", SCOPE_READ, 0, api_compare, ROUTE_PLAIN},
    {"GET", "/api/v1/repositories/{}/series", SCOPE_READ, 0, api_series, ROUTE_PLAIN},
    {"GET", "/api/v1/repositories/{}/export", SCOPE_READ, 0, api_export, ROUTE_SLOW},
    {"POST", "/api/v1/import", SCOPE_ADMIN, ARCHIVE, api_import, ROUTE_FILE},
    {"GET", "/api/v1/repositories/{}/changepoints", SCOPE_READ, 0, api_changepoints, ROUTE_PLAIN},
    {"GET", "/api/v1/repositories/{}/selftest", SCOPE_READ, 0, api_selftest, ROUTE_PLAIN},
    {"GET", "/api/v1/repositories/{}/suspects", SCOPE_READ, 0, api_suspects, ROUTE_PLAIN},
    {"GET", "/api/v1/status", SCOPE_READ, 0, api_status, ROUTE_PLAIN},
    {"GET", "/api/v1/events", SCOPE_READ, 0, api_events, ROUTE_PLAIN},
    {"GET", "/api/v1/jobs", SCOPE_READ, 0, api_jobs, ROUTE_PLAIN},
    {"GET", "/api/v1/jobs/{}", SCOPE_READ, 0, api_job, ROUTE_PLAIN},
    {"DELETE", "/api/v1/jobs/{}", SCOPE_SUBMIT, 0, api_job_cancel, ROUTE_PLAIN},
    {"POST", "/api/v1/jobs/{}/retry", SCOPE_SUBMIT, SMALL, api_job_retry, ROUTE_PLAIN},
    {"GET", "/api/v1/alerts", SCOPE_READ, 0, api_alerts, ROUTE_PLAIN},
    {"GET", "/api/v1/alerts/{}", SCOPE_READ, 0, api_alert, ROUTE_PLAIN},
    {"POST", "/api/v1/alerts/{}", SCOPE_SUBMIT, SMALL, api_alert_act, ROUTE_PLAIN},
    {"POST", "/api/v1/jobs/claim", SCOPE_RUNNER, SMALL, api_claim, ROUTE_PLAIN},
    {"GET", "/api/v1/jobs/{}/source/{}", SCOPE_RUNNER, 0, api_source, ROUTE_SLOW},
    {"POST", "/api/v1/jobs/{}/progress", SCOPE_RUNNER, SMALL, api_progress, ROUTE_PLAIN},
    {"POST", "/api/v1/jobs/{}/release", SCOPE_RUNNER, SMALL, api_release, ROUTE_PLAIN},
    {"PUT", "/api/v1/runs/{}", SCOPE_RUNNER, HP_WIRE_RESULT_LIMIT, api_run_put, ROUTE_HEAVY},
    {"GET", "/api/v1/tokens", SCOPE_ADMIN, 0, api_tokens, ROUTE_PLAIN},
    {"POST", "/api/v1/tokens", SCOPE_ADMIN, SMALL, api_token_create, ROUTE_PLAIN},
    {"DELETE", "/api/v1/tokens/{}", SCOPE_ADMIN, 0, api_token_revoke, ROUTE_PLAIN},
    {"POST", "/api/v1/login-links", SCOPE_ADMIN, SMALL, api_login_link, ROUTE_PLAIN},
    {"GET", "/api/v1/audit", SCOPE_ADMIN, 0, api_audit, ROUTE_PLAIN},
    {"POST", "/webhook/{}", SCOPE_PUBLIC, WEBHOOK, api_webhook, ROUTE_SLOW},
    {"GET", "/api/v1/openapi.json", SCOPE_READ, 0, api_openapi, ROUTE_PLAIN},
    {"GET", "/*", SCOPE_READ, 0, page_file, ROUTE_PLAIN},
    {0},
};

const size_t route_count = sizeof routes / sizeof *routes - 1;
