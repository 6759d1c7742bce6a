#include "runner/sandbox.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024LL * 1024)

const char *const rn_sandbox_env[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", "LC_ALL=C", NULL};

struct rn_limits rn_limits_of(const json_t *suite)
{
    struct rn_limits limits = {.memory_mib = 4096, .processes = 512, .disk_mib = 1024};
    const json_t *given = json_object_get(suite, "limits");
    const json_t *value;
    if ((value = json_object_get(given, "memory_mib")))
        limits.memory_mib = json_integer_value(value);
    if ((value = json_object_get(given, "processes")))
        limits.processes = json_integer_value(value);
    if ((value = json_object_get(given, "disk_mib")))
        limits.disk_mib = json_integer_value(value);
    return limits;
}

void rn_argv_add(struct rn_argv *argv, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    char **item = text ? realloc(argv->item, (argv->count + 2) * sizeof *item) : NULL;
    if (!item) {
        argv->failed = true;
        free(text);
        return;
    }
    argv->item = item;
    item[argv->count++] = text;
    item[argv->count] = NULL;
}

void rn_argv_clear(struct rn_argv *argv)
{
    for (size_t i = 0; i < argv->count; i++)
        free(argv->item[i]);
    free(argv->item);
    *argv = (struct rn_argv){0};
}

static void add_words(struct rn_argv *argv, const char *const *words)
{
    for (; *words; words++)
        rn_argv_add(argv, "%s", *words);
}

/* The system, read-only: /usr, and the top folders as this machine has them (links or folders). */
static void add_system(struct rn_argv *argv)
{
    static const char *const tops[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    static const char *const files[] = {
        "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf",    "/etc/ld.so.conf.d",
        "/etc/passwd",       "/etc/group",       "/etc/nsswitch.conf",
    };
    add_words(argv, (const char *const[]){"--ro-bind", "/usr", "/usr", NULL});
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        char target[PATH_MAX];
        ssize_t n = readlink(tops[i], target, sizeof target - 1);
        if (n > 0) {
            target[n] = '\0';
            add_words(argv, (const char *const[]){"--symlink", target, tops[i], NULL});
        } else if (access(tops[i], F_OK) == 0) {
            add_words(argv, (const char *const[]){"--ro-bind", tops[i], tops[i], NULL});
        }
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        add_words(argv, (const char *const[]){"--ro-bind-try", files[i], files[i], NULL});
}

/* Everything but the job's own folders. The root and /dev become read-only at the end, since both
 * are tmpfs of no bounded size that would otherwise take a disk filler's files. */
static void add_base(struct rn_argv *argv, int64_t tmp_mib)
{
    add_words(argv,
              (const char *const[]){"bwrap", "--unshare-all", "--die-with-parent", "--new-session",
                                    "--hostname", "hakperf", "--cap-drop", "ALL", NULL});
    add_system(argv);
    add_words(argv, (const char *const[]){"--proc", "/proc", "--dev", "/dev", NULL});
    rn_argv_add(argv, "--size");
    rn_argv_add(argv, "%lld", (long long)(64 * MIB));
    add_words(argv, (const char *const[]){"--tmpfs", "/dev/shm", "--remount-ro", "/dev", NULL});
    rn_argv_add(argv, "--size");
    rn_argv_add(argv, "%lld", (long long)tmp_mib * MIB);
    add_words(argv, (const char *const[]){"--tmpfs", "/tmp", NULL});
}

static void add_bind(struct rn_argv *argv, const struct rn_room *room, const char *name)
{
    rn_argv_add(argv, "--ro-bind");
    rn_argv_add(argv, "%s/%s", room->work, name);
    rn_argv_add(argv, "/%s", name);
}

static void add_end(struct rn_argv *argv)
{
    add_words(argv, (const char *const[]){"--remount-ro", "/", "--chdir", "/tmp", "--", "/launcher",
                                          "launch", NULL});
}

static void sandbox_for_build(const struct rn_room *room, const struct rn_limits *limits,
                              bool coverage, struct rn_argv *argv)
{
    if (!room->runner->sandboxed) {
        rn_argv_add(argv, "%s/launcher", room->work);
        rn_argv_add(argv, "launch");
        return;
    }
    add_base(argv, limits->disk_mib / 4 > 0 ? limits->disk_mib / 4 : 1);
    rn_argv_add(argv, "--size");
    rn_argv_add(argv, "%lld", (long long)limits->disk_mib * MIB);
    add_words(argv, (const char *const[]){"--tmpfs", "/build", NULL});
    add_bind(argv, room, "launcher");
    add_bind(argv, room, "plan.json");
    if (coverage) {
        HP_FREE char *base = hp_format("%s/base.tar", room->work);
        add_bind(argv, room, "driver");
        if (base && access(base, F_OK) == 0)
            add_bind(argv, room, "base.tar");
    }
    add_end(argv);
}

void rn_sandbox_for_build(const struct rn_room *room, const struct rn_limits *limits,
                          struct rn_argv *argv)
{
    sandbox_for_build(room, limits, false, argv);
}

void rn_sandbox_for_coverage(const struct rn_room *room, const struct rn_limits *limits,
                             struct rn_argv *argv)
{
    sandbox_for_build(room, limits, true, argv);
}

void rn_sandbox_for_samples(const struct rn_room *room, const struct rn_limits *limits,
                            struct rn_argv *argv)
{
    if (!room->runner->sandboxed) {
        rn_argv_add(argv, "%s/launcher", room->work);
        rn_argv_add(argv, "launch");
        return;
    }
    add_base(argv, limits->disk_mib);
    add_bind(argv, room, "launcher");
    add_bind(argv, room, "arm");
    add_bind(argv, room, "driver");
    add_end(argv);
}

bool rn_sandbox_check(struct hp_error *err)
{
    RN_ARGV struct rn_argv argv = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    add_base(&argv, 1);
    add_words(&argv, (const char *const[]){"--remount-ro", "/", "--", "/bin/true", NULL});
    if (argv.failed)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    struct hp_command command = {.argv = (const char *const *)argv.item, .timeout_s = 10};
    if (hp_run_ok(&command, &outcome, err))
        return true;
    if (err->code == HP_NOT_FOUND) {
        hp_fail(err, HP_NOT_FOUND, "foreign code needs a sandbox, and bwrap is not installed");
        return hp_error_hint(err, "Install the Debian package bubblewrap.");
    }
    hp_error_context(err, "this machine does not allow a sandbox");
    return hp_error_hint(err, "Allow unprivileged user namespaces, or run without a sandbox (only "
                              "this user's own repositories): --sandbox none.");
}

static bool copy_launcher(const char *from, const char *to, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer binary = {0};
    return hp_file_read(from, 512u << 20, &binary, err) &&
           hp_file_replace(to, binary.data, binary.size, 0755, err);
}

bool rn_room_open(const struct rn_runner *runner, struct rn_room *room, struct hp_error *err)
{
    static const char *const folders[] = {"arm", "driver", "build", "tmp"};
    *room = (struct rn_room){.runner = runner};
    room->work = hp_format("%s/runner/work", runner->state);
    room->root = room->work ? strdup(runner->sandboxed ? "" : room->work) : NULL;
    HP_FREE char *launcher = room->root ? hp_format("%s/launcher", room->work) : NULL;
    bool ok = launcher ? hp_remove_tree(room->work, err) : hp_fail(err, HP_SYSTEM, "out of memory");
    for (size_t i = 0; ok && i < sizeof folders / sizeof folders[0]; i++) {
        HP_FREE char *path = hp_format("%s/%s", room->work, folders[i]);
        ok = path ? hp_make_dirs(path, 0755, err) : hp_fail(err, HP_SYSTEM, "out of memory");
    }
    ok = ok && copy_launcher(runner->launcher, launcher, err);
    if (!ok)
        rn_room_close(room);
    return ok;
}

void rn_room_close(struct rn_room *room)
{
    struct hp_error ignored; /* what remains is removed when the next job begins */
    if (room->work)
        (void)hp_remove_tree(room->work, &ignored);
    free(room->work);
    free(room->root);
    *room = (struct rn_room){0};
}
