/*
 * The running collector on databases that fail: killed at once, read-only, out of connections, on a
 * full disk, hanging, and failing over to a replica. Requests are answered 503 with Retry-After and
 * the error body, nothing is half written, and all goes on without a restart of the collector.
 */
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "tests/collector/cluster.h"
#include "tests/collector/collector_fixture.h"
#include "tests/collector/golden.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static long deliver(const char *name)
{
    HP_JSON json_t *result = golden_read(name);
    HP_FREE char *path = hp_format("/api/v1/runs/%s", hp_json_string(result, "run", ""));
    return collector_ask("PUT", path, result, NULL);
}

/* How many figures the golden result has. */
static int golden_figures(void)
{
    HP_JSON json_t *result = golden_read("result-v1.json");
    const json_t *workload = json_array_get(json_object_get(result, "workloads"), 0);
    return (int)(json_array_size(json_object_get(workload, "samples")) +
                 json_array_size(json_object_get(workload, "measurements")));
}

/* The whole answer to a request over TCP, with its headers. */
static const char *ask_raw(const char *method, const char *path, const char *token)
{
    HP_FREE char *text =
        hp_format("%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                  "Content-Length: 0\r\nConnection: close\r\n\r\n",
                  method, path, token);
    return collector_ask_raw(text);
}

static void expect_503(const char *answer)
{
    ck_assert_msg(strncmp(answer, "HTTP/1.1 503", 12) == 0, "%s", answer);
    ck_assert_msg(strstr(answer, "\nRetry-After: ") != NULL, "%s", answer);
    ck_assert_msg(strstr(answer, "\"code\":\"unavailable\"") != NULL, "%s", answer);
}

/* Until the status comes, at most so long. */
static void wait_status(const char *path, long wanted, double seconds)
{
    long status = 0;
    for (double end = hp_monotonic_s() + seconds; hp_monotonic_s() < end; hp_sleep_ms(50))
        if ((status = collector_ask("GET", path, NULL, NULL)) == wanted)
            return;
    ck_abort_msg("GET %s: %ld instead of %ld", path, status, wanted);
}

static void begin(struct cluster *c, const char *settings)
{
    cluster_make(c, "one", NULL, settings);
    store_elsewhere(c->folder);
    golden_world();
}

static void expect_nothing_half(const struct cluster *c)
{
    ck_assert_str_eq(cluster_ask(c, "SELECT (SELECT count(*) FROM store.run) || ' ' || "
                                    "(SELECT count(*) FROM store.measurement) || ' ' || "
                                    "(SELECT count(*) FROM store.alert)"),
                     "0 0 0");
}

START_TEST(killed_and_back)
{
    struct cluster c;
    begin(&c, "");
    collector_start(NULL);
    const char *token = collector_token("read", "r");
    ck_assert_int_eq(collector_ask("GET", "/api/v1/status", NULL, NULL), 200);
    ck_assert(cluster_stop(&c, "immediate"));
    ck_assert_int_eq(deliver("result-v1.json"), 503);
    expect_503(ask_raw("GET", "/api/v1/status", token));
    expect_503(ask_raw("GET", "/readyz", token));
    ck_assert_int_eq(collector_ask("GET", "/healthz", NULL, NULL), 200);
    ck_assert(cluster_start(&c));
    wait_status("/readyz", 200, 10);
    expect_nothing_half(&c);
    ck_assert_int_eq(deliver("result-v1.json"), 201);
    ck_assert_int_eq(deliver("result-v1.json"), 200);
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert(cluster_stop(&c, "fast"));
}
END_TEST

/* As after a loss of power, where all start at once. A standby that answers no queries is a server
 * that recovers until one promotes it. */
START_TEST(started_while_it_recovers)
{
    struct cluster c;
    struct hp_error err;
    begin(&c, "hot_standby = off");
    ck_assert(cluster_stop(&c, "fast"));
    HP_FREE char *path = hp_format("%s/pg/standby.signal", c.folder);
    ck_assert(hp_file_replace(path, "", 0, 0644, &err));
    ck_assert(cluster_start(&c));
    pid_t other = fork();
    if (other == 0) {
        hp_sleep_ms(1500);
        _exit(cluster_promote(&c) ? 0 : 1);
    }
    double before = hp_monotonic_s();
    collector_start(NULL);
    ck_assert_double_gt(hp_monotonic_s() - before, 1);
    int status = -1;
    ck_assert(waitpid(other, &status, 0) == other && status == 0);
    ck_assert_int_eq(collector_ask("GET", "/readyz", NULL, NULL), 200);
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert(cluster_stop(&c, "fast"));
}
END_TEST

