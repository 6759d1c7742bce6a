/* Jobs from asking to their result, through the running collector. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define JOBS "/api/v1/repositories/r/jobs"

static const char *owner(const char *sql)
{
    return store_ask("hakperf_owner", sql);
}

/* A repository with commits one, two and three under lib/, applied; nothing waits. */
static const char *three_commits(void)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    repo_commit(r, "lib/a", "2", "two");
    repo_commit(r, "lib/a", "3", "three");
    suite_applied(r);
    owner("UPDATE store.job SET state = 'done', finished = now()");
    return r;
}

static long ask_revs(const char *first, const char *second, json_t **answer)
{
    HP_JSON json_t *body = json_pack("{s:[s]}", "revs", first);
    if (second)
        json_array_append_new(json_object_get(body, "revs"), json_string(second));
    return collector_ask("POST", JOBS, body, answer);
}

static int64_t first_job(const json_t *answer)
{
    return hp_json_int(json_array_get(json_object_get(answer, "queued"), 0), "job", 0);
}

START_TEST(asking_queues_what_was_measured_before)
{
    collector_start(NULL);
    three_commits();
    HP_JSON json_t *first = NULL, *second = NULL, *both = NULL;
    ck_assert_int_eq(ask_revs("main", NULL, &first), 200);
    ck_assert_int_eq(ask_revs("main", "main~1", &both), 200);
    ck_assert_int_eq(ask_revs("HEAD", NULL, &second), 200);
    ck_assert_int_gt(first_job(first), 1);
    ck_assert_int_eq(first_job(first), first_job(second));
    ck_assert_int_eq(first_job(first), first_job(both));
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job WHERE state = 'queued'"), "2");
    HP_JSON json_t *parent = claim("x"), *job = claim("x");
    ck_assert_str_eq(hp_json_string(json_object_get(parent, "head"), "subject", ""), "two");
    ck_assert_int_eq(hp_json_int(job, "job", 0), first_job(first));
    ck_assert_str_eq(hp_json_string(json_object_get(job, "base"), "subject", ""), "two");
    /* While it runs, too. */
    HP_JSON json_t *third = NULL;
    ck_assert_int_eq(ask_revs("main", NULL, &third), 200);
    ck_assert_int_eq(first_job(first), first_job(third));
    collector_stop();
}
END_TEST

START_TEST(two_revisions_are_compared)
{
    collector_start(NULL);
    const char *r = three_commits();
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "base", "main~2", "head", "main");
    ck_assert_int_eq(collector_ask("POST", JOBS, body, NULL), 200);
    HP_JSON json_t *job = claim("x");
    ck_assert_str_eq(hp_json_string(job, "kind", ""), "compare");
    ck_assert_str_eq(hp_json_string(json_object_get(job, "base"), "sha", ""),
                     REPO_GIT(r, "rev-parse", "main~2"));
    ck_assert_str_eq(hp_json_string(json_object_get(job, "head"), "sha", ""),
                     REPO_GIT(r, "rev-parse", "main"));
    collector_stop();
}
END_TEST

/* Pushed a moment ago, on no branch, or only tagged: all can be asked for. */
START_TEST(any_revision_can_be_asked_for)
{
    collector_start(NULL);
    const char *r = three_commits();
    repo_commit(r, "lib/a", "4", "four");
    HP_JSON json_t *fresh = NULL;
    ck_assert_int_eq(ask_revs(REPO_GIT(r, "rev-parse", "HEAD"), NULL, &fresh), 200);
    REPO_GIT(r, "checkout", "--quiet", "--detach");
    repo_commit(r, "lib/a", "5", "five");
    repo_commit(r, "lib/a", "6", "six");
    REPO_GIT(r, "tag", "v6");
    HP_JSON json_t *tagged = NULL;
    ck_assert_int_eq(ask_revs("v6", NULL, &tagged), 200);
    ck_assert_str_eq(owner("SELECT string_agg(subject || position, ',' ORDER BY position) FROM "
                           "store.commit WHERE subject IN ('five', 'six')"),
                     "five4,six5");
    collector_stop();
}
END_TEST

