/*
 * Starting other programs: an argument vector (never a shell), a chosen environment and folder,
 * captured output up to a limit, a time limit, and an end for the whole process group. Nothing of
 * the caller's descriptors is inherited but what is asked for.
 */
#ifndef HP_COMMON_PROCESS_H
#define HP_COMMON_PROCESS_H

#include "common/error.h"
#include "common/io.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct hp_command {
    const char *const *argv; /* ended by NULL; argv[0] is looked up in PATH */
    const char *const *env;  /* "NAME=value" …, NULL: the caller's */
    const char *folder;      /* NULL: the caller's */
    const void *input;       /* written to stdin; NULL: /dev/null */
    size_t input_size;
    double timeout_s;           /* 0: none; then the group gets SIGKILL */
    size_t output_limit;        /* bytes kept of each stream; 0: 1 MiB */
    bool keep_tail;             /* over the limit: keep the end, else the beginning */
    bool merge_stderr;          /* stderr into the same buffer as stdout, in order */
    int stdin_fd;               /* > 0: used as stdin instead of `input` */
    int stdout_fd;              /* > 0: stdout goes there and is not captured */
    int64_t file_limit;         /* > 0: no file it writes may grow beyond so many bytes (EFBIG) */
    const volatile int *cancel; /* not NULL: when it becomes non-zero the group is killed */
};

struct hp_outcome {
    int exit_code; /* 0 to 255; -1 if it died of a signal */
    int signal;    /* that signal, else 0 */
    bool timed_out;
    bool cancelled;
    bool truncated; /* output was longer than kept */
    double wall_s;
    struct rusage usage;  /* of the child and all it waited for */
    struct hp_buffer out; /* cleared by hp_outcome_clear */
    struct hp_buffer err;
};

/* Runs to the end. False only if it could not be started or waited for (HP_NOT_FOUND: no such
 * program); how it ended is in `outcome`, which the caller clears in any case. */
bool hp_run(const struct hp_command *command, struct hp_outcome *outcome, struct hp_error *err);

/* hp_run, and anything but exit code 0 is an error too: HP_TIMEOUT, or HP_FAILED with the last
 * line the program printed on stderr. */
bool hp_run_ok(const struct hp_command *command, struct hp_outcome *outcome, struct hp_error *err);

void hp_outcome_clear(struct hp_outcome *outcome);
#define HP_OUTCOME __attribute__((cleanup(hp_outcome_clear)))

/* A program that runs beside this one, in its own process group. */
struct hp_child {
    pid_t pid; /* 0: none */
    int in;    /* its stdin, or -1 */
    int out;   /* its stdout, or -1 */
};

/* Starts it; stdin and stdout are pipes where asked for, stderr is
 * the caller's, or with merge_stderr the same as its stdout. */
bool hp_child_start(const struct hp_command *command, bool pipe_in, bool pipe_out,
                    struct hp_child *child, struct hp_error *err);

/* Sends a signal to the group, waits at most `grace_s`, then SIGKILL; collects it and closes the
 * pipes. Returns the wait status, -1 if there was none. */
int hp_child_stop(struct hp_child *child, int signal, double grace_s);

/* True if it has ended (then collected, pid 0, status set); false while it runs. */
bool hp_child_ended(struct hp_child *child, int *status);

/* Describes how a program ended: "exit code 2", "killed by signal 9 (Killed)", …; static text per
 * thread. */
const char *hp_outcome_text(const struct hp_outcome *outcome);

#endif