START_TEST(read_only)
{
    struct cluster c;
    begin(&c, "");
    collector_start(NULL);
    ck_assert_int_eq(collector_ask("GET", "/api/v1/status", NULL, NULL), 200);
    cluster_ask(&c, "ALTER SYSTEM SET default_transaction_read_only = on");
    cluster_ask(&c, "SELECT pg_reload_conf()");
    hp_sleep_ms(300);
    ck_assert_int_eq(deliver("result-v1.json"), 503);
    ck_assert_int_eq(collector_ask("GET", "/api/v1/status", NULL, NULL), 200);
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "runner", "a", "version", "1");
    ck_assert_int_eq(collector_ask("POST", "/api/v1/jobs/claim", body, NULL), 503);
    cluster_ask(&c, "ALTER SYSTEM RESET default_transaction_read_only");
    cluster_ask(&c, "SELECT pg_reload_conf()");
    hp_sleep_ms(300);
    expect_nothing_half(&c);
    ck_assert_int_eq(deliver("result-v1.json"), 201);
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert(cluster_stop(&c, "fast"));
}
END_TEST

/* Other programs have taken every connection but those that the collector holds, then these too. */
/* Takes the collector's connections away until it has none: it is as quick as this is. */
static void take_all(const struct cluster *c, PGconn **taken, int most)
{
    double until = hp_monotonic_s() + 5;
    do {
        cluster_ask(c, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE application_name = 'hakperf-collector'");
        for (int i = 0; i < most; i++) {
            if (PQstatus(taken[i]) == CONNECTION_OK)
                continue;
            PQfinish(taken[i]);
            taken[i] = PQconnectdb(store_url(PRIVATE_DB_READER));
        }
    } while (collector_ask("GET", "/readyz", NULL, NULL) != 503 && hp_monotonic_s() < until);
}

START_TEST(out_of_connections)
{
    enum { MOST = 14 };
    struct cluster c;
    PGconn *taken[MOST] = {NULL};
    begin(&c, "max_connections = 14\nmax_wal_senders = 0");
    collector_start(NULL);
    ck_assert_int_eq(collector_ask("GET", "/api/v1/status", NULL, NULL), 200);
    int n = 0;
    for (; n < MOST; n++) {
        taken[n] = PQconnectdb(store_url(PRIVATE_DB_READER));
        if (PQstatus(taken[n]) != CONNECTION_OK)
            break;
    }
    ck_assert_int_lt(n, MOST);
    ck_assert_int_eq(deliver("result-v1.json"), 201); /* what is open is shared */
    take_all(&c, taken, MOST);
    wait_status("/readyz", 503, 5);
    ck_assert_int_eq(deliver("result-failed-v1.json"), 503);
    for (int i = 0; i < MOST; i++)
        PQfinish(taken[i]);
    wait_status("/readyz", 200, 5);
    ck_assert_int_eq(deliver("result-failed-v1.json"), 201);
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert(cluster_stop(&c, "fast"));
}
END_TEST

/* A small file system for the database, which only root can mount. */
static bool small_disk(char folder[128])
{
    snprintf(folder, 128, "%s/disk", store_state());
    if (geteuid() == 0 && mkdir(folder, 0755) == 0 &&
        mount("tmpfs", folder, "tmpfs", 0, "size=72m,mode=755") == 0)
        return true;
    puts("not tested: a full disk (only root can mount a small file system)");
    return false;
}

static void fill(const char *path)
{
    HP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    static char block[65536];
    for (size_t size = sizeof block; size > 0;)
        if (write(fd, block, size) < 0)
            size /= 2;
}

START_TEST(full_disk)
{
    struct cluster c;
    char folder[128];
    if (!small_disk(folder))
        return;
    cluster_make(&c, "full", folder, "max_wal_size = 8MB\nmin_wal_size = 2MB");
    store_elsewhere(c.folder);
    golden_world();
    collector_start(NULL);
    ck_assert_int_eq(collector_ask("GET", "/api/v1/status", NULL, NULL), 200);
    HP_FREE char *filler = hp_format("%s/filler", folder);
    fill(filler);
    long status = 0;
    /* The log has some room left in the file it is in; each attempt writes to it. */
    for (int i = 0; i < 40 && status != 503; i++) {
        status = deliver(i % 2 ? "result-failed-v1.json" : "result-v1.json");
        fill(filler);
    }
    ck_assert_int_eq(status, 503);
    ck_assert_int_eq(unlink(filler), 0);
    /* A log that cannot be written ends the server; who frees the disk starts it again. */
    hp_sleep_ms(500);
    if (kill(cluster_pid(&c), 0) != 0 || cluster_pid(&c) == 0)
        ck_assert(cluster_start(&c));
    wait_status("/readyz", 200, 30);
    status = deliver("result-v1.json");
    ck_assert_msg(status == 201 || status == 200, "%ld", status);
    status = deliver("result-failed-v1.json");
    ck_assert_msg(status == 201 || status == 200, "%ld", status);
    ck_assert_str_eq(cluster_ask(&c, "SELECT count(*) FROM store.run"), "2");
    ck_assert_int_eq(atoi(cluster_ask(&c, "SELECT count(*) FROM store.measurement")),
                     golden_figures());
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert(cluster_stop(&c, "immediate"));
    umount2(folder, MNT_DETACH);
}
END_TEST

/* Primary lost, replica promoted: what was acknowledged is there, reading never stopped. */
START_TEST(failover)
{
    struct cluster a, b;
    cluster_make(&a, "a", NULL, "wal_keep_size = 32MB");
    store_elsewhere(a.folder);
    golden_world();
    cluster_clone(&b, "b", &a);
    /* An acknowledged result is on both, as in Patroni's synchronous mode. */
    cluster_ask(&a, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    cluster_ask(&a, "SELECT pg_reload_conf()");
    HP_FREE char *both = hp_format("%s,%s&target_session_attrs=read-write", a.folder, b.folder);
    HP_FREE char *readers =
        hp_format("postgresql:///hakperf?host=%s,%s&user=hakperf_collector", b.folder, a.folder);
    store_elsewhere(both);
    collector_start((const char *const[]){"--reader-database", readers, NULL});
    const char *token = collector_token("read", "r");
    ck_assert_int_eq(deliver("result-v1.json"), 201);
    cluster_ask(&a, "ALTER SYSTEM RESET synchronous_standby_names");
    ck_assert_str_eq(cluster_ask(&b, "SELECT count(*) || ' ' || pg_is_in_recovery() "
                                     "FROM store.run"),
                     "1 true");
    ck_assert_int_eq(collector_ask("GET", "/api/v1/alerts", NULL, NULL), 200);
    /* The replica answered that, not the primary. */
    ck_assert_str_eq(cluster_ask(&b, "SELECT count(*) > 0 FROM pg_stat_activity "
                                     "WHERE application_name = 'hakperf-reader'"),
                     "t");
    ck_assert(cluster_stop(&a, "immediate"));
    ck_assert_int_eq(deliver("result-failed-v1.json"), 503);
    ck_assert_int_eq(collector_ask("GET", "/api/v1/alerts", NULL, NULL), 200);
    HP_JSON json_t *log = NULL;
    long status = collector_ask_as(token, "GET", "/api/v1/repositories/hakmem/log", NULL, &log);
    ck_assert_msg(status == 200, "%ld %s", status, hp_json_string(log, "message", ""));
    ck_assert(cluster_promote(&b));
    wait_status("/readyz", 200, 15);
    ck_assert_int_eq(deliver("result-v1.json"), 200); /* it is there already */
    ck_assert_int_eq(deliver("result-failed-v1.json"), 201);
    ck_assert_str_eq(cluster_ask(&b, "SELECT count(*) FROM store.run"), "2");
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert(cluster_stop(&b, "fast"));
}
END_TEST

/* A server that neither works nor ends costs a deadline, not a thread. */
START_TEST(hanging_server)
{
    struct cluster c;
    struct hp_error err = {0};
    begin(&c, "");
    struct db_options options = {.pool_size = 1, .timeout_s = 0.5};
    struct db *db = db_open(store_url(PRIVATE_DB_COLLECTOR), &options, &err);
    struct db_conn *conn = db_acquire(db, &err);
    ck_assert_msg(conn != NULL, "%s", err.message);
    pid_t backend = PQbackendPID(db_raw(conn)), postmaster = cluster_pid(&c);
    ck_assert(kill(backend, SIGSTOP) == 0 && kill(postmaster, SIGSTOP) == 0);
    double before = hp_monotonic_s();
    bool ran = db_run(conn, "database_exists.sql", DB_NO_PARAMS, NULL, &err);
    double took = hp_monotonic_s() - before;
    db_release(conn);
    struct hp_error again;
    conn = db_acquire(db, &again);
    kill(postmaster, SIGCONT);
    kill(backend, SIGCONT);
    ck_assert(!ran && err.code == HP_UNAVAILABLE);
    ck_assert_double_lt(took, 6);
    ck_assert(!conn && again.code == HP_UNAVAILABLE);
    hp_sleep_ms(500);
    ck_assert_msg(db_pool_run(db, "database_exists.sql", DB_NO_PARAMS, NULL, &err), "%s",
                  err.message);
    db_close(db);
    ck_assert(cluster_stop(&c, "immediate"));
}
END_TEST

static void start(void)
{
    collector_begin();
    cluster_template();
}

static void end(void)
{
    HP_FREE char *disk = hp_format("%s/disk", store_state());
    cluster_end_all();
    umount2(disk, MNT_DETACH);
    collector_end();
}

HP_SUITE(collector_faults)
{
    Suite *s = suite_create("collector_faults");
    TCase *t = tcase_create("faults");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, start, end);
    tcase_add_test(t, killed_and_back);
    tcase_add_test(t, started_while_it_recovers);
    tcase_add_test(t, read_only);
    tcase_add_test(t, out_of_connections);
    tcase_add_test(t, full_disk);
    tcase_add_test(t, failover);
    tcase_add_test(t, hanging_server);
    suite_add_tcase(s, t);
    return s;
}