START_TEST(bad_requests_queue_nothing)
{
    collector_start(NULL);
    three_commits();
    static const struct {
        const char *body, *code;
    } bad[] = {
        {"{}", "invalid"},
        {"{\"revs\":[]}", "invalid"},
        {"{\"revs\":\"main\"}", "invalid"},
        {"{\"revs\":[5]}", "invalid"},
        {"{\"base\":\"main\"}", "invalid"},
        {"{\"base\":\"main\",\"head\":\"main\",\"revs\":[\"main\"]}", "invalid"},
        {"{\"revs\":[\"main\",\"nothing\"]}", "not_found"},
        {"{\"revs\":[\"--all\"]}", "usage"},
        {"{\"revs\":[\"main\"],\"x\":1}", "invalid"},
        {"{\"base\":\"nothing\",\"head\":\"main\"}", "not_found"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        HP_JSON json_t *body = json_loads(bad[i].body, 0, NULL);
        const char *code = collector_error("POST", JOBS, body);
        ck_assert_msg(strcmp(code, bad[i].code) == 0, "%s: %s", bad[i].body, code);
    }
    HP_JSON json_t *many = json_pack("{s:[]}", "revs");
    for (int i = 0; i < 201; i++)
        json_array_append_new(json_object_get(many, "revs"), json_string("main"));
    ck_assert_str_eq(collector_error("POST", JOBS, many), "invalid");
    HP_JSON json_t *good = json_pack("{s:[s]}", "revs", "main");
    ck_assert_str_eq(collector_error("POST", "/api/v1/repositories/x/jobs", good), "not_found");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job WHERE state = 'queued'"), "0");
    static const char *const paths[] = {"log?before=--all", "commits/--all", "commits/%2D%2Dall",
                                        "compare?base=--all&head=main",
                                        "compare?base=main&head=-h"};
    for (size_t i = 0; i < 5; i++) {
        HP_FREE char *path = hp_format("/api/v1/repositories/r/%s", paths[i]);
        ck_assert_msg(strcmp(collector_error("GET", path, NULL), "usage") == 0, "%s", path);
    }
    collector_stop();
}
END_TEST

START_TEST(a_full_queue_says_so)
{
    const char *const limit[] = {"--queue-limit", "2", NULL};
    collector_start(limit);
    three_commits();
    ck_assert_int_eq(ask_revs("main", "main~1", NULL), 200);
    HP_JSON json_t *answer = NULL;
    ck_assert_int_eq(ask_revs("main~2", NULL, &answer), 429);
    ck_assert_str_eq(hp_json_string(answer, "code", ""), "limit");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job WHERE state = 'queued'"), "2");
    collector_stop();
}
END_TEST

static json_t *answer_of(const char *method, const char *path, long status)
{
    json_t *answer = NULL;
    long got = collector_ask(method, path, NULL, &answer);
    ck_assert_msg(got == status, "%s %s: %ld %s", method, path, got,
                  hp_json_string(answer, "message", ""));
    return answer;
}

/* Jobs are listed by what they are, called off, and queued again. */
START_TEST(jobs_are_managed_by_number)
{
    collector_start(NULL);
    three_commits();
    ck_assert_int_eq(ask_revs("main~1", "main", NULL), 200);
    HP_JSON json_t *all = answer_of("GET", "/api/v1/jobs?repository=r&state=queued", 200);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "jobs")), 2);
    ck_assert(json_is_null(json_object_get(all, "next")));
    HP_JSON json_t *page = answer_of("GET", "/api/v1/jobs?limit=1", 200);
    int64_t newest = hp_json_int(page, "next", 0);
    HP_FREE char *next = hp_format("/api/v1/jobs?limit=1&before=%lld", (long long)newest);
    HP_JSON json_t *second = answer_of("GET", next, 200);
    ck_assert_int_eq(hp_json_int(second, "next", 0), newest - 1);
    HP_JSON json_t *none = answer_of("GET", "/api/v1/jobs?kind=aa", 200);
    ck_assert_uint_eq(json_array_size(json_object_get(none, "jobs")), 0);
    ck_assert_str_eq(collector_error("GET", "/api/v1/jobs?state=lost", NULL), "invalid");
    ck_assert_str_eq(collector_error("GET", "/api/v1/jobs?kind=x", NULL), "invalid");
    ck_assert_str_eq(collector_error("GET", "/api/v1/jobs?repository=x", NULL), "not_found");
    HP_FREE char *one = hp_format("/api/v1/jobs/%lld", (long long)newest);
    HP_FREE char *retry = hp_format("%s/retry", one);
    ck_assert_str_eq(collector_error("POST", retry, NULL), "conflict");
    HP_JSON json_t *gone = answer_of("DELETE", one, 200);
    ck_assert_str_eq(hp_json_string(gone, "state", ""), "cancelled");
    ck_assert_str_eq(collector_error("DELETE", one, NULL), "conflict");
    HP_JSON json_t *status = answer_of("GET", "/api/v1/status", 200);
    const json_t *counts = json_object_get(status, "counts");
    ck_assert_int_eq(hp_json_int(counts, "cancelled", 0), 1);
    ck_assert_ptr_nonnull(json_object_get(status, "eta"));
    HP_JSON json_t *back = answer_of("POST", retry, 200);
    ck_assert_str_eq(hp_json_string(back, "state", ""), "queued");
    ck_assert_str_eq(collector_error("POST", "/api/v1/jobs/999/retry", NULL), "not_found");
    ck_assert_str_eq(owner("SELECT string_agg(action, ',' ORDER BY id) FROM store.audit_log "
                           "WHERE action IN ('cancel', 'retry')"),
                     "cancel,retry");
    collector_stop();
}
END_TEST

