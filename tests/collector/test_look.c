/* Looking at real repositories through the running collector. */
#include "collector/git.h"
#include "collector/look.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

static const char *owner(const char *sql)
{
    return store_ask("hakperf_owner", sql);
}

/* What the list of repositories says of the length of the main line is what there is. */
static void check_commits(void)
{
    HP_JSON json_t *answer = NULL;
    size_t i, seen = 0;
    json_t *row;
    ck_assert_int_eq(collector_ask("GET", "/api/v1/repositories", NULL, &answer), 200);
    json_array_foreach (json_object_get(answer, "repositories"), i, row) {
        HP_FREE char *sql =
            hp_format("SELECT count(*) FROM store.commit c JOIN store.repository r ON r.id = "
                      "c.repository WHERE c.mainline AND r.name = '%s'",
                      hp_json_string(row, "name", "?"));
        ck_assert_int_eq(hp_json_int(row, "commits", -1), atoll(owner(sql)));
        seen++;
    }
    ck_assert_uint_gt(seen, 0);
}

/* Looks, and gives the subjects that were queued, in order, joined by commas; static memory. */
static const char *look(void)
{
    static char text[16384];
    HP_JSON json_t *answer = NULL;
    long status = collector_ask("POST", "/api/v1/repositories/r/look", NULL, &answer);
    ck_assert_msg(status == 200, "%s", hp_json_string(answer, "message", "?"));
    size_t i, n = 0;
    json_t *job;
    text[0] = '\0';
    json_array_foreach (json_object_get(answer, "queued"), i, job)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? "," : "",
                              hp_json_string(job, "subject", "?"));
    check_commits();
    return text;
}

START_TEST(the_first_look_measures_the_present)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    const char *two = repo_commit(r, "lib/a", "2", "two");
    repo_commit(r, "doc", "1", "doc");
    collector_start(NULL);
    HP_JSON json_t *applied = suite_apply(r);
    const json_t *queued = json_object_get(applied, "queued");
    ck_assert_uint_eq(json_array_size(queued), 1);
    ck_assert_str_eq(json_string_value(json_array_get(queued, 0)), two);
    ck_assert_str_eq(owner("SELECT string_agg(subject || position || watched || mainline, ' ' "
                           "ORDER BY position) FROM store.commit"),
                     "one0truetrue two1truetrue doc2falsetrue");
    ck_assert_str_eq(owner("SELECT default_ref FROM store.repository"), "refs/heads/main");
    ck_assert_str_eq(look(), "");
    HP_JSON json_t *again = suite_apply(r);
    ck_assert(!hp_json_bool(again, "changed", true));
    collector_stop();
}
END_TEST

START_TEST(later_looks_measure_what_is_new)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    collector_start(NULL);
    suite_applied(r);
    repo_commit(r, "lib/a", "2", "two");
    repo_commit(r, "doc", "1", "doc");
    repo_commit(r, "lib/a", "3", "three");
    ck_assert_str_eq(look(), "three,two");
    ck_assert_str_eq(look(), "");
    REPO_GIT(r, "checkout", "--quiet", "-b", "side", "HEAD~1");
    repo_commit(r, "lib/b", "1", "side one");
    repo_commit(r, "lib/b", "2", "side two");
    ck_assert_str_eq(look(), "side two,side one");
    REPO_GIT(r, "checkout", "--quiet", "main");
    REPO_GIT(r, "merge", "--quiet", "--no-ff", "--message", "merge", "side");
    ck_assert_str_eq(look(), "merge");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.commit WHERE mainline"), "5");
    /* Its base is the first parent. */
    ck_assert_str_eq(
        owner("SELECT b.subject FROM store.job j JOIN store.commit h ON h.sha = j.head "
              "JOIN store.commit b ON b.sha = j.base WHERE h.subject = 'merge'"),
        "three");
    collector_stop();
}
END_TEST

