#include "runner/progress.h"

#include "common/term.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rn_progress {
    pthread_mutex_t mutex;
    char stage[32];
    char text[256];
    int64_t done, total;
    bool mute; /* of the one thread that sets */
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

static void keep(struct rn_progress *progress, const char *stage, int64_t done, int64_t total,
                 const char *text)
{
    pthread_mutex_lock(&progress->mutex);
    snprintf(progress->stage, sizeof progress->stage, "%s", stage);
    snprintf(progress->text, sizeof progress->text, "%s", text);
    progress->done = done;
    progress->total = total;
    pthread_mutex_unlock(&progress->mutex);
}

void rn_progress_set(struct rn_progress *progress, const char *stage, int64_t done, int64_t total,
                     const char *format, ...)
{
    char text[sizeof progress->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    keep(progress, stage, done, total, text);
    if (progress->mute)
        return;
    if (total > 0)
        hp_progress("%s: %s (%lld of %lld)", stage, text, (long long)done, (long long)total);
    else
        hp_progress("%s: %s", stage, text);
}

/* Column of a fraction on the scale; beyond its ends -1 and RN_SCALE. */
static int column(double value, double margin)
{
    double at = (RN_SCALE - 1) / 2.0 + value / margin * (RN_SCALE / 6.0);
    return at < 0 ? -1 : at > RN_SCALE - 1 ? RN_SCALE : (int)lround(at);
}

void rn_scale(const struct rn_pairs_progress *pairs, char out[RN_SCALE + 1])
{
    memset(out, '.', RN_SCALE);
    out[RN_SCALE] = '\0';
    out[column(-pairs->margin, pairs->margin)] = ':';
    out[column(pairs->margin, pairs->margin)] = ':';
    out[column(0, pairs->margin)] = '|';
    if (!pairs->known)
        return;
    int low = column(pairs->low, pairs->margin), high = column(pairs->high, pairs->margin);
    int at = column(pairs->estimate, pairs->margin);
    for (int i = low < 0 ? 0 : low; i <= high && i < RN_SCALE; i++)
        out[i] = out[i] == '.' ? '=' : out[i];
    if (low >= 0 && low < RN_SCALE)
        out[low] = '(';
    if (high >= 0 && high < RN_SCALE)
        out[high] = ')';
    if (at >= 0 && at < RN_SCALE)
        out[at] = 'o';
    if (low < 0)
        out[0] = '<';
    if (high >= RN_SCALE)
        out[RN_SCALE - 1] = '>';
}

#define BAR 12

static void show_pairs(const struct rn_pairs_progress *pairs, const char *interval)
{
    char scale[RN_SCALE + 1], bar[BAR + 1];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < pairs->done * BAR / pairs->most ? '#' : '-';
    bar[BAR] = '\0';
    rn_scale(pairs, scale);
    hp_progress("%.20s [%s] %lld/%lld %s %s, %.0f s", pairs->workload, bar, (long long)pairs->done,
                (long long)pairs->most, scale, interval, pairs->left_s);
}

void rn_progress_pairs(struct rn_progress *progress, const struct rn_pairs_progress *pairs)
{
    char text[sizeof progress->text], interval[80] = "";
    if (pairs->known)
        snprintf(interval, sizeof interval, "%+.2f to %+.2f %%", 100 * pairs->low,
                 100 * pairs->high);
    snprintf(text, sizeof text, "%s%s%s, about %.0f s at most", pairs->workload,
             interval[0] ? ", " : "", interval, pairs->left_s);
    keep(progress, "measure", pairs->done, pairs->most, text);
    if (progress->mute)
        return;
    if (isatty(STDERR_FILENO))
        show_pairs(pairs, interval);
    else
        hp_progress("measure: %s (%lld of %lld)", text, (long long)pairs->done,
                    (long long)pairs->most);
}

void rn_progress_mute(struct rn_progress *progress, bool mute)
{
    progress->mute = mute;
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
