/*
 * test_shadow.c: random programs with a shadow model, on one thread and on several.
 */
#include "shadow.h"
#include "support.h"

#include <pthread.h>

START_TEST(test_small_blocks)
{
    shadow_run(1, 1000000, 4000, 1024);
    shadow_run(7, 500000, 20, 64);
}
END_TEST

START_TEST(test_all_sizes)
{
    shadow_run(2, 4000, 300, 4 << 20);
    shadow_run(3, 40000, 1000, 70000);
}
END_TEST

static void *one_model(void *seed)
{
    shadow_run((uint32_t)(uintptr_t)seed, 250000, 1000, 4096);
    return NULL;
}

START_TEST(test_several_threads)
{
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, one_model, (void *)(i + 11)), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

Suite *suite_shadow(void)
{
    Suite *s = suite_create("shadow");
    TCase *t = tcase_create("shadow");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_small_blocks);
    tcase_add_test(t, test_all_sizes);
    tcase_add_test(t, test_several_threads);
    suite_add_tcase(s, t);
    return s;
}
