/*
 * How a test file joins the one test binary: it defines its suite with HP_SUITE and is linked in;
 * nothing else has to know of it. Registration happens before main, in one thread, without memory
 * of its own: each file's entry is a static of that file.
 *
 *     START_TEST(adds) { ck_assert_int_eq(sum(1, 2), 3); }
 *     END_TEST
 *
 *     HP_SUITE(arithmetic)
 *     {
 *         Suite *s = suite_create("arithmetic");
 *         TCase *t = tcase_create("sum");
 *         tcase_add_test(t, adds);
 *         suite_add_tcase(s, t);
 *         return s;
 *     }
 *
 * Give the suite the name of the macro's argument: that is what --list prints and what
 * CK_RUN_SUITE=arithmetic selects.
 */
#ifndef HP_TESTS_SUITE_H
#define HP_TESTS_SUITE_H

#include <check.h>

/* The folder in which tests make theirs; it is removed when the test binary ends, by Ctrl-C too. */
const char *test_root(void);

/* When a suite runs, if several may run at once. */
enum hp_suite_place {
    HP_SUITE_FIRST,    /* it takes long: others run beside it */
    HP_SUITE_ANYWHERE, /* beside others */
    HP_SUITE_LAST      /* by itself: its assertions are about time */
};

/* One registered suite; only HP_SUITE makes these. */
struct hp_suite {
    const char *name;
    Suite *(*make)(void);
    enum hp_suite_place place;
    struct hp_suite *next;
};

/* Adds the entry, which must live as long as the program, in the order of the names. */
void hp_suite_register(struct hp_suite *entry);

#define HP_SUITE(suite) HP_SUITE_AT(suite, HP_SUITE_ANYWHERE)

#define HP_SUITE_AT(suite, place)                                                    \
    static Suite *hp_suite_make_##suite(void);                                       \
    __attribute__((constructor)) static void hp_suite_register_##suite(void)         \
    {                                                                                \
        static struct hp_suite entry = {#suite, hp_suite_make_##suite, place, NULL}; \
        hp_suite_register(&entry);                                                   \
    }                                                                                \
    static Suite *hp_suite_make_##suite(void)

#endif
