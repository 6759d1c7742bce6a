/*
 * `hakperf-runner measure`: a run without collector, from a local repository (or one that git can
 * clone) and a suite or job document. Everything that the caller alone may read is read first;
 * started as root, the run itself happens as user hakperf in a child, and the caller writes the
 * result.
 */
#include "runner/verbs.h"

#include "analysis/verdict.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/state.h"
#include "common/wire.h"
#include "runner/coverage.h"
#include "runner/job.h"
#include "runner/local.h"
#include "runner/own.h"
#include "runner/progress.h"
#include "runner/setup.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- running and telling --------------------------------------------------------------------- */

static void print_workload(const json_t *workload)
{
    const json_t *decision = json_object_get(workload, "decision");
    const char *name = hp_json_string(workload, "name", "");
    const json_t *failure = json_object_get(workload, "failure");
    if (json_is_object(failure))
        fprintf(stderr, "%s: failed: %s\n", name, hp_json_string(failure, "message", ""));
    else if (!json_is_object(decision))
        fprintf(stderr, "%s: measured, nothing to compare with\n", name);
    else
        fprintf(stderr, "%s: %s %s %+.2f %% (%+.2f to %+.2f), %lld pairs\n", name,
                hp_json_string(decision, "verdict", ""), hp_json_string(decision, "size", ""),
                100 * expm1(hp_json_number(decision, "estimate", 0)),
                100 * expm1(hp_json_number(decision, "low", 0)),
                100 * expm1(hp_json_number(decision, "high", 0)),
                (long long)hp_json_int(decision, "pairs", 0));
}

static void print_summary(const json_t *result)
{
    size_t i;
    json_t *item;
    const json_t *failure = json_object_get(result, "failure");
    if (json_is_object(failure))
        fprintf(stderr, "failed: %s\n", hp_json_string(failure, "message", ""));
    if (strcmp(hp_json_string(result, "status", ""), "identical") == 0)
        fprintf(stderr, "identical: both revisions build the same machine code\n");
    json_array_foreach (json_object_get(result, "workloads"), i, item)
        print_workload(item);
    if (json_is_object(json_object_get(result, "coverage"))) {
        HP_FREE char *sentence = rn_coverage_sentence(json_object_get(result, "coverage"));
        fprintf(stderr, "%s\n", sentence ? sentence : "");
    }
    json_array_foreach (json_object_get(result, "warnings"), i, item)
        fprintf(stderr, "note: %s\n", json_string_value(item));
}

/* The worst of the workloads, as an exit code. */
static int verdict_code(const json_t *result)
{
    size_t i;
    json_t *workload;
    int worst = HP_EXIT_OK;
    if (strcmp(hp_json_string(result, "status", ""), "failed") == 0)
        return HP_EXIT_NO_ANSWER;
    json_array_foreach (json_object_get(result, "workloads"), i, workload) {
        const json_t *decision = json_object_get(workload, "decision");
        const char *size = hp_json_string(decision, "size", "");
        struct an_outcome outcome = {.verdict = AN_FAILED,
                                     .size = strcmp(size, "small") == 0 ? AN_SMALL : AN_RELEVANT};
        if (json_is_object(decision))
            an_verdict_parse(hp_json_string(decision, "verdict", ""), &outcome.verdict);
        int code = an_exit_code(outcome, false);
        worst = code == HP_EXIT_REGRESSED || worst == HP_EXIT_REGRESSED ? HP_EXIT_REGRESSED
                : code > worst                                          ? code
                                                                        : worst;
    }
    return worst;
}

static bool write_result(const char *output, const struct hp_buffer *text, struct hp_error *err)
{
    if (strcmp(output, "-") != 0)
        return hp_file_replace(output, text->data, text->size, 0644, err);
    return hp_write_all(STDOUT_FILENO, text->data, text->size) ||
           hp_fail_errno(err, "cannot write the result");
}

/* The run, as the user that it is to run as; the document goes to `fd`. */
static int run_here(const struct rn_local *l, struct rn_setup *setup, int fd, bool in_child)
{
    struct hp_error err = {0};
    if (!rn_setup_drop(setup, &err))
        return rn_report(&err);
    if (in_child) /* set here, since a change of user clears it */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    HP_JSON json_t *result = rn_job_run(&setup->runner, l->job, &l->sources, &err);
    HP_FREE char *text = result ? json_dumps(result, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    if (!text)
        return rn_report(&err);
    if (!hp_write_all(fd, text, strlen(text)) || !hp_write_all(fd, "\n", 1)) {
        hp_fail_errno(&err, "cannot hand the result on");
        return rn_report(&err);
    }
    if (!hp_opt_flag(l->values, "quiet") && !hp_opt_flag(l->values, "no-summary"))
        print_summary(result);
    return verdict_code(result);
}

/* As root: the run in a child without root's rights, so that this process can still write where
 * its caller wants the result. */
static int run_in_child(const struct rn_local *l, struct rn_setup *setup, int fd)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(run_here(l, setup, fd, true));
    int status = 0;
    bool told = false;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        if (*setup->runner.cancel && !told)
            kill(pid, SIGTERM);
        told = *setup->runner.cancel != 0;
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : HP_EXIT_NO_ANSWER;
}

static bool copy_out(int fd, const char *output, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    HP_FREE char *path = hp_format("/proc/self/fd/%d", fd);
    if (!path || !hp_file_read(path, HP_WIRE_RESULT_LIMIT, &text, err))
        return false;
    return text.size == 0 || write_result(output, &text, err);
}

/* This very program, which need not be one that a shell finds; NULL where it cannot be told. */
static char *program_path(void)
{
    struct hp_error ignored;
    HP_FREE char *folder = hp_program_folder(&ignored);
    return folder ? hp_format("%s/hakperf-runner", folder) : NULL;
}

int rn_measure_verb(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct rn_setup setup = {0};
    struct rn_local local = {.values = values, .sources = RN_NO_SOURCES};
    int code = HP_EXIT_NO_ANSWER;
    HP_FD int fd = memfd_create("result", MFD_CLOEXEC);
    bool quiet = hp_opt_flag(values, "quiet");
    if (quiet)
        hp_log_init("hakperf-runner", HP_LOG_WARNING);
    bool ok = rn_setup_make(&setup, values, &err) && rn_local_open(&local, setup.state, &err) &&
              (setup.runner.sandboxed ||
               rn_check_own(json_object_get(local.job, "suite"), local.named, &err));
    setup.runner.own = ok;
    setup.runner.max_pairs = (uint32_t)hp_opt_int(values, "pairs");
    HP_FREE char *program = program_path();
    setup.runner.program = program;
    setup.runner.repository = local.named;
    if (ok && fd >= 0) {
        rn_progress_mute(setup.runner.progress, quiet);
        code =
            geteuid() == 0 ? run_in_child(&local, &setup, fd) : run_here(&local, &setup, fd, false);
        ok = copy_out(fd, hp_opt(values, "output"), &err);
    }
    if (!ok)
        code = rn_report(&err);
    rn_local_clear(&local);
    rn_setup_clear(&setup);
    return code;
}