START_TEST(forced_pushes_and_deleted_branches_are_harmless)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    collector_start(NULL);
    suite_applied(r);
    HP_FREE char *two = strdup(repo_commit(r, "lib/a", "2", "two"));
    ck_assert_str_eq(look(), "two");
    REPO_GIT(r, "reset", "--quiet", "--hard", "HEAD~1");
    repo_commit(r, "lib/a", "3", "other two");
    ck_assert_str_eq(look(), "other two");
    ck_assert_str_eq(owner("SELECT string_agg(subject, ',' ORDER BY position) FROM store.commit "
                           "WHERE mainline"),
                     "one,other two");
    /* And back: what has a job gets no second one. */
    REPO_GIT(r, "reset", "--quiet", "--hard", two);
    ck_assert_str_eq(look(), "");
    ck_assert_str_eq(owner("SELECT string_agg(subject, ',' ORDER BY position) FROM store.commit "
                           "WHERE mainline"),
                     "one,two");
    REPO_GIT(r, "checkout", "--quiet", "-b", "next");
    REPO_GIT(r, "branch", "--quiet", "--delete", "--force", "main");
    repo_commit(r, "lib/a", "4", "four");
    ck_assert_str_eq(look(), "four");
    ck_assert_str_eq(owner("SELECT string_agg(ref, ',') FROM store.ref_tip"), "refs/heads/next");
    ck_assert_str_eq(owner("SELECT default_ref FROM store.repository"), "refs/heads/next");
    REPO_GIT(r, "checkout", "--quiet", "--detach");
    REPO_GIT(r, "branch", "--quiet", "--delete", "--force", "next");
    ck_assert_str_eq(look(), "");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.ref_tip"), "0");
    collector_stop();
}
END_TEST

START_TEST(only_watched_branches_are_measured)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    REPO_GIT(r, "branch", "release");
    collector_start(NULL);
    HP_JSON json_t *suite = suite_for(r);
    json_object_set_new(json_object_get(suite, "repository"), "branches",
                        json_pack("[s]", "release"));
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, NULL), 200);
    ck_assert_str_eq(owner("SELECT default_ref FROM store.repository"), "refs/heads/release");
    repo_commit(r, "lib/a", "2", "two");
    ck_assert_str_eq(look(), "");
    REPO_GIT(r, "branch", "--force", "release", "main");
    ck_assert_str_eq(look(), "two"); /* known before, but new to a watched branch */
    REPO_GIT(r, "checkout", "--quiet", "release");
    repo_commit(r, "lib/a", "3", "three");
    ck_assert_str_eq(look(), "three");
    collector_stop();
}
END_TEST

/* 250 commits at once: the newest 200 are queued. */
START_TEST(a_large_push_is_cut)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "0", "zero");
    collector_start(NULL);
    suite_applied(r);
    HP_BUFFER struct hp_buffer stream = {0};
    for (int i = 1; i <= 250; i++)
        hp_buffer_printf(&stream,
                         "commit refs/heads/main\ncommitter T <t@e> %d +0000\ndata 4\nc%03d\n%s"
                         "M 644 inline lib/a\ndata 3\n%03d\n",
                         1700000000 + i, i, i == 1 ? "from refs/heads/main^0\n" : "", i);
    const char *const argv[] = {"git", "fast-import", "--quiet", NULL};
    struct hp_command import = {
        .argv = argv, .folder = r, .input = stream.data, .input_size = stream.size};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err;
    ck_assert_msg(hp_run_ok(&import, &outcome, &err), "%s", err.message);
    double begin = hp_monotonic_s();
    const char *subjects = look();
    ck_assert_double_lt(hp_monotonic_s() - begin, 10);
    ck_assert_int_eq(strncmp(subjects, "c250,c249,", 10), 0);
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job"), "201");
    ck_assert_str_eq(owner("SELECT max(position) FROM store.commit"), "250");
    collector_stop();
}
END_TEST

/* The queue has no room: the look fails as a whole, and the next one finds the same. */
START_TEST(a_full_queue_forgets_nothing)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    const char *const limit[] = {"--queue-limit", "2", NULL};
    collector_start(limit);
    suite_applied(r);
    repo_commit(r, "lib/a", "2", "two");
    repo_commit(r, "lib/a", "3", "three");
    HP_JSON json_t *answer = NULL;
    ck_assert_int_eq(collector_ask("POST", "/api/v1/repositories/r/look", NULL, &answer), 429);
    ck_assert_str_eq(hp_json_string(answer, "code", ""), "limit");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job"), "1");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.commit"), "1");
    ck_assert_str_ne(owner("SELECT look_error FROM store.repository"), "");
    HP_JSON json_t *job = claim("x");
    ck_assert_ptr_nonnull(job);
    ck_assert_str_eq(look(), "three,two");
    ck_assert_str_eq(owner("SELECT look_error FROM store.repository"), "");
    collector_stop();
}
END_TEST

