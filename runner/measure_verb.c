/*
 * `hakperf-runner measure`: a run without collector, from a local repository (or one that git can
 * clone) and a suite or job document. Everything that the caller alone may read is read first;
 * started as root, the run itself happens as user hakperf in a child, and the caller writes the
 * result.
 */
#include "runner/verbs.h"

#include "analysis/verdict.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/process.h"
#include "common/wire.h"
#include "runner/coverage.h"
#include "runner/job.h"
#include "runner/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct local {
    const struct hp_values *values;
    char *repository; /* a folder; below `clone` if it was cloned */
    char *clone;      /* temporary folder, or NULL */
    char *driver;     /* the driver's repository, a folder, where it is another one; else NULL */
    json_t *job;
    struct rn_sources sources;
};

/* A folder is used as it is; anything else is cloned into l->clone, as `name`. */
static bool open_repository(struct local *l, const char *given, const char *name, char **folder,
                            struct hp_error *err)
{
    struct stat st;
    if (stat(given, &st) == 0 && S_ISDIR(st.st_mode)) {
        *folder = strdup(given);
        return *folder || hp_fail(err, HP_SYSTEM, "out of memory");
    }
    if (!strchr(given, ':'))
        return hp_fail(err, HP_NOT_FOUND, "no repository at %s", given);
    if (!l->clone) {
        l->clone = strdup("/tmp/hakperf-clone-XXXXXX");
        if (!l->clone || !mkdtemp(l->clone))
            return hp_fail_errno(err, "cannot make a temporary folder");
    }
    *folder = hp_format("%s/%s", l->clone, name);
    HP_OUTCOME struct hp_outcome outcome = {0};
    const char *const argv[] = {"git", "clone", "--quiet", "--mirror", "--", given, *folder, NULL};
    const struct hp_command command = {.argv = argv, .timeout_s = 900};
    return hp_run_ok(&command, &outcome, err);
}

/* The driver's own repository, where the suite names one. */
static bool open_driver(struct local *l, const json_t *suite, struct hp_error *err)
{
    const char *given = hp_json_string(json_object_get(suite, "driver"), "repository", NULL);
    return !given || l->driver || open_repository(l, given, "driver", &l->driver, err) ||
           hp_error_context(err, "the driver's repository");
}

/* --- the job document ------------------------------------------------------------------------ */

