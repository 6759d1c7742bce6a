#include "common/state.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#define SERVICE_USER "hakperf"
#define SERVICE_STATE "/var/lib/hakperf"

char *hp_state_path(const char *state, const char *below)
{
    return hp_format("%s/%s", state, below);
}

static char *absolute(const char *path, struct hp_error *err)
{
    if (path[0] == '/')
        return strdup(path);
    HP_FREE char *here = getcwd(NULL, 0);
    if (!here) {
        hp_fail_errno(err, "cannot tell the current folder");
        return NULL;
    }
    return hp_format("%s/%s", here, path);
}

char *hp_state_folder(const char *chosen, struct hp_error *err)
{
    if (chosen && chosen[0])
        return absolute(chosen, err);
    if (geteuid() == 0)
        return strdup(SERVICE_STATE);
    const struct passwd *me = getpwuid(geteuid());
    if (me && strcmp(me->pw_name, SERVICE_USER) == 0)
        return strdup(SERVICE_STATE);
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/')
        return hp_format("%s/hakperf", xdg);
    if (!home || home[0] != '/')
        home = me ? me->pw_dir : NULL;
    if (!home) {
        hp_fail(err, HP_SYSTEM, "cannot tell where to keep state: HOME is not set");
        hp_error_hint(err, "Give --state FOLDER.");
        return NULL;
    }
    return hp_format("%s/.local/state/hakperf", home);
}

static const struct passwd *service_user(struct hp_error *err)
{
    errno = 0;
    const struct passwd *user = getpwnam(SERVICE_USER);
    if (!user) {
        hp_fail(err, HP_NOT_FOUND,
                "started as root, but there is no user " SERVICE_USER " to run as");
        hp_error_hint(err, "Create it with: useradd --system --home-dir " SERVICE_STATE
                           " --shell /usr/sbin/nologin " SERVICE_USER);
    }
    return user;
}

static bool make_owned(const char *path, mode_t mode, const struct passwd *owner,
                       struct hp_error *err)
{
    if (!hp_make_dirs(path, mode, err))
        return false;
    if (!owner)
        return true;
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return hp_fail(err, HP_SYSTEM, "%s is not a folder", path);
    if (st.st_uid != owner->pw_uid && lchown(path, owner->pw_uid, owner->pw_gid) != 0)
        return hp_fail_errno(err, "cannot give %s to %s", path, owner->pw_name);
    return chmod(path, mode) == 0 || hp_fail_errno(err, "cannot set the mode of %s", path);
}

bool hp_state_make(const char *state, const char *below, unsigned mode, struct hp_error *err)
{
    const struct passwd *owner = NULL;
    if (geteuid() == 0 && !(owner = service_user(err)))
        return false;
    if (!make_owned(state, 0755, owner, err))
        return false;
    if (!below)
        return true;
    HP_FREE char *path = hp_state_path(state, below);
    return path ? make_owned(path, mode, owner, err) : hp_fail(err, HP_SYSTEM, "out of memory");
}

bool hp_drop_root(struct hp_error *err)
{
    if (geteuid() != 0)
        return true;
    const struct passwd *user = service_user(err);
    if (!user)
        return false;
    if (initgroups(user->pw_name, user->pw_gid) != 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return hp_fail_errno(err, "cannot become user %s", user->pw_name);
    setenv("HOME", user->pw_dir, 1);
    setenv("USER", user->pw_name, 1);
    setenv("LOGNAME", user->pw_name, 1);
    static const char *const foreign[] = {"XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME",
                                          "XDG_RUNTIME_DIR", "XDG_DATA_HOME"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        unsetenv(foreign[i]);
    /* A folder that only root can enter would break every program started from here. */
    if (access(".", X_OK) != 0 && chdir("/") != 0)
        return hp_fail_errno(err, "cannot leave the current folder");
    return true;
}

char *hp_program_folder(struct hp_error *err)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n < 0) {
        hp_fail_errno(err, "cannot tell where this program lives");
        return NULL;
    }
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return strdup(path);
}
