/* Results as fast as they can come, against COPY of the rows that came of them. */
#include "tests/load/bench.h"

#include "common/clock.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both cores are busy with this many. */
enum { SENDERS = 4, TABLES = 24, PART = 40 };

struct document {
    char run[40], job[24];
    char *text;
    size_t size;
};

struct ingest {
    struct world *world;
    struct document *documents;
    int n, last; /* of all documents; end of the part in hand */
    atomic_int next;
    char tables[TABLES][64]; /* that hold rows of a run */
    char keys[TABLES][8];    /* the column with the run's id */
    int count;
    struct hp_buffer (*rows)[TABLES]; /* of each document, as COPY gives them */
    const char *target;               /* schema that COPY goes into */
};

static void prepare(struct ingest *in)
{
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(world_server(in->world), NULL, &err);
    for (int i = 0; i < in->n; i++) {
        HP_JSON json_t *job = NULL;
        if (runner_claim(http, "bench", &job) != 1)
            die("no job to claim");
        struct document *d = &in->documents[i];
        snprintf(d->run, sizeof d->run, "%s", hp_json_string(job, "run", ""));
        snprintf(d->job, sizeof d->job, "%lld", (long long)hp_json_int(job, "job", 0));
        d->text = document_text(job, "bench", i, document_improved(i), &d->size);
    }
}

static void deliver(void *argument, int number)
{
    struct ingest *in = argument;
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(world_server(in->world), NULL, &err);
    (void)number;
    for (int i; (i = atomic_fetch_add(&in->next, 1)) < in->last;) {
        struct document *d = &in->documents[i];
        HP_BUFFER struct hp_buffer answer = {0};
        char path[80];
        long status = 0;
        snprintf(path, sizeof path, "/api/v1/runs/%s", d->run);
        if (!hp_http_bytes(http, "PUT", path, "application/json", d->text, d->size, 65536, &answer,
                           &status, &err) ||
            status != 201)
            die("a result was not stored: %ld %s %s", status, err.message, err.path);
    }
}

/* Every table with rows of a run, those that others refer to first; without alerts, messages and
 * what is kept of each series, of which a commit can have but one. */
static void find_tables(struct ingest *in, PGconn *pg)
{
    PGresult *r = PQexec(
        pg, "SELECT c.relname, CASE c.relname WHEN 'run' THEN 'id' ELSE 'run' END FROM pg_class c "
            "WHERE c.relnamespace = 'store'::regnamespace AND c.relkind IN ('r', 'p') "
            "AND NOT c.relispartition AND c.relname NOT IN ('job', 'alert') AND (c.relname = 'run' "
            "OR EXISTS ("
            "SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'run' AND "
            "a.attnum > 0 AND EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND "
            "k.contype = 'p' AND a.attnum = ANY (k.conkey)))) ORDER BY c.relname <> 'run', "
            "c.relname <> 'run_workload', 1");
    for (int i = 0; i < PQntuples(r) && i < TABLES; i++, in->count++) {
        snprintf(in->tables[i], sizeof in->tables[i], "%s", PQgetvalue(r, i, 0));
        snprintf(in->keys[i], sizeof in->keys[i], "%s", PQgetvalue(r, i, 1));
    }
    PQclear(r);
}

static void copy_out(PGconn *pg, const char *sql, struct hp_buffer *out)
{
    PQclear(PQexec(pg, sql));
    char *line;
    for (int n; (n = PQgetCopyData(pg, &line, 0)) > 0; PQfreemem(line))
        hp_buffer_append(out, line, (size_t)n);
    PQclear(PQgetResult(pg));
}

static int64_t read_rows(struct ingest *in, PGconn *pg, int first)
{
    int64_t rows = 0;
    for (int i = first; i < in->last; i++)
        for (int t = 0; t < in->count; t++) {
            HP_FREE char *sql = hp_format("COPY (SELECT * FROM store.%s WHERE %s = '%s') TO STDOUT",
                                          in->tables[t], in->keys[t], in->documents[i].run);
            copy_out(pg, sql, &in->rows[i][t]);
            for (const char *c = hp_buffer_text(&in->rows[i][t]); *c; c++)
                rows += *c == '\n';
        }
    return rows;
}

/* The same tables with the same indexes and checks. */
static void make_copies(struct ingest *in, PGconn *pg)
{
    PQclear(PQexec(pg, "CREATE SCHEMA raw"));
    for (int t = 0; t < in->count; t++) {
        HP_FREE char *sql = hp_format("CREATE TABLE raw.%s (LIKE store.%s INCLUDING ALL EXCLUDING "
                                      "IDENTITY)",
                                      in->tables[t], in->tables[t]);
        PGresult *r = PQexec(pg, sql);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            die("%s", PQerrorMessage(pg));
        PQclear(r);
    }
}

