/* Builds and measured programs that mean harm: each is recorded as failed with its reason, or comes
 * to nothing, and the runner works on. What is merely broken is in test_build and test_execute. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/cpus.h"
#include "runner/failure.h"
#include "runner/machine.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct rn_limits limits = {.memory_mib = 256, .processes = 64, .disk_mib = 32};
static struct rn_built built;
static json_t *failure;

/* One build of a tar archive by a shell script, which ends after 4 s at the latest. */
static bool build_tar(int tar, const char *script)
{
    struct hp_error err = {0};
    HP_JSON json_t *recipe = json_pack("{s:[[s, s, s]], s:[s], s:i}", "commands", "sh", "-c",
                                       script, "artifacts", "x.so", "timeout_s", 4);
    rn_built_clear(&built);
    json_decref(failure);
    bool ok = rn_build(&fx.room, &limits, "test", "head", tar, recipe, "arm/head", &built, &failure,
                       &err);
    ck_assert_msg(ok || failure, "%s", err.message);
    return ok;
}

static bool build(const char *script)
{
    HP_BUFFER struct hp_buffer whole = {0};
    hp_buffer_printf(&whole, "out=/build/out; %s", script);
    fx_write("src/a.c", "int f(void) { return 1; }\n", 0644);
    HP_FD int tar = fx_tar("src");
    return build_tar(tar, hp_buffer_text(&whole));
}

static const char *log_text(void)
{
    return hp_json_string(failure, "log", "");
}

static void assert_failed(const char *what)
{
    const char *message = hp_json_string(failure, "message", "");
    ck_assert_msg(strstr(message, what) != NULL, "%s\n%s", message, log_text());
    ck_assert_str_eq(hp_json_string(failure, "stage", ""), "build");
}

/* And after it the runner builds as if nothing had been. */
static void assert_healthy(void)
{
    ck_assert_msg(build("echo fine > /build/out/x.so"), "%s", log_text());
}