/* --- claims
 * ------------------------------------------------------------------------------------------- */

static long progress(const json_t *job, int64_t fence)
{
    HP_FREE char *path =
        hp_format("/api/v1/jobs/%lld/progress", (long long)hp_json_int(job, "job", 0));
    HP_JSON json_t *body = json_pack("{s:I, s:s, s:i, s:i, s:s}", "fence", (json_int_t)fence,
                                     "stage", "pairs", "done", 3, "total", 64, "text", "w");
    return collector_ask("POST", path, body, NULL);
}

static long source(const json_t *job, const char *sha, int64_t fence)
{
    HP_FREE char *path = hp_format("/api/v1/jobs/%lld/source/%s?fence=%lld",
                                   (long long)hp_json_int(job, "job", 0), sha, (long long)fence);
    return collector_ask("GET", path, NULL, NULL);
}

static long deliver(const json_t *result, json_t **answer)
{
    HP_FREE char *path = hp_format("/api/v1/runs/%s", hp_json_string(result, "run", ""));
    return collector_ask("PUT", path, result, answer);
}

static void end_lease(void)
{
    owner("UPDATE store.job SET lease_until = now() - interval '1 second' WHERE state = 'running'");
}

static long release(const json_t *job, int64_t fence, const char *reason)
{
    HP_FREE char *path =
        hp_format("/api/v1/jobs/%lld/release", (long long)hp_json_int(job, "job", 0));
    HP_JSON json_t *body = json_pack("{s:I, s:s?}", "fence", (json_int_t)fence, "reason", reason);
    return collector_ask("POST", path, body, NULL);
}

/* A runner that is stopped gives its job back: another has it at once, and no attempt is lost. */
START_TEST(a_released_job_waits_again_at_once)
{
    collector_start(NULL);
    three_commits();
    ck_assert_int_eq(ask_revs("main", NULL, NULL), 200);
    HP_JSON json_t *first = claim("first");
    ck_assert_int_eq(release(first, 2, "stopped"), 409);
    ck_assert_int_eq(release(first, 1, NULL), 422);
    ck_assert_int_eq(release(first, 1, "stopped"), 200);
    ck_assert_int_eq(release(first, 1, "stopped"), 409);
    ck_assert_int_eq(progress(first, 1), 409);
    ck_assert_str_eq(owner("SELECT concat_ws(' ', state, attempt, reason) FROM store.job "
                           "WHERE fence > 0"),
                     "queued 0 runner first gave it back: stopped");
    HP_JSON json_t *second = claim("second");
    ck_assert_int_eq(hp_json_int(second, "fence", 0), 2);
    ck_assert_int_eq(hp_json_int(second, "attempt", 0), 1);
    collector_stop();
}
END_TEST

