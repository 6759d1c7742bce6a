#include "collector/service.h"

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

void service_set(struct service *service, const char *webhook, int64_t poll_s)
{
    char *copy = webhook && *webhook ? strdup(webhook) : NULL;
    pthread_mutex_lock(&service->mutex);
    free(service->webhook);
    service->webhook = copy;
    service->poll_s = poll_s;
    pthread_mutex_unlock(&service->mutex);
}
