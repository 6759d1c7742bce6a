/*
 * The test binary: runs every suite that was linked in, in the order of their names, or N of them
 * side by side with `--jobs N`; each then prints when it has ended, and a line of all of them comes
 * last. `--list` prints the names; the CK_* variables of the Check library select and report
 * (CK_RUN_SUITE, CK_RUN_CASE, CK_FORK=no under a debugger, CK_VERBOSITY).
 */
#include "tests/suite.h"

#include "common/error.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct hp_suite *first;

void hp_suite_register(struct hp_suite *entry)
{
    struct hp_suite **at = &first;
    while (*at && strcmp((*at)->name, entry->name) < 0)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
}

const char *test_root(void)
{
    const char *root = getenv("HAKPERF_TEST_ROOT");
    return root ? root : "/tmp";
}

/* What came of suites. */
struct tally {
    int ran, failures, errors;
};

static void add(struct tally *sum, const struct tally *t)
{
    sum->ran += t->ran;
    sum->failures += t->failures;
    sum->errors += t->errors;
}

static int status_of(const struct tally *t)
{
    /* A misspelled CK_RUN_SUITE must not look like success. */
    if (t->ran == 0)
        fputs("no test ran: see --list for the names of the suites\n", stderr);
    return t->ran == 0 || t->failures + t->errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Runs the suites from `from` up to, not with, `to`. */
static struct tally run_suites(const struct hp_suite *from, const struct hp_suite *to)
{
    SRunner *runner = srunner_create(NULL);
    for (const struct hp_suite *s = from; s != to; s = s->next)
        srunner_add_suite(runner, s->make());
    srunner_run_all(runner, CK_ENV);
    struct tally t = {.ran = srunner_ntests_run(runner)};
    TestResult **failed = srunner_failures(runner);
    for (int i = 0; i < srunner_ntests_failed(runner); i++) {
        if (tr_rtype(failed[i]) == CK_FAILURE)
            t.failures++;
        else
            t.errors++;
    }
    free(failed);
    srunner_free(runner);
    return t;
}

/* --- side by side ---------------------------------------------------------------------------- */

enum { MOST_JOBS = 64 };

/* A suite that runs in a child; what it prints is kept in `output`, what came of it read from
 * `result`. */
struct job {
    pid_t pid;
    const struct hp_suite *suite;
    FILE *output;
    int result;
    struct timespec began;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    interrupted = number;
}

static void run_in_child(const struct job *j, int result)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    close(j->result);
    fcntl(result, F_SETFD, FD_CLOEXEC);
    dup2(fileno(j->output), STDOUT_FILENO);
    dup2(fileno(j->output), STDERR_FILENO);
    struct tally t = run_suites(j->suite, j->suite->next);
    fflush(NULL);
    _exit(write(result, &t, sizeof t) == sizeof t ? EXIT_SUCCESS : EXIT_FAILURE);
}

static bool start(struct job *j, const struct hp_suite *s)
{
    int ends[2];
    *j = (struct job){.suite = s, .output = tmpfile()};
    clock_gettime(CLOCK_MONOTONIC, &j->began);
    if (!j->output || pipe(ends) != 0)
        return false;
    j->result = ends[0];
    fcntl(j->result, F_SETFD, FD_CLOEXEC);
    fflush(NULL);
    j->pid = fork();
    if (j->pid == 0)
        run_in_child(j, ends[1]);
    close(ends[1]);
    return j->pid > 0;
}

static double seconds_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - t->tv_sec) + 1e-9 * (double)(now.tv_nsec - t->tv_nsec);
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

/* Prints what the suite printed and how long it took, and adds what came of it. */
static void finish(struct job *j, int status, const struct rusage *used, struct tally *sum)
{
    rewind(j->output);
    for (int c; (c = getc(j->output)) != EOF;)
        putchar(c);
    struct tally t = {.errors = 1};
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || read(j->result, &t, sizeof t) != sizeof t)
        printf("suite %s did not come to its end (status 0x%x)\n", j->suite->name,
               (unsigned)status);
    printf("%s: %.1f s, %.1f of CPU\n", j->suite->name, seconds_since(&j->began),
           seconds_of(&used->ru_utime) + seconds_of(&used->ru_stime));
    fflush(stdout);
    fclose(j->output);
    close(j->result);
    add(sum, &t);
    *j = (struct job){0};
}

static void finish_one(struct job *jobs, struct tally *sum)
{
    int status;
    struct rusage used;
    pid_t pid = wait4(-1, &status, 0, &used);
    for (int i = 0; i < MOST_JOBS; i++) {
        if (pid > 0 && jobs[i].pid == pid)
            finish(&jobs[i], status, &used, sum);
        else if (interrupted && jobs[i].pid > 0)
            kill(jobs[i].pid, interrupted);
    }
}

