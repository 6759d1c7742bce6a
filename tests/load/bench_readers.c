/* Readers of a store that has grown for years. */
#include "tests/load/bench.h"

#include "common/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READERS = 50, REPEATS = 100, RESULTS_A_SECOND = 5, PAGES = 6, WARM_UP_S = 5 };

struct readers {
    struct world *world;
    double start, end; /* between these it counts */
    char compare[256];
    pthread_mutex_t mutex;
    struct bench_times times, page[PAGES]; /* all, and by what was asked */
    struct bench_times early;              /* before the start */
    atomic_bool over;
};

/* Stored runs are copied, each with a commit and a job of its own, over the past year, until there
 * are so many samples. Triggers (foreign keys) are off: the copies are right by construction. */
static const char grow_sql[] =
    "SET session_replication_role = replica;\n"
    "SET synchronous_commit = off;\n"
    "DO $do$\n"
    "DECLARE wanted bigint := %lld; per bigint; template uuid; first integer; n integer; t "
    "record;\n"
    "    columns text; expressions text; month date;\n"
    "BEGIN\n"
    "  SELECT r.id INTO template FROM store.run r WHERE r.status = 'measured' ORDER BY stored "
    "LIMIT "
    "1;\n"
    "  SELECT sum(cardinality(samples)) INTO per FROM store.sample_set WHERE run = template;\n"
    "  n := (wanted - (SELECT coalesce(sum(cardinality(samples)), 0) FROM store.sample_set)) / "
    "per;\n"
    "  IF n <= 0 THEN RETURN; END IF;\n"
    "  SELECT max(position) + 1 INTO first FROM store.commit;\n"
    "  FOR month IN SELECT generate_series(date_trunc('month', now() - interval '11 months'),\n"
    "      date_trunc('month', now()), interval '1 month')::date LOOP\n"
    "    IF to_regclass('store.sample_set_' || to_char(month, 'YYYYMM')) IS NULL THEN\n"
    "      EXECUTE format('CREATE TABLE store.sample_set_%%s PARTITION OF store.sample_set FOR "
    "VALUES FROM (%%L) TO (%%L)', to_char(month, 'YYYYMM'), month::timestamptz, (month + interval "
    "'1 month')::timestamptz);\n"
    "    END IF;\n"
    "  END LOOP;\n"
    "  CREATE TEMP TABLE copy AS SELECT i, gen_random_uuid() AS id,\n"
    "    lpad(to_hex(first + i), 40, '0') AS head, lpad(to_hex(first + i - 1), 40, '0') AS base,\n"
    "    now() - (n - i) * (interval '11 months' / n) AS stored FROM generate_series(0, n - 1) i;\n"
    "  INSERT INTO store.commit (repository, sha, parents, position, mainline, author, subject, "
    "committed)\n"
    "    SELECT 1, head, ARRAY[base], first + i, true, 'A', 'Commit ' || i, stored FROM copy;\n"
    "  ALTER TABLE copy ADD job bigint;\n"
    "  WITH made AS (INSERT INTO store.job (repository, kind, head, base, suite_hash, state, "
    "fence, "
    "attempt, runner, run, started, finished, created)\n"
    "    SELECT 1, 'commit', head, base, (SELECT suite_hash FROM store.repository), 'done', 1, 1, "
    "'bench', id, stored, stored, stored FROM copy RETURNING id, run)\n"
    "    UPDATE copy SET job = made.id FROM made WHERE made.run = copy.id;\n"
    "  FOR t IN SELECT c.oid, c.relname FROM pg_class c WHERE c.relnamespace = "
    "'store'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT "
    "IN ('job', 'alert', 'outbox') AND (c.relname = 'run' OR EXISTS (SELECT FROM pg_attribute a "
    "WHERE a.attrelid = c.oid AND a.attname = 'run' AND a.attnum > 0)) LOOP\n"
    "    SELECT string_agg(quote_ident(a.attname), ', '), string_agg(CASE\n"
    "        WHEN a.attname = CASE t.relname WHEN 'run' THEN 'id' ELSE 'run' END THEN 'copy.id'\n"
    "        WHEN a.attname = 'stored' THEN 'copy.stored'\n"
    "        WHEN t.relname = 'run' AND a.attname IN ('head', 'base', 'job') THEN 'copy.' || "
    "a.attname\n"
    "        WHEN t.relname = 'point' AND a.attname = 'sha' THEN 'copy.head'\n"
    "        WHEN t.relname = 'point' AND a.attname = 'position' THEN first || ' + copy.i'\n"
    "        WHEN t.relname = 'point' AND a.attname = 'ratio' THEN 'x.ratio + 0.01 * "
    "sin(copy.i)'\n"
    "        WHEN t.relname = 'arm' AND a.attname = 'sha' THEN 'CASE x.name WHEN ''head'' THEN "
    "copy.head WHEN ''base'' THEN copy.base END'\n"
    "        WHEN t.relname = 'measurement' AND a.attname IN ('median', 'low', 'high') THEN 'x.' "
    "|| "
    "a.attname || ' * (1 + 0.01 * sin(copy.i))'\n"
    "        ELSE 'x.' || quote_ident(a.attname) END, ', ')\n"
    "      INTO columns, expressions FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 "
    "AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '';\n"
    "    EXECUTE format('INSERT INTO store.%%I (%%s) SELECT %%s FROM copy CROSS JOIN store.%%I x "
    "WHERE x.%%I = %%L ORDER BY copy.i', t.relname, columns, expressions, t.relname,\n"
    "      CASE t.relname WHEN 'run' THEN 'id' ELSE 'run' END, template);\n"
    "  END LOOP;\n"
    "END $do$;\n";