static void copy_in(void *argument, int number)
{
    struct ingest *in = argument;
    PGconn *pg = world_connect(in->world);
    (void)number;
    for (int i; (i = atomic_fetch_add(&in->next, 1)) < in->last;) {
        PQclear(PQexec(pg, "BEGIN"));
        for (int t = 0; t < in->count; t++) {
            const struct hp_buffer *rows = &in->rows[i][t];
            char sql[128];
            if (rows->size == 0)
                continue;
            snprintf(sql, sizeof sql, "COPY %s.%s FROM STDIN", in->target, in->tables[t]);
            PQclear(PQexec(pg, sql));
            PQputCopyData(pg, rows->data, (int)rows->size);
            PQputCopyEnd(pg, NULL);
            PGresult *r = PQgetResult(pg);
            if (PQresultStatus(r) != PGRES_COMMAND_OK)
                die("COPY %s: %s", in->tables[t], PQerrorMessage(pg));
            PQclear(r);
            PQclear(PQgetResult(pg));
        }
        PGresult *r = PQexec(pg, "COMMIT");
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            die("COMMIT: %s", PQerrorMessage(pg));
        PQclear(r);
    }
    PQfinish(pg);
}

/* The copies are runs of their own: one digit of the id differs. */
static void rename_runs(struct ingest *in, int first)
{
    for (int i = first; i < in->last; i++)
        for (int t = 0; t < in->count; t++) {
            char *at = in->rows[i][t].data;
            while (at && (at = strstr(at, in->documents[i].run))) {
                at[14] = 'f'; /* the version of a uuid, which nobody makes as f */
                at += 36;
            }
        }
}

/* What one of the three ways took. */
struct way {
    double seconds, database_cpu, collector_cpu;
};

static void timed(struct ingest *in, int first, void (*work)(void *, int), struct way *way)
{
    atomic_store(&in->next, first);
    pid_t collector = in->world->collector.pid;
    double before = hp_monotonic_s(), database = world_database_cpu(in->world),
           own = process_cpu(collector);
    bench_threads(SENDERS, work, in);
    way->seconds += hp_monotonic_s() - before;
    way->collector_cpu += process_cpu(collector) - own;
    usleep(50000); /* a backend that ends is missing for a moment, until the postmaster counts it */
    way->database_cpu += world_database_cpu(in->world) - database;
}

static void release(struct ingest *in)
{
    for (int i = 0; i < in->n; i++) {
        free(in->documents[i].text);
        for (int t = 0; t < in->count; t++)
            hp_buffer_clear(&in->rows[i][t]);
    }
    free(in->documents);
    free(in->rows);
}

void bench_ingest(struct world *world, const struct bench_options *o)
{
    struct ingest in = {.world = world, .n = o->documents};
    in.documents = calloc((size_t)in.n, sizeof *in.documents);
    if (!world_add_jobs(world, (unsigned)in.n))
        die("no jobs");
    in.rows = calloc((size_t)in.n, sizeof *in.rows);
    prepare(&in);
    PGconn *pg = world_connect(world);
    find_tables(&in, pg);
    make_copies(&in, pg);
    struct way sent = {0}, copied = {0}, bare = {0};
    int64_t rows = 0;
    /* In turns, so that whatever else the machine does meets all three alike. */
    for (int first = 0; first < in.n; first = in.last) {
        in.last = first + PART < in.n ? first + PART : in.n;
        timed(&in, first, deliver, &sent);
        rows += read_rows(&in, pg, first);
        rename_runs(&in, first);
        in.target = "store";
        timed(&in, first, copy_in, &copied);
        in.target = "raw";
        timed(&in, first, copy_in, &bare);
    }
    PQclear(PQexec(pg, "SET client_min_messages = error; DROP SCHEMA raw CASCADE"));
    PQfinish(pg);
    double ratio = copied.seconds / sent.seconds, each = 1e3 / in.n;
    bench_row("results of six workloads, stored", ">= 50 % of COPY", ratio >= 0.5,
              "%.0f %% (%.0f of %.0f rows/s)", 100 * ratio, (double)rows / sent.seconds,
              (double)rows / copied.seconds);
    bench_note(
        "COPY into the same tables; into bare copies of them, with indexes but without foreign "
        "keys, %.0f rows/s (%.0f %%)",
        (double)rows / bare.seconds, 100 * bare.seconds / sent.seconds);
    bench_note("%d documents of %lld rows in %d tables, %.0f KB each; %.1f documents/s; %d "
               "connections; every transaction durable",
               in.n, (long long)(rows / in.n), in.count, (double)in.documents[0].size / 1e3,
               in.n / sent.seconds, SENDERS);
    bench_note("CPU a document: collector %.1f ms and database %.1f ms; COPY %.1f ms (%.0f %%), "
               "bare %.1f ms",
               each * sent.collector_cpu, each * sent.database_cpu, each * copied.database_cpu,
               100 * copied.database_cpu / (sent.database_cpu + sent.collector_cpu),
               each * bare.database_cpu);
    release(&in);
}
