#include "collector/service.h"

#include "common/cleanup.h"

#include <stdlib.h>
#include <string.h>

char *service_text(struct service *service, const char *const *text)
{
    pthread_mutex_lock(&service->mutex);
    char *copy = *text ? strdup(*text) : NULL;
    pthread_mutex_unlock(&service->mutex);
    return copy;
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

bool service_may_read(struct service *service, bool over_unix, const char *url,
                      struct hp_error *err)
{
    const char *path = strncmp(url, "file://", 7) == 0 ? strchr(url + 7, '/') : url;
    HP_FREE char *folders = service_text(service, &service->texts.local_repositories);
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

static void clear(struct service_texts *texts)
{
    free((char *)texts->webhook);
    free((char *)texts->webhook_secrets);
    free((char *)texts->local_repositories);
    *texts = (struct service_texts){0};
}

/* False: out of memory. */
static bool copy(const char **out, const char *text)
{
    *out = text && *text ? strdup(text) : NULL;
    return *out || !text || !*text;
}

bool service_set(struct service *service, const struct service_texts *texts, struct hp_error *err)
{
    struct service_texts fresh = {0};
    bool ok = copy(&fresh.webhook, texts->webhook) &&
              copy(&fresh.webhook_secrets, texts->webhook_secrets) &&
              copy(&fresh.local_repositories, texts->local_repositories);
    if (ok) {
        pthread_mutex_lock(&service->mutex);
        struct service_texts old = service->texts;
        service->texts = fresh;
        fresh = old;
        pthread_mutex_unlock(&service->mutex);
    }
    clear(&fresh);
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}

void service_forget(struct service *service)
{
    clear(&service->texts);
}