static bool make_uuid(char out[37], struct hp_error *err)
{
    unsigned char b[16];
    char hex[33];
    if (!hp_random_bytes(b, sizeof b, err))
        return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    hp_hex(b, sizeof b, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return true;
}

static json_t *commit_json(const struct rn_commit *commit)
{
    if (!commit->sha[0])
        return json_null();
    size_t n = strlen(commit->subject);
    return json_pack("{s:s, s:o}", "sha", commit->sha, "subject",
                     hp_json_bytes(commit->subject, n < 1000 ? n : 1000));
}

/* Head, base (its first parent unless given; none for a root commit) and driver. */
static bool resolve(struct local *l, const json_t *suite, struct rn_commit *head,
                    struct rn_commit *base, struct rn_commit *driver, struct hp_error *err)
{
    const char *given = hp_opt(l->values, "base");
    const char *rev = hp_opt(l->values, "driver");
    if (!rev)
        rev = hp_json_string(json_object_get(suite, "driver"), "rev", "HEAD");
    if (!rn_source_resolve(l->repository, hp_opt(l->values, "head"), head, err) ||
        !rn_source_resolve(l->driver ? l->driver : l->repository, rev, driver, err))
        return false;
    HP_FREE char *parent = hp_format("%s^", head->sha);
    if (!given && !rn_source_resolve(l->repository, parent, base, err)) {
        *base = (struct rn_commit){0};
        return true;
    }
    return !given || rn_source_resolve(l->repository, given, base, err);
}

static json_t *job_from_suite(struct local *l, struct hp_error *err)
{
    struct rn_commit head = {0}, base = {0}, driver = {0};
    char run[37], hash[HP_HASH_TEXT];
    HP_JSON json_t *suite = hp_json_read_file(hp_opt(l->values, "suite"), HP_WIRE_SUITE_LIMIT, err);
    if (!suite || !hp_wire_check(HP_WIRE_SUITE, suite, err)) {
        hp_error_context(err, "%s", hp_opt(l->values, "suite"));
        return NULL;
    }
    if (!open_driver(l, suite, err) || !resolve(l, suite, &head, &base, &driver, err) ||
        !make_uuid(run, err) || !hp_suite_hash(suite, hash, err))
        return NULL;
    const char *name = hp_json_string(json_object_get(suite, "repository"), "name", "");
    return json_pack("{s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:O, s:s, s:i}", "format",
                     "hakperf-job-v1", "job", 1, "fence", 1, "attempt", 1, "run", run, "kind",
                     "compare", "repository", name, "head", commit_json(&head), "base",
                     commit_json(&base), "driver", commit_json(&driver), "suite", suite,
                     "suite_hash", hash, "lease_seconds", 3600);
}

static bool read_job(struct local *l, struct hp_error *err)
{
    const char *file = hp_opt(l->values, "job");
    if (!file && !hp_opt(l->values, "suite")) {
        hp_fail(err, HP_USAGE, "what to measure is missing");
        return hp_error_hint(err, "Give --suite FILE (with --head and --base) or --job FILE.");
    }
    l->job = file ? hp_json_read_file(file, HP_WIRE_JOB_LIMIT, err) : job_from_suite(l, err);
    if (!l->job)
        return false;
    return (hp_wire_check(HP_WIRE_JOB, l->job, err) &&
            hp_wire_check(HP_WIRE_SUITE, json_object_get(l->job, "suite"), err)) ||
           hp_error_context(err, "%s", file ? file : "the job");
}

/* `git archive` of each commit of the job into nameless files, while the caller's rights last. */
static bool read_sources(struct local *l, const char *folder, struct hp_error *err)
{
    if (!open_driver(l, json_object_get(l->job, "suite"), err))
        return false;
    struct {
        const char *which;
        int *fd;
    } all[] = {
        {"head", &l->sources.head}, {"base", &l->sources.base}, {"driver", &l->sources.driver}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *sha = hp_json_string(json_object_get(l->job, all[i].which), "sha", NULL);
        const char *from = i == 2 && l->driver ? l->driver : l->repository;
        if (sha && (*all[i].fd = rn_source_archive(from, sha, folder, err)) < 0)
            return false;
    }
    return true;
}

static void local_clear(struct local *l)
{
    struct hp_error ignored;
    rn_sources_close(&l->sources);
    if (l->clone)
        (void)hp_remove_tree(l->clone, &ignored);
    free(l->clone);
    free(l->repository);
    free(l->driver);
    json_decref(l->job);
}

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
static int run_here(const struct local *l, struct rn_setup *setup, int fd, bool in_child)
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
    print_summary(result);
    return verdict_code(result);
}

/* As root: the run in a child without root's rights, so that this process can still write where
 * its caller wants the result. */
static int run_in_child(const struct local *l, struct rn_setup *setup, int fd)
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

int rn_measure_verb(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct rn_setup setup = {0};
    struct local local = {.values = values, .sources = RN_NO_SOURCES};
    int code = HP_EXIT_NO_ANSWER;
    HP_FD int fd = memfd_create("result", MFD_CLOEXEC);
    bool ok =
        rn_setup_make(&setup, values, &err) &&
        open_repository(&local, hp_opt(values, "repository"), "mirror", &local.repository, &err) &&
        read_job(&local, &err) && read_sources(&local, setup.runner.state, &err);
    setup.runner.max_pairs = (uint32_t)hp_opt_int(values, "pairs");
    if (ok && fd >= 0) {
        code =
            geteuid() == 0 ? run_in_child(&local, &setup, fd) : run_here(&local, &setup, fd, false);
        ok = copy_out(fd, hp_opt(values, "output"), &err);
    }
    if (!ok)
        code = rn_report(&err);
    local_clear(&local);
    rn_setup_clear(&setup);
    return code;
}
