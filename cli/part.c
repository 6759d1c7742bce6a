#include "cli/part.h"

#include "common/clock.h"
#include "common/term.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#define STEADY_SECONDS 60.0
#define LONGEST_PAUSE 60.0
#define LINE_LIMIT 8192

void part_say(const char *format, ...)
{
    va_list args;
    hp_progress("%s", "");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

bool part_runs(const struct part *part)
{
    return part->child.pid > 0;
}

bool part_start(struct part *part, struct hp_error *err)
{
    struct hp_command command = {.argv = part->argv, .merge_stderr = true};
    part->started = hp_monotonic_s();
    if (!hp_child_start(&command, false, true, &part->child, err))
        return hp_error_context(err, "%s", part->name);
    fcntl(part->child.out, F_SETFL, O_NONBLOCK);
    return true;
}

/* Prints the whole lines of what was read; a line without end is kept for later. */
static void pass_on(struct part *part, bool all)
{
    struct hp_buffer *output = &part->output;
    for (;;) {
        char *end = output->size ? memchr(output->data, '\n', output->size) : NULL;
        size_t n = end ? (size_t)(end - output->data) : output->size;
        if (!end && (n == 0 || (!all && n < LINE_LIMIT)))
            return;
        part_say("%.*s", (int)n, output->data);
        size_t used = end ? n + 1 : n;
        memmove(output->data, output->data + used, output->size - used);
        output->size -= used;
        output->data[output->size] = '\0';
    }
}

static void read_output(struct part *part)
{
    char block[4096];
    ssize_t n;
    if (part->child.out < 0)
        return;
    while ((n = read(part->child.out, block, sizeof block)) > 0)
        hp_buffer_append(&part->output, block, (size_t)n);
    if (n == 0) { /* closed: nothing more to poll for */
        close(part->child.out);
        part->child.out = -1;
    }
    pass_on(part, false);
}

static const char *ending(int status)
{
    struct hp_outcome outcome = {
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
    };
    return hp_outcome_text(&outcome);
}

static bool collect(struct part *part, int *status)
{
    read_output(part);
    if (!hp_child_ended(&part->child, status))
        return false;
    pass_on(part, true);
    return true;
}

static void plan_restart(struct part *part, const char *why)
{
    double now = hp_monotonic_s(), pause = 1;
    if (now - part->started > STEADY_SECONDS)
        part->failures = 0;
    for (int i = 0; i < part->failures && pause < LONGEST_PAUSE; i++)
        pause *= 2;
    pause = pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
    part->failures++;
    part->next_start = now + pause;
    part_say("%s ended: %s; starting it again in %.0f s", part->name, why, pause);
}

void part_attend(struct part *part, int wait_ms)
{
    int status = 0;
    if (!part_runs(part)) {
        struct hp_error err = {0};
        if (hp_monotonic_s() < part->next_start)
            hp_sleep_ms(wait_ms);
        else if (!part_start(part, &err))
            plan_restart(part, err.message);
        return;
    }
    struct pollfd slot = {part->child.out, POLLIN, 0};
    poll(&slot, 1, wait_ms); /* a closed output is ignored, and only waited for */
    if (collect(part, &status))
        plan_restart(part, ending(status));
}

void part_stop(struct part *part, double grace_s, const volatile int *hurry)
{
    int before = *hurry, status = 0;
    double deadline = hp_monotonic_s() + grace_s;
    pid_t pid = part->child.pid;
    if (pid > 0) {
        kill(pid, SIGTERM);
        while (!collect(part, &status)) {
            if (*hurry != before || hp_monotonic_s() > deadline) {
                part_say("%s does not end, it is killed", part->name);
                hp_child_stop(&part->child, SIGKILL, 1);
                break;
            }
            struct pollfd slot = {part->child.out, POLLIN, 0};
            poll(&slot, 1, 50);
        }
        kill(-pid, SIGKILL); /* what it left behind in its group */
    }
    hp_buffer_clear(&part->output);
}
