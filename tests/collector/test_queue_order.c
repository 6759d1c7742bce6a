/* What the queue gives next, to whom, and when it will be done; on the database, without HTTP. */
#include "collector/hint.h"
#include "collector/private_db.h"
#include "collector/queue.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/store_fixture.h"
#include "tests/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct db *db;
static const struct queue_lease lease = {60, 3};

static const char *owner(const char *sql)
{
    return store_ask(PRIVATE_DB_OWNER, sql);
}

/* Repositories a, b and c of ten commits in a row each, 1 to 10, with a suite. */
static void world(void)
{
    db = store_db(PRIVATE_DB_COLLECTOR);
    owner("INSERT INTO store.repository (name, url) VALUES ('a', 'u'), ('b', 'u'), ('c', 'u')");
    owner("INSERT INTO store.suite (repository, hash, name, document, driver_sha) "
          "SELECT id, repeat('a', 64), 's', '{}', repeat('d', 40) FROM store.repository");
    owner("UPDATE store.repository SET suite_hash = repeat('a', 64)");
    owner("INSERT INTO store.commit (repository, sha, parents, position, author, subject, "
          "committed) SELECT r.id, lpad(to_hex(n), 40, '0'), "
          "CASE WHEN n > 1 THEN ARRAY[lpad(to_hex(n - 1), 40, '0')] ELSE '{}' END, n - 1, 'a', "
          "'s' || n, now() FROM store.repository r, generate_series(1, 10) n");
}

static int64_t add(const char *repository, const char *kind, int commit, int64_t priority)
{
    struct hp_error err;
    HP_FREE char *sql = hp_format("SELECT id FROM store.repository WHERE name = '%s'", repository);
    HP_FREE char *head = hp_format("%040x", (unsigned)commit);
    struct queue_job job = {.repository = strtoll(owner(sql), NULL, 10),
                            .kind = kind,
                            .head = head,
                            .priority = priority};
    int64_t id;
    bool added;
    DB_CONN struct db_conn *conn = db_acquire(db, &err);
    ck_assert_msg(queue_add(conn, &job, &id, &added, &err), "%s", err.message);
    ck_assert_int_gt(id, 0);
    return id;
}

static json_t *take(const char *runner)
{
    struct hp_error err = {0};
    json_t *job = queue_claim(db, runner, "1", &lease, &err);
    ck_assert_msg(job || err.code == HP_OK, "%s", err.message);
    return job;
}

/* What the next claims give: "a3 a4 b1", repository and commit each. */
static const char *order(int claims)
{
    static char out[512];
    out[0] = '\0';
    for (int i = 0; i < claims; i++) {
        HP_JSON json_t *job = take("r");
        size_t n = strlen(out);
        if (!job) {
            snprintf(out + n, sizeof out - n, "%s-", i ? " " : "");
            break;
        }
        const char *sha = hp_json_string(json_object_get(job, "head"), "sha", "");
        snprintf(out + n, sizeof out - n, "%s%s%ld", i ? " " : "",
                 hp_json_string(job, "repository", ""), strtol(sha, NULL, 16));
    }
    return out;
}

START_TEST(newest_push_first_and_parents_before_children)
{
    world();
    int64_t first = queue_look_priority(), second = queue_look_priority();
    for (int commit = 4; commit >= 1; commit--) /* a look finds the newest first */
        add("a", "commit", commit, first);
    add("a", "backfill", 9, QUEUE_GAP);
    add("a", "commit", 6, second);
    add("a", "commit", 5, second);
    add("a", "compare", 8, QUEUE_ASKED);
    ck_assert_str_eq(order(9), "a8 a5 a6 a1 a2 a3 a4 a9 -");
    db_close(db);
}
END_TEST

/* Somebody waits for an answer; a regression waits to be told; then what was pushed; and what
 * nobody waits for. */
START_TEST(each_kind_has_its_place)
{
    world();
    add("a", "canary", 2, -1);
    add("a", "aa", 1, -1);
    add("a", "backfill", 3, QUEUE_GAP);
    add("a", "commit", 4, queue_look_priority());
    add("a", "bridge", 5, QUEUE_BRIDGE);
    add("a", "bisect", 6, QUEUE_BISECT);
    add("a", "confirm", 7, QUEUE_CONFIRM);
    add("a", "compare", 8, QUEUE_ASKED);
    ck_assert_str_eq(order(9), "a8 a7 a6 a5 a4 a3 a1 a2 -");
    db_close(db);
}
END_TEST

