#include "runner/launcher.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((int64_t)1024 * 1024)
#define LEFT_MIB 96 /* below this the machine itself is in danger */

static void limit(__rlimit_resource_t resource, int64_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return;
    rlim_t wanted = (rlim_t)value;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < wanted)
        wanted = now.rlim_max;
    now.rlim_cur = now.rlim_max = wanted;
    setrlimit(resource, &now);
}

void rn_limit_self(int64_t memory_mib, int64_t processes, int64_t file_mib)
{
    limit(RLIMIT_CORE, 0);
    /* Not the address space: allocators reserve far more of it than they ever touch. */
    if (memory_mib > 0)
        limit(RLIMIT_DATA, memory_mib * MIB);
    if (processes > 0)
        limit(RLIMIT_NPROC, processes);
    if (file_mib > 0)
        limit(RLIMIT_FSIZE, file_mib * MIB);
}

/* Private pages of one process; 0 where it is gone. */
static int64_t private_pages(const char *pid)
{
    char path[64];
    long long size, resident = 0, shared = 0;
    snprintf(path, sizeof path, "/proc/%.20s/statm", pid);
    FILE *file = fopen(path, "re");
    bool read = file && fscanf(file, "%lld %lld %lld", &size, &resident, &shared) == 3;
    if (file)
        fclose(file);
    return read ? resident - shared : 0;
}

/* MiB that the machine could still give; a large number where it does not tell. */
static int64_t available_mib(void)
{
    char line[128];
    long long kib;
    HP_FILE FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1)
            return kib / 1024;
    return INT64_MAX;
}

bool rn_memory_spent(int64_t memory_mib)
{
    HP_DIR DIR *proc = opendir("/proc");
    int64_t pages = 0, page = sysconf(_SC_PAGESIZE);
    for (const struct dirent *d; proc && (d = readdir(proc));)
        if (d->d_name[0] >= '0' && d->d_name[0] <= '9' && atoi(d->d_name) != getpid())
            pages += private_pages(d->d_name);
    return (memory_mib > 0 && pages * page > memory_mib * MIB) || available_mib() < LEFT_MIB;
}

void rn_become_warden(void)
{
    /* For all that follows; without it the kernel's own choice holds. */
    FILE *score = fopen("/proc/self/oom_score_adj", "we");
    if (score) {
        fputs("1000", score);
        fclose(score);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool kill_children(void)
{
    HP_FILE FILE *list = fopen("/proc/thread-self/children", "re");
    bool any = false;
    int pid;
    while (list && fscanf(list, "%d", &pid) == 1) {
        kill(pid, SIGKILL);
        any = true;
    }
    return any;
}

void rn_kill_descendants(void)
{
    double deadline = hp_monotonic_s() + 1;
    while (hp_monotonic_s() < deadline) {
        kill_children();
        pid_t got;
        while ((got = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (got < 0 && errno == ECHILD)
            return;
        hp_sleep_ms(2);
    }
}