static int running(const struct job *jobs)
{
    int n = 0;
    for (int i = 0; i < MOST_JOBS; i++)
        n += jobs[i].pid > 0;
    return n;
}

static void start_job(struct job *jobs, const struct hp_suite *suite, struct tally *sum)
{
    int unused = 0;
    while (jobs[unused].pid)
        unused++;
    if (!start(&jobs[unused], suite))
        sum->errors++;
}

/* Runs the suites of these places, in the order of the places, `most` at once. */
static void run_jobs(enum hp_suite_place from, enum hp_suite_place to, int most, struct tally *sum)
{
    struct job jobs[MOST_JOBS] = {0};
    for (enum hp_suite_place place = from; place <= to; place++)
        for (const struct hp_suite *s = first; s; s = s->next) {
            if (s->place != place)
                continue;
            while (running(jobs) >= most)
                finish_one(jobs, sum);
            if (!interrupted)
                start_job(jobs, s, sum);
        }
    while (running(jobs) > 0)
        finish_one(jobs, sum);
}

static int run_side_by_side(int most)
{
    struct tally sum = {0};
    struct sigaction on = {.sa_handler = interrupt};
    sigaction(SIGINT, &on, NULL);
    sigaction(SIGTERM, &on, NULL);
    run_jobs(HP_SUITE_FIRST, HP_SUITE_ANYWHERE, most, &sum);
    run_jobs(HP_SUITE_LAST, HP_SUITE_LAST, 1, &sum);
    int bad = sum.failures + sum.errors;
    printf("All suites:\n%d%%: Checks: %d, Failures: %d, Errors: %d\n",
           sum.ran ? 100 * (sum.ran - bad) / sum.ran : 0, sum.ran, sum.failures, sum.errors);
    return interrupted ? 128 + interrupted : status_of(&sum);
}

/* --- what is left behind -------------------------------------------------------------------------
 */

static volatile sig_atomic_t worker;

/* A signal of the terminal has reached the worker already. */
static void pass_on(int number)
{
    interrupted = number;
    if (number == SIGTERM)
        kill(worker, number);
}

/* Goes on in a child, and in the parent waits for its end and removes what tests made: the exit
 * code. -1 in the child, and where nothing is forked (CK_FORK=no) or the folder is somebody's own
 * (HAKPERF_TEST_KEEP). */
static int with_root(void)
{
    char root[] = "/tmp/hakperf-check-XXXXXX";
    const char *fork_or_not = getenv("CK_FORK");
    struct hp_error err;
    int status = 0;
    if (getenv("HAKPERF_TEST_KEEP") || (fork_or_not && strcmp(fork_or_not, "no") == 0))
        return -1;
    /* Whichever user a test becomes. */
    if (!mkdtemp(root) || chmod(root, 01777) != 0 || setenv("HAKPERF_TEST_ROOT", root, 1) != 0) {
        fprintf(stderr, "cannot make a folder in /tmp: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct sigaction on = {.sa_handler = pass_on};
    sigaction(SIGINT, &on, NULL);
    sigaction(SIGTERM, &on, NULL);
    worker = fork();
    if (worker == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        return -1;
    }
    while (worker > 0 && waitpid(worker, &status, 0) < 0 && errno == EINTR)
        ;
    /* Servers of tests that were cut off come to this process, and take a moment to end. */
    for (int i = 0; i < 200 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
        usleep(100000);
    if (!hp_remove_tree(root, &err))
        hp_error_print("tests", &err);
    return worker > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (const struct hp_suite *s = first; s; s = s->next)
            puts(s->name);
        return EXIT_SUCCESS;
    }
    int jobs = argc == 3 && strcmp(argv[1], "--jobs") == 0 ? atoi(argv[2]) : 0;
    if (argc != 1 && (jobs < 1 || jobs > MOST_JOBS)) {
        fprintf(stderr, "usage: %s [--list | --jobs 1..%d]\n", argv[0], MOST_JOBS);
        return 2;
    }
    int status = with_root();
    if (status >= 0)
        return status;
    /* Runners under test agree on the CPUs among themselves, not with whoever measures beside the
     * tests, for whom they would wait. */
    setenv("HAKPERF_CPU_LOCKS", test_root(), 0);
    /* Four seconds, the library's own limit, are little on a busy machine. */
    setenv("CK_DEFAULT_TIMEOUT", "30", 0);
    /* What a test printed must not be lost when it fails, or be written twice by its fork. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (jobs && !getenv("CK_RUN_SUITE"))
        return run_side_by_side(jobs);
    struct tally t = run_suites(first, NULL);
    return status_of(&t);
}
