#include "runner/setup.h"

#include "common/io.h"
#include "common/log.h"
#include "common/state.h"
#include "runner/cpus.h"
#include "runner/machine.h"
#include "runner/privilege.h"
#include "runner/progress.h"
#include "runner/sandbox.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

volatile int rn_stop;
static volatile sig_atomic_t terminated;

static void on_signal(int number)
{
    (void)number;
    terminated = 1;
    rn_stop = 1;
}

void rn_stop_clear(void)
{
    rn_stop = 0;
    if (terminated)
        rn_stop = 1;
}

static void handle_signals(void)
{
    /* Without SA_RESTART, so that sleeping and waiting end at once. */
    struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static char *runner_name(const char *given)
{
    char host[129] = "";
    if (given && given[0])
        return strdup(given);
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        return strdup("runner");
    return strdup(host);
}

static bool make_folders(const char *state, struct hp_error *err)
{
    return hp_state_make(state, "runner", 0755, err) &&
           hp_state_make(state, "runner/cache", 0700, err) &&
           hp_state_make(state, "runner/suites", 0755, err) &&
           hp_state_make(state, "spool", 0700, err) &&
           hp_state_make(state, "spool/refused", 0700, err);
}

bool rn_setup_make(struct rn_setup *setup, const struct hp_values *values, struct hp_error *err)
{
    const char *sandbox = hp_opt(values, "sandbox");
    *setup = (struct rn_setup){0};
    if (strcmp(sandbox, "bwrap") != 0 && strcmp(sandbox, "none") != 0) {
        hp_fail(err, HP_USAGE, "--sandbox must be bwrap or none, not \"%s\"", sandbox);
        return false;
    }
    setup->state = hp_state_folder(hp_opt(values, "state"), err);
    if (!setup->state || !make_folders(setup->state, err))
        return false;
    setup->name = runner_name(hp_opt(values, "name"));
    setup->runner = (struct rn_runner){.state = setup->state,
                                       .name = setup->name,
                                       .launcher = "/proc/self/exe",
                                       .sandboxed = strcmp(sandbox, "bwrap") == 0,
                                       .cpu = (int)hp_opt_int(values, "cpu"),
                                       .cpu_locks = rn_cpu_locks(hp_opt(values, "cpu-locks")),
                                       .cache_mib = hp_opt_int(values, "cache-mib"),
                                       .budget_s = (double)hp_opt_int(values, "budget"),
                                       .passes_s = (double)hp_opt_int(values, "passes"),
                                       .cancel = &rn_stop,
                                       .progress = rn_progress_new()};
    if (!setup->name || !setup->runner.progress)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    handle_signals();
    return true;
}

bool rn_setup_drop(struct rn_setup *setup, struct hp_error *err)
{
    rn_privilege_keep();
    bool dropped = hp_drop_root(err);
    rn_privilege_settle();
    return dropped && rn_choose_cpu(setup->runner.cpu, err) >= 0 &&
           (!setup->runner.sandboxed || rn_sandbox_check(err));
}

void rn_setup_clear(struct rn_setup *setup)
{
    rn_progress_free(setup->runner.progress);
    free(setup->state);
    free(setup->name);
    *setup = (struct rn_setup){0};
}

int rn_report(const struct hp_error *err)
{
    hp_error_print("hakperf-runner", err);
    return hp_exit_code(err);
}
