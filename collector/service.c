#include "collector/service.h"

#include "common/cleanup.h"

#include <stdlib.h>
#include <string.h>

char *service_webhook(struct service *service)
{
    pthread_mutex_lock(&service->mutex);
    char *copy = service->webhook ? strdup(service->webhook) : NULL;
    pthread_mutex_unlock(&service->mutex);
    return copy;
}

int64_t service_poll(struct service *service)
{
    pthread_mutex_lock(&service->mutex);
    int64_t seconds = service->poll_s;
    pthread_mutex_unlock(&service->mutex);
    return seconds;
}

/* Both without links and dots, where they exist. */
static bool lies_below(const char *path, const char *folder, size_t length)
{
    HP_FREE char *name = strndup(folder, length);
    HP_FREE char *real_folder = name ? realpath(name, NULL) : NULL;
    HP_FREE char *real_path = realpath(path, NULL);
    size_t n = real_folder ? strlen(real_folder) : 0;
    return real_folder && real_path && strncmp(real_path, real_folder, n) == 0 &&
           (real_path[n] == '/' || real_path[n] == '\0' || n == 1);
}

bool service_may_read(const struct service *service, bool over_unix, const char *url,
                      struct hp_error *err)
{
    const char *path = strncmp(url, "file://", 7) == 0 ? strchr(url + 7, '/') : url;
    const char *folders = service->local_repositories;
    if (*url != '/' && strncmp(url, "file://", 7) != 0)
        return true;
    if (!folders && over_unix)
        return true;
    for (const char *at = folders; path && at && *at;) {
        size_t length = strcspn(at, ":");
        if (length > 0 && lies_below(path, at, length))
            return true;
        at += length + (at[length] == ':');
    }
    hp_fail(err, HP_DENIED, "a repository of this machine may not be used: %.200s", url);
    return hp_error_hint(err, folders
                                  ? "It has to lie below a folder of --local-repositories."
                                  : "Register it over the collector's socket, or name its folder "
                                    "to the collector: --local-repositories FOLDER.");
}

void service_set(struct service *service, const char *webhook, int64_t poll_s)
{
    char *copy = webhook && *webhook ? strdup(webhook) : NULL;
    pthread_mutex_lock(&service->mutex);
    free(service->webhook);
    service->webhook = copy;
    service->poll_s = poll_s;
    pthread_mutex_unlock(&service->mutex);
}
