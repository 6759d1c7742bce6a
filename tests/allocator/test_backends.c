/*
 * test_backends.c: the other tests again, under the configurations that are not the default.
 */
#include "support.h"

#include <stddef.h>

static const struct {
    const char *variables, *suites[4];
} configurations[] = {
    {"HAKMEM_TINY_USE_SUPERSLAB=0", {"family", "shadow", "misuse"}},
    {"HAKMEM_SUPERSLAB_SIZE=512K", {"shadow", "attacks"}},
    /* With statistics every call takes the path that counts. */
    {"HAKMEM_STATS_FILE=/dev/null", {"family", "attacks", "threads"}},
    {"HAKMEM_WMAX_MID=1.01 HAKMEM_WMAX_LARGE=1.01 HAKMEM_ACE_POOL_CAP=20", {"family", "shadow"}},
};

START_TEST(test_configuration)
{
    for (int i = 0; configurations[_i].suites[i]; i++) {
        struct outcome *o = run_shell("%s '%s' %s", configurations[_i].variables, self_path(),
                                      configurations[_i].suites[i]);
        ck_assert(exited_with(o, 0));
    }
    ck_assert(exited_with(run_shell("test -c /dev/null"), 0));
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
