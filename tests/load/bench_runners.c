/* A thousand runners, each with the rhythm of a short run; and what connections cost. */
#include "tests/load/bench.h"

#include "common/clock.h"
#include "common/json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A run of a real machine takes minutes; one that renews twice and is done after so long is quick.
 */
static const double CYCLE_S = 30;

struct crowd {
    struct world *world;
    double end;
    pthread_mutex_t mutex; /* of what follows */
    struct bench_times claims, renewals, deliveries;
    unsigned long sent, failures;
};

struct runner {
    struct crowd *crowd;
    struct hp_http *http;
    char name[32];
    struct bench_times claims, renewals, deliveries;
    unsigned long sent, failures;
};

static void sleep_until(double at, double end)
{
    for (double left; (left = (at < end ? at : end) - hp_monotonic_s()) > 0;)
        usleep((useconds_t)(left > 0.5 ? 500000 : left * 1e6 + 1));
}

static bool renew(struct runner *r, const json_t *job)
{
    struct hp_error err;
    HP_FREE char *path =
        hp_format("/api/v1/jobs/%lld/progress", (long long)hp_json_int(job, "job", 0));
    HP_JSON json_t *body =
        json_pack("{s:O, s:s}", "fence", json_object_get(job, "fence"), "stage", "measure");
    HP_JSON json_t *answer = NULL;
    double before = hp_monotonic_s();
    bool ok = hp_http_json(r->http, "POST", path, body, &answer, NULL, &err);
    bench_time_add(&r->renewals, hp_monotonic_s() - before);
    return ok;
}

static bool deliver(struct runner *r, const json_t *job)
{
    struct hp_error err;
    size_t size;
    HP_BUFFER struct hp_buffer answer = {0};
    HP_FREE char *text = document_text(job, r->name, (int64_t)r->sent,
                                       document_improved((int64_t)r->sent + 1), &size);
    HP_FREE char *path = hp_format("/api/v1/runs/%s", hp_json_string(job, "run", ""));
    double before = hp_monotonic_s();
    bool ok = hp_http_bytes(r->http, "PUT", path, "application/json", text, size, 65536, &answer,
                            NULL, &err);
    bench_time_add(&r->deliveries, hp_monotonic_s() - before);
    return ok;
}

static void run_once(struct runner *r, double begin)
{
    HP_JSON json_t *job = NULL;
    double before = hp_monotonic_s(), end = r->crowd->end;
    int claimed = runner_claim(r->http, r->name, &job);
    bench_time_add(&r->claims, hp_monotonic_s() - before);
    if (claimed != 1) {
        r->failures++;
        return;
    }
    sleep_until(begin + CYCLE_S / 3, end);
    r->failures += !renew(r, job);
    sleep_until(begin + CYCLE_S * 2 / 3, end);
    r->failures += !renew(r, job);
    sleep_until(begin + CYCLE_S * 0.9, end);
    if (deliver(r, job))
        r->sent++;
    else
        r->failures++;
}

static void work(void *argument, int number)
{
    struct crowd *crowd = argument;
    struct hp_error err;
    struct runner r = {.crowd = crowd, .http = hp_http_new(world_server(crowd->world), NULL, &err)};
    snprintf(r.name, sizeof r.name, "bench-%d", number);
    /* They came at different times. */
    double begin = hp_monotonic_s() + CYCLE_S * (number % 997) / 997;
    for (sleep_until(begin, crowd->end); begin < crowd->end; begin += CYCLE_S) {
        sleep_until(begin, crowd->end);
        if (hp_monotonic_s() < crowd->end)
            run_once(&r, begin);
    }
    pthread_mutex_lock(&crowd->mutex);
    bench_times_join(&crowd->claims, &r.claims);
    bench_times_join(&crowd->renewals, &r.renewals);
    bench_times_join(&crowd->deliveries, &r.deliveries);
    crowd->sent += r.sent;
    crowd->failures += r.failures;
    pthread_mutex_unlock(&crowd->mutex);
    hp_http_free(r.http);
}

/* Memory of the collector over the time of the load. All runners have come after one cycle: what
 * is more then than in the part that follows is growth, not connections. */
struct watch {
    pid_t pid;
    double begin, middle, end;
    long early, late, most; /* the most in the two halves of what follows, and of all */
};

static void note_most(long *most, long value)
{
    *most = value > *most ? value : *most;
}

