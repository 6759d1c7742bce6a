#include "cli/wait.h"

#include "cli/figures.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/term.h"

#include <string.h>

#define POLL_MS 500
#define AWAY_SECONDS 30.0

void cli_progress_text(const json_t *state, char *out, size_t room)
{
    const json_t *progress = json_object_get(state, "progress");
    const char *phase = hp_json_string(state, "state", "?");
    if (!json_is_object(progress)) {
        snprintf(out, room, "%s", phase);
        return;
    }
    HP_FREE char *text = cli_clean(hp_json_string(progress, "text", ""));
    int64_t done = hp_json_int(progress, "done", 0), total = hp_json_int(progress, "total", 0);
    const char *stage = hp_json_string(progress, "stage", phase);
    if (total > 0)
        snprintf(out, room, "%s %lld/%lld%s%s", stage, (long long)done, (long long)total,
                 text && text[0] ? ", " : "", text ? text : "");
    else
        snprintf(out, room, "%s%s%s", stage, text && text[0] ? ", " : "", text ? text : "");
}

static bool finished(const json_t *state, struct hp_error *err, bool *failed)
{
    const char *name = hp_json_string(state, "state", "");
    bool cancelled = strcmp(name, "cancelled") == 0;
    *failed = strcmp(name, "dead") == 0 || cancelled;
    if (*failed) {
        HP_FREE char *reason = cli_clean(hp_json_string(state, "reason", "no reason was given"));
        long long job = (long long)hp_json_int(state, "job", 0);
        hp_fail(err, HP_FAILED, "job %lld was %s: %s", job, cancelled ? "called off" : "given up",
                reason ? reason : "");
        hp_error_hint(err, "`hakperf queue --retry %lld` lets it wait again.", job);
    }
    return *failed || strcmp(name, "done") == 0;
}

json_t *cli_wait_job(struct cli_session *session, long long job, const char *label,
                     struct hp_error *err)
{
    double last_answer = hp_monotonic_s();
    for (;;) {
        HP_JSON json_t *state = cli_get(session, err, "/api/v1/jobs/%lld", job);
        double now = hp_monotonic_s();
        bool failed = false;
        if (state) {
            last_answer = now;
            if (finished(state, err, &failed)) {
                hp_progress("%s", "");
                return failed ? NULL : hp_take(state);
            }
            char text[256];
            cli_progress_text(state, text, sizeof text);
            if (!session->quiet)
                hp_progress("%s: %s", label, text);
        } else if ((err->code != HP_UNAVAILABLE && err->code != HP_TIMEOUT) ||
                   now - last_answer > AWAY_SECONDS) {
            hp_progress("%s", "");
            return NULL;
        } else if (!session->quiet) {
            hp_progress("%s: the collector does not answer, trying again", label);
        }
        hp_sleep_ms(POLL_MS);
    }
}

static bool begins_alike(const char *sha, const char *other)
{
    size_t n = strlen(sha), m = strlen(other);
    size_t shorter = n < m ? n : m;
    return shorter >= 4 && strncmp(sha, other, shorter) == 0;
}

static long long find_in(const json_t *list, const char *head, const char *base)
{
    size_t i;
    const json_t *state;
    json_array_foreach (list, i, state) {
        if (begins_alike(hp_json_string(state, "sha", ""), head) &&
            (!base || begins_alike(hp_json_string(state, "base", ""), base)))
            return hp_json_int(state, "job", 0);
    }
    return 0;
}

long long cli_find_job(struct cli_session *session, const char *head, const char *base,
                       struct hp_error *err)
{
    HP_JSON json_t *status = cli_get(session, err, "/api/v1/status");
    if (!status)
        return -1;
    long long job = find_in(json_object_get(status, "running"), head, base);
    return job ? job : find_in(json_object_get(status, "queue"), head, base);
}
