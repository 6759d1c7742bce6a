/*
 * Executes benchmark drivers inside the sandbox, one for each line on stdin.
 */
#include "runner/launcher.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct sampler {
    int json;   /* memory file behind descriptor 3 of the program */
    int output; /* memory file behind its stdout and stderr */
};

struct request {
    struct rn_argv argv, env;
    cpu_set_t cpus; /* none: as this process */
    double timeout_s;
    int64_t memory_mib, processes, file_mib;
    const char *file;
    bool rss; /* look at its resident memory now and then */
};

/* Resident memory over the time of an execution; when it is full every second value goes. */
struct rss {
    double step_s, next_s;
    double at[RN_RSS_LIMIT];
    int64_t kib[RN_RSS_LIMIT];
    size_t count;
};

struct ending {
    int status;
    bool timed_out, out_of_memory;
    double wall_s;
    struct rusage usage;
};

static void copy_words(struct rn_argv *argv, const json_t *words)
{
    size_t i;
    json_t *word;
    json_array_foreach (words, i, word)
        rn_argv_add(argv, "%s", json_is_string(word) ? json_string_value(word) : "");
    if (argv->count == 0)
        argv->failed = true;
}

static bool read_request(const json_t *json, struct request *request)
{
    copy_words(&request->argv, json_object_get(json, "argv"));
    copy_words(&request->env, json_object_get(json, "env"));
    size_t i;
    const json_t *cpu;
    CPU_ZERO(&request->cpus);
    json_array_foreach (json_object_get(json, "cpus"), i, cpu)
        if (json_integer_value(cpu) >= 0 && json_integer_value(cpu) < CPU_SETSIZE)
            CPU_SET((size_t)json_integer_value(cpu), &request->cpus);
    request->timeout_s = hp_json_number(json, "timeout_s", 60);
    request->memory_mib = hp_json_int(json, "memory_mib", 0);
    request->processes = hp_json_int(json, "processes", 0);
    request->file_mib = hp_json_int(json, "file_mib", 0);
    request->file = hp_json_string(json, "file", NULL);
    request->rss = hp_json_bool(json, "rss", false);
    return !request->argv.failed && !request->env.failed;
}

struct start {
    const struct sampler *sampler;
    const struct request *request;
};

