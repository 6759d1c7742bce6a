/*
 * test_programs.c: the programs of attacks/, each in a process of its own that has nothing but the
 * library preloaded, under its default options; every one must be ended with a message.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

enum { LINE = 256, MOST = 200, SIZES = 20 };

/* One size of each, another one for the next attack; `make attacks` runs all of them. */
START_TEST(test_programs)
{
    static char list[MOST][LINE];
    struct outcome *o = run_shell("%s/tests/attack --list", build_dir());
    int count = 0;
    for (char *save, *s = strtok_r(o->text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
        ck_assert_int_lt(count, MOST);
        snprintf(list[count++], LINE, "%s", s);
    }
    ck_assert_int_gt(count, 80);
    for (int i = 0; i < count; i++) {
        char *save, *name = strtok_r(list[i], " ", &save), *sizes[SIZES];
        int n = 0;
        for (char *s; n < SIZES && (s = strtok_r(NULL, " ", &save)); n++)
            sizes[n] = s;
        ck_assert_int_gt(n, 0);
        const char *chosen = sizes[i % n];
        o = run_shell("export LD_PRELOAD=%s/lib/libhakmem.so; exec %s/tests/attack %s %s",
                      build_dir(), build_dir(), name, chosen);
        ck_assert_msg(aborted_with(o, "hakmem: "), "%s %s", name, chosen);
    }
}
END_TEST

/* None is reported that does nothing wrong: the same program, asked for no attack. */
START_TEST(test_innocent)
{
    struct outcome *o = run_shell("LD_PRELOAD=%s/lib/libhakmem.so %s/tests/attack --list | wc -l",
                                  build_dir(), build_dir());
    ck_assert(exited_with(o, 0));
    ck_assert(!strstr(o->text, "hakmem"));
}
END_TEST

Suite *suite_programs(void)
{
    Suite *s = suite_create("programs");
    TCase *t = tcase_create("programs");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_programs);
    tcase_add_test(t, test_innocent);
    suite_add_tcase(s, t);
    return s;
}
