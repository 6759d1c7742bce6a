#include "tests/runner/fixture.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "common/state.h"
#include "runner/cpus.h"
#include "runner/progress.h"
#include "runner/source.h"
#include "tests/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture fx;

static void give_to_service_user(const char *path)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("hakperf") : NULL;
    ck_assert_int_eq(user ? chown(path, user->pw_uid, user->pw_gid) : 0, 0);
}

/* Copies a program of the build, which may lie where user hakperf cannot go. */
static char *copy_of(const char *program)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer binary = {0};
    const char *build = getenv("BUILD");
    HP_FREE char *from = hp_format("%s/bin/%s", build && build[0] ? build : "build", program);
    char *to = fx_path(program);
    ck_assert_msg(hp_file_read(from, 512u << 20, &binary, &err), "%s", err.message);
    ck_assert_msg(hp_file_replace(to, binary.data, binary.size, 0755, &err), "%s", err.message);
    return to;
}

static void open_with(bool sandboxed)
{
    static const char *const below[] = {"state/runner/cache", "state/runner/suites",
                                        "state/spool/refused"};
    struct hp_error err = {0};
    fx = (struct fixture){.folder = hp_format("%s/test-XXXXXX", test_root())};
    ck_assert_ptr_nonnull(mkdtemp(fx.folder));
    char *launcher = copy_of("hakperf-runner");
    free(copy_of("hakperf"));
    give_to_service_user(fx.folder);
    ck_assert_msg(hp_drop_root(&err), "%s. %s", err.message, err.hint);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        HP_FREE char *path = fx_path(below[i]);
        ck_assert_msg(hp_make_dirs(path, 0755, &err), "%s", err.message);
    }
    fx.runner = (struct rn_runner){.state = fx_path("state"),
                                   .name = "test",
                                   .launcher = launcher,
                                   .sandboxed = sandboxed,
                                   .cpu = -1,
                                   .cpu_locks = rn_cpu_locks(getenv("HAKPERF_CPU_LOCKS")),
                                   .cache_mib = 100,
                                   .passes_s = 120,
                                   .cancel = &fx.cancel,
                                   .progress = rn_progress_new()};
    ck_assert_msg(rn_room_open(&fx.runner, &fx.room, &err), "%s", err.message);
}

void fx_open(void)
{
    open_with(true);
}

void fx_open_plain(void)
{
    open_with(false);
}

void fx_close(void)
{
    struct hp_error err = {0};
    rn_room_close(&fx.room);
    rn_progress_free(fx.runner.progress);
    ck_assert_msg(hp_remove_tree(fx.folder, &err), "%s", err.message);
    free((char *)fx.runner.launcher);
    free((char *)fx.runner.state);
    free(fx.folder);
}

char *fx_path(const char *name)
{
    return hp_format("%s/%s", fx.folder, name);
}

void fx_write(const char *name, const char *text, mode_t mode)
{
    struct hp_error err = {0};
    HP_FREE char *path = fx_path(name);
    HP_FREE char *parent = strdup(path);
    *strrchr(parent, '/') = '\0';
    ck_assert_msg(hp_make_dirs(parent, 0755, &err), "%s", err.message);
    ck_assert_msg(hp_file_replace(path, text, strlen(text), mode, &err), "%s", err.message);
}

bool fx_exists(const char *name)
{
    HP_FREE char *path = fx_path(name);
    struct stat st;
    return lstat(path, &st) == 0;
}

char *fx_output(const char *const *argv)
{
    struct hp_error err = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    const struct hp_command command = {.argv = argv, .folder = fx.folder, .timeout_s = 240};
    ck_assert_msg(hp_run_ok(&command, &outcome, &err), "%s", err.message);
    return strdup(hp_buffer_text(&outcome.out));
}

void fx_run(const char *const *argv)
{
    free(fx_output(argv));
}

int fx_tar(const char *name)
{
    HP_FREE char *folder = fx_path(name);
    HP_FREE char *tar = fx_path("source.tar");
    fx_run((const char *const[]){"tar", "-cf", tar, "-C", folder, ".", NULL});
    int fd = open(tar, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    unlink(tar);
    return fd;
}

json_t *fx_json(const char *text)
{
    struct hp_error err = {0};
    HP_FREE char *copy = strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = hp_json_parse(copy, strlen(copy), &err);
    ck_assert_msg(json != NULL, "%s in %s", err.message, copy);
    return json;
}

bool fx_process_with(const char *word)
{
    HP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *d; (d = readdir(proc));) {
        struct hp_error ignored;
        HP_BUFFER struct hp_buffer line = {0};
        HP_FREE char *path = hp_format("/proc/%s/cmdline", d->d_name);
        if (d->d_name[0] >= '0' && d->d_name[0] <= '9' &&
            hp_file_read(path, 1u << 20, &line, &ignored) && line.data &&
            memmem(line.data, line.size, word, strlen(word)))
            return true;
    }
    return false;
}

bool fx_no_process_with(const char *word)
{
    for (int i = 0; i < 50 && fx_process_with(word); i++)
        hp_sleep_ms(20);
    return !fx_process_with(word);
}

void fx_wait_for_samples(void)
{
    HP_FREE char *driver = fx_path("state/runner/work/driver");
    for (int i = 0; i < 3000 && !fx_process_with(driver); i++)
        hp_sleep_ms(10);
    ck_assert_msg(fx_process_with(driver), "it never came to a sample");
}
