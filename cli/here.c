#include "cli/here.h"

#include "analysis/verdict.h"
#include "cli/checkout.h"
#include "cli/here_comparison.h"
#include "cli/here_suite.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/process.h"
#include "common/state.h"
#include "common/wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define GRACE_S 20 /* for the runner to end what it started and to clean up */
#define ARGUMENTS 40

/* What one call works with. */
struct here {
    const struct hp_values *values;
    char *runner, *top, *suite_file;
    char *base, *head; /* full shas */
    json_t *suite;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* --- running hakperf-runner ---------------------------------------------------------------------
 */

/* Appends "--name value" where the value was given. */
static void add(const char **argv, const char *name, const char *value)
{
    size_t n = 0;
    if (!value)
        return;
    while (argv[n])
        n++;
    if (n + 3 <= ARGUMENTS) {
        argv[n] = name;
        argv[n + 1] = value;
    }
}

static void add_flag(const char **argv, const char *name, bool given)
{
    size_t n = 0;
    while (argv[n])
        n++;
    if (given && n + 2 <= ARGUMENTS)
        argv[n] = name;
}

static bool drain(int fd, struct hp_buffer *out, bool *end)
{
    char block[65536];
    struct pollfd slot = {.fd = fd, .events = POLLIN};
    if (poll(&slot, 1, 200) <= 0)
        return true;
    ssize_t n = read(fd, block, sizeof block);
    *end = n == 0 || (n < 0 && errno != EINTR);
    return n <= 0 || (out->size + (size_t)n <= HP_WIRE_RESULT_LIMIT &&
                      hp_buffer_append(out, block, (size_t)n));
}

/* Waits for its document and its end. An interrupt is handed on, once gently; the runner then ends
 * all that it started and cleans up. */
static bool collect(struct hp_child *child, struct hp_buffer *out, int *status,
                    struct hp_error *err)
{
    bool end = false, ok = true, told = false;
    double deadline = 0;
    while (!end && ok) {
        ok = drain(child->out, out, &end);
        if (stopped && !told) {
            kill(-child->pid, SIGTERM);
            deadline = hp_monotonic_s() + GRACE_S;
            told = true;
        }
        if (told && hp_monotonic_s() > deadline)
            break;
    }
    *status = hp_child_stop(child, ok && end ? 0 : SIGTERM, GRACE_S);
    if (stopped)
        return hp_fail(err, HP_UNAVAILABLE, "interrupted; nothing was kept");
    return ok || hp_fail(err, HP_LIMIT, "the runner's answer is too large");
}

/* One run; NULL with an empty message where the runner has told what is wrong. */
static json_t *measure(const struct here *h, const char *workloads, bool confirm,
                       struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_child child = {.in = -1, .out = -1};
    const char *argv[ARGUMENTS] = {h->runner, "measure", "--no-summary"};
    int status = 0;
    add(argv, "--state", hp_opt(h->values, "state"));
    add(argv, "--repository", h->top);
    add(argv, "--suite", h->suite_file);
    add(argv, "--base", h->base);
    add(argv, "--head", h->head);
    add(argv, "--workload", workloads);
    add(argv, "--budget", hp_opt(h->values, "budget"));
    add(argv, "--passes", hp_opt(h->values, "passes"));
    add_flag(argv, "--confirm", confirm);
    add_flag(argv, "--quiet", hp_opt_flag(h->values, "quiet"));
    const struct hp_command command = {.argv = argv};
    if (!hp_child_start(&command, false, true, &child, err)) {
        hp_error_hint(err, "hakperf-runner must lie beside hakperf.");
        return NULL;
    }
    if (!collect(&child, &text, &status, err))
        return NULL;
    if (text.size > 0)
        return hp_wire_parse(HP_WIRE_RESULT, hp_buffer_text(&text), text.size, err);
    bool usage = WIFEXITED(status) && WEXITSTATUS(status) == HP_EXIT_USAGE;
    hp_fail(err, usage ? HP_USAGE : HP_FAILED, "%s", "");
    return NULL;
}

/* --- what is asked ------------------------------------------------------------------------------
 */

bool cli_here_usage(const struct hp_values *values, struct hp_error *err)
{
    static const char *const only_here[] = {"suite", "workload", "budget", "passes"};
    static const char *const only_there[] = {"measure", "wait"};
    bool here = hp_opt_flag(values, "here");
    for (size_t i = 0; !here && i < sizeof only_here / sizeof only_here[0]; i++)
        if (strcmp(hp_opt_source(values, only_here[i]), "command line") == 0)
            return hp_fail(err, HP_USAGE, "--%s goes with --here", only_here[i]);
    for (size_t i = 0; here && i < sizeof only_there / sizeof only_there[0]; i++)
        if (hp_opt_flag(values, only_there[i]))
            return hp_fail(err, HP_USAGE, "--%s asks the collector, and --here does without",
                           only_there[i]);
    return true;
}

static char *sha_of(const char *rev, struct hp_error *err)
{
    char *sha = rev[0] && rev[0] != '-' ? cli_checkout_resolve(rev) : NULL;
    if (!sha) {
        hp_fail(err, HP_NOT_FOUND, "there is no commit \"%s\" in this checkout", rev);
        hp_error_hint(err, "`git log --oneline` lists what there is.");
    }
    return sha;
}

static bool here_open(struct here *h, struct hp_error *err)
{
    HP_FREE char *folder = hp_program_folder(err);
    h->runner = folder ? hp_format("%s/hakperf-runner", folder) : NULL;
    if (!h->runner)
        return false;
    if (!(h->top = cli_checkout_top())) {
        hp_fail(err, HP_NOT_FOUND, "this folder is not within a git repository");
        return hp_error_hint(err,
                             "Change to the checkout, or leave --here out to ask a collector.");
    }
    if (!(h->base = sha_of(hp_arg(h->values, 0), err)) ||
        !(h->head = sha_of(hp_arg(h->values, 1), err)))
        return false;
    if (strcmp(h->base, h->head) == 0) {
        hp_fail(err, HP_USAGE, "both revisions are %.12s", h->head);
        return hp_error_hint(err, "Name two different commits.");
    }
    return cli_here_suite(h->top, hp_opt(h->values, "suite"), &h->suite_file, &h->suite, err);
}

static void here_close(struct here *h)
{
    free(h->runner);
    free(h->top);
    free(h->suite_file);
    free(h->base);
    free(h->head);
    json_decref(h->suite);
}

/* Names with commas between them, NULL for none; the caller frees it. */
static char *joined(const json_t *names)
{
    HP_BUFFER struct hp_buffer text = {0};
    size_t i;
    const json_t *name;
    json_array_foreach (names, i, name)
        hp_buffer_printf(&text, "%s%s", i ? "," : "", json_string_value(name));
    return text.size ? strdup(hp_buffer_text(&text)) : NULL;
}

static json_t *compare(const struct here *h, struct hp_error *err)
{
    HP_FREE char *base_subject = cli_checkout_subject(h->base);
    HP_FREE char *head_subject = cli_checkout_subject(h->head);
    HP_JSON json_t *result = measure(h, hp_opt(h->values, "workload"), false, err);
    HP_JSON json_t *fresh = NULL;
    struct here_run run = {.result = result,
                           .suite = h->suite,
                           .base_subject = base_subject ? base_subject : "",
                           .head_subject = head_subject ? head_subject : "",
                           .critical = an_plan_standard(AN_MARGIN, 0).critical,
                           .fresh_critical = AN_CONFIRM_Z};
    if (!result)
        return NULL;
    HP_JSON json_t *rounds = here_rounds(&run);
    size_t i;
    json_t *round;
    json_array_foreach (rounds, i, round) {
        HP_FREE char *names = joined(round);
        json_decref(fresh);
        run.fresh = fresh = measure(h, names, true, err);
        if (!fresh && stopped)
            return NULL;
        if (!fresh || here_confirmed(&run))
            break;
    }
    return here_comparison(&run, err);
}

json_t *cli_here_compare(const struct hp_values *values, struct hp_error *err)
{
    struct here h = {.values = values};
    struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    json_t *comparison = here_open(&h, err) ? compare(&h, err) : NULL;
    here_close(&h);
    return comparison;
}
