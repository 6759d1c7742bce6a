#include "collector/settings.h"

#include "collector/outbox.h"
#include "collector/rate.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

const char *const settings_fixed[] = {
    "listen",          "no-tcp",         "socket",
    "database",        "owner-database", "reader-database",
    "fetch-timeout",   "mirror-limit",   "git-credentials",
    "git-ssh-key",     "trusted-proxy",  "connections-per-address",
    "request-timeout", "workers",        NULL,
};
enum { FIXED = sizeof settings_fixed / sizeof settings_fixed[0] - 1 };

bool settings_apply(struct service *service, const struct hp_values *values, struct hp_error *err)
{
    const char *webhook = hp_opt(values, "webhook");
    if (webhook && *webhook && !outbox_check_url(webhook, err))
        return false;
    struct service_texts texts = {.webhook = webhook,
                                  .webhook_secrets = hp_opt(values, "webhook-secrets"),
                                  .local_repositories = hp_opt(values, "local-repositories")};
    if (!service_set(service, &texts, err))
        return false;
    rate_set(hp_opt_int(values, "rate-limit"));
    service->poll_s = hp_opt_int(values, "poll");
    service->stream_limit = hp_opt_int(values, "event-streams");
    service->anonymous_read = hp_opt_flag(values, "anonymous-read");
    service->queue_limit = hp_opt_int(values, "queue-limit");
    service->repository_queue_limit = hp_opt_int(values, "repository-queue-limit");
    service->lease_s = hp_opt_int(values, "lease");
    service->max_attempts = hp_opt_int(values, "max-attempts");
    service->session_minutes = hp_opt_int(values, "session-minutes");
    service->selftest_hours = hp_opt_int(values, "self-tests");
    service->gap_jobs = hp_opt_int(values, "fill-gaps");
    service->keep_months = hp_opt_int(values, "keep-samples");
    return true;
}

static const char *given(const struct hp_values *values, const char *name)
{
    const char *text = hp_opt(values, name);
    return text ? text : "";
}

bool settings_remember(struct settings_start *start, const struct hp_values *values,
                       struct hp_error *err)
{
    start->value = calloc(FIXED, sizeof *start->value);
    bool ok = start->value != NULL;
    for (size_t i = 0; ok && i < FIXED; i++) {
        start->value[i] = strdup(given(values, settings_fixed[i]));
        ok = start->value[i] != NULL;
    }
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}

void settings_clear(struct settings_start *start)
{
    for (size_t i = 0; start->value && i < FIXED; i++)
        free(start->value[i]);
    free(start->value);
    start->value = NULL;
}

int settings_warn(const struct settings_start *start, const struct hp_values *values)
{
    int changed = 0;
    for (size_t i = 0; i < FIXED; i++) {
        if (strcmp(start->value[i], given(values, settings_fixed[i])) == 0)
            continue;
        changed++;
        hp_log(HP_LOG_WARNING, "%s was changed: it counts from the next start", settings_fixed[i]);
    }
    return changed;
}
