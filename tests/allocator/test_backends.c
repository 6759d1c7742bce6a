/*
 * test_backends.c: the other tests again, under the configurations that are not the default.
 */
#include "support.h"

#include <stddef.h>

static const char *const configurations[] = {
    "HAKMEM_TINY_USE_SUPERSLAB=0",
    "HAKMEM_TINY_USE_SUPERSLAB=1",
    "HAKMEM_TINY_USE_SUPERSLAB=1 HAKMEM_SUPERSLAB_SIZE=512K",
};
static const char *const suites[] = {"family", "shadow", "misuse", "threads"};

START_TEST(test_configuration)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        struct outcome *o = run_shell("ALLOCATOR_BUILD=%s %s '%s' %s", build_dir(),
                                      configurations[_i], self_path(), suites[i]);
        ck_assert(exited_with(o, 0));
    }
}
END_TEST

Suite *suite_backends(void)
{
    Suite *s = suite_create("backends");
    TCase *t = tcase_create("backends");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, test_configuration, 0, sizeof configurations / sizeof *configurations);
    suite_add_tcase(s, t);
    return s;
}