/* As long as its runner gives a sign of life a job is its own, however late the sign; once it was
 * taken away, the old fence is worth nothing. */
START_TEST(a_heartbeat_keeps_the_lease)
{
    struct hp_error err = {0};
    int64_t released, dead;
    world();
    int64_t id = add("a", "commit", 1, 1);
    HP_JSON json_t *job = take("r");
    HP_JSON json_t *progress = json_pack("{s:s}", "stage", "build");
    int64_t fence = hp_json_int(job, "fence", 0);
    owner("UPDATE store.job SET lease_until = now() - interval '1 s'");
    ck_assert(queue_progress(db, id, fence, progress, 60, &err));
    ck_assert(queue_expire(db, 3, &released, &dead, &err));
    ck_assert(released == 0 && dead == 0);
    ck_assert_str_eq(
        owner("SELECT state || ' ' || (lease_until > now() + interval '50 s') || ' ' || "
              "(progress ->> 'stage') FROM store.job"),
        "running true build");
    owner("UPDATE store.job SET lease_until = now() - interval '1 s'");
    ck_assert(queue_expire(db, 3, &released, &dead, &err) && released == 1);
    ck_assert(!queue_progress(db, id, fence, progress, 60, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    HP_JSON json_t *again = take("other");
    ck_assert_int_gt(hp_json_int(again, "fence", 0), fence);
    ck_assert_int_eq(hp_json_int(again, "attempt", 0), 2);
    db_close(db);
}
END_TEST

/* A thousand jobs of one repository, asked for one by one, and one of another. */
START_TEST(repositories_take_turns)
{
    world();
    add("a", "commit", 1, QUEUE_ASKED);
    add("b", "commit", 1, queue_look_priority());
    add("b", "commit", 2, queue_look_priority());
    add("c", "backfill", 1, QUEUE_GAP);
    owner("DROP INDEX store.job_once");
    owner("INSERT INTO store.job (repository, kind, head, suite_hash, priority) "
          "SELECT repository, kind, head, suite_hash, priority FROM store.job, "
          "generate_series(1, 999) WHERE repository = 1");
    ck_assert_str_eq(order(5), "a1 b2 a1 b1 a1");
    owner("DELETE FROM store.job WHERE state = 'queued' AND priority > 0");
    ck_assert_str_eq(order(2), "c1 -");
    db_close(db);
}
END_TEST

static void finish(int64_t job, const char *state)
{
    HP_FREE char *sql = hp_format("UPDATE store.job SET state = '%s', finished = now() "
                                  "WHERE id = %lld",
                                  state, (long long)job);
    owner(sql);
}

static int64_t add_after(const int64_t *jobs, size_t count, int commit, struct hp_error *err)
{
    HP_FREE char *head = hp_format("%040x", (unsigned)commit);
    struct queue_job job = {.repository = 1,
                            .kind = "bisect",
                            .head = head,
                            .priority = QUEUE_BISECT,
                            .depends_on = jobs,
                            .depends_count = count};
    int64_t id = 0;
    bool added;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    return queue_add(conn, &job, &id, &added, err) ? id : -1;
}

START_TEST(a_job_waits_for_what_it_depends_on)
{
    struct hp_error err;
    world();
    int64_t needs[2] = {add("a", "commit", 1, 5), add("a", "commit", 2, 5)};
    ck_assert_int_gt(add_after(needs, 2, 3, &err), 0);
    ck_assert_int_eq(queue_ready(db, 10, &err), 2);
    ck_assert_str_eq(order(3), "a1 a2 -");
    finish(needs[0], "done");
    ck_assert_str_eq(order(1), "-");
    finish(needs[1], "done");
    ck_assert_int_eq(queue_ready(db, 10, &err), 1);
    ck_assert_str_eq(order(2), "a3 -");
    /* What is not there, or belongs to others, cannot be waited for. */
    int64_t foreign = add("b", "commit", 1, 5), none = 12345;
    ck_assert_int_eq(add_after(&foreign, 1, 4, &err), -1);
    ck_assert_int_eq(err.code, HP_INVALID);
    ck_assert_int_eq(add_after(&none, 1, 4, &err), -1);
    ck_assert_int_eq(err.code, HP_INVALID);
    db_close(db);
}
END_TEST

START_TEST(what_can_never_run_is_given_up)
{
    struct hp_error err;
    int64_t released, dead;
    world();
    int64_t first = add("a", "commit", 1, 5);
    int64_t second = add_after(&first, 1, 2, &err), third = add_after(&second, 1, 3, &err);
    ck_assert_int_gt(third, second);
    ck_assert(queue_cancel(db, first, "somebody", &err));
    ck_assert(queue_expire(db, 3, &released, &dead, &err));
    ck_assert_int_eq(dead, 1);
    ck_assert(queue_expire(db, 3, &released, &dead, &err));
    ck_assert_int_eq(dead, 1);
    ck_assert_str_eq(owner("SELECT string_agg(state || ': ' || reason, '; ' ORDER BY id) "
                           "FROM store.job WHERE kind = 'bisect'"),
                     "dead: job 1, which it depends on, is cancelled; "
                     "dead: job 2, which it depends on, is dead");
    /* And by hand all of it comes back. */
    ck_assert(queue_retry(db, first, &err) && queue_retry(db, second, &err) &&
              queue_retry(db, third, &err));
    ck_assert_str_eq(order(2), "a1 -");
    db_close(db);
}
END_TEST

START_TEST(some_jobs_are_for_one_runner)
{
    struct hp_error err;
    int64_t released, dead;
    world();
    add("a", "bridge", 1, QUEUE_BRIDGE);
    owner("UPDATE store.job SET only_runner = 'm'");
    HP_JSON json_t *other = take("r");
    ck_assert_ptr_null(other);
    ck_assert_int_eq(queue_ready(db, 10, &err), 0);
    HP_JSON json_t *mine = take("m");
    ck_assert_str_eq(hp_json_string(mine, "kind", ""), "bridge");
    add("a", "bridge", 2, QUEUE_BRIDGE);
    owner("UPDATE store.job SET only_runner = 'gone', created = now() - interval '2 days' "
          "WHERE state = 'queued'");
    ck_assert(queue_expire(db, 3, &released, &dead, &err));
    ck_assert_int_eq(dead, 1);
    ck_assert_str_eq(owner("SELECT reason FROM store.job WHERE state = 'dead'"),
                     "runner gone, which alone may do it, was not seen for a day");
    db_close(db);
}
END_TEST

/* A runner that dies keeps its own job from going on, and nobody else's. */
START_TEST(a_dead_runner_delays_its_own_job_only)
{
    world();
    add("a", "commit", 1, 5);
    add("a", "commit", 2, 5);
    HP_JSON json_t *lost = take("dies");
    ck_assert_ptr_nonnull(lost);
    ck_assert_str_eq(order(2), "a2 -");
    owner("UPDATE store.job SET lease_until = now() - interval '1 s' WHERE runner = 'dies'");
    ck_assert_str_eq(order(2), "a1 -");
    db_close(db);
}
END_TEST

START_TEST(jobs_are_called_off_and_repeated)
{
    struct hp_error err = {0};
    world();
    int64_t job = add("a", "commit", 1, 5);
    HP_JSON json_t *claimed = take("r");
    ck_assert(queue_cancel(db, job, "admin", &err));
    HP_JSON json_t *progress = json_object();
    ck_assert(!queue_progress(db, job, 1, progress, 60, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert(!queue_cancel(db, job, "admin", &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert_str_eq(err.message, "job 1 is cancelled: it cannot be cancelled");
    ck_assert(queue_retry(db, job, &err));
    HP_JSON json_t *again = take("r");
    ck_assert_int_eq(hp_json_int(again, "attempt", 0), 1);
    ck_assert_int_gt(hp_json_int(again, "fence", 0), hp_json_int(claimed, "fence", 0));
    ck_assert(!queue_retry(db, job, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert(!queue_retry(db, 77, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    /* The same work was queued meanwhile. */
    ck_assert(queue_cancel(db, job, "admin", &err));
    add("a", "commit", 1, 5);
    ck_assert(!queue_retry(db, job, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "queued already"));
    db_close(db);
}
END_TEST

/* Commits 2 and 9 were measured, 1 to 3 were there at the first look: 8 to 4 are a gap. */
START_TEST(gaps_are_filled_when_there_is_time)
{
    struct hp_error err;
    int64_t added;
    world();
    owner("UPDATE store.commit SET mainline = true, watched = position <> 5, "
          "seen = now() + CASE WHEN position < 3 THEN interval '0' ELSE interval '1 s' END");
    owner("INSERT INTO store.machine (repository, fingerprint, facts) "
          "VALUES (1, repeat('e', 64), '{}')");
    owner("INSERT INTO store.job (repository, kind, head, suite_hash, state, finished) "
          "SELECT 1, 'commit', lpad(n::text, 40, '0'), repeat('a', 64), 'done', now() "
          "FROM unnest(ARRAY[2, 9]) n");
    owner(
        "INSERT INTO store.run (repository, id, job, attempt, kind, head, against_parent, "
        "suite_hash, status, verdict, started, finished, runner, runner_version, machine, sandbox, "
        "reproduce) SELECT 1, gen_random_uuid(), id, 1, kind, head, true, suite_hash, 'measured', "
        "'equivalent', now(), now(), 'x', '1', repeat('e', 64), 'none', 'x' FROM store.job");
    ck_assert(queue_fill_gaps(db, 0, &added, &err) && added == 0);
    ck_assert_msg(queue_fill_gaps(db, 3, &added, &err), "%s", err.message);
    ck_assert_int_eq(added, 3);
    ck_assert(queue_fill_gaps(db, 3, &added, &err) && added == 0);
    add("a", "commit", 10, queue_look_priority());
    ck_assert_str_eq(order(4), "a10 a5 a7 a8"); /* 6 touches no watched path */
    owner("UPDATE store.job SET state = 'done', finished = now() WHERE kind = 'backfill'");
    ck_assert(queue_fill_gaps(db, 3, &added, &err) && added == 1);
    ck_assert_str_eq(order(2), "a4 -");
    db_close(db);
}
END_TEST

/* --- many at once --------------------------------------------------------------------------- */

enum { CLAIMERS = 24, WORK = 240 };

struct claimer {
    pthread_t thread;
    struct db *db;
    int got[WORK], count;
    char name[8];
};

static void *claim_all(void *argument)
{
    struct claimer *c = argument;
    for (;;) {
        struct hp_error err = {0};
        HP_JSON json_t *job = queue_claim(c->db, c->name, "1", &lease, &err);
        if (!job)
            return NULL;
        c->got[c->count++] = (int)hp_json_int(job, "job", 0);
    }
}

/* Twenty-four runners on two collectors' pools: every job goes to one of them. */
START_TEST(many_claimers_share_the_work)
{
    static struct claimer claimers[CLAIMERS];
    int seen[1000] = {0}, total = 0;
    world();
    struct db *other = store_db(PRIVATE_DB_COLLECTOR);
    owner("DROP INDEX store.job_once");
    owner("INSERT INTO store.job (repository, kind, head, suite_hash, priority) "
          "SELECT 1 + n % 3, 'commit', lpad(to_hex(1 + n % 10), 40, '0'), repeat('a', 64), 7 "
          "FROM generate_series(1, 240) n");
    for (int i = 0; i < CLAIMERS; i++) {
        claimers[i].db = i % 2 ? db : other;
        snprintf(claimers[i].name, sizeof claimers[i].name, "r%d", i);
        ck_assert_int_eq(pthread_create(&claimers[i].thread, NULL, claim_all, &claimers[i]), 0);
    }
    for (int i = 0; i < CLAIMERS; i++) {
        pthread_join(claimers[i].thread, NULL);
        total += claimers[i].count;
        for (int k = 0; k < claimers[i].count; k++)
            ck_assert_int_eq(seen[claimers[i].got[k]]++, 0);
    }
    ck_assert_int_eq(total, WORK);
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job WHERE fence <> 1"), "0");
    db_close(other);
    db_close(db);
}
END_TEST

static void *insert_later(void *unused)
{
    (void)unused;
    hp_sleep_ms(300);
    owner("INSERT INTO store.job (repository, kind, head, suite_hash) "
          "VALUES (1, 'commit', lpad('1', 40, '0'), repeat('a', 64))");
    return NULL;
}

/* Another program queues by SQL: who listens hears of it, and of nothing else. */
START_TEST(whoever_queues_is_heard)
{
    pthread_t thread;
    world();
    struct hint hint = {.db = db};
    ck_assert(!hint_wait(&hint, 0.05, -1));
    ck_assert_ptr_nonnull(hint.conn);
    owner("UPDATE store.repository SET looked = now()");
    ck_assert(!hint_wait(&hint, 0.2, -1));
    ck_assert_int_eq(pthread_create(&thread, NULL, insert_later, NULL), 0);
    double start = hp_monotonic_s();
    ck_assert(hint_wait(&hint, 30, -1));
    ck_assert(hp_monotonic_s() - start < 20);
    pthread_join(thread, NULL);
    HP_JSON json_t *job = take("r");
    ck_assert_ptr_nonnull(job);
    ck_assert(!hint_wait(&hint, 0.2, -1)); /* a claim is no news */
    owner("UPDATE store.job SET lease_until = now() - interval '1 s'");
    struct hp_error err;
    int64_t released, dead;
    ck_assert(queue_expire(db, 3, &released, &dead, &err));
    ck_assert(hint_wait(&hint, 20, -1)); /* what waits again is */
    /* The connection breaks: it listens again by itself. */
    owner("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LISTEN%' "
          "AND pid <> pg_backend_pid()");
    for (int i = 0; i < 20 && hint.conn; i++)
        hint_wait(&hint, 5, -1); /* first the server's farewell, then the end */
    ck_assert_ptr_null(hint.conn);
    hint.again = 0;
    ck_assert(!hint_wait(&hint, 0.1, -1));
    ck_assert_ptr_nonnull(hint.conn);
    hint_release(&hint);
    db_close(db);
}
END_TEST

/* Of a job's kind and suite the last twenty count; what is ahead is shared among the runners. */
START_TEST(a_forecast_comes_from_history)
{
    static const char finish_sql[] =
        "SELECT string_agg(round(extract(epoch FROM finish - now()))::text, ' ' ORDER BY place) "
        "FROM store.job_forecast";
    world();
    add("a", "commit", 1, 5);
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job_forecast WHERE finish IS NULL"), "1");
    owner("INSERT INTO store.job (repository, kind, head, suite_hash, state, started, finished) "
          "SELECT 1, k.kind, lpad('1', 40, '0'), repeat('a', 64), 'done', now() - k.took, now() "
          "FROM (VALUES ('commit', interval '60 s'), ('compare', interval '10 s')) k(kind, took), "
          "generate_series(1, 25)");
    add("a", "commit", 2, 5);
    add("a", "compare", 3, QUEUE_ASKED);
    ck_assert_str_eq(owner("SELECT string_agg(estimate_s::text, ' ' ORDER BY place) "
                           "FROM store.job_forecast"),
                     "10 60 60");
    ck_assert_str_eq(owner(finish_sql), "10 70 130");
    owner("INSERT INTO store.runner (name, version) VALUES ('r', '1'), ('s', '1')");
    ck_assert_str_eq(owner(finish_sql), "10 65 95");
    /* One runs for 20 of its 60 seconds. */
    owner("UPDATE store.job SET state = 'running', runner = 'r', run = gen_random_uuid(), "
          "lease_until = now(), started = now() - interval '20 s' WHERE id = 1");
    ck_assert_str_eq(owner("SELECT round(extract(epoch FROM finish - now())) "
                           "FROM store.job_forecast WHERE id = 1"),
                     "40");
    db_close(db);
}
END_TEST

HP_SUITE(queue_order)
{
    Suite *s = suite_create("queue_order");
    TCase *t = tcase_create("order");
    tcase_add_unchecked_fixture(t, store_start, store_stop);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, newest_push_first_and_parents_before_children);
    tcase_add_test(t, each_kind_has_its_place);
    tcase_add_test(t, a_heartbeat_keeps_the_lease);
    tcase_add_test(t, repositories_take_turns);
    tcase_add_test(t, a_job_waits_for_what_it_depends_on);
    tcase_add_test(t, what_can_never_run_is_given_up);
    tcase_add_test(t, some_jobs_are_for_one_runner);
    tcase_add_test(t, a_dead_runner_delays_its_own_job_only);
    tcase_add_test(t, jobs_are_called_off_and_repeated);
    tcase_add_test(t, gaps_are_filled_when_there_is_time);
    tcase_add_test(t, many_claimers_share_the_work);
    tcase_add_test(t, whoever_queues_is_heard);
    tcase_add_test(t, a_forecast_comes_from_history);
    suite_add_tcase(s, t);
    return s;
}
