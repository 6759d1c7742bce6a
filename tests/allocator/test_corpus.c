/*
 * test_corpus.c: what fuzzing found worth keeping is played again; and a few runs under valgrind.
 */
#include "calls.h"
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void replay(void *name)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(name, "rb");
    if (!f)
        abort();
    size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    calls_run(data, n);
}

START_TEST(test_replay)
{
    char folder[4096], name[4096 + 300];
    snprintf(folder, sizeof folder, "%s/../tests/allocator/fuzz/corpus",
             getenv("ALLOCATOR_SOURCE"));
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    int files = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        ck_assert_msg(exited_with(run_child(replay, name), 0), "%s", name);
        files++;
    }
    closedir(d);
    ck_assert_int_gt(files, 20);
}
END_TEST

static const char *const valgrind_runs[] = {"shadow 3 20000 300 70000", "survive 4 5000",
                                            "pairs 8 2000"};

/* Valgrind would put its own malloc in the place of ours, if it were not told. */
START_TEST(test_valgrind)
{
    struct outcome *o =
        run_shell("valgrind -q --soname-synonyms=somalloc=nouserintercepts --error-exitcode=9 "
                  "'%s' --probe %s",
                  self_path(), valgrind_runs[_i]);
    ck_assert(exited_with(o, 0));
    ck_assert(!strstr(o->text, "=="));
}
END_TEST

Suite *suite_corpus(void)
{
    Suite *s = suite_create("corpus");
    TCase *t = tcase_create("corpus");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, test_replay);
    tcase_add_loop_test(t, test_valgrind, 0, sizeof valgrind_runs / sizeof *valgrind_runs);
    suite_add_tcase(s, t);
    return s;
}
