/*
 * Builds inside the sandbox: unpacks the tree, runs the recipe's commands, hands out the artifacts.
 */
#include "runner/launch_build.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/launcher.h"
#include "runner/layouts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of what one of binutils may print: the symbols of a large library. */
#define INSPECT_LIMIT (64u << 20)

/* Copies a recipe's word with {out}, {layouts} and {jobs} filled in. */
static void add_word(struct rn_argv *argv, const struct rn_build_step *build, const char *word)
{
    HP_BUFFER struct hp_buffer text = {0};
    bool ok = true;
    while (*word && ok) {
        if (strncmp(word, "{out}", 5) == 0) {
            ok = hp_buffer_append(&text, build->out, strlen(build->out));
            word += 5;
        } else if (strncmp(word, "{layouts}", 9) == 0) {
            ok = hp_buffer_append(&text, build->layouts, strlen(build->layouts));
            word += 9;
        } else if (strncmp(word, "{jobs}", 6) == 0) {
            ok = hp_buffer_printf(&text, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
            word += 6;
        } else {
            ok = hp_buffer_append(&text, word++, 1);
        }
    }
    if (ok)
        rn_argv_add(argv, "%s", hp_buffer_text(&text));
    else
        argv->failed = true;
}

static void make_environment(struct rn_build_step *build)
{
    const char *name;
    json_t *value;
    rn_argv_add(&build->env, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
    rn_argv_add(&build->env, "LANG=C.UTF-8");
    rn_argv_add(&build->env, "HOME=%s", build->tmp);
    rn_argv_add(&build->env, "TMPDIR=%s", build->tmp);
    /* For compilers that stamp the time into what they make: equal sources, equal artifacts. */
    rn_argv_add(&build->env, "SOURCE_DATE_EPOCH=1");
    json_object_foreach (json_object_get(build->plan, "environment"), name, value)
        rn_argv_add(&build->env, "%s=%s", name, json_string_value(value));
}

/* Whether a step must end now. The log's reader going away means that the runner has
 * ended or given up: bwrap's own watch over its parent has a gap while it starts. */
static bool must_end(const struct rn_build_step *build, short log_events)
{
    if (log_events & (POLLERR | POLLHUP))
        return true;
    if (build->deadline > 0 && hp_monotonic_s() > build->deadline) {
        fprintf(stderr, "hakperf: error: it took longer than its time and was killed\n");
        return true;
    }
    if (build->processes <= 0 || !rn_memory_spent(build->memory_mib))
        return false;
    fprintf(stderr, "hakperf: error: the build used more than %lld MiB of memory\n",
            (long long)build->memory_mib);
    return true;
}

static int wait_for(const struct rn_build_step *build, pid_t pid)
{
    HP_FD int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd slots[2] = {{handle, POLLIN, 0}, {STDERR_FILENO, 0, 0}};
    int status = -1;
    while (handle >= 0 && (poll(slots, 2, RN_MEMORY_EVERY_MS) <= 0 || !slots[0].revents)) {
        if (!must_end(build, slots[1].revents))
            continue;
        kill(pid, SIGKILL);
        rn_kill_descendants();
        return SIGKILL;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* Runs one program in the source folder, all it prints going to stderr. Returns its wait status,
 * -1 if it could not be started. */
static int step(const struct rn_build_step *build, char **argv, bool with_input)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        if (!with_input)
            dup2(null, 0);
        dup2(2, 1);
        rn_limit_self(build->memory_mib, build->processes, build->disk_mib);
        if (chdir(build->source) == 0)
            execvpe(argv[0], argv, build->env.item);
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    return pid > 0 ? wait_for(build, pid) : -1;
}

/* The same for a whole vector; says on stderr how it ended if not well. */
static bool step_ok(const struct rn_build_step *build, const struct rn_argv *words, bool with_input)
{
    if (words->failed || !words->item)
        return false;
    char **argv = words->item;
    int status = step(build, argv, with_input);
    if (status == 0)
        return true;
    struct hp_outcome outcome = {
        .exit_code = status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = status > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    fprintf(stderr, "hakperf: %s: %s\n", argv[0], hp_outcome_text(&outcome));
    return false;
}

bool rn_build_unpack(const struct rn_build_step *build, const char *archive, const char *folder)
{
    RN_ARGV struct rn_argv argv = {0};
    static const char *const words[] = {"tar", "-x", "--no-same-owner", "--no-same-permissions",
                                        "-f"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        rn_argv_add(&argv, "%s", words[i]);
    rn_argv_add(&argv, "%s", archive ? archive : "-");
    rn_argv_add(&argv, "-C");
    rn_argv_add(&argv, "%s", folder);
    if (!step_ok(build, &argv, archive == NULL)) {
        fprintf(stderr, "hakperf: cannot unpack the source\n");
        return false;
    }
    return true;
}

bool rn_build_commands(const struct rn_build_step *build, const json_t *commands)
{
    size_t i, k;
    json_t *command, *word;
    json_array_foreach (commands, i, command) {
        RN_ARGV struct rn_argv argv = {0};
        json_array_foreach (command, k, word)
            add_word(&argv, build, json_string_value(word));
        if (!step_ok(build, &argv, false))
            return false;
    }
    return true;
}

bool rn_build_inspect(const struct rn_build_step *build, const char *const *words,
                      struct hp_outcome *outcome)
{
    RN_ARGV struct rn_argv argv = {0};
    struct hp_error ignored;
    rn_argv_add(&argv, "prlimit");
    if (build->memory_mib > 0)
        rn_argv_add(&argv, "--data=%lld", (long long)build->memory_mib * 1024 * 1024);
    for (; *words; words++)
        rn_argv_add(&argv, "%s", *words);
    const struct hp_command command = {.argv = (const char *const *)argv.item,
                                       .env = (const char *const *)build->env.item,
                                       .timeout_s = 60,
                                       .output_limit = INSPECT_LIMIT};
    return !argv.failed && hp_run_ok(&command, outcome, &ignored);
}

/* The hash of the artifact without what a change of comments or folders alters; of the artifact as
 * it is where it is no object file. */
static bool code_hash(const struct rn_build_step *build, const char *path, char out[HP_HASH_TEXT],
                      struct hp_error *err)
{
    HP_FREE char *copy = hp_format("%s/hakperf-stripped", build->tmp);
    if (!copy)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    const char *const words[] = {"strip",
                                 "--strip-all",
                                 "--enable-deterministic-archives",
                                 "-R",
                                 ".comment",
                                 "-R",
                                 ".note.gnu.build-id",
                                 "-o",
                                 copy,
                                 path,
                                 NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    bool stripped = rn_build_inspect(build, words, &outcome);
    bool ok = hp_hash_file(stripped ? copy : path, out, err);
    unlink(copy);
    return ok;
}

/* What the compiler wrote into the artifact about itself, "" where it did not. */
static void compiler_of(const struct rn_build_step *build, const char *path, char *out, size_t room)
{
    const char *const words[] = {"readelf", "-p", ".comment", path, NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    out[0] = '\0';
    if (!rn_build_inspect(build, words, &outcome))
        return;
    /* "  [     0]  GCC: (Debian 12.2.0-14) 12.2.0": one line for each distinct text. */
    char *rest = outcome.out.data;
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        const char *text = strstr(line, "]  ");
        size_t used = strlen(out);
        if (line[0] == ' ' && text && used + 4 < room)
            snprintf(out + used, room - used, "%s%s", used ? "; " : "", text + 3);
    }
}

bool rn_build_send_bytes(int fd, size_t size)
{
    char block[65536];
    while (size > 0) {
        ssize_t n = read(fd, block, size < sizeof block ? size : sizeof block);
        if (n <= 0 || !hp_write_all(STDOUT_FILENO, block, (size_t)n))
            return false;
        size -= (size_t)n;
    }
    return true;
}

static bool send_artifact(const struct rn_build_step *build, const char *name, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/%s", build->out, name);
    char hash[HP_HASH_TEXT], compiler[512];
    struct stat st;
    struct statfs fs;
    /* Links are followed: inside the sandbox they lead to nothing that is not public. */
    HP_FD int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0 || fstat(fd, &st) != 0)
        return hp_fail(err, HP_FAILED, "the build made no artifact %s", name);
    /* A link into /proc tells of processes, not of what was built. */
    if (!S_ISREG(st.st_mode) || fstatfs(fd, &fs) != 0 || fs.f_type == PROC_SUPER_MAGIC)
        return hp_fail(err, HP_FAILED, "the artifact %s is not a file", name);
    if (!code_hash(build, path, hash, err))
        return false;
    compiler_of(build, path, compiler, sizeof compiler);
    HP_JSON json_t *head =
        json_pack("{s:s, s:I, s:i, s:s, s:o}", "artifact", name, "size", (json_int_t)st.st_size,
                  "mode", (int)(st.st_mode & 0777), "code_hash", hash, "compiler",
                  hp_json_bytes(compiler, strlen(compiler)));
    HP_FREE char *text = head ? hp_json_text(head) : NULL;
    if (!text || !hp_write_all(STDOUT_FILENO, text, strlen(text)) ||
        !hp_write_all(STDOUT_FILENO, "\n", 1) || !rn_build_send_bytes(fd, (size_t)st.st_size))
        return hp_fail_errno(err, "cannot hand out the artifact %s", name);
    return true;
}

static bool build_all(struct rn_build_step *build, struct hp_error *err)
{
    size_t i;
    json_t *artifact;
    if (!hp_make_dirs(build->source, 0755, err) || !hp_make_dirs(build->out, 0755, err))
        return false;
    if (!rn_build_unpack(build, NULL, build->source) ||
        !rn_build_commands(build, json_object_get(build->plan, "commands")))
        return hp_fail(err, HP_FAILED, "%s", ""); /* the log says why */
    rn_kill_descendants();
    /* From here on this process writes what the build made. */
    rn_limit_self(0, 0, build->disk_mib);
    signal(SIGXFSZ, SIG_IGN);
    json_array_foreach (json_object_get(build->plan, "artifacts"), i, artifact) {
        if (!send_artifact(build, json_string_value(artifact), err))
            return false;
    }
    return !rn_layout_artifact(build->plan) || rn_build_layouts(build, err);
}

bool rn_build_step_read(const json_t *plan, struct rn_build_step *build, struct hp_error *err)
{
    *build = (struct rn_build_step){.plan = plan,
                                    .source = hp_json_string(plan, "source", NULL),
                                    .out = hp_json_string(plan, "out", NULL),
                                    .tmp = hp_json_string(plan, "tmp", NULL),
                                    .layouts = hp_json_string(plan, "layouts_folder", NULL),
                                    .memory_mib = hp_json_int(plan, "memory_mib", 0),
                                    .processes = hp_json_int(plan, "processes", 0),
                                    .disk_mib = hp_json_int(plan, "disk_mib", 0),
                                    .timeout_s = hp_json_number(plan, "timeout_s", 0),
                                    .begun = hp_monotonic_s()};
    if (!build->source || !build->out || !build->tmp || !build->layouts)
        return hp_fail(err, HP_INVALID, "the plan is none");
    make_environment(build);
    return !build->env.failed || hp_fail(err, HP_SYSTEM, "out of memory");
}

int rn_launch_build(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct rn_build_step build = {0};
    HP_JSON json_t *plan = hp_json_read_file(hp_arg(values, 0), 4u << 20, &err);
    if (!plan || !rn_build_step_read(plan, &build, &err)) {
        hp_error_print("hakperf", &err);
        return HP_EXIT_USAGE;
    }
    rn_become_warden();
    bool ok = build_all(&build, &err);
    if (!ok && err.message[0])
        fprintf(stderr, "hakperf: %s\n", err.message);
    rn_kill_descendants();
    rn_argv_clear(&build.env);
    return ok ? HP_EXIT_OK : HP_EXIT_NO_ANSWER;
}
