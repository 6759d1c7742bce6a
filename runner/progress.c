#include "runner/progress.h"

#include "common/term.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct rn_progress {
    pthread_mutex_t mutex;
    char stage[32];
    char text[256];
    int64_t done, total;
};

struct rn_progress *rn_progress_new(void)
{
    struct rn_progress *progress = calloc(1, sizeof *progress);
    if (progress) {
        pthread_mutex_init(&progress->mutex, NULL);
        snprintf(progress->stage, sizeof progress->stage, "start");
    }
    return progress;
}

void rn_progress_free(struct rn_progress *progress)
{
    if (!progress)
        return;
    pthread_mutex_destroy(&progress->mutex);
    free(progress);
}

void rn_progress_set(struct rn_progress *progress, const char *stage, int64_t done, int64_t total,
                     const char *format, ...)
{
    char text[sizeof progress->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pthread_mutex_lock(&progress->mutex);
    snprintf(progress->stage, sizeof progress->stage, "%s", stage);
    snprintf(progress->text, sizeof progress->text, "%s", text);
    progress->done = done;
    progress->total = total;
    pthread_mutex_unlock(&progress->mutex);
    if (total > 0)
        hp_progress("%s: %s (%lld of %lld)", stage, text, (long long)done, (long long)total);
    else
        hp_progress("%s: %s", stage, text);
}

void rn_progress_hide(void)
{
    hp_progress("%s", "");
}

json_t *rn_progress_json(struct rn_progress *progress)
{
    pthread_mutex_lock(&progress->mutex);
    json_t *json = json_pack("{s:s, s:I, s:I, s:s}", "stage", progress->stage, "done",
                             (json_int_t)progress->done, "total", (json_int_t)progress->total,
                             "text", progress->text);
    pthread_mutex_unlock(&progress->mutex);
    return json;
}