START_TEST(artifacts_that_are_no_files)
{
    static const struct {
        const char *script, *what;
    } rows[] = {
        {"ln -s /etc/shadow $out/x.so", "made no artifact"},
        {"ln -s /proc/1/environ $out/x.so", "not a file"},
        {"ln -s /proc/self/environ $out/x.so", "made no artifact"},
        {"ln -s /dev/zero $out/x.so", "not a file"},
        {"ln -s x.so $out/x.so", "made no artifact"},
        {"mkfifo $out/x.so", "not a file"},
        {"mkdir $out/x.so", "not a file"},
        {"rm -r $out; ln -s /etc $out", "made no artifact"},
        {"mknod $out/x.so c 1 3", "mknod"},
        {"head -c 40000000 /dev/zero > $out/x.so", "No space left"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(!build(rows[i].script), "%s", rows[i].script);
        const char *message = hp_json_string(failure, "message", "");
        ck_assert_msg(strstr(message, rows[i].what) || strstr(log_text(), rows[i].what),
                      "%s: %s\n%s", rows[i].script, message, log_text());
    }
    assert_healthy();
}
END_TEST

START_TEST(a_huge_hole_as_artifact)
{
    ck_assert(!build("truncate -s 8E $out/x.so || truncate -s 900G $out/x.so"));
    assert_failed("");
    assert_healthy();
}
END_TEST

START_TEST(many_processes_that_each_take_little_memory)
{
    double begin = hp_monotonic_s();
    ck_assert(!build("for i in 1 2 3 4 5 6; do head -c 100000000 /dev/zero | tail -c 100000000 "
                     "| sleep 27101 & done; sleep 27101"));
    assert_failed("more than 256 MiB of memory");
    ck_assert_double_lt(hp_monotonic_s() - begin, 20);
    ck_assert(fx_no_process_with("27101"));
    assert_healthy();
}
END_TEST

START_TEST(daemons_do_not_outlive_the_build)
{
    ck_assert(build("(setsid sh -c 'setsid sh -c \"trap : TERM HUP INT; sleep 27102\" &' &) ; "
                    "nohup sleep 27102 >/dev/null 2>&1 & echo x > $out/x.so"));
    ck_assert(fx_no_process_with("27102"));
    assert_healthy();
}
END_TEST

START_TEST(killing_everything_in_sight)
{
    ck_assert(!build("kill -9 -1; kill -9 $PPID; kill -9 1; sleep 27103"));
    ck_assert(fx_no_process_with("27103"));
    assert_healthy();
}
END_TEST

START_TEST(the_launcher_keeps_its_descriptors_and_memory)
{
    ck_assert_msg(build("echo forged > /proc/$PPID/fd/1 && exit 11; "
                        "cat /proc/$PPID/environ && exit 12; "
                        "head -c 1 /proc/$PPID/mem && exit 13; "
                        "ls /proc/$PPID/fd/ && exit 14; echo x > $out/x.so"),
                  "%s", log_text());
}
END_TEST

/* What set-user-id programs of the system would give, and new namespaces with all capabilities. */
START_TEST(no_way_to_more_rights)
{
    ck_assert_msg(build("[ $(id -u) != 0 ] || exit 11; "
                        "grep -q 'NoNewPrivs:.1' /proc/self/status || exit 12; "
                        "grep -q 'CapEff:.0*$' /proc/self/status || exit 13; "
                        "cp /bin/true $out/s; chmod 4755 $out/s; "
                        "su -c true root </dev/null && exit 14; "
                        "mount -t tmpfs none /tmp && exit 15; "
                        "echo 1 > /proc/sys/kernel/panic && exit 16; "
                        "dmesg >/dev/null && exit 17; echo x > $out/x.so"),
                  "%s", log_text());
    /* and the mode that comes out carries no such bit */
    ck_assert(build("cp /bin/true $out/x.so; chmod 6755 $out/x.so"));
    HP_FREE char *mode = fx_output(
        (const char *const[]){"stat", "-c", "%a", "state/runner/work/arm/head/x.so", NULL});
    ck_assert_str_eq(mode, "755\n");
}
END_TEST

START_TEST(no_other_arm_no_cache_no_secrets)
{
    fx_write("state/runner/work/arm/base/x.so", "the other arm", 0644);
    fx_write("state/token", "s3cret27104", 0600);
    setenv("HAKPERF_TOKEN", "s3cret27104", 1);
    HP_FREE char *script = hp_format(
        "ls %s /arm /driver && exit 11; env | grep s3cre[t] && exit 12; "
        "cat /proc/*/environ /proc/*/cmdline 2>/dev/null | grep -q s3cre[t] && exit 13; "
        "cat /etc/shadow && exit 14; ls /run/* /var/* /root /home && exit 15; "
        "echo x > /launcher && exit 16; echo x > /plan.json && exit 17; "
        "echo x > /usr/x && exit 18; ls /proc | grep -qx %ld && exit 19; echo x > $out/x.so",
        fx.runner.state, (long)getpid());
    ck_assert_msg(build(script), "%s", log_text());
    HP_FREE char *other =
        fx_output((const char *const[]){"cat", "state/runner/work/arm/base/x.so", NULL});
    ck_assert_str_eq(other, "the other arm");
    ck_assert_ptr_null(
        strstr(json_string_value(built.log) ? json_string_value(built.log) : "", "s3cret27104"));
}
END_TEST

/* tar refuses or confines; nothing of it is seen outside. */
START_TEST(a_source_with_paths_out_of_the_tree)
{
    fx_write("up/in/a.c", "", 0644);
    fx_write("up/out27105", "", 0644);
    fx_run(
        (const char *const[]){"tar", "-cPf", "t.tar", "-C", "up/in", "a.c", "../out27105", NULL});
    fx_run((const char *const[]){"tar", "-rPf", "t.tar", "--transform", "s,.*,/tmp/hakperf27105,",
                                 "-C", "up/in", "a.c", NULL});
    HP_FREE char *path = fx_path("t.tar");
    HP_FD int fd = open(path, O_RDONLY);
    struct hp_error err = {0};
    HP_JSON json_t *recipe =
        fx_json("{'commands': [['sh', '-c', 'ls -R /build; echo x > {out}/x.so']], 'artifacts': "
                "['x.so']}");
    (void)rn_build(&fx.room, &limits, "test", "head", fd, recipe, "arm/head", &built, &failure,
                   &err);
    ck_assert(access("/tmp/hakperf27105", F_OK) != 0);
    ck_assert(!fx_exists("state/runner/out27105") && !fx_exists("state/runner/work/out27105"));
    assert_healthy();
}
END_TEST

START_TEST(a_build_that_is_stopped_as_it_starts_leaves_nothing)
{
    for (int i = 0; i < 10; i++) {
        struct hp_error err = {0};
        fx_write("src/a.c", "", 0644);
        HP_FD int tar = fx_tar("src");
        HP_JSON json_t *recipe =
            fx_json("{'commands': [['sleep', '27106']], 'artifacts': ['x'], 'timeout_s': 600}");
        double begin = hp_monotonic_s();
        fx.cancel = 1;
        ck_assert(!rn_build(&fx.room, &limits, "test", "head", tar, recipe, "arm/head", &built,
                            &failure, &err));
        fx.cancel = 0;
        ck_assert_int_eq(err.code, HP_UNAVAILABLE);
        ck_assert_double_lt(hp_monotonic_s() - begin, 5);
    }
    ck_assert(fx_no_process_with("27106"));
    assert_healthy();
}
END_TEST

/* --- measured programs ------------------------------------------------------------------------ */

/* Runs a script as a workload's program; the reason of its failure, owned by the caller. */
static char *run_program(const char *script, bool *ok)
{
    struct hp_error err = {0};
    struct rn_sample sample;
    struct rn_launcher launcher;
    HP_JSON json_t *why = NULL;
    HP_JSON json_t *suite = fx_json(
        "{'recipe': {'artifacts': ['x.so']}, 'limits': {'memory_mib': 256, 'processes': 64, "
        "'disk_mib': 32}, 'workloads': [{'name': 'w', 'program': 'p', 'arguments': "
        "['{iterations}'], 'iterations': 7, 'timeout_s': 6}]}");
    fx_write("state/runner/work/driver/p", script, 0755);
    struct rn_cpus cpus;
    ck_assert(rn_cpus_of(-1, &cpus, &err));
    const struct rn_workload workload = {.room = &fx.room,
                                         .suite = suite,
                                         .json =
                                             json_array_get(json_object_get(suite, "workloads"), 0),
                                         .limits = rn_limits_of(suite),
                                         .cpus = &cpus.one};
    const struct rn_execution execution = {.arm = RN_HEAD, .iterations = 7, .seed = 42};
    ck_assert(rn_launcher_start(&fx.room, &workload.limits, &launcher, &err));
    *ok = rn_execute(&launcher, &workload, &execution, &sample, &why, &err);
    ck_assert_msg(*ok || why, "%s", err.message);
    rn_launcher_stop(&launcher);
    return strdup(hp_json_string(why, "message", ""));
}

#define GOOD                                                                                       \
    "echo '{\"operations\":7,\"wall_s\":1,\"cpu_s\":1,\"steady\":{\"operations\":7,\"cpu_s\":1}}'" \
    " >&3\n"

static void assert_run(const char *script, const char *what)
{
    bool ok;
    HP_FREE char *why = run_program(script, &ok);
    ck_assert_msg(!ok && strstr(why, what), "%s", ok ? "it passed" : why);
    HP_FREE char *then = run_program("#!/bin/sh\n" GOOD, &ok);
    ck_assert_msg(ok, "%s", then);
}

START_TEST(programs_that_take_too_much)
{
    assert_run("#!/bin/sh\nwhile :; do :; done\n", "it hung");
    assert_run("#!/bin/sh\nhead -c 900000000 /dev/zero | tail -c 900000000 > /dev/null\n" GOOD
               "exit 9\n",
               "");
    assert_run("#!/bin/sh\nfor i in 1 2 3 4; do head -c 80000000 /dev/zero | "
               "tail -c 80000000 | sleep 27107 & done\nsleep 27107\n",
               "more than 256 MiB");
    assert_run("#!/bin/sh\nyes\n", "File size limit");
    assert_run("#!/bin/sh\nyes >&3\n", "File size limit");
    ck_assert(fx_no_process_with("27107"));
}
END_TEST

START_TEST(programs_that_leave_others_behind)
{
    bool ok;
    HP_FREE char *why =
        run_program("#!/bin/sh\nsetsid sleep 27108 &\n(setsid sleep 27108 &)\n" GOOD, &ok);
    ck_assert_msg(ok, "%s", why);
    ck_assert(fx_no_process_with("27108"));
    assert_run("#!/bin/sh\nb27109() { b27109 | b27109 & }\nb27109\nsleep 27109\n", "");
    ck_assert(fx_no_process_with("27109"));
}
END_TEST

/* A library could write figures of its own choosing to descriptor 3 before the driver does. */
START_TEST(two_documents_are_none)
{
    assert_run("#!/bin/sh\n" GOOD GOOD, "nonsense");
}
END_TEST

START_TEST(programs_cannot_touch_arms_or_driver)
{
    assert_run("#!/bin/sh\necho x > /arm/head/x.so && " GOOD "echo x > /driver/p && " GOOD
               "exit 4\n",
               "exit code 4");
}
END_TEST

static void close_hostile(void)
{
    rn_built_clear(&built);
    json_decref(failure);
    failure = NULL;
    fx_close();
}

HP_SUITE(runner_hostile)
{
    Suite *s = suite_create("runner_hostile");
    TCase *t = tcase_create("builds");
    tcase_add_checked_fixture(t, fx_open, close_hostile);
    tcase_add_test(t, artifacts_that_are_no_files);
    tcase_add_test(t, a_huge_hole_as_artifact);
    tcase_add_test(t, many_processes_that_each_take_little_memory);
    tcase_add_test(t, daemons_do_not_outlive_the_build);
    tcase_add_test(t, killing_everything_in_sight);
    tcase_add_test(t, the_launcher_keeps_its_descriptors_and_memory);
    tcase_add_test(t, no_way_to_more_rights);
    tcase_add_test(t, no_other_arm_no_cache_no_secrets);
    tcase_add_test(t, a_source_with_paths_out_of_the_tree);
    tcase_add_test(t, a_build_that_is_stopped_as_it_starts_leaves_nothing);
    tcase_set_timeout(t, 90);
    suite_add_tcase(s, t);
    t = tcase_create("programs");
    tcase_add_checked_fixture(t, fx_open, close_hostile);
    tcase_add_test(t, programs_that_take_too_much);
    tcase_add_test(t, programs_that_leave_others_behind);
    tcase_add_test(t, two_documents_are_none);
    tcase_add_test(t, programs_cannot_touch_arms_or_driver);
    tcase_set_timeout(t, 90);
    suite_add_tcase(s, t);
    return s;
}
