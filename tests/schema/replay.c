#include "tests/schema/replay.h"

#include "analysis/verdict.h"
#include "collector/ingest.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"
#include "tests/collector/golden.h"
#include "tests/collector/store_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORKLOADS = 2, FIRST_LOOK = 64, FULL = 512 };

static const char *const workload_names[WORKLOADS] = {"random_mixed/8192", "random_mixed/65536"};

/* One commit: what it is, how it changed each workload, and what its run saw. */
struct step {
    const char *time, *author, *subject;
    double factor[WORKLOADS]; /* of the throughput against the parent */
    double kernel_share;
    int threshold, exhaustion, mapfail; /* ACE failures of one long execution */
    int munmap;
    const char *function; /* that the diff touches; NULL: none */
    int calls;            /* of it; 0: it never ran */
    double build_s;
    int waited_s, took_s;
    const char *superslab;                   /* the option's value where the environment set it */
    bool fails, identical, unmeasured, back; /* back: takes the commit before it back */
    const char *kernel;
};

enum { STEPS = 16 };

static json_t *history; /* tests/schema/history.json: what differs from zero, false and 1 */
static struct step steps[STEPS];

static void read_history(void)
{
    struct hp_error failed;
    history = hp_json_read_file("tests/schema/history.json", 1 << 20, &failed);
    ck_assert_msg(json_array_size(history) == STEPS, "%s", failed.message);
    for (size_t i = 0; i < STEPS; i++) {
        const json_t *row = json_array_get(history, i), *factor = json_object_get(row, "factor");
        struct step *s = &steps[i];
        *s = (struct step){
            .time = hp_json_string(row, "time", NULL),
            .author = hp_json_string(row, "author", NULL),
            .subject = hp_json_string(row, "subject", NULL),
            .kernel_share = hp_json_number(row, "kernel_share", 0),
            .threshold = (int)hp_json_int(row, "threshold", 0),
            .exhaustion = (int)hp_json_int(row, "exhaustion", 0),
            .mapfail = (int)hp_json_int(row, "mapfail", 0),
            .munmap = (int)hp_json_int(row, "munmap", 0),
            .function = hp_json_string(row, "function", NULL),
            .calls = (int)hp_json_int(row, "calls", 0),
            .build_s = hp_json_number(row, "build_s", 0),
            .waited_s = (int)hp_json_int(row, "waited_s", 0),
            .took_s = (int)hp_json_int(row, "took_s", 0),
            .superslab = hp_json_string(row, "superslab", NULL),
            .fails = hp_json_bool(row, "fails", false),
            .identical = hp_json_bool(row, "identical", false),
            .unmeasured = hp_json_bool(row, "unmeasured", false),
            .back = hp_json_bool(row, "back", false),
            .kernel = hp_json_string(row, "kernel", NULL),
        };
        for (size_t w = 0; w < WORKLOADS; w++)
            s->factor[w] = factor ? json_number_value(json_array_get(factor, w)) : 1;
    }
}

static struct hp_error err;
static json_t *suite;
static char suite_hash[HP_HASH_TEXT], shas[STEPS][41], driver[41];

