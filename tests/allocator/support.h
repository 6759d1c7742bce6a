/*
 * support.h: what the allocator's tests share: running programs and watching children die.
 *
 * One thread; nothing returned here is owned by the caller, each call overwrites the last result.
 */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* What a child left: its wait status and the beginning of what it wrote. */
struct outcome {
    int status;
    size_t len;
    char text[1 << 20];
};

/* Runs `command` by the shell with stdout and stderr together in text. */
struct outcome *run_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Calls `body` in a child; text is what it wrote to stderr. A child that returns exits 0. */
struct outcome *run_child(void (*body)(void *), void *arg);
/* Whether the outcome is exit with this code; prints the text when not. */
bool exited_with(const struct outcome *o, int code);
/* Whether the child was ended by abort() after a message that contains `part`. */
bool aborted_with(const struct outcome *o, const char *part);

/* Folder of the build under test, such as "/x/build". */
const char *build_dir(void);
/* The program itself, for tests that start it again as a probe. */
const char *self_path(void);

/* A hidden copy of ptr, so that the compiler neither warns of nor removes misuse. */
void *launder(void *ptr);

/* Small programs inside this one: `check-allocator --probe NAME ARG…`. Returns the exit code. */
int probe_main(int argc, char **argv);

Suite *suite_family(void);
Suite *suite_shadow(void);
Suite *suite_threads(void);
Suite *suite_misuse(void);
Suite *suite_preload(void);
Suite *suite_bench(void);
Suite *suite_corpus(void);
Suite *suite_attacks(void);
Suite *suite_delays(void);
Suite *suite_invalid(void);
Suite *suite_programs(void);
Suite *suite_ace(void);
Suite *suite_kernel(void);
Suite *suite_stats(void);
Suite *suite_backends(void);
Suite *suite_options(void);

#endif
