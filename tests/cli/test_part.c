/* Programs that hakperf up keeps running, and what a killed one leaves behind. */
#include "cli/leftovers.h"
#include "cli/part.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static volatile int hurry;

/* Attends until the program ended or the time is over. */
static bool ends_within(struct part *part, double seconds)
{
    for (double end = hp_monotonic_s() + seconds; hp_monotonic_s() < end;) {
        part_attend(part, 20);
        if (!part_runs(part))
            return true;
    }
    return false;
}

START_TEST(a_dead_program_is_started_again_later)
{
    struct hp_error err;
    const char *argv[] = {"sh", "-c", "echo one; echo two >&2; exit 3", NULL};
    struct part part = {.name = "it", .argv = argv};
    ck_assert(part_start(&part, &err));
    ck_assert(ends_within(&part, 5));
    ck_assert_int_eq(part.failures, 1);
    double first = part.next_start - hp_monotonic_s();
    ck_assert(first > 0.5 && first <= 1);
    while (part.failures == 1 && hp_monotonic_s() < part.next_start + 3)
        part_attend(&part, 50);
    ck_assert_int_eq(part.failures, 2);
    ck_assert(part.next_start - hp_monotonic_s() > 1.5);
    part_stop(&part, 1, &hurry);
}
END_TEST

START_TEST(a_missing_program_is_an_error)
{
    struct hp_error err;
    const char *argv[] = {"/nowhere/program", NULL};
    struct part part = {.name = "it", .argv = argv};
    ck_assert(!part_start(&part, &err));
    ck_assert_int_eq(err.code, HP_NOT_FOUND);
    ck_assert(!part_runs(&part));
}
END_TEST

START_TEST(a_program_is_asked_before_it_is_killed)
{
    struct hp_error err;
    HP_FREE char *file = hp_format("%s/part-XXXXXX", test_root());
    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    close(fd);
    const char *script = "trap 'echo done > \"$0\"; exit 0' TERM; while :; do sleep 0.05; done";
    const char *argv[] = {"sh", "-c", script, file, NULL};
    struct part part = {.name = "it", .argv = argv};
    ck_assert(part_start(&part, &err));
    hp_sleep_ms(300);
    part_stop(&part, 5, &hurry);
    ck_assert(!part_runs(&part));
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert(hp_file_read(file, 100, &text, &err));
    ck_assert_str_eq(hp_buffer_text(&text), "done\n");
    unlink(file);
}
END_TEST

START_TEST(a_deaf_program_is_killed)
{
    struct hp_error err;
    const char *argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", NULL};
    struct part part = {.name = "it", .argv = argv};
    ck_assert(part_start(&part, &err));
    hp_sleep_ms(200);
    double begin = hp_monotonic_s();
    part_stop(&part, 0.3, &hurry);
    ck_assert(!part_runs(&part));
    ck_assert(hp_monotonic_s() - begin < 3);
}
END_TEST

/* A program that sleeps, under another name; its pid. */
static struct hp_child sleeper(const char *folder, const char *name)
{
    struct hp_error err;
    struct hp_child child;
    HP_OUTCOME struct hp_outcome copied = {0};
    HP_FREE char *path = hp_format("%s/%s", folder, name);
    const char *copy[] = {"cp", "/bin/sleep", path, NULL};
    const char *argv[] = {path, "60", NULL};
    ck_assert(hp_run_ok(&(struct hp_command){.argv = copy}, &copied, &err));
    ck_assert(hp_child_start(&(struct hp_command){.argv = argv}, false, false, &child, &err));
    return child;
}

START_TEST(only_our_own_leftovers_are_ended)
{
    struct hp_error err;
    int status = 0;
    HP_FREE char *folder = hp_format("%s/left-XXXXXX", test_root());
    ck_assert_ptr_nonnull(mkdtemp(folder));
    HP_FREE char *note = hp_format("%s/up.pids", folder);
    struct hp_child ours = sleeper(folder, "hakperf-collector");
    struct hp_child other = sleeper(folder, "innocent");
    ck_assert_int_eq(cli_leftovers_end(note), 0); /* there is no note yet */
    const pid_t pids[] = {ours.pid, 0, other.pid};
    ck_assert(cli_leftovers_note(note, pids, 3, &err));
    ck_assert_int_eq(cli_leftovers_end(note), 1);
    ck_assert(hp_child_ended(&ours, &status));
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    ck_assert(!hp_child_ended(&other, &status));
    ck_assert_int_eq(cli_leftovers_end(note), 0);
    hp_child_stop(&other, SIGKILL, 1);
    ck_assert(hp_remove_tree(folder, &err));
}
END_TEST

HP_SUITE(cli_part)
{
    Suite *s = suite_create("cli_part");
    TCase *t = tcase_create("part");
    tcase_set_timeout(t, 20);
    tcase_add_test(t, a_dead_program_is_started_again_later);
    tcase_add_test(t, a_missing_program_is_an_error);
    tcase_add_test(t, a_program_is_asked_before_it_is_killed);
    tcase_add_test(t, a_deaf_program_is_killed);
    suite_add_tcase(s, t);
    t = tcase_create("leftovers");
    tcase_set_timeout(t, 40);
    tcase_add_test(t, only_our_own_leftovers_are_ended);
    suite_add_tcase(s, t);
    return s;
}
