/* Alerts: what a person has to look at, and what people do with it. */
#include "collector/api.h"
#include "collector/auth.h"
#include "collector/view.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

enum { OWNER_MOST = 100, NOTE_MOST = 2000 };

static bool alert_number(const char *text, int64_t *out, struct hp_error *err)
{
    if (api_job_number(text, out, err))
        return true;
    return hp_fail(err, HP_NOT_FOUND, "there is no alert '%.40s'", text);
}

bool api_alerts(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    int64_t limit, before = 0;
    if (!request_int(request, "limit", 1, VIEW_ALERT_LIMIT, 50, &limit, err) ||
        !request_int(request, "before", 1, INT64_MAX, 0, &before, err))
        return false;
    struct view_alerts which = {.repository = request_param(request, "repository"),
                                .state = request_param(request, "state"),
                                .owner = request_param(request, "owner"),
                                .before = before,
                                .limit = (int)limit};
    return answer_rows(answer, request, view_alerts(service->reader, &which, err), "alerts",
                       "id,kind,repository,sha,subject,state,owner,resolution,created,changed,"
                       "workload,metric,change,low,high,sentence,cause,reproduce",
                       err);
}

bool api_alert(struct service *service, const struct request *request, struct answer *answer,
               struct hp_error *err)
{
    int64_t id;
    json_t *alert = NULL;
    return alert_number(request->arg[0], &id, err) &&
           (alert = view_alert(service->reader, id, err)) && answer_json(answer, 200, alert, err);
}

/* --- POST --------------------------------------------------------------------------------------
 */

/* What the body may say, and how the history calls it. */
static const char *const actions[][2] = {
    {"acknowledge", "acknowledged"}, {"assign", "assigned"}, {"resolve", "resolved"},
    {"reopen", "reopened"},          {"note", "noted"},
};

static const char *step_of(const json_t *body, struct hp_error *err)
{
    const char *action = hp_json_string(body, "action", "");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i][0], action) == 0)
            return actions[i][1];
    hp_fail(err, HP_INVALID, "there is no action '%.40s'", action);
    hp_error_hint(err, "Give acknowledge, assign, resolve, reopen or note.");
    hp_error_path(err, "/action");
    return NULL;
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t')
            return false;
    return true;
}

/* A text that may be missing or null. */
static bool read_text(const json_t *body, const char *key, size_t most, const char **out,
                      struct hp_error *err)
{
    const json_t *value = json_object_get(body, key);
    *out = json_string_value(value);
    bool missing = !value || json_is_null(value);
    if (missing || (*out && **out && strlen(*out) == json_string_length(value) &&
                    json_string_length(value) <= most && is_plain(*out)))
        return true;
    hp_fail(err, HP_INVALID, "'%s' must be a text of 1 to %zu bytes without control characters",
            key, most);
    return hp_error_path(err, "/%s", key);
}

struct step {
    const char *what, *owner, *note, *resolution;
};

static bool check_keys(const json_t *body, struct hp_error *err)
{
    static const char *const known[] = {"action", "owner", "note", "resolution"};
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)body, key, value) {
        bool ok = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            ok = ok || strcmp(key, known[i]) == 0;
        if (ok)
            continue;
        hp_fail(err, HP_INVALID, "'%.40s' is no part of a step with an alert", key);
        return hp_error_path(err, "/%.40s", key);
    }
    return true;
}

static bool read_resolution(const json_t *body, struct step *step, struct hp_error *err)
{
    static const char *const known[] = {"fixed", "reverted", "accepted", "false"};
    if (!read_text(body, "resolution", 16, &step->resolution, err))
        return false;
    bool resolves = strcmp(step->what, "resolved") == 0;
    if (!resolves && !step->resolution)
        return true;
    if (resolves && !step->resolution)
        step->resolution = "fixed";
    for (size_t i = 0; resolves && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(step->resolution, known[i]) == 0)
            return true;
    hp_fail(err, HP_INVALID, "'%.20s' is no way to end this", step->resolution);
    hp_error_hint(err, "With resolve give fixed, reverted, accepted or false.");
    return hp_error_path(err, "/resolution");
}

static bool read_step(const json_t *body, struct step *step, struct hp_error *err)
{
    if (!check_keys(body, err) || !(step->what = step_of(body, err)) ||
        !read_text(body, "owner", OWNER_MOST, &step->owner, err) ||
        !read_text(body, "note", NOTE_MOST, &step->note, err) || !read_resolution(body, step, err))
        return false;
    bool assigns = strcmp(step->what, "assigned") == 0;
    if (assigns != (json_object_get(body, "owner") != NULL)) {
        hp_fail(err, HP_INVALID, assigns ? "'owner' is missing" : "only assign takes an owner");
        hp_error_hint(err, "An owner of null takes it from whom it belongs to.");
        return hp_error_path(err, "/owner");
    }
    if (strcmp(step->what, "noted") == 0 && !step->note) {
        hp_fail(err, HP_INVALID, "'note' is missing");
        return hp_error_path(err, "/note");
    }
    return true;
}

bool api_alert_act(struct service *service, const struct request *request, struct answer *answer,
                   struct hp_error *err)
{
    int64_t id;
    char number[DB_TEXT];
    struct step step = {0};
    HP_JSON json_t *body = request_json(request, err);
    if (!body || !alert_number(request->arg[0], &id, err) || !read_step(body, &step, err) ||
        !db_pool_run(service->db, "alert_act.sql",
                     DB_PARAMS(db_int(number, id), step.what, request->who.name, step.owner,
                               step.note, step.resolution),
                     NULL, err))
        return false;
    auth_audit(service->db, request->who.name, request->address, "alert", number, body);
    json_t *alert = view_alert(service->db, id, err);
    return alert && answer_json(answer, 200, alert, err);
}