START_TEST(an_unreachable_repository_is_told)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    collector_start(NULL);
    HP_JSON json_t *lost = suite_for("/nowhere/at/all");
    HP_JSON json_t *answer = NULL;
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", lost, &answer), 502);
    ck_assert_ptr_nonnull(
        strstr(hp_json_string(answer, "message", ""), "does not appear to be a git repository"));
    ck_assert_str_eq(owner("SELECT count(*) FROM store.repository"), "0");
    suite_applied(r);
    HP_FREE char *away = hp_format("%s.away", r);
    ck_assert_int_eq(rename(r, away), 0);
    ck_assert_str_eq(collector_error("POST", "/api/v1/repositories/r/look", NULL), "failed");
    ck_assert_str_ne(owner("SELECT look_error FROM store.repository"), "");
    ck_assert_int_eq(rename(away, r), 0);
    ck_assert_str_eq(look(), "");
    ck_assert_str_eq(collector_error("POST", "/api/v1/repositories/x/look", NULL), "not_found");
    collector_stop();
}
END_TEST

/* Nobody tells: the poll finds it. */
START_TEST(the_poll_looks)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    const char *const poll[] = {"--poll", "1", NULL};
    collector_start(poll);
    suite_applied(r);
    repo_commit(r, "lib/a", "2", "two");
    for (int i = 0; i < 100 && strcmp(owner("SELECT count(*) FROM store.job"), "2") != 0; i++)
        hp_sleep_ms(100);
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job"), "2");
    collector_stop();
}
END_TEST

/* What was pushed while no collector ran is found at the start. */
START_TEST(the_start_looks)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    collector_start(NULL);
    suite_applied(r);
    collector_kill();
    repo_commit(r, "lib/a", "2", "two");
    collector_start(NULL);
    for (int i = 0; i < 100 && strcmp(owner("SELECT count(*) FROM store.job"), "2") != 0; i++)
        hp_sleep_ms(100);
    ck_assert_str_eq(owner("SELECT count(*) FROM store.job"), "2");
    collector_stop();
}
END_TEST

/* --- suites
 * ------------------------------------------------------------------------------------------- */

static void refuse_suite(json_t *suite, const char *path)
{
    HP_JSON json_t *answer = NULL;
    long status = collector_ask("PUT", "/api/v1/suites", suite, &answer);
    ck_assert_msg(status == 422 || status == 404, "%s: %ld", path, status);
    ck_assert_str_eq(hp_json_string(answer, "path", ""), path);
    json_decref(suite);
}

START_TEST(bad_suites_change_nothing)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    collector_start(NULL);
    json_t *suite = suite_for(r);
    json_object_del(suite, "recipe");
    refuse_suite(suite, "/");
    suite = suite_for("ext::sh -c touch% /tmp/x");
    refuse_suite(suite, "/repository/url");
    suite = suite_for(r);
    json_object_set_new(json_object_get(suite, "driver"), "rev", json_string("nothing"));
    refuse_suite(suite, "/driver/rev");
    suite = suite_for(r);
    json_object_set_new(suite, "reference", json_pack("{s:s}", "rev", "nothing"));
    refuse_suite(suite, "/reference/rev");
    suite = suite_for(r);
    json_object_set_new(json_object_get(suite, "driver"), "rev", json_string("--all"));
    HP_JSON json_t *answer = NULL;
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, &answer), 400);
    json_decref(suite);
    suite = suite_for(r);
    json_object_set_new(suite, "preload", json_string("other.so"));
    refuse_suite(suite, "/preload");
    suite = suite_for(r);
    json_array_append(json_object_get(suite, "workloads"),
                      json_array_get(json_object_get(suite, "workloads"), 0));
    refuse_suite(suite, "/workloads/1/name");
    suite = suite_for(r);
    json_object_set_new(json_object_get(suite, "repository"), "name", json_string("../x"));
    refuse_suite(suite, "/repository/name");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.repository"), "0");
    ck_assert_str_eq(owner("SELECT count(*) FROM store.suite"), "0");
    collector_stop();
}
END_TEST

