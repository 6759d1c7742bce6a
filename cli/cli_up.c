/* hakperf up: the whole service in the foreground, with a live status line. */
#include "cli/figures.h"
#include "cli/leftovers.h"
#include "cli/up.h"
#include "cli/verbs.h"
#include "cli/wait.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/term.h"

#include <signal.h>
#include <string.h>
#include <time.h>

const struct hp_option cli_up_options[] = {
    {"listen", 0, HP_OPT_STRING, "ADDRESS", NULL, 0, 0,
     "HOST:PORT of the page (127.0.0.1:8947; port 0: any)", true},
    {"webhook", 0, HP_OPT_STRING, "URL", NULL, 0, 0, "told when a commit regressed", true},
    {"no-runner", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "measure elsewhere", false},
    {.name = NULL},
};

static volatile int stopping; /* how often the end was asked for */

/* A script that is interrupted passes the signal on, so that two arrive at once: those are one. */
static void on_signal(int number)
{
    static volatile sig_atomic_t last = -1;
    struct timespec now;
    (void)number;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (last < 0 || now.tv_sec > last + 1)
        stopping++;
    last = (sig_atomic_t)now.tv_sec;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What the status line knows. */
struct view {
    struct cli_session *session;
    double next;
    long long told; /* finished jobs that were told already; -1: unknown yet */
    char last[256]; /* the newest verdict, as text */
};

/* One permanent line for each commit whose job finished; the newest is remembered. */
static void tell_finished(struct view *view, long long count)
{
    struct hp_error ignored;
    HP_FREE char *repository = cli_repository(view->session, &ignored);
    HP_JSON json_t *log =
        repository ? cli_get(view->session, &ignored,
                             "/api/v1/repositories/%s/log?limit=20&watched=1", repository)
                   : NULL;
    size_t i;
    const json_t *entry;
    json_array_foreach (json_object_get(log, "commits"), i, entry) {
        const char *verdict = hp_json_string(entry, "verdict", NULL);
        char word[CLI_FIGURE], change[CLI_FIGURE];
        if (!verdict)
            continue;
        cli_verdict_text(verdict, hp_json_string(entry, "size", NULL), word);
        cli_change_text(json_object_get(entry, "change"), change);
        HP_FREE char *subject = cli_clean(hp_json_string(entry, "subject", ""));
        snprintf(view->last, sizeof view->last, "%s %s%s%s", hp_json_string(entry, "short", "?"),
                 word, change[0] == '-' && !change[1] ? "" : " ", change[1] ? change : "");
        if (count > 0)
            part_say("%s  %s", view->last, subject ? subject : "");
        return;
    }
}

static void show(struct view *view)
{
    struct hp_error ignored;
    HP_JSON json_t *status = cli_get(view->session, &ignored, "/api/v1/status");
    if (!status) {
        hp_progress("the collector does not answer");
        return;
    }
    const json_t *counts = json_object_get(status, "counts");
    const json_t *job = json_array_get(json_object_get(status, "running"), 0);
    long long done = hp_json_int(counts, "done", 0) + hp_json_int(counts, "dead", 0);
    if (done != view->told) {
        tell_finished(view, view->told < 0 ? 0 : done - view->told);
        view->told = done;
    }
    char doing[256] = "idle";
    if (job)
        cli_progress_text(job, doing, sizeof doing);
    hp_progress("%lld queued | %.10s%s%s%s%s", (long long)hp_json_int(counts, "queued", 0),
                job ? hp_json_string(job, "sha", "") : "", job ? " " : "", doing,
                view->last[0] ? " | last: " : "", view->last);
}

/* Attends to the programs until a signal comes. */
static void serve(struct up *up, bool quiet)
{
    struct view view = {.session = &up->session, .told = -1};
    while (!stopping) {
        pid_t before[] = {up->serve.child.pid, up->work.child.pid};
        part_attend(&up->serve, 100);
        if (up->with_runner && !stopping)
            part_attend(&up->work, 100);
        const pid_t after[] = {up->serve.child.pid, up->work.child.pid};
        struct hp_error err = {0};
        if (memcmp(before, after, sizeof before) != 0 &&
            !cli_leftovers_note(up->notes, after, 2, &err))
            hp_error_print("hakperf", &err);
        double now = hp_monotonic_s();
        if (quiet || now < view.next)
            continue;
        show(&view);
        view.next = hp_monotonic_s() + 1;
    }
    hp_progress("%s", "");
}

static void greet(struct up *up)
{
    struct hp_error err = {0};
    HP_FREE char *link = up_login_link(up, &err);
    printf("hakperf %s serves %s\n", HAKPERF_VERSION, up->state);
    if (link && link[0])
        printf("page: %s\n", link);
    else if (!link)
        hp_error_print("hakperf", &err);
    puts("end it with Ctrl-C");
    fflush(stdout);
}

int cli_up(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct up up;
    catch_signals();
    bool ok = up_prepare(&up, values, &err) && up_start(&up, &stopping, &err);
    if (ok) {
        greet(&up);
        serve(&up, hp_opt_flag(values, "quiet"));
    }
    int code = ok || stopping ? HP_EXIT_OK : cli_fail(values, &err);
    if (stopping)
        part_say("ending: runner, collector, database");
    up_stop(&up, &stopping);
    if (ok)
        part_say("all ended");
    return code;
}
