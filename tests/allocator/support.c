#include "support.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct outcome last;

static void collect(int fd, pid_t pid)
{
    ssize_t n;
    last.len = 0;
    while ((n = read(fd, last.text + last.len, sizeof last.text - 1 - last.len)) > 0)
        last.len += (size_t)n;
    last.text[last.len] = '\0';
    close(fd);
    ck_assert_int_eq(waitpid(pid, &last.status, 0), pid);
}

struct outcome *run_shell(const char *format, ...)
{
    static char command[8192];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(command, sizeof command, format, args);
    va_end(args);
    ck_assert(len > 0 && (size_t)len < sizeof command);
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        close(fds[0]);
        close(fds[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    collect(fds[0], pid);
    return &last;
}

struct outcome *run_child(void (*body)(void *), void *arg)
{
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(fds[1], 2);
        close(fds[0]);
        close(fds[1]);
        body(arg);
        _exit(0);
    }
    close(fds[1]);
    collect(fds[0], pid);
    return &last;
}

bool exited_with(const struct outcome *o, int code)
{
    bool ok = WIFEXITED(o->status) && WEXITSTATUS(o->status) == code;
    if (!ok)
        fprintf(stderr, "status %#x, output:\n%s\n", (unsigned)o->status, o->text);
    return ok;
}

bool aborted_with(const struct outcome *o, const char *part)
{
    bool ok = WIFSIGNALED(o->status) && WTERMSIG(o->status) == SIGABRT && strstr(o->text, part);
    if (!ok)
        fprintf(stderr, "wanted '%s'; status %#x, output:\n%s\n", part, (unsigned)o->status,
                o->text);
    return ok;
}

const char *build_dir(void)
{
    const char *dir = getenv("ALLOCATOR_BUILD");
    ck_assert_msg(dir, "ALLOCATOR_BUILD must name the build folder; use `make check`");
    return dir;
}

const char *self_path(void)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    return path;
}

void *launder(void *ptr)
{
    void *volatile hidden = ptr;
    return hidden;
}