/* The driver of one repository measures the library of another, beside its reference. */
START_TEST(a_driver_may_come_from_elsewhere)
{
    const char *r = repo_make(), *drivers = repo_make();
    const char *pinned = repo_commit(r, "lib/a", "0", "pinned");
    REPO_GIT(r, "tag", "v1");
    repo_commit(r, "lib/a", "1", "before");
    const char *measured = repo_commit(r, "lib/a", "2", "one");
    const char *driver = repo_commit(drivers, "bench.c", "1", "a driver");
    collector_start(NULL);
    json_t *suite = suite_for(r);
    json_object_set_new(json_object_get(suite, "driver"), "repository", json_string("ext::sh"));
    refuse_suite(suite, "/driver/repository");
    suite = suite_for(r);
    json_object_set_new(json_object_get(suite, "driver"), "repository", json_string("/nowhere"));
    HP_JSON json_t *none = NULL;
    ck_assert_int_ge(collector_ask("PUT", "/api/v1/suites", suite, &none), 400);
    json_object_set_new(json_object_get(suite, "driver"), "repository", json_string(drivers));
    json_object_set_new(suite, "reference", json_pack("{s:s}", "rev", "v1"));
    HP_JSON json_t *applied = NULL;
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, &applied), 200);
    ck_assert_str_eq(hp_json_string(applied, "driver", ""), driver);
    ck_assert_str_eq(hp_json_string(applied, "reference", ""), pinned);
    HP_JSON json_t *job = claim("x");
    ck_assert_str_eq(hp_json_string(json_object_get(job, "driver"), "subject", ""), "a driver");
    ck_assert_str_eq(hp_json_string(json_object_get(job, "reference"), "sha", ""), pinned);
    ck_assert_str_eq(hp_json_string(json_object_get(job, "reference"), "subject", ""), "pinned");
    const char *const shas[] = {measured, driver, pinned};
    for (size_t i = 0; i < 3; i++) {
        HP_FREE char *path = hp_format("/api/v1/jobs/%lld/source/%s?fence=%lld",
                                       (long long)hp_json_int(job, "job", 0), shas[i],
                                       (long long)hp_json_int(job, "fence", 0));
        ck_assert_int_eq(collector_ask("GET", path, NULL, NULL), 200);
    }
    /* A tag that moved is another reference, though the document is the same. */
    REPO_GIT(r, "tag", "--force", "v1", "main");
    HP_JSON json_t *again = NULL;
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, &again), 200);
    ck_assert(hp_json_bool(again, "changed", false));
    ck_assert_str_eq(owner("SELECT reference_sha = driver_sha OR reference_subject <> 'one' "
                           "FROM store.suite"),
                     "f");
    json_decref(suite);
    collector_stop();
}
END_TEST

START_TEST(a_changed_suite_judges_paths_anew)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    repo_commit(r, "src/a", "1", "two");
    repo_commit(r, "src2", "1", "three");
    collector_start(NULL);
    suite_applied(r);
    static const char *const sql =
        "SELECT string_agg(subject, ',' ORDER BY position) FROM store.commit WHERE watched";
    ck_assert_str_eq(owner(sql), "one");
    HP_JSON json_t *suite = suite_for(r);
    json_object_set_new(json_object_get(suite, "repository"), "watch", json_pack("[s]", "src"));
    HP_JSON json_t *answer = NULL;
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, &answer), 200);
    ck_assert(hp_json_bool(answer, "changed", false));
    ck_assert_str_eq(owner(sql), "two");
    json_object_del(json_object_get(suite, "repository"), "watch");
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, NULL), 200);
    ck_assert_str_eq(owner(sql), "one,two,three");
    /* A name in driver.rev that means another commit by now is a change too. */
    repo_commit(r, "lib/a", "2", "four");
    HP_JSON json_t *moved = NULL;
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, &moved), 200);
    ck_assert(hp_json_bool(moved, "changed", false));
    ck_assert_str_eq(hp_json_string(moved, "driver", ""), REPO_GIT(r, "rev-parse", "main"));
    collector_stop();
}
END_TEST

