/* Builds in the sandbox: what works, what fails clearly, and what tries to do harm. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/failure.h"
#include "runner/source.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rn_limits limits;
static struct rn_built built;
static json_t *failure;

static void open_build(void)
{
    fx_open();
    limits = (struct rn_limits){.memory_mib = 1024, .processes = 64, .disk_mib = 32};
}

static void open_plain(void)
{
    fx_open_plain();
    limits = (struct rn_limits){.memory_mib = 1024, .processes = 64, .disk_mib = 32};
}

/* Builds FOLDER/src with the commands (a JSON array) into work/arm/NAME. */
static bool build_into(const char *commands, const char *artifact, const char *into)
{
    struct hp_error err = {0};
    HP_FREE char *text =
        hp_format("{'commands': %s, 'artifacts': ['%s'], 'timeout_s': 3}", commands, artifact);
    HP_JSON json_t *recipe = fx_json(text);
    HP_FD int tar = fx_tar("src");
    rn_built_clear(&built);
    json_decref(failure);
    bool ok =
        rn_build(&fx.room, &limits, "test", "head", tar, recipe, into, &built, &failure, &err);
    ck_assert_msg(ok || failure, "%s", err.message);
    return ok;
}

static bool build(const char *commands)
{
    return build_into(commands, "x.so", "arm/head");
}

static void assert_failure(const char *what)
{
    const char *message = hp_json_string(failure, "message", "");
    ck_assert_msg(strstr(message, what) != NULL, "%s\n%s", message,
                  hp_json_string(failure, "log", ""));
    ck_assert_str_eq(hp_json_string(failure, "stage", ""), "build");
    ck_assert_str_eq(hp_json_string(failure, "arm", ""), "head");
}

#define CC_COMMAND "[['cc', '-O2', '-g', '-shared', '-fPIC', '-o', '{out}/x.so', 'a.c']]"

START_TEST(builds_and_remembers)
{
    fx_write("src/a.c", "int f(int x) { return x * 3; }\n", 0644);
    ck_assert_msg(build(CC_COMMAND), "%s", hp_json_string(failure, "message", ""));
    ck_assert(fx_exists("state/runner/work/arm/head/x.so"));
    ck_assert(!built.cached);
    ck_assert(built.seconds > 0);
    ck_assert_msg(strstr(built.compiler, "GCC") || strstr(built.compiler, "clang"), "%s",
                  built.compiler);
    char first[65];
    memcpy(first, built.artifact_hash, sizeof first);
    ck_assert(build_into(CC_COMMAND, "x.so", "arm/base"));
    ck_assert(built.cached);
    ck_assert(fx_exists("state/runner/work/arm/base/x.so"));
    ck_assert_str_eq(first, built.artifact_hash);
}
END_TEST

START_TEST(a_damaged_cache_is_built_again)
{
    fx_write("src/a.c", "int f(int x) { return x * 3; }\n", 0644);
    ck_assert(build(CC_COMMAND));
    HP_FREE char *found =
        fx_output((const char *const[]){"find", "state/runner/cache", "-name", "x.so", NULL});
    found[strcspn(found, "\n")] = '\0';
    fx_write(found, "damage", 0644);
    ck_assert(build_into(CC_COMMAND, "x.so", "arm/base"));
    ck_assert(!built.cached);
}
END_TEST

START_TEST(a_comment_changes_nothing)
{
    fx_write("src/a.c", "int f(int x) { return x * 3; }\n", 0644);
    ck_assert(build(CC_COMMAND));
    char code[65], artifact[65];
    memcpy(code, built.code_hash, sizeof code);
    memcpy(artifact, built.artifact_hash, sizeof artifact);
    fx_write("src/a.c", "/* one\n * two */\nint f(int x) { return x * 3; }\n", 0644);
    ck_assert(build(CC_COMMAND));
    ck_assert(!built.cached);
    ck_assert_str_ne(artifact, built.artifact_hash);
    ck_assert_str_eq(code, built.code_hash);
    fx_write("src/a.c", "int f(int x) { return x * 5; }\n", 0644);
    ck_assert(build(CC_COMMAND));
    ck_assert_str_ne(code, built.code_hash);
}
END_TEST

START_TEST(a_compile_error)
{
    fx_write("src/a.c", "int f(void) { return oops; }\n", 0644);
    ck_assert(!build(CC_COMMAND));
    assert_failure("head: a.c:1:22: error: ");
    assert_failure("oops");
    ck_assert(strstr(hp_json_string(failure, "log", ""), "exit code 1") != NULL);
}
END_TEST

START_TEST(no_artifact)
{
    fx_write("src/a.c", "", 0644);
    ck_assert(!build("[['true']]"));
    assert_failure("made no artifact x.so");
    ck_assert(!build("[['mkdir', '{out}/x.so']]"));
    assert_failure("not a file");
    ck_assert(!build("[['no-such-program']]"));
    assert_failure("no-such-program");
}
END_TEST