static void owner(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void owner(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    HP_FREE char *sql = NULL;
    ck_assert_int_gt(vasprintf(&sql, format, arguments), 0);
    va_end(arguments);
    store_ask(PRIVATE_DB_OWNER, sql);
}

static void sha_of(const char *text, char out[41])
{
    char hash[HP_HASH_TEXT];
    hp_hash_bytes(text, strlen(text), hash);
    snprintf(out, 41, "%.40s", hash);
}

static void make_suite(void)
{
    suite = golden_read("suite-v1.json");
    json_t *list = json_object_get(suite, "workloads");
    json_t *second = json_deep_copy(json_array_get(list, 0));
    json_object_set_new(second, "name", json_string(workload_names[1]));
    json_array_append_new(list, second);
    golden_set(suite, "/recipe/layouts", json_pack("{s:[[s]]}", "commands", "make"));
    ck_assert(hp_suite_hash(suite, suite_hash, &err));
    sha_of("driver", driver);
    HP_FREE char *text = hp_json_text(suite);
    owner("INSERT INTO store.repository (name, url, default_ref) VALUES ('hakmem', "
          "'/srv/git/hakmem.git', 'refs/heads/main')");
    owner("INSERT INTO store.suite (repository, hash, name, document, driver_sha) "
          "VALUES (1, '%s', 'hakmem', '%s', '%s')",
          suite_hash, text, driver);
    owner("UPDATE store.repository SET suite_hash = '%s'", suite_hash);
    owner("INSERT INTO store.runner (name, version, first_seen, seen) VALUES ('bench-1', '0.1.0', "
          "'2026-10-06 09:00Z', '2026-11-23 12:40Z')");
}

static const char *run_id(int i)
{
    static char text[40];
    snprintf(text, sizeof text, "%.8s-%.4s-4%.3s-8%.3s-%.12s", shas[i], shas[i] + 8, shas[i] + 12,
             shas[i] + 16, shas[i] + 20);
    return text;
}

static void make_commit(int i)
{
    const struct step *s = &steps[i];
    sha_of(s->subject, shas[i]);
    HP_FREE char *parent = i > 0 ? hp_format("{%s}", shas[i - 1]) : strdup("{}");
    HP_FREE char *path = hp_format(s->unmeasured ? "doc/pool.md" : "allocator/src/%s.c",
                                   s->function ? s->function : "tiny");
    HP_FREE char *reverts = s->back ? hp_format("'%s'", shas[i - 1]) : strdup("NULL");
    owner(
        "INSERT INTO store.commit (repository, sha, parents, position, mainline, author, subject, "
        "committed, seen, paths, watched, reverts) VALUES (1, '%s', '%s', %d, true, '%s', '%s', "
        "'%sZ', '%sZ', '{%s}', %s, %s)",
        shas[i], parent, i, s->author, s->subject, s->time, s->time, path,
        s->unmeasured ? "false" : "true", reverts);
}

static void make_job(int i)
{
    HP_FREE char *base = i > 0 ? hp_format("'%s'", shas[i - 1]) : strdup("NULL");
    owner(
        "INSERT INTO store.job (repository, id, kind, head, base, suite_hash, position, priority, "
        "state, fence, attempt, runner, run, lease_until, created, started) OVERRIDING SYSTEM "
        "VALUE VALUES (1, %d, 'commit', '%s', %s, '%s', %d, %d, 'running', 1, 1, 'bench-1', '%s', "
        "now() + interval '1 hour', '%sZ', timestamptz '%sZ' + interval '%d s')",
        i + 1, shas[i], base, suite_hash, i, i + 1, run_id(i), steps[i].time, steps[i].time,
        steps[i].waited_s);
}

/* --- documents -------------------------------------------------------------------------------- */

static double noise(uint32_t i)
{
    return (double)(i * 2654435761u >> 8) / 0x1p24 - 0.5;
}

static json_t *set_of(const char *arm, const char *metric, json_t *values)
{
    return json_pack("{s:s, s:s, s:o}", "arm", arm, "metric", metric, "values", values);
}

static double value_of(const struct step *s, int w, uint32_t i)
{
    return 16.5e6 * s->factor[w] / (w + 1) *
           (1 + 0.004 * noise(i + (uint32_t)(s - steps) * 977) + 0.003 * noise(i % 64 * 31));
}

/* How many pairs a run would have made, and what it decided then. */
static size_t decide(const struct step *s, int w, struct an_decision *d)
{
    static double ratio[FULL];
    static uint32_t cluster[FULL];
    struct an_plan plan = an_plan_standard(0.01, 0);
    for (uint32_t i = 0; i < FULL; i++) {
        cluster[i] = i % 64;
        ratio[i] = log(value_of(s, w, i) / (16.5e6 / (w + 1)));
    }
    for (size_t n = FIRST_LOOK;; n *= 2) {
        ck_assert(an_decide(ratio, cluster, n, AN_HIGHER, &plan, d));
        if (d->stop || n == FULL)
            return n;
    }
}

static void add_pairs(json_t *workload, const struct step *s, int w, bool compared)
{
    struct an_decision d = {0};
    size_t n = compared ? decide(s, w, &d) : FIRST_LOOK;
    json_t *head = json_array(), *base = json_array(), *seed = json_array(), *order = json_array(),
           *layout = json_array(), *rss = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(head, json_real(value_of(s, w, i)));
        json_array_append_new(base, json_real(16.5e6 / (w + 1)));
        json_array_append_new(seed, json_integer(42 + i % 3));
        json_array_append_new(order, json_integer(i * 7 / 3 % 2));
        json_array_append_new(layout, json_integer(i % 64));
        json_array_append_new(rss, json_integer(20480 * (w + 1) + (s->munmap > 1000 ? 64 : 8192)));
    }
    const char *other = compared ? "base" : "control";
    json_object_set_new(workload, "pairs",
                        json_pack("{s:i, s:s, s:s, s:o, s:o, s:o}", "count", (int)n, "first",
                                  "head", "second", other, "seed", seed, "first_ran", order,
                                  "layout", layout));
    json_object_set_new(workload, "samples",
                        json_pack("[o, o, o]", set_of("head", "throughput", head),
                                  set_of(other, "throughput", base),
                                  set_of("head", "peak_rss", rss)));
    json_object_set_new(workload, "decision",
                        !compared
                            ? json_null()
                            : json_pack("{s:s, s:s?, s:i, s:f, s:f, s:f}", "verdict",
                                        an_verdict_name(d.verdict), "size", an_size_name(d.size),
                                        "pairs", (int)n, "estimate", d.estimate.estimate, "low",
                                        d.estimate.low, "high", d.estimate.high));
}