/* Branches that are watched from now on, and a default branch of another name. */
START_TEST(changed_branches_are_judged_anew)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    REPO_GIT(r, "checkout", "--quiet", "-b", "next");
    repo_commit(r, "lib/a", "2", "two");
    repo_commit(r, "lib/a", "3", "three");
    REPO_GIT(r, "checkout", "--quiet", "main");
    collector_start(NULL);
    HP_JSON json_t *suite = suite_for(r);
    json_t *repository = json_object_get(suite, "repository");
    json_object_set_new(repository, "branches", json_pack("[s]", "main"));
    HP_JSON json_t *first = NULL, *second = NULL;
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, &first), 200);
    ck_assert_uint_eq(json_array_size(json_object_get(first, "queued")), 1);
    json_object_set_new(repository, "branches", json_pack("[s, s]", "main", "next"));
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, &second), 200);
    ck_assert_uint_eq(json_array_size(json_object_get(second, "queued")), 2);
    ck_assert_str_eq(look(), "");
    /* main becomes trunk, and nothing is measured twice. */
    json_object_del(repository, "branches");
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, NULL), 200);
    REPO_GIT(r, "branch", "--move", "main", "trunk");
    ck_assert_str_eq(look(), "");
    ck_assert_str_eq(owner("SELECT default_ref FROM store.repository"), "refs/heads/trunk");
    ck_assert_str_eq(owner("SELECT string_agg(subject, ',') FROM store.commit WHERE mainline"),
                     "one");
    repo_commit(r, "lib/a", "4", "four");
    ck_assert_str_eq(look(), "four");
    collector_stop();
}
END_TEST

/* Told by the change itself where the message says nothing, and by the message where the change was
 * altered; a cherry-pick is no revert. */
START_TEST(reverts_are_recognised)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1\n", "one");
    repo_commit(r, "lib/a", "2\n", "two");
    const char *three = repo_commit(r, "lib/b", "x\n", "three");
    collector_start(NULL);
    suite_applied(r);
    repo_commit(r, "lib/a", "1\n", "back to the old way"); /* the inverse of two */
    HP_FREE char *message = hp_format("Undo\n\nThis reverts commit %s.", three);
    repo_commit(r, "lib/b", "y\n", message);
    repo_commit(r, "lib/a", "2\n", "two again");
    look();
    ck_assert_str_eq(owner("SELECT string_agg(c.subject || '>' || o.subject, ',' ORDER BY "
                           "c.position) FROM store.commit c JOIN store.commit o "
                           "ON o.sha = c.reverts"),
                     "back to the old way>two,Undo>three,two again>back to the old way");
    ck_assert_str_eq(store_ask("hakperf_reader",
                               "SELECT count(*) FILTER (WHERE reverted_by IS NOT NULL) || ' ' || "
                               "count(DISTINCT patch_id) FROM hakperf.commits"),
                     "3 4");
    collector_stop();
}
END_TEST

/* Stored before there were patch ids, or while git failed: named at the next look, and what takes
 * them back is known by its change. */
START_TEST(patches_are_named_later)
{
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1\n", "one");
    repo_commit(r, "lib/a", "2\n", "two");
    repo_commit(r, "lib/a", "1\n", "back to the old way");
    collector_start(NULL);
    suite_applied(r);
    owner("UPDATE store.commit SET patch_id = NULL, patch_asked = false, reverts = NULL");
    repo_commit(r, "lib/a", "3\n", "three");
    look();
    ck_assert_str_eq(owner("SELECT string_agg(c.subject || '>' || o.subject, ',') "
                           "FROM store.commit c JOIN store.commit o ON o.sha = c.reverts"),
                     "back to the old way>two");
    ck_assert_str_eq(owner("SELECT count(patch_id) || ' ' || bool_and(patch_asked) "
                           "FROM store.commit"),
                     "3 true"); /* the root has none, and is not asked again */
    collector_stop();
}
END_TEST

/* --- two collectors --------------------------------------------------------------------------- */

static const char *tip_in_store(void)
{
    return owner("SELECT sha FROM store.ref_tip WHERE ref = 'refs/heads/main'");
}