/* The whole way, with a runner that was too slow on it. */
START_TEST(a_stale_runner_changes_nothing)
{
    collector_start(NULL);
    const char *r = three_commits();
    ck_assert_int_eq(ask_revs("main", NULL, NULL), 200);
    HP_JSON json_t *slow = claim("slow");
    ck_assert_int_eq(hp_json_int(slow, "fence", 0), 1);
    ck_assert_int_eq(progress(slow, 1), 200);
    HP_FREE char *main_sha = strdup(REPO_GIT(r, "rev-parse", "main"));
    HP_FREE char *other_sha = strdup(REPO_GIT(r, "rev-parse", "main~2"));
    ck_assert_int_eq(source(slow, main_sha, 1), 200);
    ck_assert_int_eq(source(slow, other_sha, 1), 404);
    ck_assert_int_eq(source(slow, "HEAD", 1), 404);
    ck_assert_int_eq(source(slow, main_sha, 2), 409);
    HP_JSON json_t *none = claim("idle");
    ck_assert_ptr_null(none);
    end_lease();
    HP_JSON json_t *fast = claim("fast");
    ck_assert_int_eq(hp_json_int(fast, "fence", 0), 2);
    ck_assert_int_eq(hp_json_int(fast, "attempt", 0), 2);
    ck_assert_str_ne(hp_json_string(fast, "run", ""), hp_json_string(slow, "run", ""));
    ck_assert_int_eq(progress(slow, 1), 409);
    ck_assert_int_eq(source(slow, main_sha, 1), 409);
    HP_JSON json_t *late = failed_result(slow), *result = failed_result(fast);
    ck_assert_int_eq(deliver(late, NULL), 409);
    HP_JSON json_t *first = NULL, *second = NULL;
    long status = deliver(result, &first);
    ck_assert_msg(status == 201, "%ld %s %s", status, hp_json_string(first, "message", ""),
                  hp_json_string(first, "path", ""));
    ck_assert(hp_json_bool(first, "stored", false));
    ck_assert_int_eq(deliver(result, &second), 200);
    ck_assert(!hp_json_bool(second, "stored", true));
    ck_assert_int_eq(deliver(late, NULL), 409);
    ck_assert_str_eq(owner("SELECT count(*) FROM store.run"), "1");
    ck_assert_str_eq(owner("SELECT state FROM store.job ORDER BY id DESC LIMIT 1"), "done");
    ck_assert_int_eq(progress(fast, 2), 409);
    HP_JSON json_t *unlike = json_deep_copy(result);
    json_object_set_new(unlike, "run", json_string("00000000-0000-0000-0000-000000000000"));
    HP_FREE char *path = hp_format("/api/v1/runs/%s", hp_json_string(result, "run", ""));
    ck_assert_str_eq(collector_error("PUT", path, unlike), "invalid");
    collector_stop();
}
END_TEST

START_TEST(a_job_that_kills_its_runners_is_dead)
{
    const char *const attempts[] = {"--max-attempts", "2", NULL};
    collector_start(attempts);
    three_commits();
    ck_assert_int_eq(ask_revs("main", NULL, NULL), 200);
    for (int i = 1; i <= 2; i++) {
        HP_JSON json_t *job = claim("x");
        ck_assert_int_eq(hp_json_int(job, "attempt", 0), i);
        end_lease();
    }
    HP_JSON json_t *none = claim("x");
    ck_assert_ptr_null(none);
    ck_assert_str_eq(
        owner("SELECT state || ': ' || reason FROM store.job ORDER BY id DESC LIMIT 1"),
        "dead: runner x did not report before its lease ended (attempt 2 of 2)");
    /* It can be asked for again. */
    ck_assert_int_eq(ask_revs("main", NULL, NULL), 200);
    HP_JSON json_t *again = claim("x");
    ck_assert_int_eq(hp_json_int(again, "attempt", 0), 1);
    collector_stop();
}
END_TEST

/* Nobody claims: leases end all the same. */
START_TEST(leases_end_by_themselves)
{
    const char *const lease[] = {"--lease", "5", NULL};
    collector_start(lease);
    three_commits();
    ck_assert_int_eq(ask_revs("main", NULL, NULL), 200);
    HP_JSON json_t *job = claim("x");
    ck_assert_int_eq(hp_json_int(job, "lease_seconds", 0), 5);
    end_lease();
    static const char *const sql = "SELECT state FROM store.job ORDER BY id DESC LIMIT 1";
    for (int i = 0; i < 100 && strcmp(owner(sql), "queued") != 0; i++)
        hp_sleep_ms(100);
    ck_assert_str_eq(owner(sql), "queued");
    collector_stop();
}
END_TEST