static void add_figure(json_t *list, const char *arm, const char *metric, double value)
{
    json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:i, s:n}", "arm", arm, "metric", metric,
                                          "value", value, "n", 1, "missing"));
}

static void add_figures(json_t *list, const char *arm, const struct step *s)
{
    add_figure(list, arm, "kernel_share", s->kernel_share);
    add_figure(list, arm, "ace_failures", s->threshold + s->exhaustion + s->mapfail);
    add_figure(list, arm, "counter:ace.fail.threshold", s->threshold);
    add_figure(list, arm, "counter:ace.fail.exhaustion", s->exhaustion);
    add_figure(list, arm, "counter:ace.fail.mapfail", s->mapfail);
    add_figure(list, arm, "syscalls", s->munmap * 2 + 14);
    add_figure(list, arm, "syscall:munmap", s->munmap);
    add_figure(list, arm, "syscall:mmap", s->munmap + 9);
    add_figure(list, arm, "syscall:brk", 5);
}

static json_t *options(const struct step *s)
{
    return json_pack("{s:{s:s, s:s, s:b}, s:{s:s, s:s, s:b}}", "HAKMEM_TINY_USE_SUPERSLAB", "value",
                     s->superslab ? s->superslab : "0", "source",
                     s->superslab ? "environment" : "default", "ignored", 0, "HAKMEM_KEEP_EMPTY",
                     "value", s->munmap > 1000 ? "0" : "8", "source", "default", "ignored", 0);
}

static json_t *coverage(const struct step *s)
{
    if (!s->function)
        return json_null();
    HP_FREE char *file = hp_format("allocator/src/%s.c", s->function);
    return json_pack("{s:{s:i, s:i, s:i}, s:[{s:s, s:s, s:i, s:b, s:i}], s:n}", "lines", "changed",
                     14, "code", 9, "executed", s->calls ? 7 : 0, "functions", "file", file, "name",
                     s->function, "line", 118, "executed", s->calls > 0, "calls", s->calls,
                     "missing");
}