static void grow(struct world *world, int64_t samples)
{
    HP_FREE char *sql = hp_format(grow_sql, (long long)samples);
    double before = hp_monotonic_s();
    PGconn *pg = world_connect(world);
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die("growing: %s", PQerrorMessage(pg));
    PQclear(r);
    PQclear(PQexec(pg, "VACUUM ANALYZE"));
    PQclear(PQexec(pg, "CHECKPOINT"));
    PQfinish(pg);
    world->commits = (unsigned)atoi(world_ask(world, "SELECT max(position) + 1 FROM store.commit"));
    bench_note("%s samples in %s runs were made in %.0f s",
               world_ask(world, "SELECT sum(cardinality(samples)) FROM store.sample_set"), "all",
               hp_monotonic_s() - before);
}

static void tell_size(struct world *world)
{
    bench_note(
        "size: %s",
        world_ask(world,
                  "SELECT pg_size_pretty(total) || ' in all, of which samples ' || "
                  "pg_size_pretty(sets) || ': ' || round(sets / n, 1) || ' bytes a sample, ' "
                  "|| round(total / n, 1) || ' with everything else; ' || (SELECT count(*) "
                  "FROM store.run) || ' runs, ' || (SELECT count(*) FROM store.measurement) "
                  "|| ' measurements' FROM (SELECT pg_database_size(current_database()) "
                  "total, (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
                  "WHERE inhparent = 'store.sample_set'::regclass) sets, (SELECT "
                  "sum(cardinality(samples))::numeric n FROM store.sample_set) n) x"));
}

/* Alone on the machine, one after the other. */
static void one_reader(struct hp_http *http, const char *what, const char *goal, double limit_ms,
                       const char *const *paths)
{
    struct bench_times times = {0};
    for (int i = 0; i < REPEATS; i++) {
        double sum = 0;
        for (const char *const *path = paths; *path; path++)
            sum += bench_get(http, *path);
        bench_time_add(&times, sum);
    }
    double median = bench_quantile_ms(&times, 0.5), p99 = bench_quantile_ms(&times, 0.99);
    bench_row(what, goal, median < limit_ms, "%.1f ms (p99 %.1f ms)", median, p99);
    free(times.value);
}

static const char SERIES[] =
    "/api/v1/repositories/load/series?workload=random_mixed%2F8192&metric=throughput&limit=500";
#define START_PAGE                                                       \
    "/api/v1/repositories", "/api/v1/status", "/api/v1/alerts?limit=50", \
        "/api/v1/repositories/load/log?limit=50"

