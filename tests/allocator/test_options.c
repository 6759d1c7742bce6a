/*
 * test_options.c: a value that cannot be obeyed is reported, never silently dropped.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* Runs the malloc probe with these variables; all of them must leave the program working. */
static const char *with(const char *variables)
{
    struct outcome *o = run_shell("%s '%s' --probe malloc 100", variables, self_path());
    ck_assert(exited_with(o, 0));
    ck_assert(strstr(o->text, "ok\n"));
    return o->text;
}

START_TEST(test_silent_when_right)
{
    ck_assert_str_eq(with(""), "ok\n");
    ck_assert_str_eq(with("HAKMEM_TINY_USE_SUPERSLAB=1"), "ok\n");
    ck_assert_str_eq(with("HAKMEM_SUPERSLAB_SIZE=4M"), "ok\n");
    ck_assert_str_eq(with("HAKMEM_SUPERSLAB_SIZE=1024k"), "ok\n");
}
END_TEST

START_TEST(test_bad_values)
{
    static const char *const bad[] = {"-1", "2", "", "yes", "1x", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char variable[100] = "HAKMEM_TINY_USE_SUPERSLAB=";
        strcat(variable, bad[i]);
        const char *said = with(variable);
        ck_assert(strstr(said, "HAKMEM_TINY_USE_SUPERSLAB must be 0 or 1"));
        ck_assert(strstr(said, "; using "));
    }
    ck_assert(strstr(with("HAKMEM_SUPERSLAB_SIZE=5M"), "HAKMEM_SUPERSLAB_SIZE must be a size"));
    ck_assert(strstr(with("HAKMEM_SUPERSLAB_SIZE=9999999999G"), "HAKMEM_SUPERSLAB_SIZE must be"));
}
END_TEST

START_TEST(test_unknown_names)
{
    ck_assert(
        strstr(with("HAKMEM_TINY_USE_SUPERSLABS=1"),
               "nobody knows HAKMEM_TINY_USE_SUPERSLABS; is HAKMEM_TINY_USE_SUPERSLAB meant"));
    ck_assert(strstr(with("HAKMEM_SOMETHING_ELSE=1"), "nobody knows HAKMEM_SOMETHING_ELSE"));
    ck_assert_str_eq(with("HAKMEMORY=1"), "ok\n");
}
END_TEST

/* A trace that only debug builds have works there, and is not silently missing elsewhere. */
START_TEST(test_debug_only)
{
    struct outcome *o = run_shell("HAKMEM_SS_MAP_TRACE=1 '%s' --probe pairs 100 1", self_path());
    ck_assert(exited_with(o, 0));
    if (strstr(o->text, "HAKMEM_SS_MAP_TRACE is ignored: this is a release build"))
        ck_assert(!strstr(o->text, "[SS_MAP_"));
    else
        ck_assert(strstr(o->text, "[SS_MAP_ADD] ptr=") && strstr(o->text, "[SS_MAP_LOOKUP] ptr="));
}
END_TEST

/* The first allocation may come before libc has set environ. */
START_TEST(test_read_under_preload)
{
    struct outcome *o =
        run_shell("HAKMEM_NO_SUCH=1 LD_PRELOAD=%s/lib/libhakmem.so /bin/ls /", build_dir());
    ck_assert(exited_with(o, 0));
    ck_assert(strstr(o->text, "nobody knows HAKMEM_NO_SUCH"));
}
END_TEST

/* The table in the README is the one that the sources give. */
START_TEST(test_documented)
{
    struct outcome *o = run_shell("cd '%s' && sh tools/update_readme.sh '%s/tools/options_table' "
                                  "README.md | diff - README.md && grep -c '^| .HAKMEM_' README.md",
                                  getenv("ALLOCATOR_SOURCE"), build_dir());
    ck_assert(exited_with(o, 0));
    ck_assert_int_gt(atoi(o->text), 10);
}
END_TEST

Suite *suite_options(void)
{
    Suite *s = suite_create("options");
    TCase *t = tcase_create("options");
    tcase_add_test(t, test_silent_when_right);
    tcase_add_test(t, test_bad_values);
    tcase_add_test(t, test_unknown_names);
    tcase_add_test(t, test_read_under_preload);
    tcase_add_test(t, test_debug_only);
    tcase_add_test(t, test_documented);
    suite_add_tcase(s, t);
    return s;
}