START_TEST(a_build_that_never_ends)
{
    double begin = hp_monotonic_s();
    fx_write("src/a.c", "", 0644);
    ck_assert(!build("[['sleep', '31416']]"));
    assert_failure("took longer than 3 s");
    ck_assert(hp_monotonic_s() - begin < 8);
    ck_assert(fx_no_process_with("31416"));
}
END_TEST

START_TEST(what_a_build_leaves_running_is_ended)
{
    double begin = hp_monotonic_s();
    fx_write("src/a.c", "", 0644);
    ck_assert(build("[['sh', '-c', 'setsid sleep 31417 & sleep 31417 & echo x > {out}/x.so']]"));
    ck_assert(hp_monotonic_s() - begin < 3);
    ck_assert(fx_no_process_with("31417"));
}
END_TEST

START_TEST(cancelled)
{
    struct hp_error err = {0};
    HP_JSON json_t *recipe = fx_json("{'commands': [['sleep', '31418']], 'artifacts': ['x']}");
    fx_write("src/a.c", "", 0644);
    HP_FD int tar = fx_tar("src");
    fx.cancel = 1;
    ck_assert(!rn_build(&fx.room, &limits, "test", "head", tar, recipe, "arm/head", &built,
                        &failure, &err));
    ck_assert_ptr_null(failure);
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert(fx_no_process_with("31418"));
}
END_TEST

START_TEST(a_flood_of_output)
{
    fx_write("src/a.c", "", 0644);
    ck_assert(!build("[['sh', '-c', 'yes | head -c 100000000; echo the end >&2; exit 3']]"));
    assert_failure("exit code 3");
    ck_assert_uint_le(strlen(hp_json_string(failure, "log", "")), RN_LOG_LIMIT);
    ck_assert(strstr(hp_json_string(failure, "log", ""), "the end") != NULL);
}
END_TEST

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* AddressSanitizer keeps up to 256 MiB of what was freed. */
#ifdef __SANITIZE_ADDRESS__
enum { OUTPUT_MOST_KIB = 288 * 1024 };
#else
enum { OUTPUT_MOST_KIB = 16 * 1024 };
#endif

/* 10 GB to stdout, in as far as there is time for them: neither kept in memory nor on disk. */
START_TEST(ten_gigabytes_of_output)
{
    struct hp_error err = {0};
    HP_JSON json_t *recipe = fx_json("{'commands': [['head', '-c', '10737418240', '/dev/zero'], "
                                     "['false']], 'artifacts': ['x.so'], 'timeout_s': 1}");
    fx_write("src/a.c", "", 0644);
    HP_FD int tar = fx_tar("src");
    long before = peak_kib();
    double begin = hp_monotonic_s();
    ck_assert(!rn_build(&fx.room, &limits, "test", "head", tar, recipe, "arm/head", &built,
                        &failure, &err));
    ck_assert_msg(failure != NULL, "%s", err.message);
    ck_assert_double_lt(hp_monotonic_s() - begin, 10);
    /* A byte that is no text is kept as one character of three bytes. */
    ck_assert_uint_le(strlen(hp_json_string(failure, "log", "")), 3 * RN_LOG_LIMIT);
    ck_assert_int_lt(peak_kib() - before, OUTPUT_MOST_KIB);
    ck_assert_msg(build(CC_COMMAND), "%s", hp_json_string(failure, "message", ""));
}
END_TEST

/* 10 GB of files: the allowance ends it, and nothing of it is left outside. */
START_TEST(ten_gigabytes_of_files)
{
    static const char *const places[] = {"big", "/tmp/big", "/dev/shm/big", "{out}/x.so"};
    fx_write("src/a.c", "", 0644);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        HP_FREE char *commands =
            hp_format("[['sh', '-c', 'head -c 10737418240 /dev/zero > %s']]", places[i]);
        ck_assert_msg(!build(commands), "%s", places[i]);
        const char *log = hp_json_string(failure, "log", "");
        ck_assert_msg(strstr(log, "No space left") || strstr(log, "File size limit"), "%s: %s",
                      places[i], log);
    }
    HP_FREE char *used = fx_output((const char *const[]){"du", "-sm", "state", NULL});
    ck_assert_int_lt(atoi(used), 100);
    ck_assert_msg(build(CC_COMMAND), "%s", hp_json_string(failure, "message", ""));
}
END_TEST

