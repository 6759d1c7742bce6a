#include "cli/leftovers.h"

#include "common/clock.h"
#include "common/io.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define NOTE_LIMIT 4096
#define GRACE_S 10.0

/* Start time of a process in clock ticks since boot (proc(5), field 22 of stat); 0: there is none,
 * or it has ended and only waits to be collected. */
static unsigned long long start_time(pid_t pid)
{
    char path[64];
    struct hp_error ignored;
    HP_BUFFER struct hp_buffer stat = {0};
    unsigned long long ticks = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!hp_file_read(path, NOTE_LIMIT, &stat, &ignored))
        return 0;
    const char *field = strrchr(hp_buffer_text(&stat), ')'); /* names may hold blanks */
    if (field && field[1] == ' ' && field[2] == 'Z')
        return 0;
    for (int i = 2; field && i < 22; i++)
        field = strchr(field + 1, ' ');
    return field && sscanf(field, "%llu", &ticks) == 1 ? ticks : 0;
}

static bool is_program_of_ours(pid_t pid)
{
    char link[64], target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(link, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    return slash && strncmp(slash + 1, "hakperf-", 8) == 0;
}

bool cli_leftovers_note(const char *file, const pid_t *pids, size_t count, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    for (size_t i = 0; i < count; i++)
        if (pids[i] > 0 && !hp_buffer_printf(&text, "%d %llu\n", (int)pids[i], start_time(pids[i])))
            return hp_fail(err, HP_SYSTEM, "out of memory");
    return hp_file_replace(file, hp_buffer_text(&text), text.size, 0644, err);
}

static void end(pid_t pid, unsigned long long started)
{
    double deadline = hp_monotonic_s() + GRACE_S;
    kill(pid, SIGTERM);
    while (start_time(pid) == started && hp_monotonic_s() < deadline)
        hp_sleep_ms(50);
    if (start_time(pid) == started)
        kill(pid, SIGKILL);
    /* A killed process of another parent is gone a moment later. */
    for (int i = 0; i < 40 && start_time(pid) == started; i++)
        hp_sleep_ms(50);
}

int cli_leftovers_end(const char *file)
{
    struct hp_error ignored;
    HP_BUFFER struct hp_buffer text = {0};
    int ended = 0;
    if (!hp_file_read(file, NOTE_LIMIT, &text, &ignored) || !text.data)
        return 0;
    char *rest = text.data;
    for (char *line; (line = strsep(&rest, "\n"));) {
        int pid;
        unsigned long long started;
        if (sscanf(line, "%d %llu", &pid, &started) != 2 || pid <= 1 || started == 0 ||
            start_time(pid) != started || !is_program_of_ours(pid))
            continue;
        end(pid, started);
        ended++;
    }
    return ended;
}