static json_t *workload_json(const json_t *golden, int i, int w)
{
    const struct step *s = &steps[i], *before = i > 0 ? s - 1 : NULL;
    char hash[HP_HASH_TEXT];
    while (before && (before->fails || before->unmeasured || before->identical))
        before--;
    json_t *out = json_deep_copy(golden), *list = json_array();
    ck_assert(hp_workload_hash(
        suite, json_array_get(json_object_get(suite, "workloads"), (size_t)w), hash, &err));
    json_object_set_new(out, "name", json_string(workload_names[w]));
    json_object_set_new(out, "hash", json_string(hash));
    json_object_set_new(json_object_get(out, "plan"), "layout_sd", json_real(0));
    add_pairs(out, s, w, before != NULL);
    add_figures(list, "head", s);
    if (before)
        add_figures(list, "base", before);
    json_object_set_new(out, "measurements", list);
    json_object_set_new(out, "configuration",
                        json_pack("{s:o, s:o}", "head", options(s), "base",
                                  before ? options(before) : json_null()));
    json_object_set_new(out, "coverage", coverage(s));
    if (!before) {
        json_object_del(out, "profiles");
        json_object_del(out, "rss");
    }
    return out;
}

static void set_machine(json_t *result, const char *kernel)
{
    char hash[HP_HASH_TEXT];
    golden_set(result, "/machine/facts/kernel", json_string(kernel));
    ck_assert(
        hp_hash_json(json_object_get(json_object_get(result, "machine"), "facts"), hash, &err));
    golden_set(result, "/machine/fingerprint", json_string(hash));
}

static json_t *arm_json(const json_t *golden, const char *name, int i, bool identical)
{
    char hash[HP_HASH_TEXT];
    const char *subject = steps[identical ? i - 1 : i].subject;
    json_t *arm = json_deep_copy(golden);
    hp_hash_bytes(subject, strlen(subject), hash);
    json_object_set_new(arm, "name", json_string(name));
    json_object_set_new(arm, "sha", json_string(shas[i]));
    json_object_set_new(arm, "artifact_hash", json_string(hash));
    json_object_set_new(arm, "code_hash", json_string(hash));
    json_object_set_new(arm, "build_seconds", json_real(steps[i].build_s));
    return arm;
}

static void set_time(json_t *result, const char *path, int i, int seconds)
{
    HP_FREE char *sql = hp_format("SELECT to_char((started + interval '%d s') AT TIME ZONE 'UTC', "
                                  "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM store.job WHERE id = %d",
                                  seconds, i + 1);
    golden_set(result, path, json_string(store_ask(PRIVATE_DB_OWNER, sql)));
}

static json_t *result_json(int i)
{
    const struct step *s = &steps[i];
    json_t *result = golden_read(s->fails ? "result-failed-v1.json" : "result-v1.json");
    HP_JSON json_t *golden =
        json_deep_copy(json_array_get(json_object_get(result, "workloads"), 0));
    HP_JSON json_t *arm = json_deep_copy(json_array_get(json_object_get(result, "arms"), 0));
    HP_JSON json_t *control = json_deep_copy(json_array_get(json_object_get(result, "arms"), 2));
    json_t *arms = json_array(), *workloads = json_array();
    json_array_append_new(arms, arm_json(arm, "head", i, s->identical));
    if (i > 0)
        json_array_append_new(arms, arm_json(arm, "base", i - 1, false));
    else
        json_array_append_new(arms, json_incref(control));
    for (int w = 0; w < WORKLOADS && !s->fails && !s->identical; w++)
        json_array_append_new(workloads, workload_json(golden, i, w));
    golden_set(result, "/run", json_string(run_id(i)));
    golden_set(result, "/job", json_integer(i + 1));
    golden_set(result, "/suite_hash", json_string(suite_hash));
    if (s->identical)
        golden_set(result, "/status", json_string("identical"));
    if (!s->fails)
        golden_set(result, "/driver/sha", json_string(driver));
    golden_set(result, "/arms", arms);
    golden_set(result, "/workloads", workloads);
    golden_set(result, "/coverage", coverage(s));
    golden_set(result, "/reproduce",
               json_sprintf("hakperf-runner measure --suite hakmem --head %s%s%s", shas[i],
                            i > 0 ? " --base " : "", i > 0 ? shas[i - 1] : ""));
    if (s->fails) {
        golden_set(result, "/failure/message",
                   json_sprintf("building head (%.7s) failed: make: exit code 2", shas[i]));
        golden_set(result, "/arms/0/artifact_hash", json_null());
        golden_set(result, "/arms/0/code_hash", json_null());
    }
    set_machine(result, s->kernel);
    set_time(result, "/started", i, 0);
    set_time(result, "/finished", i, s->took_s);
    return result;
}

