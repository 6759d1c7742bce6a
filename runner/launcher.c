#include "runner/launcher.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((int64_t)1024 * 1024)

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

void rn_become_warden(void)
{
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
