#include "common/process.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define DEFAULT_OUTPUT_LIMIT (1u << 20)

struct pipes {
    int in[2], out[2], err[2], failure[2];
};

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
        pair[i] = -1;
    }
}

static void close_pipes(struct pipes *p)
{
    close_pair(p->in);
    close_pair(p->out);
    close_pair(p->err);
    close_pair(p->failure);
}

static void close_end(int pair[2], int end)
{
    if (pair[end] >= 0)
        close(pair[end]);
    pair[end] = -1;
}

/* In the child: never returns. Reports errno through the failure pipe if exec does not happen. */
static void child_exec(const struct hp_command *command, struct pipes *p, bool own_stderr)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (command->file_limit > 0) {
        struct rlimit limit = {(rlim_t)command->file_limit, (rlim_t)command->file_limit};
        setrlimit(RLIMIT_FSIZE, &limit);
        signal(SIGXFSZ, SIG_IGN); /* the write fails, and the program says so */
    }
    int in = command->stdin_fd > 0 ? command->stdin_fd
             : p->in[0] >= 0       ? p->in[0]
                                   : open("/dev/null", O_RDONLY);
    int out = command->stdout_fd > 0 ? command->stdout_fd : p->out[1];
    int err = own_stderr ? STDERR_FILENO : command->merge_stderr ? out : p->err[1];
    /* Above 2 first, so that none of the three is overwritten before it is copied. */
    in = fcntl(in, F_DUPFD, 10);
    out = out >= 0 ? fcntl(out, F_DUPFD, 10) : fcntl(STDOUT_FILENO, F_DUPFD, 10);
    err = fcntl(err, F_DUPFD, 10);
    int failure = fcntl(p->failure[1], F_DUPFD_CLOEXEC, 10);
    int bad = in < 0 || out < 0 || err < 0 || failure < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
              dup2(err, 2) < 0;
    if (!bad) {
        if (dup2(failure, 3) == 3 && fcntl(3, F_SETFD, FD_CLOEXEC) == 0)
            close_range(4, ~0U, 0);
        if (command->folder && chdir(command->folder) != 0)
            bad = 1;
    }
    if (!bad) {
        if (command->env)
            execvpe(command->argv[0], (char *const *)command->argv, (char *const *)command->env);
        else
            execvp(command->argv[0], (char *const *)command->argv);
    }
    int code = errno;
    if (write(3, &code, sizeof code) < 0)
        _exit(126);
    _exit(127);
}

static pid_t start(const struct hp_command *command, struct pipes *p, bool own_stderr,
                   struct hp_error *err)
{
    pid_t pid = fork();
    if (pid < 0) {
        hp_fail_errno(err, "cannot start %s", command->argv[0]);
        return -1;
    }
    if (pid == 0)
        child_exec(command, p, own_stderr);
    setpgid(pid, pid); /* whichever of the two is first */
    close_end(p->in, 0);
    close_end(p->out, 1);
    close_end(p->err, 1);
    close_end(p->failure, 1);
    int code = 0;
    ssize_t n;
    while ((n = read(p->failure[0], &code, sizeof code)) < 0 && errno == EINTR)
        ;
    close_end(p->failure, 0);
    if (n <= 0)
        return pid;
    waitpid(pid, NULL, 0);
    errno = code;
    hp_fail_errno(err, "cannot run %s", command->argv[0]);
    if (code == ENOENT)
        err->code = HP_NOT_FOUND;
    return -1;
}

static bool open_pipes(struct pipes *p, bool in, bool out, bool stderr_too, struct hp_error *err)
{
    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if ((in && pipe2(p->in, O_CLOEXEC)) || (out && pipe2(p->out, O_CLOEXEC)) ||
        (stderr_too && pipe2(p->err, O_CLOEXEC)) || pipe2(p->failure, O_CLOEXEC)) {
        hp_fail_errno(err, "cannot make a pipe");
        close_pipes(p);
        return false;
    }
    return true;
}

/* Keeps at most `limit` bytes: the beginning, or with `tail` the end. */
static void keep(struct hp_buffer *buffer, const char *bytes, size_t n, size_t limit, bool tail,
                 bool *truncated)
{
    if (!tail) {
        size_t room = limit > buffer->size ? limit - buffer->size : 0;
        if (n > room)
            *truncated = true;
        hp_buffer_append(buffer, bytes, n < room ? n : room);
        return;
    }
    hp_buffer_append(buffer, bytes, n);
    if (buffer->size > 2 * limit) {
        *truncated = true;
        memmove(buffer->data, buffer->data + buffer->size - limit, limit);
        buffer->size = limit;
        buffer->data[limit] = '\0';
    }
}