START_TEST(a_path_out_of_the_artifacts_folder)
{
    struct hp_error err = {0};
    HP_JSON json_t *recipe = fx_json("{'commands': [['true']], 'artifacts': ['../x']}");
    fx_write("src/a.c", "", 0644);
    HP_FD int tar = fx_tar("src");
    ck_assert(!rn_build(&fx.room, &limits, "test", "head", tar, recipe, "arm/head", &built,
                        &failure, &err));
    ck_assert_int_eq(err.code, HP_INVALID);
}
END_TEST

START_TEST(a_source_that_is_no_archive)
{
    struct hp_error err = {0};
    HP_JSON json_t *recipe = fx_json("{'commands': [['true']], 'artifacts': ['x']}");
    fx_write("noise",
             "this is no tar archive, however long it may be; it is only text. "
             "It goes on until it is longer than one block of an archive, since a "
             "shorter one is caught by its length alone. "
             "................................................................"
             "................................................................"
             "................................................................"
             "................................................................"
             "................................................................"
             "................................................................",
             0644);
    HP_FREE char *path = fx_path("noise");
    HP_FD int fd = open(path, O_RDONLY);
    ck_assert(!rn_build(&fx.room, &limits, "test", "head", fd, recipe, "arm/head", &built, &failure,
                        &err));
    ck_assert_int_eq(err.code, HP_INVALID);
    ck_assert_msg(strstr(err.message, "not a tar archive") != NULL, "%s", err.message);
}
END_TEST

/* A link in the tree, and behind it in the archive a file below the link's name. */
START_TEST(an_archive_that_writes_through_a_link)
{
    struct hp_error err = {0};
    HP_JSON json_t *recipe =
        fx_json("{'commands': [['sh', '-c', 'echo x > {out}/x.so']], 'artifacts': ['x.so']}");
    fx_write("outside/kept", "", 0644);
    fx_write("one/a.c", "", 0644);
    fx_write("two/evil/written", "written", 0644);
    HP_FREE char *outside = fx_path("outside");
    fx_run((const char *const[]){"ln", "-s", outside, "one/evil", NULL});
    fx_run((const char *const[]){"tar", "-cf", "t.tar", "-C", "one", "evil", "a.c", NULL});
    fx_run((const char *const[]){"tar", "-rf", "t.tar", "-C", "two", "evil/written", NULL});
    HP_FREE char *path = fx_path("t.tar");
    HP_FD int fd = open(path, O_RDONLY);
    /* Whether tar calls it an error is its own affair. */
    (void)rn_build(&fx.room, &limits, "test", "head", fd, recipe, "arm/head", &built, &failure,
                   &err);
    ck_assert(fx_exists("outside/kept"));
    ck_assert(!fx_exists("outside/written"));
}
END_TEST

START_TEST(an_artifact_that_is_a_link_out)
{
    fx_write("secret", "secret", 0600);
    fx_write("src/a.c", "", 0644);
    HP_FREE char *commands = hp_format("[['ln', '-s', '%s/secret', '{out}/x.so']]", fx.folder);
    ck_assert(!build(commands));
    assert_failure("made no artifact");
}
END_TEST

START_TEST(a_fork_bomb)
{
    double begin = hp_monotonic_s();
    fx_write("src/bomb.sh", "bomb27183() { bomb27183 | bomb27183 & }\nbomb27183\nsleep 60\n", 0755);
    ck_assert(!build("[['sh', 'bomb.sh', 'bomb27183']]"));
    ck_assert(hp_monotonic_s() - begin < 10);
    ck_assert(fx_no_process_with("bomb27183"));
    /* and the next build works */
    ck_assert(build("[['sh', '-c', 'echo x > {out}/x.so']]"));
}
END_TEST

START_TEST(a_disk_filler)
{
    fx_write("src/a.c", "", 0644);
    ck_assert(!build("[['sh', '-c', 'for i in 1 2 3 4; do head -c 20000000 /dev/zero > $i || exit "
                     "1; done']]"));
    assert_failure("No space left");
    ck_assert(!build("[['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do head -c 20000000 /dev/zero > "
                     "/tmp/$i || exit 1; done']]"));
    assert_failure("No space left");
    ck_assert(!build("[['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do head -c 20000000 /dev/zero > "
                     "/dev/shm/$i || exit 1; done']]"));
    assert_failure("No space left");
}
END_TEST

START_TEST(a_memory_eater)
{
    fx_write("src/a.c", "", 0644);
    limits.memory_mib = 256;
    ck_assert(!build("[['sh', '-c', 'x=$(head -c 2000000000 /dev/zero | tr \\\\0 a) && echo got "
                     "it']]"));
    ck_assert_ptr_null(strstr(hp_json_string(failure, "log", ""), "got it"));
}
END_TEST

START_TEST(no_network)
{
    fx_write("src/a.c", "", 0644);
    ck_assert_msg(build("[['sh', '-c', 'cat /proc/net/dev; [ $(grep -c : /proc/net/dev) = 1 ] && "
                        "echo x > {out}/x.so']]"),
                  "%s", hp_json_string(failure, "log", ""));
}
END_TEST

