#include "cli/up.h"

#include "cli/leftovers.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define READY_SECONDS 60.0
#define RUNNER_GRACE_S 20.0
#define COLLECTOR_GRACE_S 20.0

/* --- preparing ---------------------------------------------------------------------------------
 */

static bool find_programs(struct up *up, struct hp_error *err)
{
    HP_FREE char *folder = hp_program_folder(err);
    if (!folder)
        return false;
    up->collector = hp_format("%s/hakperf-collector", folder);
    up->runner = hp_format("%s/hakperf-runner", folder);
    const char *const both[] = {up->collector, up->with_runner ? up->runner : NULL};
    for (size_t i = 0; i < 2 && both[i]; i++) {
        if (access(both[i], X_OK) == 0)
            continue;
        hp_fail_errno(err, "cannot run %s", both[i]);
        return hp_error_hint(err, "hakperf, hakperf-collector and hakperf-runner belong together.");
    }
    return true;
}

/* The lock is held as long as this process lives, whatever becomes of its file. */
static bool take_lock(struct up *up, struct hp_error *err)
{
    HP_FREE char *path = hp_state_path(up->state, "run/up.lock");
    char text[32] = "";
    up->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (up->lock < 0)
        return hp_fail_errno(err, "cannot open %s", path);
    if (flock(up->lock, LOCK_EX | LOCK_NB) != 0) {
        bool held = errno == EWOULDBLOCK && read(up->lock, text, sizeof text - 1) >= 0;
        if (!held)
            hp_fail_errno(err, "cannot lock %s", path);
        else
            hp_fail(err, HP_CONFLICT, "hakperf up is already running in %s (process %d)", up->state,
                    atoi(text));
        close(up->lock); /* the other one's notes are none of ours */
        up->lock = -1;
        return held ? hp_error_hint(err, "Use that one (hakperf status), or end it first.") : false;
    }
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(up->lock, 0) != 0 || pwrite(up->lock, text, (size_t)n, 0) != n)
        return hp_fail_errno(err, "cannot write %s", path);
    return true;
}

static void add(const char **argv, const char *name, const char *value)
{
    size_t n = 0;
    while (argv[n])
        n++;
    if (n + 2 < UP_ARGUMENTS && value) {
        argv[n] = name;
        argv[n + 1] = value;
    }
}

static void make_commands(struct up *up, const struct hp_values *values)
{
    const char **serve = up->serve_argv, **work = up->work_argv;
    serve[0] = up->collector;
    serve[1] = "serve";
    add(serve, "--state", up->state);
    add(serve, "--listen", hp_opt(values, "listen"));
    add(serve, "--webhook", hp_opt(values, "webhook"));
    work[0] = up->runner;
    work[1] = "work";
    add(work, "--state", up->state);
    add(work, "--server", up->server);
    add(work, "--token-file", up->token);
    up->serve = (struct part){.name = "hakperf-collector", .argv = serve, .child.out = -1};
    up->work = (struct part){.name = "hakperf-runner", .argv = work, .child.out = -1};
}

bool up_prepare(struct up *up, const struct hp_values *values, struct hp_error *err)
{
    *up = (struct up){.lock = -1, .with_runner = !hp_opt_flag(values, "no-runner")};
    up->state = hp_state_folder(hp_opt(values, "state"), err);
    if (!up->state || !find_programs(up, err))
        return false;
    up->server = hp_format("unix:%s/run/collector.sock", up->state);
    up->token = hp_state_path(up->state, "secrets/runner.token");
    up->notes = hp_state_path(up->state, "run/up.pids");
    if (!up->server || !up->token || !up->notes)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!hp_state_make(up->state, "run", 0700, err) ||
        !hp_state_make(up->state, "secrets", 0700, err) || !take_lock(up, err))
        return false;
    make_commands(up, values);
    up->was_killed = access(up->notes, F_OK) == 0;
    int ended = cli_leftovers_end(up->notes);
    if (ended > 0)
        part_say("ended %d program%s that a killed hakperf up had left", ended,
                 ended == 1 ? "" : "s");
    up->session = (struct cli_session){.values = values, .quiet = true};
    up->session.http = hp_http_new(up->server, NULL, err);
    if (!up->session.http)
        return false;
    hp_http_timeout(up->session.http, 5);
    return true;
}

/* --- starting ----------------------------------------------------------------------------------
 */