static void cut_tail(struct hp_buffer *buffer, size_t limit, bool *truncated)
{
    if (buffer->size <= limit)
        return;
    *truncated = true;
    memmove(buffer->data, buffer->data + buffer->size - limit, limit);
    buffer->size = limit;
    buffer->data[limit] = '\0';
}

struct pump {
    const struct hp_command *command;
    struct hp_outcome *outcome;
    struct pipes *pipes;
    pid_t pid;
    size_t limit, written;
    double deadline; /* monotonic; 0: none */
    bool killed;
};

static void kill_group(struct pump *pump)
{
    if (!pump->killed)
        kill(-pump->pid, SIGKILL);
    pump->killed = true;
}

static void pump_write(struct pump *pump, struct pollfd *slot)
{
    size_t left = pump->command->input_size - pump->written;
    ssize_t n = write(slot->fd, (const char *)pump->command->input + pump->written, left);
    if (n > 0)
        pump->written += (size_t)n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || pump->written == pump->command->input_size)
        close_end(pump->pipes->in, 1);
}

static void pump_read(struct pump *pump, int pair[2], struct hp_buffer *buffer)
{
    char block[65536];
    ssize_t n = read(pair[0], block, sizeof block);
    if (n > 0)
        keep(buffer, block, (size_t)n, pump->limit, pump->command->keep_tail,
             &pump->outcome->truncated);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_end(pair, 0);
}

/* Moves bytes until every pipe is closed. A grandchild that holds a pipe open after its parent's
 * death delays this only to the deadline. */
static void pump_all(struct pump *pump)
{
    struct pipes *p = pump->pipes;
    while (p->in[1] >= 0 || p->out[0] >= 0 || p->err[0] >= 0) {
        struct pollfd slots[3] = {
            {p->in[1], POLLOUT, 0}, {p->out[0], POLLIN, 0}, {p->err[0], POLLIN, 0}};
        int ready = poll(slots, 3, 50);
        if (pump->command->cancel && *pump->command->cancel && !pump->outcome->cancelled) {
            pump->outcome->cancelled = true;
            kill_group(pump);
            pump->deadline = hp_monotonic_s() + 1;
        }
        if (pump->deadline > 0 && hp_monotonic_s() > pump->deadline) {
            if (pump->killed)
                break; /* killed, yet something outside the group holds a pipe */
            pump->outcome->timed_out = !pump->outcome->cancelled;
            kill_group(pump);
            pump->deadline = hp_monotonic_s() + 1;
        }
        if (ready <= 0)
            continue;
        if (slots[0].revents)
            pump_write(pump, &slots[0]);
        if (slots[1].revents)
            pump_read(pump, p->out, &pump->outcome->out);
        if (slots[2].revents)
            pump_read(pump, p->err, &pump->outcome->err);
    }
}

/* Waits for the child itself, still watching deadline and cancel. */
static int pump_wait(struct pump *pump)
{
    int status = 0;
    for (int pause = 1;;) {
        bool watch = pump->command->cancel || pump->deadline > 0;
        pid_t got =
            wait4(pump->pid, &status, watch && !pump->killed ? WNOHANG : 0, &pump->outcome->usage);
        if (got == pump->pid)
            return status;
        if (got < 0 && errno != EINTR)
            return -1;
        if (pump->command->cancel && *pump->command->cancel) {
            pump->outcome->cancelled = true;
            kill_group(pump);
        } else if (pump->deadline > 0 && hp_monotonic_s() > pump->deadline) {
            pump->outcome->timed_out = true;
            kill_group(pump);
        } else if (got == 0) {
            hp_sleep_ms(pause);
            pause = pause < 20 ? pause * 2 : 20;
        }
    }
}