/* A person who looks at one page after the other, one a second. */
static void read_pages(void *argument, int number)
{
    struct readers *r = argument;
    struct hp_error err;
    const char *const paths[PAGES] = {START_PAGE, SERIES, r->compare};
    struct bench_times times[PAGES] = {0}, early = {0};
    HP_HTTP struct hp_http *http = hp_http_new(world_server(r->world), NULL, &err);
    usleep((useconds_t)(number * 1000000 / READERS));
    for (size_t i = (size_t)number; hp_monotonic_s() < r->end; i++) {
        struct bench_times *into = hp_monotonic_s() < r->start ? &early : &times[i % PAGES];
        double took = bench_get(http, paths[i % PAGES]);
        bench_time_add(into, took);
        if (took < 1)
            usleep((useconds_t)((1 - took) * 1e6));
    }
    pthread_mutex_lock(&r->mutex);
    for (int page = 0; page < PAGES; page++) {
        for (size_t i = 0; i < times[page].n; i++)
            bench_time_add(&r->times, times[page].value[i]);
        bench_times_join(&r->page[page], &times[page]);
    }
    bench_times_join(&r->early, &early);
    pthread_mutex_unlock(&r->mutex);
}

/* Results that arrive meanwhile, some a second. */
static void *send_results(void *argument)
{
    struct readers *r = argument;
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(world_server(r->world), NULL, &err);
    for (int64_t n = 0; !atomic_load(&r->over); n++) {
        HP_JSON json_t *job = NULL;
        size_t size;
        if (runner_claim(http, "bench", &job) == 1) {
            HP_BUFFER struct hp_buffer answer = {0};
            HP_FREE char *text = document_text(job, "bench", n, document_improved(n), &size);
            HP_FREE char *path =
                hp_format("/api/v1/runs/%s", json_string_value(json_object_get(job, "run")));
            if (!hp_http_bytes(http, "PUT", path, "application/json", text, size, 65536, &answer,
                               NULL, &err))
                die("a result was not stored: %s", err.message);
        }
        usleep(1000000 / RESULTS_A_SECOND);
    }
    return NULL;
}

static void many_readers(struct readers *r, const struct bench_options *o)
{
    pthread_t sender;
    r->start = hp_monotonic_s() + WARM_UP_S;
    r->end = r->start + o->seconds;
    if (pthread_create(&sender, NULL, send_results, r) != 0)
        die("cannot start a thread");
    bench_threads(READERS, read_pages, r);
    atomic_store(&r->over, true);
    pthread_join(sender, NULL);
    double p99 = bench_quantile_ms(&r->times, 0.99);
    bench_row("50 readers while results arrive, p99", "< 100 ms", p99 < 100,
              "%.1f ms (median %.1f ms)", p99, bench_quantile_ms(&r->times, 0.5));
    bench_note(
        "each asks once a second: start page, series, compare; %zu requests. Before, for %d s, "
        "while the connections of the pool meet each statement for the first time: p99 %.1f "
        "ms (median %.1f ms)",
        r->times.n, WARM_UP_S, bench_quantile_ms(&r->early, 0.99),
        bench_quantile_ms(&r->early, 0.5));
    static const char *const names[PAGES] = {"repositories", "status", "alerts",
                                             "log",          "series", "compare"};
    for (int page = 0; page < PAGES; page++)
        bench_note("%s: median %.1f ms, p99 %.1f ms", names[page],
                   bench_quantile_ms(&r->page[page], 0.5), bench_quantile_ms(&r->page[page], 0.99));
}

void bench_readers(struct world *world, const struct bench_options *o)
{
    struct readers r = {.world = world};
    struct hp_error err;
    pthread_mutex_init(&r.mutex, NULL);
    grow(world, o->samples);
    tell_size(world);
    /* As many as can arrive: a series would look for results of the others first. */
    if (!world_add_jobs(world, (unsigned)((o->seconds + WARM_UP_S) * RESULTS_A_SECOND) + 10))
        die("no jobs");
    snprintf(r.compare, sizeof r.compare, "/api/v1/repositories/load/compare?%s",
             world_ask(world, "SELECT 'base=' || base || '&head=' || head FROM store.run "
                              "ORDER BY stored DESC OFFSET 10 LIMIT 1"));
    HP_HTTP struct hp_http *http = hp_http_new(world_server(world), NULL, &err);
    one_reader(http, "series of 500 commits", "< 20 ms", 20, (const char *const[]){SERIES, NULL});
    one_reader(http, "compare of two commits", "< 50 ms", 50,
               (const char *const[]){r.compare, NULL});
    one_reader(http, "the start page's data (4 requests)", "< 100 ms", 100,
               (const char *const[]){START_PAGE, NULL});
    many_readers(&r, o);
}