/* One whose mirror is behind what the other looked at: it fetches, and takes nothing back. */
START_TEST(a_collector_that_is_behind_catches_up)
{
    struct hp_error err = {0};
    HP_FREE char *state = hp_format("%s/second-XXXXXX", test_root());
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    repo_commit(r, "lib/a", "2", "two");
    collector_start(NULL);
    suite_applied(r);
    ck_assert_ptr_nonnull(mkdtemp(state));
    ck_assert_msg(git_prepare(state, NULL, &err), "%s", err.message);
    struct service second = {.state = state,
                             .db = store_db("hakperf_collector"),
                             .queue_limit = 1000,
                             .repository_queue_limit = 1000};
    HP_JSON json_t *first = look_at(&second, "r", true, &err);
    ck_assert_msg(first != NULL, "%s", err.message);
    const char *three = repo_commit(r, "lib/a", "3", "three");
    ck_assert_str_eq(look(), "three");
    HP_JSON json_t *stale = look_at(&second, "r", false, &err);
    ck_assert_msg(stale != NULL, "%s", err.message);
    ck_assert_uint_eq(json_array_size(json_object_get(stale, "queued")), 0);
    ck_assert_str_eq(tip_in_store(), three);
    /* And the other way about. */
    const char *four = repo_commit(r, "lib/a", "4", "four");
    HP_JSON json_t *ahead = look_at(&second, "r", true, &err);
    ck_assert_uint_eq(json_array_size(json_object_get(ahead, "queued")), 1);
    /* A runner that claims from the first gets a source which that one has not fetched yet. */
    owner("DELETE FROM store.job WHERE head <> (SELECT sha FROM store.ref_tip LIMIT 1)");
    HP_JSON json_t *job = claim("x");
    HP_FREE char *path = hp_format("/api/v1/jobs/%lld/source/%s?fence=1",
                                   (long long)hp_json_int(job, "job", 0), four);
    ck_assert_int_eq(collector_ask("GET", path, NULL, NULL), 200);
    db_close(second.db);
    ck_assert(hp_remove_tree(state, &err));
    collector_stop();
}
END_TEST

/* A mirror made anew after a forced push lacks the old tips: the present is measured, not all. */
START_TEST(a_lost_mirror_does_not_queue_the_past)
{
    const char *r = repo_make();
    for (int i = 0; i < 5; i++)
        repo_commit(r, "lib/a", i % 2 ? "x" : "y", "old");
    collector_start(NULL);
    suite_applied(r);
    REPO_GIT(r, "reset", "--quiet", "--hard", "HEAD~1");
    repo_commit(r, "lib/a", "9", "rewritten");
    REPO_GIT(r, "reflog", "expire", "--expire=now", "--all");
    REPO_GIT(r, "gc", "--quiet", "--prune=now");
    HP_FREE char *mirror = hp_format("%s/mirrors/r.git", collector_state());
    struct hp_error err;
    ck_assert(hp_remove_tree(mirror, &err));
    ck_assert_str_eq(look(), "rewritten");
    collector_stop();
}
END_TEST

HP_SUITE(collector_look)
{
    Suite *s = suite_create("collector_look");
    TCase *t = tcase_create("look");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, the_first_look_measures_the_present);
    tcase_add_test(t, later_looks_measure_what_is_new);
    tcase_add_test(t, forced_pushes_and_deleted_branches_are_harmless);
    tcase_add_test(t, only_watched_branches_are_measured);
    tcase_add_test(t, a_large_push_is_cut);
    tcase_add_test(t, a_full_queue_forgets_nothing);
    tcase_add_test(t, an_unreachable_repository_is_told);
    tcase_add_test(t, the_poll_looks);
    tcase_add_test(t, the_start_looks);
    tcase_add_test(t, bad_suites_change_nothing);
    tcase_add_test(t, changed_branches_are_judged_anew);
    tcase_add_test(t, reverts_are_recognised);
    tcase_add_test(t, patches_are_named_later);
    tcase_add_test(t, a_collector_that_is_behind_catches_up);
    tcase_add_test(t, a_lost_mirror_does_not_queue_the_past);
    tcase_add_test(t, a_driver_may_come_from_elsewhere);
    tcase_add_test(t, a_changed_suite_judges_paths_anew);
    suite_add_tcase(s, t);
    return s;
}