bool hp_run(const struct hp_command *command, struct hp_outcome *outcome, struct hp_error *err)
{
    *outcome = (struct hp_outcome){.exit_code = -1};
    struct pipes p;
    bool capture = command->stdout_fd <= 0;
    if (!open_pipes(&p, command->input && command->stdin_fd <= 0, capture, !command->merge_stderr,
                    err))
        return false;
    double begin = hp_monotonic_s();
    struct pump pump = {.command = command,
                        .outcome = outcome,
                        .pipes = &p,
                        .limit =
                            command->output_limit ? command->output_limit : DEFAULT_OUTPUT_LIMIT,
                        .deadline = command->timeout_s > 0 ? begin + command->timeout_s : 0};
    pump.pid = start(command, &p, false, err);
    if (pump.pid < 0) {
        close_pipes(&p);
        return false;
    }
    if (p.in[1] >= 0)
        fcntl(p.in[1], F_SETFL, O_NONBLOCK);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    pump_all(&pump);
    sigaction(SIGPIPE, &before, NULL);
    close_pipes(&p);
    int status = pump_wait(&pump);
    kill(-pump.pid, SIGKILL); /* what it left behind in its group */
    outcome->wall_s = hp_monotonic_s() - begin;
    cut_tail(&outcome->out, pump.limit, &outcome->truncated);
    cut_tail(&outcome->err, pump.limit, &outcome->truncated);
    if (status == -1)
        return hp_fail_errno(err, "cannot wait for %s", command->argv[0]);
    outcome->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return true;
}

void hp_outcome_clear(struct hp_outcome *outcome)
{
    hp_buffer_clear(&outcome->out);
    hp_buffer_clear(&outcome->err);
}

const char *hp_outcome_text(const struct hp_outcome *outcome)
{
    static _Thread_local char text[96];
    if (outcome->cancelled)
        return "cancelled";
    if (outcome->timed_out)
        snprintf(text, sizeof text, "killed after %.0f s", outcome->wall_s);
    else if (outcome->signal)
        snprintf(text, sizeof text, "killed by signal %d (%s)", outcome->signal,
                 strsignal(outcome->signal));
    else
        snprintf(text, sizeof text, "exit code %d", outcome->exit_code);
    return text;
}

static void last_line(const struct hp_buffer *buffer, char *line, size_t room)
{
    const char *text = hp_buffer_text(buffer);
    size_t end = buffer->size;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
        end--;
    size_t begin = end;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    snprintf(line, room, "%.*s", (int)(end - begin), text + begin);
}

bool hp_run_ok(const struct hp_command *command, struct hp_outcome *outcome, struct hp_error *err)
{
    if (!hp_run(command, outcome, err))
        return false;
    if (outcome->exit_code == 0 && !outcome->timed_out && !outcome->cancelled)
        return true;
    char line[512];
    last_line(outcome->err.size ? &outcome->err : &outcome->out, line, sizeof line);
    enum hp_code code = outcome->timed_out ? HP_TIMEOUT : HP_FAILED;
    return hp_fail(err, code, "%s: %s%s%s", command->argv[0], hp_outcome_text(outcome),
                   line[0] ? ": " : "", line);
}

bool hp_child_start(const struct hp_command *command, bool pipe_in, bool pipe_out,
                    struct hp_child *child, struct hp_error *err)
{
    struct pipes p;
    *child = (struct hp_child){.in = -1, .out = -1};
    if (!open_pipes(&p, pipe_in, pipe_out, false, err))
        return false;
    pid_t pid = start(command, &p, !command->merge_stderr, err);
    if (pid < 0) {
        close_pipes(&p);
        return false;
    }
    *child = (struct hp_child){.pid = pid, .in = p.in[1], .out = p.out[0]};
    return true;
}

static void child_forget(struct hp_child *child)
{
    if (child->in >= 0)
        close(child->in);
    if (child->out >= 0)
        close(child->out);
    *child = (struct hp_child){.in = -1, .out = -1};
}

bool hp_child_ended(struct hp_child *child, int *status)
{
    if (child->pid == 0)
        return true;
    pid_t got = waitpid(child->pid, status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    child_forget(child);
    return true;
}

int hp_child_stop(struct hp_child *child, int signal, double grace_s)
{
    if (child->pid == 0)
        return -1;
    pid_t pid = child->pid;
    int status = -1;
    kill(-pid, signal);
    double deadline = hp_monotonic_s() + grace_s;
    while (hp_monotonic_s() < deadline) {
        if (hp_child_ended(child, &status)) {
            kill(-pid, SIGKILL);
            return status;
        }
        hp_sleep_ms(10);
    }
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    child_forget(child);
    return status;
}
