/*
 * Kills collector, database and runners at random under load, then accounts for every document that
 * was in a runner's spool: it must be stored once and whole, or have been refused because its job
 * was claimed anew (then that claim's document counts).
 */
#include "tests/load/load.h"

#include "common/clock.h"
#include "common/json.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNNERS = 32, AHEAD = 400 };

struct fault {
    struct world world;
    int runners;
    pid_t pid[RUNNERS];
    unsigned collector_kills, database_kills, backend_kills, runner_kills;
    double recovery; /* the longest time until the service was ready again */
};

static char *runner_folder(const struct fault *f, int i)
{
    return hp_format("%s/runner-%d", f->world.state, i);
}

static void start_runner(struct fault *f, int i)
{
    HP_FREE char *folder = runner_folder(f, i);
    HP_FREE char *spool = hp_format("%s/spool", folder);
    struct hp_error err;
    if (!hp_make_dirs(spool, 0755, &err))
        die("%s", err.message);
    fflush(NULL);
    f->pid[i] = fork();
    if (f->pid[i] == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        runner_process(world_server(&f->world), folder, i);
        _exit(0);
    }
}

/* --- faults -------------------------------------------------------------------------------------
 */

static void kill_runner(struct fault *f)
{
    int i = rand() % f->runners;
    kill(f->pid[i], SIGKILL);
    waitpid(f->pid[i], NULL, 0);
    f->runner_kills++;
    start_runner(f, i);
}

static void wait_ready(struct fault *f, double since)
{
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(world_server(&f->world), NULL, &err);
    for (double end = hp_monotonic_s() + 60; hp_monotonic_s() < end; hp_sleep_ms(20)) {
        HP_JSON json_t *answer = NULL;
        if (hp_http_json(http, "GET", "/readyz", NULL, &answer, NULL, &err)) {
            double took = hp_monotonic_s() - since;
            f->recovery = took > f->recovery ? took : f->recovery;
            return;
        }
    }
    die("the service did not recover within a minute: %s", err.message);
}

static void kill_collector(struct fault *f)
{
    double since = hp_monotonic_s();
    hp_child_stop(&f->world.collector, SIGKILL, 5);
    f->collector_kills++;
    hp_sleep_ms(rand() % 200);
    world_start_collector(&f->world, NULL);
    wait_ready(f, since);
}

static void kill_database(struct fault *f)
{
    double since = hp_monotonic_s();
    pid_t pid = world_postmaster(&f->world);
    if (pid <= 1 || kill(pid, SIGKILL) != 0)
        die("there is no database to kill");
    f->database_kills++;
    hp_sleep_ms(rand() % 500);
    if (!world_start_database(&f->world))
        die("the database did not start again");
    wait_ready(f, since);
}

/* One killed backend makes the server end all sessions and recover. */
static void kill_backend(struct fault *f)
{
    double since = hp_monotonic_s();
    PGconn *pg = world_connect(&f->world);
    PGresult *result =
        pg ? PQexec(pg, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                        "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1")
           : NULL;
    if (PQntuples(result) > 0 && kill(atoi(PQgetvalue(result, 0, 0)), SIGKILL) == 0)
        f->backend_kills++;
    PQclear(result);
    PQfinish(pg);
    hp_sleep_ms(100); /* the server has to notice first */
    wait_ready(f, since);
}

