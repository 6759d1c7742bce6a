/*
 * check_main.c: the allocator's tests in one program, which the allocator itself serves.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--probe") == 0)
        return probe_main(argc - 2, argv + 2);
    SRunner *runner = srunner_create(suite_family());
    srunner_add_suite(runner, suite_shadow());
    srunner_add_suite(runner, suite_threads());
    srunner_add_suite(runner, suite_misuse());
    srunner_add_suite(runner, suite_preload());
    srunner_add_suite(runner, suite_bench());
    srunner_add_suite(runner, suite_corpus());
    srunner_add_suite(runner, suite_attacks());
    srunner_add_suite(runner, suite_delays());
    srunner_add_suite(runner, suite_invalid());
    srunner_add_suite(runner, suite_programs());
    srunner_add_suite(runner, suite_ace());
    srunner_add_suite(runner, suite_kernel());
    srunner_add_suite(runner, suite_stats());
    srunner_add_suite(runner, suite_backends());
    srunner_add_suite(runner, suite_options());
    if (argc > 1)
        srunner_run(runner, argv[1], NULL, CK_NORMAL);
    else
        srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
