/* What the service says about itself: health, readiness, metrics, status, jobs. */
#include "collector/api.h"
#include "collector/counters.h"
#include "collector/view.h"
#include "common/cleanup.h"
#include "common/wire.h"

#include <string.h>

bool api_health(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    (void)service;
    (void)request;
    return answer_json(answer, 200, json_pack("{s:s}", "status", "ok"), err);
}

/* The document is fixed; the copy lets it have a validator like all others. */
bool api_openapi(struct service *service, const struct request *request, struct answer *answer,
                 struct hp_error *err)
{
    (void)service;
    (void)request;
    const struct hp_embedded *file = hp_embedded_find(wire_data, "openapi.json");
    if (!file)
        return hp_fail(err, HP_INTERNAL, "there is no openapi.json");
    answer->body = strndup(file->data, file->size);
    if (!answer->body)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    answer->size = file->size;
    answer->content_type = "application/json";
    return true;
}

bool api_ready(struct service *service, const struct request *request, struct answer *answer,
               struct hp_error *err)
{
    (void)request;
    DB_RESULT PGresult *row = db_pool_query(service->db, "ready.sql", DB_NO_PARAMS, err);
    if (!row) {
        err->code = HP_UNAVAILABLE;
        return hp_error_context(err, "the database does not answer");
    }
    if (!db_get_bool(row, 0, 0))
        return hp_fail(err, HP_UNAVAILABLE, "the database is a replica and takes no writes");
    return answer_json(answer, 200, json_pack("{s:s}", "status", "ready"), err);
}

/* Figures of the process: connections, workers, the pool. */
static bool process_text(struct service *service, struct hp_buffer *out)
{
    struct server_load load;
    struct db_stats pool;
    server_load(service->server, &load);
    db_stats(service->db, &pool);
    return hp_buffer_printf(
        out,
        "# HELP hakperf_build_info The version that answers.\n"
        "# TYPE hakperf_build_info gauge\nhakperf_build_info{version=\"" HAKPERF_VERSION "\"} 1\n"
        "# HELP hakperf_connections Open connections of clients.\n"
        "# TYPE hakperf_connections gauge\nhakperf_connections %u\n"
        "# HELP hakperf_parked_requests Long polls that wait.\n"
        "# TYPE hakperf_parked_requests gauge\nhakperf_parked_requests %u\n"
        "# HELP hakperf_event_streams Clients that follow the events.\n"
        "# TYPE hakperf_event_streams gauge\nhakperf_event_streams %u\n"
        "# HELP hakperf_workers_busy Workers that answer a request.\n"
        "# TYPE hakperf_workers_busy gauge\nhakperf_workers_busy %d\n"
        "# HELP hakperf_requests_waiting Requests that wait for a worker.\n"
        "# TYPE hakperf_requests_waiting gauge\nhakperf_requests_waiting %d\n"
        "# HELP hakperf_body_bytes Bytes of bodies in hand.\n"
        "# TYPE hakperf_body_bytes gauge\nhakperf_body_bytes %zu\n"
        "# HELP hakperf_db_connections Connections to the database: open, of them busy, and how "
        "many there may be.\n"
        "# TYPE hakperf_db_connections gauge\n"
        "hakperf_db_connections{state=\"limit\"} %d\n"
        "hakperf_db_connections{state=\"open\"} %d\n"
        "hakperf_db_connections{state=\"busy\"} %d\n"
        "# HELP hakperf_db_calls_total Calls of the database.\n"
        "# TYPE hakperf_db_calls_total counter\n"
        "hakperf_db_calls_total{outcome=\"all\"} %llu\n"
        "hakperf_db_calls_total{outcome=\"error\"} %llu\n"
        "hakperf_db_calls_total{outcome=\"timeout\"} %llu\n"
        "# HELP hakperf_db_reconnects_total Connections that were opened again.\n"
        "# TYPE hakperf_db_reconnects_total counter\nhakperf_db_reconnects_total %llu\n",
        load.connections, load.parked, load.streams, load.busy, load.waiting, load.body_memory,
        pool.size, pool.open, pool.busy, (unsigned long long)pool.calls,
        (unsigned long long)pool.errors, (unsigned long long)pool.timeouts,
        (unsigned long long)pool.reconnects);
}

/* Figures of the database. Without it the others still count: the text then says so. */
static bool store_text(struct service *service, struct hp_buffer *out)
{
    struct hp_error err = {0};
    DB_RESULT PGresult *rows = db_pool_query(service->db, "metrics.sql", DB_NO_PARAMS, &err);
    bool ok = hp_buffer_printf(out,
                               "# HELP hakperf_db_up Whether the database answered.\n"
                               "# TYPE hakperf_db_up gauge\nhakperf_db_up %d\n",
                               rows ? 1 : 0);
    const char *last = "";
    for (int i = 0; rows && i < PQntuples(rows); i++) {
        const char *name = db_text(rows, i, 0);
        if (strcmp(name, last) != 0)
            ok = ok && hp_buffer_printf(out, "# HELP hakperf_%s %s\n# TYPE hakperf_%s gauge\n",
                                        name, db_text(rows, i, 3), name);
        last = name;
        ok = ok && hp_buffer_printf(out, "hakperf_%s{state=\"%s\"} %.15g\n", name,
                                    db_text(rows, i, 1), db_get_real(rows, i, 2));
    }
    return ok;
}

bool api_metrics(struct service *service, const struct request *request, struct answer *answer,
                 struct hp_error *err)
{
    (void)request;
    HP_BUFFER struct hp_buffer out = {0};
    if (!counters_text(&out, routes) || !process_text(service, &out) || !store_text(service, &out))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer->size = out.size;
    answer->body = hp_take(out.data);
    return true;
}

static bool answer_view(struct answer *answer, json_t *value, struct hp_error *err)
{
    return value && answer_json(answer, 200, value, err);
}

bool api_status(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    (void)request;
    return answer_view(answer, view_status(service->db, err), err);
}

bool api_job(struct service *service, const struct request *request, struct answer *answer,
             struct hp_error *err)
{
    int64_t job;
    return api_job_number(request->arg[0], &job, err) &&
           answer_view(answer, view_job(service->db, job, err), err);
}

bool api_jobs(struct service *service, const struct request *request, struct answer *answer,
              struct hp_error *err)
{
    int64_t limit, before = 0;
    if (!request_int(request, "limit", 1, VIEW_JOB_LIMIT, 50, &limit, err) ||
        !request_int(request, "before", 1, INT64_MAX, 0, &before, err))
        return false;
    struct view_jobs which = {.repository = request_param(request, "repository"),
                              .state = request_param(request, "state"),
                              .kind = request_param(request, "kind"),
                              .before = before,
                              .limit = (int)limit};
    return answer_rows(answer, request, view_jobs(service->db, &which, err), "jobs",
                       "job,kind,repository,sha,subject,base,state,attempt,runner,created,started,"
                       "finished,reason",
                       err);
}