static void deliver(struct db *db, int i)
{
    struct ingest_outcome out;
    HP_JSON json_t *result = result_json(i);
    ck_assert_msg(hp_wire_check(HP_WIRE_RESULT, result, &err), "%s: %s %s", steps[i].subject,
                  err.message, err.path);
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s: %s %s", steps[i].subject, err.message,
                  err.path);
    ck_assert_msg(out.stored && !out.voided, "%s", steps[i].subject);
}

enum { CONFIRM_AFTER_S = 300 };

/* The run that confirms what step i found, where it found a relevant regression: the same figures,
 * once more. */
static void confirm(struct db *db, int i)
{
    struct ingest_outcome out;
    long long job = 0;
    char run[37];
    snprintf(run, sizeof run, "%.36s", run_id(i));
    memcpy(run, "ffffffff", 8);
    HP_FREE char *sql =
        hp_format("UPDATE store.job SET state = 'running', fence = 1, attempt = 1, "
                  "runner = 'bench-1', run = '%s', plan = NULL, created = f.at, started = f.at, "
                  "lease_until = now() FROM (SELECT started + interval '%d s' AS at "
                  "FROM store.job WHERE id = %d) f "
                  "WHERE kind = 'confirm' AND state = 'queued' RETURNING id",
                  run, CONFIRM_AFTER_S, i + 1);
    job = atoll(store_ask(PRIVATE_DB_OWNER, sql));
    if (job == 0)
        return;
    HP_JSON json_t *result = result_json(i);
    golden_set(result, "/job", json_integer(job));
    golden_set(result, "/run", json_string(run));
    golden_set(result, "/fence", json_integer(1));
    golden_set(result, "/attempt", json_integer(1));
    set_time(result, "/started", i, CONFIRM_AFTER_S);
    set_time(result, "/finished", i, CONFIRM_AFTER_S + steps[i].took_s);
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s: %s %s", steps[i].subject, err.message,
                  err.path);
    ck_assert_msg(out.stored && !out.voided, "%s", steps[i].subject);
}

/* What was stored now was stored then. */
static void set_clock(void)
{
    owner("UPDATE store.run SET stored = finished + interval '2 s'");
    owner("UPDATE store.job j SET finished = u.stored FROM store.run u WHERE u.job = j.id");
    owner("UPDATE store.epoch e SET started = (SELECT min(u.stored) FROM store.run u "
          "WHERE u.epoch = e.id)");
    owner("UPDATE store.job j SET created = e.started FROM store.epoch e WHERE j.kind = 'bridge' "
          "AND e.id = 2");
    owner("UPDATE store.alert a SET created = u.stored FROM store.run u WHERE u.id = a.run");
    owner("UPDATE store.machine m SET first_seen = (SELECT min(u.stored) FROM store.run u "
          "WHERE u.machine = m.fingerprint)");
}

void replay_history(void)
{
    hp_log_init("test", HP_LOG_ERROR);
    read_history();
    make_suite();
    /* Numbers that the store draws itself begin behind ours. */
    owner("SELECT setval(pg_get_serial_sequence('store.job', 'id'), 1000)");
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    for (int i = 0; i < STEPS; i++) {
        make_commit(i);
        if (steps[i].unmeasured)
            continue;
        make_job(i);
        deliver(db, i);
        confirm(db, i);
    }
    owner("INSERT INTO store.ref_tip (repository, ref, sha) VALUES (1, 'refs/heads/main', '%s')",
          shas[STEPS - 1]);
    set_clock();
    json_decref(suite);
    json_decref(history);
    db_close(db);
}