/* Jobs that wait; -1 while the database does not answer. */
static int queued(const struct fault *f)
{
    PGconn *pg = world_connect(&f->world);
    PGresult *r = pg ? PQexec(pg, "SELECT count(*) FROM store.job WHERE state = 'queued'") : NULL;
    int n = PQresultStatus(r) == PGRES_TUPLES_OK ? atoi(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    PQfinish(pg);
    return n;
}

static void run_faults(struct fault *f, double seconds)
{
    double end = hp_monotonic_s() + seconds;
    for (unsigned n = 0; n < 4 || hp_monotonic_s() < end; n++) {
        /* Each kind once at first, so that a short run has them all. */
        switch (n < 4 ? n : (unsigned)rand() % 4) {
        case 0:
            kill_runner(f);
            break;
        case 1:
            kill_backend(f);
            break;
        case 2:
            kill_collector(f);
            break;
        default:
            kill_database(f);
        }
        double pause = hp_monotonic_s() + 0.2 + (double)(rand() % 1000) / 1000 * (n < 8 ? 1 : 4);
        while (hp_monotonic_s() < pause && hp_monotonic_s() < end) {
            int waiting = queued(f);
            if (waiting >= 0 && waiting < AHEAD)
                world_add_jobs(&f->world, AHEAD);
            hp_sleep_ms(100);
        }
    }
}

/* Runners deliver what they have; whoever does not end by itself has something left. */
static void finish_runners(struct fault *f)
{
    for (int i = 0; i < f->runners; i++)
        kill(f->pid[i], SIGTERM);
    for (int i = 0; i < f->runners; i++)
        waitpid(f->pid[i], NULL, 0);
}

/* --- the account --------------------------------------------------------------------------------
 */

struct account {
    unsigned long sent, stored, superseded, lost, changed;
};

/* Whether the spool's folder of refused documents has that run, and because of the fence. */
static bool was_superseded(const struct fault *f, int runner, const char *run)
{
    HP_FREE char *folder = runner_folder(f, runner);
    HP_FREE char *path = hp_format("%s/spool/refused/%s.error.json", folder, run);
    struct hp_error err;
    HP_JSON json_t *reason = hp_json_read_file(path, 1 << 16, &err);
    return reason && strcmp(hp_json_string(reason, "code", ""), "conflict") == 0;
}

static void account_line(const struct fault *f, PGconn *pg, int runner, const char *run,
                         const char *job, long tag, struct account *a)
{
    const char *params[] = {run, job};
    /* The document as the store has it: its figures, their tag, its samples, and its alert where
     * a fresh run confirmed it. */
    PGresult *result = PQexecParams(
        pg,
        "SELECT (SELECT count(*) FROM store.run WHERE id = $1::uuid AND job = $2::bigint),"
        " (SELECT count(*) FROM store.measurement WHERE run = $1::uuid),"
        " (SELECT count(*) FROM store.sample_set WHERE run = $1::uuid),"
        " (SELECT round(min(median) * 1e9) || ' ' || round(max(median) * 1e9)"
        "  FROM store.measurement x JOIN store.metric m ON m.id = x.metric"
        "  WHERE run = $1::uuid AND m.name = 'kernel_share'),"
        " (SELECT count(*) FROM store.alert WHERE run = $1::uuid) -"
        " (SELECT count(*) FROM store.run WHERE id = $1::uuid AND confirmation = 'confirmed'),"
        " (SELECT count(*) FROM store.job j JOIN store.run r ON r.job = j.id"
        "  WHERE j.id = $2::bigint),"
        " (SELECT state FROM store.job WHERE id = $2::bigint)",
        2, NULL, params, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        die("account: %s", PQerrorMessage(pg));
    HP_FREE char *tags = hp_format("%ld %ld", tag, tag);
    a->sent++;
    if (atoi(PQgetvalue(result, 0, 0)) == 1) {
        a->stored++;
        bool whole = atoi(PQgetvalue(result, 0, 1)) == LOAD_WORKLOADS * LOAD_FIGURES &&
                     atoi(PQgetvalue(result, 0, 2)) == LOAD_WORKLOADS * LOAD_SAMPLE_SETS &&
                     strcmp(PQgetvalue(result, 0, 3), tags) == 0 &&
                     atoi(PQgetvalue(result, 0, 4)) == 0 &&
                     strcmp(PQgetvalue(result, 0, 6), "done") == 0;
        if (!whole)
            printf("not whole: run %s: %s figures, %s sample sets, tags %s, %s alerts too many, "
                   "job %s\n",
                   run, PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2),
                   PQgetvalue(result, 0, 3), PQgetvalue(result, 0, 4), PQgetvalue(result, 0, 6));
        a->changed += !whole;
    } else if (was_superseded(f, runner, run)) {
        a->superseded++;
    } else {
        printf("lost: run %s of job %s (which is %s)\n", run, job, PQgetvalue(result, 0, 6));
        a->lost++;
    }
    PQclear(result);
}

static void account_runner(const struct fault *f, PGconn *pg, int runner, struct account *a)
{
    HP_FREE char *folder = runner_folder(f, runner);
    HP_FREE char *path = hp_format("%s/sent", folder);
    HP_FILE FILE *file = fopen(path, "r");
    char run[64], job[32];
    long tag;
    while (file && fscanf(file, "%63s %31s %ld\n", run, job, &tag) == 3)
        account_line(f, pg, runner, run, job, tag, a);
}

static int tell(const struct fault *f, double seconds, unsigned seed)
{
    struct account a = {0};
    PGconn *pg = world_connect(&f->world);
    if (!pg)
        die("the database does not answer at the end");
    for (int i = 0; i < f->runners; i++)
        account_runner(f, pg, i, &a);
    PQfinish(pg);
    int doubled = atoi(world_ask(
        &f->world, "SELECT count(*) FROM (SELECT FROM store.run GROUP BY job HAVING count(*) > 1) "
                   "x"));
    int orphans = atoi(world_ask(
        &f->world, "SELECT (SELECT count(*) FROM store.job j WHERE state = 'done' AND NOT EXISTS "
                   "(SELECT FROM store.run r WHERE r.job = j.id)) + (SELECT count(*) FROM "
                   "store.alert a WHERE (SELECT count(*) FROM store.outbox o WHERE o.alert = a.id) "
                   "<> 1)"));
    printf("faults over %.0f s (seed %u): collector killed %u times, database %u, one of its "
           "backends %u, runners %u\n",
           seconds, seed, f->collector_kills, f->database_kills, f->backend_kills, f->runner_kills);
    printf("documents sent %lu: stored %lu, superseded by a later claim %lu, lost %lu, doubled %d, "
           "not whole %lu; jobs or messages out of step %d\n",
           a.sent, a.stored, a.superseded, a.lost, doubled, a.changed, orphans);
    printf("longest time until the service was ready again: %.1f s\n", f->recovery);
    bool ok = a.sent > 0 && a.lost == 0 && a.changed == 0 && doubled == 0 && orphans == 0;
    puts(ok ? "every document is accounted for" : "NOT every document is accounted for");
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int fault_main(double seconds, unsigned seed, int runners)
{
    static struct fault f;
    f.runners = runners > RUNNERS ? RUNNERS : runners;
    srand(seed);
    world_make(&f.world, NULL, 30);
    if (!world_add_jobs(&f.world, AHEAD))
        die("no jobs");
    world_start_collector(&f.world, NULL);
    for (int i = 0; i < f.runners; i++)
        start_runner(&f, i);
    run_faults(&f, seconds);
    finish_runners(&f);
    int code = tell(&f, seconds, seed);
    if (code != EXIT_SUCCESS)
        world_tell_log(&f.world);
    world_free(&f.world);
    return code;
}
