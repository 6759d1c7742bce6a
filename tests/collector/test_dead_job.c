/*
 * A job that takes its runner down with it: a real `hakperf-runner work` is killed by SIGKILL in
 * the middle of it three times. No runner has to say so; the leases end, and then the job is set
 * aside.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASLEEP "27301" /* seconds that its build sleeps: no other process has them */
#define PATIENCE_S 60

static const char *owner(const char *sql)
{
    return store_ask("hakperf_owner", sql);
}

/* Applies a suite whose build never ends; its one commit is queued. */
static void apply_endless(const char *repository)
{
    HP_JSON json_t *suite = suite_for(repository);
    json_object_set_new(json_object_get(suite, "recipe"), "commands",
                        json_pack("[[s, s]]", "sleep", ASLEEP));
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, NULL), 200);
    ck_assert_str_eq(owner("SELECT string_agg(state, ',') FROM store.job"), "queued");
}

static void start_runner(const char *state, const char *token, struct hp_child *child)
{
    struct hp_error err;
    const char *build = getenv("BUILD");
    HP_FREE char *program = hp_format("%s/bin/hakperf-runner", build && build[0] ? build : "build");
    const char *const argv[] = {
        program,        "work", "--state", state,    "--server", collector_address(),
        "--token-file", token,  "--name",  "doomed", NULL};
    const struct hp_command command = {.argv = argv};
    ck_assert_msg(hp_child_start(&command, false, false, child, &err), "%s", err.message);
}

static bool is_building(void)
{
    HP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *d; (d = readdir(proc));) {
        struct hp_error ignored;
        HP_BUFFER struct hp_buffer line = {0};
        HP_FREE char *path = hp_format("/proc/%s/cmdline", d->d_name);
        static const char asleep[] = "sleep\0" ASLEEP;
        if (d->d_name[0] >= '0' && d->d_name[0] <= '9' &&
            hp_file_read(path, 1u << 20, &line, &ignored) && line.size == sizeof asleep &&
            memcmp(line.data, asleep, sizeof asleep) == 0)
            return true;
    }
    return false;
}

static bool wait_for_build(bool there)
{
    double end = hp_monotonic_s() + PATIENCE_S;
    while (is_building() != there && hp_monotonic_s() < end)
        hp_sleep_ms(50);
    return is_building() == there;
}

static void wait_for(const char *sql, const char *answer)
{
    double end = hp_monotonic_s() + PATIENCE_S;
    while (strcmp(owner(sql), answer) != 0 && hp_monotonic_s() < end)
        hp_sleep_ms(100);
    ck_assert_str_eq(owner(sql), answer);
}

START_TEST(three_killed_runners_and_it_is_set_aside)
{
    static const char *const arguments[] = {"--lease", "8", "--max-attempts", "3", NULL};
    struct hp_error err;
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    collector_start(arguments);
    apply_endless(r);
    HP_FREE char *state = hp_format("%s/doomed-%ld", test_root(), (long)getpid());
    HP_FREE char *token = hp_format("%s.token", state);
    const char *secret = collector_token("runner", "doomed");
    ck_assert(hp_file_replace(token, secret, strlen(secret), 0600, &err));
    for (int kill = 1; kill <= 3; kill++) {
        struct hp_child child;
        start_runner(state, token, &child);
        bool began = wait_for_build(true);
        hp_child_stop(&child, SIGKILL, 5);
        ck_assert(began && wait_for_build(false)); /* what it had started went with it */
        HP_FREE char *running = hp_format("running %d doomed", kill);
        ck_assert_str_eq(owner("SELECT concat_ws(' ', state, attempt, runner) FROM store.job"),
                         running);
        /* The first lease ends by itself; the others need not be waited for. */
        if (kill > 1)
            owner("UPDATE store.job SET lease_until = now() WHERE state = 'running'");
        wait_for("SELECT state FROM store.job", kill < 3 ? "queued" : "dead");
    }
    HP_FREE char *path = hp_format("/api/v1/jobs/%s", owner("SELECT id FROM store.job"));
    HP_JSON json_t *job = NULL;
    ck_assert_int_eq(collector_ask("GET", path, NULL, &job), 200);
    ck_assert_str_eq(hp_json_string(job, "state", ""), "dead");
    ck_assert_str_eq(hp_json_string(job, "reason", ""),
                     "runner doomed did not report before its lease ended (attempt 3 of 3)");
    ck_assert_str_eq(owner("SELECT concat_ws(' ', state, reason) FROM hakperf.history"),
                     "failed runner doomed did not report before its lease ended (attempt 3 of 3)");
    HP_JSON json_t *none = claim("another");
    ck_assert_ptr_null(none);
    ck_assert_msg(hp_remove_tree(state, &err), "%s", err.message);
    ck_assert_int_eq(unlink(token), 0);
    collector_stop();
}
END_TEST

HP_SUITE_AT(collector_dead_job, HP_SUITE_FIRST)
{
    Suite *s = suite_create("collector_dead_job");
    TCase *t = tcase_create("killed");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, three_killed_runners_and_it_is_set_aside);
    suite_add_tcase(s, t);
    return s;
}
