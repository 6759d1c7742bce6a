/*
 * Running the git binary on a bare mirror. Every call gets an environment of its own: nothing of
 * the system's, the user's or the repository's configuration decides what git does, no hook runs,
 * nobody is asked for a password, and only ordinary transports are allowed (no `ext::`).
 *
 * Credentials are the collector's own: a file in the form of git-credential-store, read by a helper
 * that never writes to it, and a key for ssh. Git reads both itself; they are in no argument, no
 * log and no database.
 *
 * The folder and its one configuration file are made by git_prepare; all functions may be called
 * by any thread.
 */
#ifndef HP_COLLECTOR_GIT_H
#define HP_COLLECTOR_GIT_H

#include "common/error.h"
#include "common/process.h"

/* Names of commits and trees: up to 64 hexadecimal digits. */
#define GIT_SHA_TEXT 65

struct git_call {
    const char *folder;      /* the git folder; NULL: none (init, ls-remote) */
    const char *const *argv; /* behind "git", ended by NULL */
    const void *input;       /* for stdin; NULL: nothing */
    size_t input_size;
    size_t output_limit; /* more is HP_LIMIT; 0: 1 MiB */
    double timeout_s;
    int stdin_fd;       /* > 0: the input comes from there */
    int stdout_fd;      /* > 0: the output goes there */
    int64_t file_limit; /* > 0: it may write no larger file; HP_LIMIT where it wanted to */
};

struct git_settings {
    const char *credentials; /* path of the file; NULL or "": none */
    const char *ssh_key;     /* path of the private key; NULL or "": what ssh finds by itself */
    double fetch_timeout_s;  /* 0: ten minutes */
    int64_t mirror_limit;    /* bytes that one mirror may take on disk; 0: 10 GiB */
};

/* Makes STATE/mirrors and writes the configuration that every later call uses; settings NULL: the
 * defaults. Once, before other threads call. HP_USAGE for a file that is not there, that others may
 * read, or whose path git's configuration cannot hold. */
bool git_prepare(const char *state, const struct git_settings *settings, struct hp_error *err);

/* The limits in force. */
double git_fetch_timeout(void);
int64_t git_mirror_limit(void);

/* Runs `git ARGV`. Anything but exit code 0 is HP_FAILED with git's own words, HP_TIMEOUT or
 * HP_UNAVAILABLE (git_cancel_all). `outcome` is cleared by the caller in any case. */
bool git_run(const char *state, const struct git_call *call, struct hp_outcome *outcome,
             struct hp_error *err);

/* Makes running and later calls end at once: the collector stops. */
void git_cancel_all(void);

/* Takes it back; for tests that start several servers in one process. */
void git_cancel_reset(void);

/* Whether a text is a full commit name: 40 or 64 lower case hexadecimal digits. */
bool git_is_sha(const char *text);

#endif
