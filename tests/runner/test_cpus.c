/* The locks of the CPUs: between real processes, and against tricks in a folder of everybody. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "runner/cpus.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder;
static struct rn_cpu_lock held;

static void open_folder(void)
{
    struct hp_error err;
    fx_open();
    folder = fx_path("locks");
    ck_assert(hp_make_dirs(folder, 0755, &err));
    fx.runner.cpu_locks = folder;
}

static void close_folder(void)
{
    free(folder);
    fx_close();
}

static cpu_set_t set_of(int first, int second)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)first, &set);
    CPU_SET((size_t)second, &set);
    return set;
}

/* The file of a CPU that no machine here has, so that no sibling joins it. */
static char *lock_file(int cpu)
{
    return hp_format("%s/hakperf-cpu-%d.lock", folder, cpu);
}

struct shared {
    volatile int inside, most, turns;
};

static void take_turns(struct shared *shared, const cpu_set_t *cpus)
{
    struct hp_error err;
    for (int i = 0; i < 20; i++) {
        if (!rn_cpus_lock(&fx.runner, cpus, &held, &err))
            _exit(1);
        int now = __atomic_add_fetch(&shared->inside, 1, __ATOMIC_SEQ_CST);
        if (now > shared->most)
            shared->most = now;
        hp_sleep_ms(3);
        shared->turns++;
        __atomic_sub_fetch(&shared->inside, 1, __ATOMIC_SEQ_CST);
        rn_cpus_unlock(&held);
    }
    _exit(0);
}

/* Three processes whose sets overlap in pairs: never two of one CPU, and all come to their end. */
START_TEST(no_two_at_once)
{
    const cpu_set_t sets[] = {set_of(1000, 1001), set_of(1001, 1001), set_of(1001, 1002)};
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid[3];
    for (int i = 0; i < 3; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            take_turns(shared, &sets[i]);
    }
    for (int i = 0; i < 3; i++) {
        int status;
        ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(shared->most, 1);
    ck_assert_int_eq(shared->turns, 60);
    munmap(shared, sizeof *shared);
}
END_TEST

START_TEST(a_dead_holder_holds_nothing)
{
    struct hp_error err;
    const cpu_set_t cpus = set_of(1000, 1000);
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (rn_cpus_lock(&fx.runner, &cpus, &held, &err) && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    fx.cancel = 1; /* waiting ends at once when the run is stopped */
    ck_assert(!rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert_uint_eq(held.count, 0);
    fx.cancel = 0;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ck_assert(rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    rn_cpus_unlock(&held);
}
END_TEST

/* A link in the place of a lock is not followed, whatever it leads to; nor is a FIFO waited for. */
START_TEST(a_lock_is_a_plain_file)
{
    struct hp_error err;
    const cpu_set_t cpus = set_of(1000, 1000);
    HP_FREE char *file = lock_file(1000);
    fx_write("victim", "precious", 0600);
    HP_FREE char *victim = fx_path("victim"), *missing = fx_path("missing");
    ck_assert_int_eq(symlink(victim, file), 0);
    ck_assert(!rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    unlink(file);
    ck_assert_int_eq(symlink(missing, file), 0);
    ck_assert(!rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    ck_assert(!fx_exists("missing"));
    unlink(file);
    ck_assert_int_eq(mkfifo(file, 0666), 0);
    ck_assert(!rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    ck_assert_msg(strstr(err.message, "not a plain file") != NULL, "%s", err.message);
    unlink(file);
    ck_assert(rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    rn_cpus_unlock(&held);
    struct stat st;
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0644); /* another user can open it, to wait for it */
}
END_TEST

/* A lock of a file that has been removed locks out nobody who comes later. */
START_TEST(a_removed_lock_is_made_anew)
{
    struct hp_error err;
    const cpu_set_t cpus = set_of(1000, 1000);
    HP_FREE char *file = lock_file(1000);
    struct rn_cpu_lock *second = calloc(1, sizeof *second);
    ck_assert(rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    unlink(file);
    ck_assert(rn_cpus_lock(&fx.runner, &cpus, second, &err));
    ck_assert(fx_exists("locks/hakperf-cpu-1000.lock"));
    rn_cpus_unlock(second);
    rn_cpus_unlock(&held);
    free(second);
}
END_TEST

START_TEST(a_folder_that_others_command_is_refused)
{
    struct hp_error err;
    const cpu_set_t cpus = set_of(1000, 1000);
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert(!rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    ck_assert_int_eq(err.code, HP_DENIED);
    ck_assert_int_eq(chmod(folder, 01777), 0);
    ck_assert(rn_cpus_lock(&fx.runner, &cpus, &held, &err));
    rn_cpus_unlock(&held);
    HP_FREE char *link = fx_path("link");
    ck_assert_int_eq(symlink(folder, link), 0);
    fx.runner.cpu_locks = link;
    ck_assert(!rn_cpus_lock(&fx.runner, &cpus, &held, &err));
}
END_TEST

HP_SUITE(runner_cpus)
{
    Suite *s = suite_create("runner_cpus");
    TCase *t = tcase_create("locks");
    tcase_add_checked_fixture(t, open_folder, close_folder);
    tcase_add_test(t, no_two_at_once);
    tcase_add_test(t, a_dead_holder_holds_nothing);
    tcase_add_test(t, a_lock_is_a_plain_file);
    tcase_add_test(t, a_removed_lock_is_made_anew);
    tcase_add_test(t, a_folder_that_others_command_is_refused);
    suite_add_tcase(s, t);
    return s;
}