struct claimer {
    pthread_t thread;
    char server[128], name[8];
    int64_t got[64];
    size_t count;
};

static void *claim_all(void *argument)
{
    struct claimer *c = argument;
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(c->server, NULL, &err);
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "runner", c->name, "version", "1");
    for (;;) {
        HP_JSON json_t *job = NULL;
        if (!hp_http_json(http, "POST", "/api/v1/jobs/claim", body, &job, NULL, &err) || !job)
            return NULL;
        if (c->count < 64)
            c->got[c->count++] = hp_json_int(job, "job", 0);
    }
}

/* 60 jobs and 8 runners that take them at once: each job goes to one of them. */
START_TEST(no_job_is_given_twice)
{
    enum { RUNNERS = 8, WORK = 60 };
    static struct claimer claimers[RUNNERS];
    bool seen[1000] = {false};
    size_t total = 0;
    collector_start(NULL);
    three_commits();
    owner("INSERT INTO store.job (repository, kind, head, base, suite_hash, priority) "
          "SELECT r.id, 'compare', c.sha, NULL, r.suite_hash, 1 FROM store.repository r, "
          "store.commit c WHERE c.subject = 'one'");
    owner("DROP INDEX store.job_once");
    owner("INSERT INTO store.job (repository, kind, head, base, suite_hash) SELECT repository, "
          "kind, head, base, suite_hash FROM store.job, generate_series(1, 59) "
          "WHERE state = 'queued'");
    for (size_t i = 0; i < RUNNERS; i++) {
        claimers[i] = (struct claimer){0};
        snprintf(claimers[i].name, sizeof claimers[i].name, "r%zu", i);
        snprintf(claimers[i].server, sizeof claimers[i].server, "unix:%s/run/collector.sock",
                 collector_state());
        ck_assert_int_eq(pthread_create(&claimers[i].thread, NULL, claim_all, &claimers[i]), 0);
    }
    for (size_t i = 0; i < RUNNERS; i++) {
        pthread_join(claimers[i].thread, NULL);
        for (size_t k = 0; k < claimers[i].count; k++) {
            int64_t job = claimers[i].got[k];
            ck_assert(job > 0 && job < 1000 && !seen[job]);
            seen[job] = true;
            total++;
        }
    }
    ck_assert_uint_eq(total, WORK);
    collector_stop();
}
END_TEST

/* The collector dies while results arrive: each is there once. */
START_TEST(a_killed_collector_loses_nothing)
{
    collector_start(NULL);
    three_commits();
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(ask_revs("main", NULL, NULL), 200);
        HP_JSON json_t *job = claim("x");
        HP_JSON json_t *result = failed_result(job);
        ck_assert_int_eq(deliver(result, NULL), 201);
        collector_kill();
        collector_start(NULL);
        ck_assert_int_eq(deliver(result, NULL), 200);
    }
    ck_assert_str_eq(owner("SELECT count(*) FROM store.run"), "3");
    collector_stop();
}
END_TEST

HP_SUITE(collector_queue)
{
    Suite *s = suite_create("collector_queue");
    TCase *t = tcase_create("queue");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, asking_queues_what_was_measured_before);
    tcase_add_test(t, two_revisions_are_compared);
    tcase_add_test(t, any_revision_can_be_asked_for);
    tcase_add_test(t, bad_requests_queue_nothing);
    tcase_add_test(t, a_full_queue_says_so);
    tcase_add_test(t, jobs_are_managed_by_number);
    tcase_add_test(t, a_released_job_waits_again_at_once);
    tcase_add_test(t, a_stale_runner_changes_nothing);
    tcase_add_test(t, a_job_that_kills_its_runners_is_dead);
    tcase_add_test(t, leases_end_by_themselves);
    tcase_add_test(t, no_job_is_given_twice);
    tcase_add_test(t, a_killed_collector_loses_nothing);
    suite_add_tcase(s, t);
    return s;
}
