#include "runner/privilege.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38 /* kernel 5.8 */
#endif

static const unsigned wanted[] = {CAP_PERFMON, CAP_SYSLOG};
#define WANTED (sizeof wanted / sizeof wanted[0])

const char *const rn_shed_words[] = {"setpriv", "--ambient-caps=-all", "--inh-caps=-all", NULL};

struct sets {
    uint64_t effective, permitted, inheritable;
};

static bool get(struct sets *out)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct half[2] = {{0}};
    if (syscall(SYS_capget, &head, half) != 0)
        return false;
    *out = (struct sets){half[0].effective | (uint64_t)half[1].effective << 32,
                         half[0].permitted | (uint64_t)half[1].permitted << 32,
                         half[0].inheritable | (uint64_t)half[1].inheritable << 32};
    return true;
}

static bool set(const struct sets *sets)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct half[2];
    for (int i = 0; i < 2; i++) {
        half[i].effective = (uint32_t)(sets->effective >> 32 * i);
        half[i].permitted = (uint32_t)(sets->permitted >> 32 * i);
        half[i].inheritable = (uint32_t)(sets->inheritable >> 32 * i);
    }
    return syscall(SYS_capset, &head, half) == 0;
}

/* Those of the wanted ones that this thread has. */
static uint64_t had(const struct sets *sets)
{
    uint64_t all = 0;
    for (size_t i = 0; i < WANTED; i++)
        all |= sets->permitted & (uint64_t)1 << wanted[i];
    return all;
}

void rn_privilege_keep(void)
{
    if (geteuid() == 0)
        prctl(PR_SET_KEEPCAPS, 1);
}

void rn_privilege_settle(void)
{
    struct sets now;
    prctl(PR_SET_KEEPCAPS, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (get(&now))
        set(&(struct sets){.permitted = had(&now)});
}

bool rn_privilege_lend(void)
{
    struct sets now;
    if (!get(&now) || !(had(&now) & (uint64_t)1 << CAP_PERFMON) ||
        !set(&(struct sets){.permitted = now.permitted, .inheritable = had(&now)}))
        return false;
    for (size_t i = 0; i < WANTED; i++)
        if (had(&now) & (uint64_t)1 << wanted[i])
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0);
    return true;
}

void rn_privilege_take_back(void)
{
    struct sets now;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (get(&now))
        set(&(struct sets){.permitted = now.permitted});
}
