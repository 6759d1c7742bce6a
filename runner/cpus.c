#include "runner/cpus.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "runner/machine.h"
#include "runner/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_EVERY_MS 50

bool rn_cpus_of(int wanted, struct rn_cpus *out, struct hp_error *err)
{
    CPU_ZERO(&out->one);
    out->measuring = rn_choose_cpu(wanted, err);
    if (out->measuring < 0)
        return false;
    CPU_SET((size_t)out->measuring, &out->one);
    return sched_getaffinity(0, sizeof out->all, &out->all) == 0 ||
           hp_fail_errno(err, "cannot tell which CPUs may be used");
}

const cpu_set_t *rn_cpus_for(const struct rn_cpus *cpus, const json_t *workload)
{
    return hp_json_int(workload, "threads", 1) == 1 ? &cpus->one : &cpus->all;
}

/* --- which locks --------------------------------------------------------------------------------
 */

/* Adds what a list of the kernel's names: "0-3,8". */
static void add_list(const char *text, cpu_set_t *set)
{
    while (*text) {
        char *end;
        unsigned long from = strtoul(text, &end, 10), to = from;
        if (end == text)
            return;
        if (*end == '-')
            to = strtoul(end + 1, &end, 10);
        for (unsigned long i = from; i <= to && i < CPU_SETSIZE; i++)
            CPU_SET(i, set);
        text = *end == ',' ? end + 1 : end;
    }
}

/* With the other threads of each core. */
static cpu_set_t with_siblings(const cpu_set_t *cpus)
{
    cpu_set_t all = *cpus;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET((size_t)i, cpus))
            continue;
        HP_FREE char *path =
            hp_format("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", i);
        HP_FREE char *text = path ? rn_system_file(path) : NULL;
        if (text)
            add_list(text, &all);
    }
    return all;
}

const char *rn_cpu_locks(const char *given)
{
    struct stat st;
    if (given)
        return given;
    bool usual = lstat("/run/lock", &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
                 (st.st_mode & 01777) == 01777;
    return usual ? "/run/lock" : "/tmp";
}

/* Judged by what was opened, so that it cannot be another one later. */
static int open_folder(const char *folder, struct hp_error *err)
{
    struct stat st;
    HP_FD int fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        hp_fail_errno(err, "cannot use %s for the locks of the CPUs", folder);
        hp_error_hint(err, "Name another folder by --cpu-locks, the same for every runner of this "
                           "machine.");
        return -1;
    }
    bool ours = st.st_uid == 0 || st.st_uid == geteuid();
    bool open_to_all = (st.st_mode & 0022) != 0 && (st.st_mode & S_ISVTX) == 0;
    if (ours && !open_to_all)
        /* cppcheck-suppress resourceLeak; handed to the caller */
        return hp_take_fd(&fd);
    hp_fail(err, HP_DENIED, "%s is not safe for the locks of the CPUs", folder);
    hp_error_hint(err, "It must belong to root or to this user and have the sticky bit where "
                       "others may write (mode 1777).");
    /* cppcheck-suppress resourceLeak; HP_FD closes it */
    return -1;
}

/* --- one lock -----------------------------------------------------------------------------------
 */

/* The file of a CPU, made where it is missing. Reading is enough to lock, so that it does not
 * matter whose it is; with O_CREAT the kernel would refuse the file of another user. */
static int open_lock(int folder, const char *name, struct hp_error *err)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    struct stat st;
    for (int attempt = 0; attempt < 100; attempt++) {
        HP_FD int fd = openat(folder, name, flags);
        bool made = false;
        if (fd < 0 && errno == ENOENT) {
            fd = openat(folder, name, flags | O_CREAT | O_EXCL, 0644);
            made = fd >= 0;
            if (fd < 0 && errno == EEXIST)
                continue;
        }
        if (fd < 0) {
            hp_fail_errno(err, "cannot open the lock %s", name);
            return -1;
        }
        if (made) /* whatever the umask says */
            (void)fchmod(fd, 0644);
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
            return hp_take_fd(&fd);
        hp_fail(err, HP_DENIED, "the lock %s is not a plain file", name);
        return -1;
    }
    hp_fail(err, HP_UNAVAILABLE, "the lock %s comes and goes", name);
    return -1;
}

/* Whether the name still means the file that is open: it may have been removed meanwhile. */
static bool is_current(int folder, const char *name, int fd)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* A descriptor that holds the lock; -1 without err->code where another one holds it. */
static int try_lock(int folder, int cpu, struct hp_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "hakperf-cpu-%d.lock", cpu);
    *err = (struct hp_error){0};
    HP_FD int fd = open_lock(folder, name, err);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return is_current(folder, name, fd) ? hp_take_fd(&fd) : -1;
    if (errno != EWOULDBLOCK && errno != EINTR)
        hp_fail_errno(err, "cannot lock CPU %d", cpu);
    return -1;
}

/* Waits for one lock. */
static bool take(const struct rn_runner *runner, int folder, int cpu, struct rn_cpu_lock *lock,
                 struct hp_error *err)
{
    double begin = hp_monotonic_s();
    for (bool told = false;; told = true) {
        int fd = try_lock(folder, cpu, err);
        if (fd >= 0) {
            lock->fd[lock->count++] = fd;
            lock->waited_s += hp_monotonic_s() - begin;
            return true;
        }
        if (err->code != HP_OK)
            return false;
        if (!told) {
            rn_progress_set(runner->progress, "wait", 0, 0,
                            "for CPU %d, which another runner measures on", cpu);
            hp_log(HP_LOG_INFO, "waiting for CPU %d, which another runner measures on", cpu);
        }
        if (rn_cancelled(runner))
            return hp_fail(err, HP_UNAVAILABLE, "stopped while waiting for CPU %d", cpu);
        hp_sleep_ms(LOOK_EVERY_MS);
    }
}

bool rn_cpus_lock(const struct rn_runner *runner, const cpu_set_t *cpus, struct rn_cpu_lock *lock,
                  struct hp_error *err)
{
    const cpu_set_t wanted = with_siblings(cpus);
    HP_FD int folder = open_folder(runner->cpu_locks, err);
    lock->count = 0;
    lock->waited_s = 0;
    bool ok = folder >= 0;
    for (int i = 0; ok && i < CPU_SETSIZE; i++)
        ok = !CPU_ISSET((size_t)i, &wanted) || take(runner, folder, i, lock, err);
    if (!ok)
        rn_cpus_unlock(lock);
    else if (lock->waited_s > 1)
        hp_log(HP_LOG_INFO, "waited %.0f s for another runner of this machine", lock->waited_s);
    return ok;
}

void rn_cpus_unlock(struct rn_cpu_lock *lock)
{
    while (lock->count > 0)
        close(lock->fd[--lock->count]);
}