START_TEST(no_writing_and_no_looking_outside)
{
    fx_write("secret", "secret", 0644);
    fx_write("src/a.c", "", 0644);
    HP_FREE char *commands = hp_format(
        "[['sh', '-c', 'touch /usr/hakperf-test /hakperf-test /dev/hakperf-test /etc/hakperf-test "
        "&& exit 1; ls /home /root /var && exit 2; cat %s/secret && exit 3; kill -0 %ld && exit 4; "
        "[ -z $HAKPERF_TEST_SECRET ] || exit 5; echo x > {out}/x.so']]",
        fx.folder, (long)getpid());
    setenv("HAKPERF_TEST_SECRET", "secret", 1);
    ck_assert_msg(build(commands), "%s", hp_json_string(failure, "log", ""));
}
END_TEST

START_TEST(hooks_and_attributes_of_the_source_are_only_files)
{
    fx_write("src/.git/hooks/post-checkout", "#!/bin/sh\ntouch /tmp/hooked\n", 0755);
    fx_write("src/.gitmodules", "[submodule \"x\"]\n path = x\n url = ext::sh -c touch% /tmp/h\n",
             0644);
    ck_assert(build("[['sh', '-c', '[ ! -e /tmp/hooked ] && echo x > {out}/x.so']]"));
}
END_TEST

/* --- the pieces ------------------------------------------------------------------------------ */

START_TEST(the_line_that_tells_most)
{
    static const struct {
        const char *log, *line;
    } cases[] = {
        {"", ""},
        {"one\ntwo\n\n", "two"},
        {"cc -c a.c\na.c:1: error: first\na.c:2: error: second\nmake: *** [x] Error 1\n",
         "a.c:1: error: first"},
        {"ld returned error 5\nlast\n", "ld returned error 5"},
        {"no newline", "no newline"},
        {"make: *** No rule to make target 'layouts'.  Stop.\nmake: Leaving directory '/x'\n",
         "make: *** No rule to make target 'layouts'.  Stop."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[200];
        rn_telling_line(cases[i].log, strlen(cases[i].log), line, sizeof line);
        ck_assert_str_eq(line, cases[i].line);
    }
}
END_TEST

START_TEST(trees_are_told_apart_by_content_alone)
{
    struct hp_error err = {0};
    char first[65], second[65], third[65];
    fx_write("src/a.c", "one", 0644);
    HP_FD int a = fx_tar("src");
    fx_run((const char *const[]){"touch", "-d", "2001-01-01", "src/a.c", "src", NULL});
    HP_FD int b = fx_tar("src");
    fx_write("src/a.c", "two", 0644);
    HP_FD int c = fx_tar("src");
    ck_assert(rn_source_hash(a, first, &err));
    ck_assert(rn_source_hash(b, second, &err));
    ck_assert(rn_source_hash(c, third, &err));
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, third);
}
END_TEST

static void add_common(TCase *t)
{
    tcase_add_test(t, builds_and_remembers);
    tcase_add_test(t, a_damaged_cache_is_built_again);
    tcase_add_test(t, a_comment_changes_nothing);
    tcase_add_test(t, a_compile_error);
    tcase_add_test(t, no_artifact);
    tcase_add_test(t, a_build_that_never_ends);
    tcase_add_test(t, what_a_build_leaves_running_is_ended);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, a_flood_of_output);
    tcase_add_test(t, a_path_out_of_the_artifacts_folder);
    tcase_add_test(t, a_source_that_is_no_archive);
    tcase_add_test(t, an_archive_that_writes_through_a_link);
    tcase_set_timeout(t, 60);
}

HP_SUITE(runner_build)
{
    Suite *s = suite_create("runner_build");
    TCase *t = tcase_create("sandbox");
    tcase_add_checked_fixture(t, open_build, fx_close);
    add_common(t);
    tcase_add_test(t, an_artifact_that_is_a_link_out);
    tcase_add_test(t, a_fork_bomb);
    tcase_add_test(t, a_disk_filler);
    tcase_add_test(t, ten_gigabytes_of_output);
    tcase_add_test(t, ten_gigabytes_of_files);
    tcase_add_test(t, a_memory_eater);
    tcase_add_test(t, no_network);
    tcase_add_test(t, no_writing_and_no_looking_outside);
    tcase_add_test(t, hooks_and_attributes_of_the_source_are_only_files);
    tcase_add_test(t, the_line_that_tells_most);
    tcase_add_test(t, trees_are_told_apart_by_content_alone);
    suite_add_tcase(s, t);
    t = tcase_create("plain");
    tcase_add_checked_fixture(t, open_plain, fx_close);
    add_common(t);
    suite_add_tcase(s, t);
    return s;
}