/* Runs hakperf-collector to its end; its errors become ours. */
static bool collector_run(struct up *up, const char *const *arguments, struct hp_outcome *outcome,
                          struct hp_error *err)
{
    const char *argv[UP_ARGUMENTS] = {up->collector};
    size_t n = 1;
    for (; *arguments; arguments++)
        argv[n++] = *arguments;
    argv[n++] = "--state";
    argv[n] = up->state;
    struct hp_command command = {.argv = argv, .timeout_s = 120};
    if (!hp_run(&command, outcome, err))
        return false;
    if (outcome->exit_code == 0)
        return true;
    /* What it printed is an error message as ours are: "hakperf-collector: …", "HINT: …". */
    const char *text = hp_buffer_text(&outcome->err);
    const char *colon = strncmp(text, "hakperf-collector: ", 19) == 0 ? text + 19 : text;
    const char *hint = strstr(text, "HINT: ");
    hp_fail(err, outcome->timed_out ? HP_TIMEOUT : HP_FAILED, "%.*s", (int)strcspn(colon, "\n"),
            colon[0] ? colon : hp_outcome_text(outcome));
    if (hint)
        hp_error_hint(err, "%.*s", (int)strcspn(hint + 6, "\n"), hint + 6);
    return false;
}

static bool start_database(struct up *up, struct hp_error *err)
{
    static const char *const status[] = {"db", "status", NULL};
    static const char *const start[] = {"db", "start", NULL};
    HP_OUTCOME struct hp_outcome asked = {0}, started = {0};
    struct hp_error ignored;
    bool ran_before = collector_run(up, status, &asked, &ignored);
    if (!collector_run(up, start, &started, err))
        return hp_error_context(err, "database");
    up->database_is_ours = !ran_before || up->was_killed;
    return cli_leftovers_note(up->notes, NULL, 0, err);
}

static bool make_token(struct up *up, struct hp_error *err)
{
    const char *create[] = {"token", "create", "--scope", "runner", "--name",
                            "local", "--file", up->token, NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (access(up->token, F_OK) == 0)
        return true;
    return collector_run(up, create, &outcome, err) || hp_error_context(err, "runner's token");
}

/* Waits until the collector and its database answer. */
static bool wait_ready(struct up *up, const volatile int *stopping, struct hp_error *err)
{
    double deadline = hp_monotonic_s() + READY_SECONDS;
    for (;;) {
        struct hp_error asked = {0};
        HP_JSON json_t *answer = cli_get(&up->session, &asked, "/readyz");
        if (answer)
            return true;
        if (*stopping)
            return hp_fail(err, HP_UNAVAILABLE, "stopped before the collector was ready");
        if (!part_runs(&up->serve)) {
            hp_fail(err, HP_FAILED, "the collector does not start");
            return hp_error_hint(err, "Its message stands above.");
        }
        if (hp_monotonic_s() > deadline) {
            *err = asked;
            return hp_error_context(err, "the collector is not ready after %.0f s", READY_SECONDS);
        }
        part_attend(&up->serve, 100);
    }
}

bool up_start(struct up *up, const volatile int *stopping, struct hp_error *err)
{
    if (!start_database(up, err) || (up->with_runner && !make_token(up, err)))
        return false;
    if (*stopping)
        return hp_fail(err, HP_UNAVAILABLE, "stopped before the collector was started");
    if (!part_start(&up->serve, err) || !wait_ready(up, stopping, err))
        return false;
    if (up->with_runner && !part_start(&up->work, err))
        return false;
    const pid_t pids[] = {up->serve.child.pid, up->work.child.pid};
    return cli_leftovers_note(up->notes, pids, 2, err);
}

char *up_login_link(struct up *up, struct hp_error *err)
{
    static const char *const link[] = {"login-link", NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!collector_run(up, link, &outcome, err))
        return NULL;
    const char *text = hp_buffer_text(&outcome.out);
    return strndup(text, strcspn(text, "\n"));
}

/* --- stopping ----------------------------------------------------------------------------------
 */

static void stop_database(struct up *up)
{
    static const char *const stop[] = {"db", "stop", NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err = {0};
    if (up->database_is_ours && !collector_run(up, stop, &outcome, &err))
        hp_error_print("hakperf", &err);
}

void up_stop(struct up *up, const volatile int *hurry)
{
    part_stop(&up->work, RUNNER_GRACE_S, hurry);
    part_stop(&up->serve, COLLECTOR_GRACE_S, hurry);
    stop_database(up);
    if (up->notes && up->lock >= 0)
        unlink(up->notes);
    cli_session_close(&up->session);
    if (up->lock >= 0)
        close(up->lock);
    free(up->state);
    free(up->collector);
    free(up->runner);
    free(up->server);
    free(up->token);
    free(up->notes);
    *up = (struct up){.lock = -1};
}
