/* Server-sent events. */
#include "collector/api.h"
#include "collector/events.h"

#include <string.h>

/* EventSource sends the header by itself when it connects again; `after` says the same for those
 * who cannot send headers. */
static bool read_after(const struct request *request, int64_t *from, struct hp_error *err)
{
    const char *header = server_header(request, "Last-Event-ID");
    const char *after = request_param(request, "after");
    *from = events_id(header ? header : after);
    if (header || *from != -2)
        return true; /* what a browser repeats is answered by a reset, not by an end */
    hp_fail(err, HP_USAGE, "'%.40s' is no id of an event", after);
    return hp_error_path(err, "after");
}

bool api_events(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    const char *repository = request_param(request, "repository");
    char id[DB_TEXT];
    MIRROR struct mirror mirror = {0};
    if (!read_after(request, &answer->stream_from, err) ||
        (repository && !api_repository(service, service->reader, repository, id, &mirror, err)))
        return false;
    if (server_streams(service->server) >= service->stream_limit)
        return hp_fail(err, HP_UNAVAILABLE, "%lld follow the service already",
                       (long long)service->stream_limit);
    answer->stream = true;
    snprintf(answer->stream_topic, sizeof answer->stream_topic, "%s", repository ? repository : "");
    answer->content_type = "text/event-stream";
    bool ok = answer_header(answer, "X-Accel-Buffering", "no");
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}