static void *watch_memory(void *argument)
{
    struct watch *w = argument;
    for (double now; (now = hp_monotonic_s()) < w->end;) {
        long rss = process_rss(w->pid);
        note_most(&w->most, rss);
        if (now > w->middle)
            note_most(&w->late, rss);
        else if (now > w->begin + CYCLE_S)
            note_most(&w->early, rss);
        usleep(250000);
    }
    return NULL;
}

static void tell(struct crowd *c, const struct watch *w, const struct bench_options *o, long stored,
                 long doubled)
{
    char what[64];
    double p99 = bench_quantile_ms(&c->claims, 0.99);
    snprintf(what, sizeof what, "%d runners for %.0f s", o->runners, o->seconds);
    bench_row(what, "0 lost, 0 doubled", c->sent > 0 && stored == (long)c->sent && doubled == 0,
              "%lu sent, %ld lost, %ld doubled", c->sent, (long)c->sent - stored, doubled);
    bench_row("  claim, p99", "< 50 ms", p99 < 50, "%.1f ms (median %.1f ms)", p99,
              bench_quantile_ms(&c->claims, 0.5));
    bench_note("each claims, renews twice and delivers within %.0f s; renew p99 %.1f ms; deliver "
               "median %.1f ms, p99 %.1f ms; %lu requests failed and were not counted as sent",
               CYCLE_S, bench_quantile_ms(&c->renewals, 0.99),
               bench_quantile_ms(&c->deliveries, 0.5), bench_quantile_ms(&c->deliveries, 0.99),
               c->failures);
    bench_row("  memory of the collector under that load", "< 64 MiB", w->most < 64 * 1024,
              "%.1f MiB at most", (double)w->most / 1024);
    if (w->early > 0)
        bench_row("  growth, second half against the first", "none (< 5 %)",
                  (double)w->late < 1.05 * (double)w->early, "%+.1f MiB over %.0f s",
                  (double)(w->late - w->early) / 1024, (w->end - w->begin - CYCLE_S) / 2);
    else
        bench_note("too short to tell growth: all runners have come after %.0f s", CYCLE_S);
}

void bench_runners(struct world *world, const struct bench_options *o)
{
    struct crowd crowd = {.world = world, .end = hp_monotonic_s() + o->seconds};
    unsigned jobs = (unsigned)(o->runners * (o->seconds / CYCLE_S + 2));
    pthread_t watcher;
    long first = atol(world_ask(world, "SELECT coalesce(max(id), 0) FROM store.job"));
    pthread_mutex_init(&crowd.mutex, NULL);
    for (unsigned made = 0; made < jobs; made += 10000)
        if (!world_add_jobs(world, jobs - made < 10000 ? jobs - made : 10000))
            die("no jobs");
    long before = atol(world_ask(world, "SELECT count(*) FROM store.run"));
    crowd.end = hp_monotonic_s() + o->seconds;
    double now = hp_monotonic_s();
    struct watch watch = {.pid = world->collector.pid,
                          .begin = now,
                          .middle = (now + CYCLE_S + crowd.end) / 2,
                          .end = crowd.end};
    if (pthread_create(&watcher, NULL, watch_memory, &watch) != 0)
        die("cannot start a thread");
    bench_threads(o->runners, work, &crowd);
    pthread_join(watcher, NULL);
    long after = atol(world_ask(world, "SELECT count(*) FROM store.run"));
    /* Jobs before `first` are those of the part before, which stores each of its documents twice.
     */
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM (SELECT FROM store.run WHERE job > %ld GROUP BY job "
             "HAVING count(*) > 1) x",
             first);
    long doubled = atol(world_ask(world, sql));
    tell(&crowd, &watch, o, after - before, doubled);
}

/* --- connections --------------------------------------------------------------------------------
 */

/* All of them open at the same time, each having asked something. */
void bench_connections(struct world *world, const struct bench_options *o)
{
    struct hp_error err;
    struct hp_http **http = calloc((size_t)o->connections, sizeof *http);
    for (int i = 0; i < o->connections; i++) {
        http[i] = hp_http_new(world_server(world), NULL, &err);
        if (!http[i])
            die("%s", err.message);
        bench_get(http[i], i % 2 ? "/api/v1/status" : "/api/v1/repositories/load/log?limit=20");
    }
    long rss = process_rss(world->collector.pid);
    char what[64];
    snprintf(what, sizeof what, "memory with %d connections open", o->connections);
    bench_row(what, "< 64 MiB", rss < 64 * 1024, "%.1f MiB", (double)rss / 1024);
    for (int i = 0; i < o->connections; i++)
        hp_http_free(http[i]);
    free(http);
}
