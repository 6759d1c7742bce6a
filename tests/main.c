/*
 * The test binary: runs every suite that was linked in, in the order of their names.
 * `--list` prints the names; the CK_* variables of the Check library select and report
 * (CK_RUN_SUITE, CK_RUN_CASE, CK_FORK=no under a debugger, CK_VERBOSITY).
 */
#include "tests/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hp_suite *first;

void hp_suite_register(struct hp_suite *entry)
{
    struct hp_suite **at = &first;
    while (*at && strcmp((*at)->name, entry->name) < 0)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
}

static int run_all(void)
{
    SRunner *runner = srunner_create(NULL);
    /* Four seconds, the library's own limit, are little on a busy machine. */
    setenv("CK_DEFAULT_TIMEOUT", "30", 0);
    /* What a test printed must not be lost when it fails, or be written twice by its fork. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (const struct hp_suite *s = first; s; s = s->next)
        srunner_add_suite(runner, s->make());
    srunner_run_all(runner, CK_ENV);
    int ran = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    /* A misspelled CK_RUN_SUITE must not look like success. */
    if (ran == 0)
        fputs("no test ran: see --list for the names of the suites\n", stderr);
    return ran == 0 || failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return run_all();
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (const struct hp_suite *s = first; s; s = s->next)
            puts(s->name);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "usage: %s [--list]\n", argv[0]);
    return 2;
}