/* In the child, which shares this process's memory until it is the program. */
static int become_program(void *argument)
{
    const struct start *start = argument;
    const struct sampler *sampler = start->sampler;
    const struct request *request = start->request;
    int null = open("/dev/null", O_RDONLY);
    int json = fcntl(sampler->json, F_DUPFD, 10), output = fcntl(sampler->output, F_DUPFD, 10);
    bool ok = true;
    setpgid(0, 0);
    if (CPU_COUNT(&request->cpus) > 0)
        ok = sched_setaffinity(0, sizeof request->cpus, &request->cpus) == 0;
    rn_limit_self(request->memory_mib, request->processes, request->file_mib);
    ok = ok && dup2(null, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2 &&
         dup2(json, 3) == 3;
    if (ok) {
        close_range(4, ~0U, 0);
        execve(request->argv.item[0], request->argv.item, request->env.item);
    }
    /* Descriptor 2 is the memory file by now, or still the launcher's own. */
    dprintf(STDERR_FILENO, "cannot execute %s: %s\n", request->argv.item[0], strerror(errno));
    return 127; /* ends the child */
}

/* As vfork does: nothing is copied, and this process stands still until the program runs. A fork
 * costs both sides a page fault for every page that they write to next. One stack is enough, for a
 * launcher has one thread. */
static pid_t start_program(const struct sampler *sampler, const struct request *request)
{
    static char stack[64 << 10] __attribute__((aligned(64)));
    struct start start = {.sampler = sampler, .request = request};
    return clone(become_program, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
}

static void thin_out(struct rss *rss)
{
    for (size_t i = 0; i < RN_RSS_LIMIT / 2; i++) {
        rss->at[i] = rss->at[2 * i + 1];
        rss->kib[i] = rss->kib[2 * i + 1];
    }
    rss->count = RN_RSS_LIMIT / 2;
    rss->step_s *= 2;
}

static void look_at_rss(struct rss *rss, pid_t pid, double now)
{
    long pages = 0;
    HP_FREE char *path = hp_format("/proc/%d/statm", (int)pid);
    HP_FILE FILE *file = path ? fopen(path, "re") : NULL;
    bool got = file && fscanf(file, "%*s %ld", &pages) == 1;
    rss->next_s = now + rss->step_s;
    if (!got || pages <= 0)
        return;
    if (rss->count == RN_RSS_LIMIT)
        thin_out(rss);
    rss->at[rss->count] = now;
    rss->kib[rss->count++] = pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static json_t *rss_json(const struct rss *rss)
{
    json_t *list = json_array();
    for (size_t i = 0; i < rss->count; i++)
        json_array_append_new(list, json_pack("[f, I]", rss->at[i], (json_int_t)rss->kib[i]));
    return list;
}

/* Milliseconds to wait before memory is looked at again. */
static int slice(double left, const struct rss *rss)
{
    double ms = left * 1000 + 1, step_ms = rss ? rss->step_s * 1000 : RN_MEMORY_EVERY_MS;
    ms = ms < step_ms ? ms : step_ms;
    return ms < RN_MEMORY_EVERY_MS ? (int)ms : RN_MEMORY_EVERY_MS;
}

/* Waits for the end, the time limit or too much memory, then kills the whole group. rss NULL:
 * nobody asks for it. */
static void wait_for(pid_t pid, const struct request *request, struct rss *rss,
                     struct ending *ending)
{
    double timeout_s = request->timeout_s;
    HP_FD int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd slot = {.fd = handle, .events = POLLIN};
    double begin = hp_monotonic_s(), left = timeout_s, next_check = 0;
    int ready = 0;
    while (handle >= 0 && left > 0 && (ready = poll(&slot, 1, slice(left, rss))) <= 0) {
        if (ready < 0 && errno != EINTR)
            break;
        double now = hp_monotonic_s() - begin;
        left = timeout_s - now;
        if (rss && now >= rss->next_s)
            look_at_rss(rss, pid, now);
        if (now < next_check)
            continue;
        next_check = now + RN_MEMORY_EVERY_MS * 1e-3;
        ending->out_of_memory = request->processes > 0 && rn_memory_spent(request->memory_mib);
        if (ending->out_of_memory)
            break;
    }
    if (ready <= 0) {
        ending->timed_out = !ending->out_of_memory;
        kill(-pid, SIGKILL);
    }
    while (wait4(pid, &ending->status, 0, &ending->usage) < 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL); /* what it left behind */
    ending->wall_s = hp_monotonic_s() - begin;
}

/* The end of a memory file as a JSON string; null where it is empty or unreadable. */
static json_t *memory_text(int fd, size_t limit)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0)
        return json_null();
    size_t size = (size_t)st.st_size < limit ? (size_t)st.st_size : limit;
    HP_FREE char *text = malloc(size);
    ssize_t n = text ? pread(fd, text, size, st.st_size - (off_t)size) : -1;
    return n > 0 ? hp_json_bytes(text, (size_t)n) : json_null();
}

static json_t *file_text(const char *path)
{
    struct hp_error ignored;
    HP_BUFFER struct hp_buffer text = {0};
    struct stat st;
    if (!path || lstat(path, &st) != 0)
        return json_null();
    bool ok = S_ISREG(st.st_mode) && hp_file_read(path, RN_FILE_LIMIT, &text, &ignored);
    unlink(path);
    return ok ? hp_json_bytes(hp_buffer_text(&text), text.size) : json_null();
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static json_t *execute(const struct sampler *sampler, const struct request *request)
{
    struct ending ending = {0};
    struct rss rss = {.step_s = RN_RSS_STEP_S};
    if (ftruncate(sampler->json, 0) != 0 || ftruncate(sampler->output, 0) != 0)
        return NULL;
    lseek(sampler->json, 0, SEEK_SET);
    lseek(sampler->output, 0, SEEK_SET);
    pid_t pid = start_program(sampler, request);
    if (pid < 0)
        return json_pack("{s:s}", "error", strerror(errno));
    wait_for(pid, request, request->rss ? &rss : NULL, &ending);
    if (ending.out_of_memory)
        dprintf(sampler->output, "\nerror: it used more than %lld MiB of memory\n",
                (long long)request->memory_mib);
    rn_kill_descendants();
    json_t *reply = json_pack(
        "{s:i, s:i, s:b, s:f, s:f, s:f, s:I, s:I, s:o, s:o, s:o}", "exit_code",
        WIFEXITED(ending.status) ? WEXITSTATUS(ending.status) : -1, "signal",
        WIFSIGNALED(ending.status) ? WTERMSIG(ending.status) : 0, "timed_out", ending.timed_out,
        "wall_s", ending.wall_s, "user_s", seconds(ending.usage.ru_utime), "system_s",
        seconds(ending.usage.ru_stime), "minor_faults", (json_int_t)ending.usage.ru_minflt,
        "voluntary_switches", (json_int_t)ending.usage.ru_nvcsw, "json",
        memory_text(sampler->json, RN_TEXT_LIMIT), "output",
        memory_text(sampler->output, RN_TEXT_LIMIT), "file", file_text(request->file));
    if (request->rss && reply)
        json_object_set_new(reply, "rss", rss_json(&rss));
    return reply;
}

static bool answer(const struct sampler *sampler, const char *line, size_t size)
{
    struct hp_error err = {0};
    struct request request = {0};
    HP_JSON json_t *json = hp_json_parse(line, size, &err);
    HP_JSON json_t *reply = json && read_request(json, &request)
                                ? execute(sampler, &request)
                                : json_pack("{s:s}", "error", "malformed request");
    rn_argv_clear(&request.argv);
    rn_argv_clear(&request.env);
    HP_FREE char *text = reply ? hp_json_text(reply) : NULL;
    return text && hp_write_all(STDOUT_FILENO, text, strlen(text)) &&
           hp_write_all(STDOUT_FILENO, "\n", 1);
}

static struct sampler new_sampler(void)
{
    return (struct sampler){.json = memfd_create("json", MFD_CLOEXEC),
                            .output = memfd_create("output", MFD_CLOEXEC)};
}

json_t *rn_launch_once(const json_t *json)
{
    struct request request = {0};
    struct sampler sampler = new_sampler();
    json_t *reply = sampler.json >= 0 && sampler.output >= 0 && read_request(json, &request)
                        ? execute(&sampler, &request)
                        : NULL;
    rn_argv_clear(&request.argv);
    rn_argv_clear(&request.env);
    close(sampler.json);
    close(sampler.output);
    return reply;
}

int rn_launch_samples(const struct hp_values *values)
{
    (void)values;
    struct sampler sampler = new_sampler();
    HP_FREE char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool ok = sampler.json >= 0 && sampler.output >= 0;
    rn_become_warden();
    while (ok && (n = getline(&line, &room, stdin)) > 0)
        ok = answer(&sampler, line, (size_t)n);
    rn_kill_descendants();
    return ok ? HP_EXIT_OK : HP_EXIT_NO_ANSWER;
}
