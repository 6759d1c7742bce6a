/* Bringing a mirror up to date: the first time, every time, and when it is damaged. */
#include "collector/mirror.h"

#include "collector/mirror_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/file.h>

static const double QUERY_TIMEOUT_S = 60, LOCK_TIMEOUT_S = 120;

/* Attributes of the mirror outrank those in the tree: what is built is what was committed. */
static bool write_attributes(const char *folder, struct hp_error *err)
{
    static const char text[] = "* -export-ignore -export-subst\n";
    HP_FREE char *info = hp_format("%s/info", folder);
    HP_FREE char *path = hp_format("%s/info/attributes", folder);
    if (!info || !path)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return hp_make_dirs(info, 0700, err) && hp_file_replace(path, text, sizeof text - 1, 0600, err);
}

/* --- size ---------------------------------------------------------------------------------------
 */

static _Thread_local int64_t disk_bytes;

static int add_size(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)path;
    (void)type;
    (void)walk;
    disk_bytes += (int64_t)st->st_blocks * 512;
    return 0;
}

static int64_t size_on_disk(const char *folder)
{
    disk_bytes = 0;
    nftw(folder, add_size, 32, FTW_PHYS);
    return disk_bytes;
}

static bool too_large(const char *url, struct hp_error *err)
{
    hp_fail(err, HP_LIMIT, "the repository at %s takes more than %lld MiB", url,
            (long long)(git_mirror_limit() >> 20));
    return hp_error_hint(err, "Raise --mirror-limit of hakperf-collector serve if it may.");
}

/* What an ended fetch leaves of a pack; nobody else fetches, the mirror is locked. */
static void remove_leftovers(const char *folder)
{
    HP_FREE char *packs = hp_format("%s/objects/pack", folder);
    DIR *dir = packs ? opendir(packs) : NULL;
    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strncmp(entry->d_name, "tmp_", 4) == 0 && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            hp_log(HP_LOG_WARNING, "cannot remove %s/%s: %s", packs, entry->d_name,
                   strerror(errno));
    closedir(dir);
}

/* --- fetching -----------------------------------------------------------------------------------
 */

static bool fetch_into(const struct mirror *mirror, const char *folder, const char *url,
                       struct hp_error *err)
{
    const char *const argv[] = {"fetch",
                                "--quiet",
                                "--prune",
                                "--force",
                                "--no-auto-maintenance",
                                "--no-recurse-submodules",
                                "--no-write-fetch-head",
                                "--",
                                url,
                                "+refs/heads/*:refs/heads/*",
                                "+refs/tags/*:refs/tags/*",
                                NULL};
    int64_t room = git_mirror_limit() - size_on_disk(folder);
    if (room <= 0)
        return too_large(url, err);
    struct git_call git = {.folder = folder,
                           .argv = argv,
                           .timeout_s = git_fetch_timeout(),
                           .output_limit = 1 << 20,
                           .file_limit = room};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (git_run(mirror->state, &git, &outcome, err))
        return true;
    remove_leftovers(folder);
    if (err->code == HP_LIMIT)
        return too_large(url, err);
    hp_error_context(err, "cannot fetch from %s", url);
    if (err->code == HP_FAILED && *url == '/')
        hp_error_hint(err, "The collector must be able to read it (user hakperf, if it was started "
                           "as root): check the path and the permissions of the folders above.");
    if (err->code == HP_TIMEOUT)
        hp_error_hint(err,
                      "Raise --fetch-timeout of hakperf-collector serve if it may take longer.");
    return false;
}

static bool ask_remote(const struct mirror *mirror, const char *const *argv, const char *url,
                       const char *what, struct hp_outcome *answer, struct hp_error *err)
{
    return mirror_call(mirror, NULL, argv, git_fetch_timeout(), answer, err) ||
           hp_error_context(err, "cannot ask %s for its %s", url, what);
}

/* HEAD is not a branch and is not fetched: it is asked for, so that the mirror's HEAD names the
 * same branch. A repository without one keeps what was there. */
static bool follow_head(const struct mirror *mirror, const char *folder, const char *url,
                        struct hp_error *err)
{
    const char *const ask[] = {"ls-remote", "--symref", "--", url, "HEAD", NULL};
    HP_OUTCOME struct hp_outcome answer = {0};
    if (!ask_remote(mirror, ask, url, "HEAD", &answer, err))
        return false;
    const char *text = hp_buffer_text(&answer.out);
    if (strncmp(text, "ref: refs/heads/", 16) != 0)
        return true;
    HP_FREE char *ref = hp_format("%.*s", (int)strcspn(text + 5, "\t\n"), text + 5);
    if (!ref)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    const char *const set[] = {"symbolic-ref", "HEAD", ref, NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    return mirror_call(mirror, folder, set, QUERY_TIMEOUT_S, &outcome, err);
}

/* By the names that the repository shows; an empty one shows none, and is made anew when it has. */
static bool object_format(const struct mirror *mirror, const char *url, const char **format,
                          struct hp_error *err)
{
    const char *const ask[] = {"ls-remote", "--heads", "--tags", "--", url, NULL};
    HP_OUTCOME struct hp_outcome answer = {0};
    if (!ask_remote(mirror, ask, url, "branches", &answer, err))
        return false;
    *format = strcspn(hp_buffer_text(&answer.out), "\t\n") == 64 ? "--object-format=sha256"
                                                                 : "--object-format=sha1";
    return true;
}

/* Puts the new folder where the old one, if any, was. */
static bool put_in_place(const struct mirror *mirror, const char *made, struct hp_error *err)
{
    HP_FREE char *old = hp_format("%s.old", mirror->folder);
    if (!old)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    struct hp_error ignored;
    hp_remove_tree(old, &ignored);
    if (rename(mirror->folder, old) != 0 && errno != ENOENT)
        return hp_fail_errno(err, "cannot rename %s", mirror->folder);
    if (rename(made, mirror->folder) != 0)
        return hp_fail_errno(err, "cannot rename %s", made);
    hp_remove_tree(old, &ignored);
    return true;
}

static bool create(const struct mirror *mirror, const char *url, struct hp_error *err)
{
    const char *format = NULL;
    HP_FREE char *made = hp_format("%s.new", mirror->folder);
    if (!made)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!hp_remove_tree(made, err) || !object_format(mirror, url, &format, err))
        return false;
    const char *const argv[] = {"init", "--quiet", "--bare", "--template=", format, made, NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    bool ok = mirror_call(mirror, NULL, argv, QUERY_TIMEOUT_S, &outcome, err) &&
              write_attributes(made, err) && fetch_into(mirror, made, url, err) &&
              follow_head(mirror, made, url, err) && put_in_place(mirror, made, err);
    struct hp_error ignored;
    if (!ok)
        hp_remove_tree(made, &ignored);
    return ok;
}

/* --- damage -------------------------------------------------------------------------------------
 */

static char *suspect_path(const struct mirror *mirror)
{
    return hp_format("%s/hakperf-suspect", mirror->folder);
}

void mirror_suspect(const struct mirror *mirror)
{
    HP_FREE char *path = suspect_path(mirror);
    HP_FD int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        hp_log(HP_LOG_WARNING, "%s may be damaged", mirror->folder);
}

static bool succeeds(const struct mirror *mirror, const char *const *argv, bool *cut_short)
{
    struct hp_error err = {0};
    HP_OUTCOME struct hp_outcome outcome = {0};
    bool ok = mirror_call(mirror, mirror->folder, argv, git_fetch_timeout(), &outcome, &err);
    *cut_short = !ok && err.code != HP_FAILED;
    return ok;
}

/* Whether git cannot work with it: all of it for one that is suspect, else its refs and the newest
 * commits, which costs little. A check that is cut short finds nothing. */
static bool is_damaged(const struct mirror *mirror, bool whole)
{
    static const char *const refs[] = {"for-each-ref", "--format=%(objecttype)", NULL};
    static const char *const line[] = {"rev-list", "--all", "--max-count=1000", "--quiet", NULL};
    static const char *const fsck[] = {"fsck", "--no-dangling", "--no-progress", NULL};
    bool cut_short = false;
    if (!succeeds(mirror, refs, &cut_short) || !succeeds(mirror, line, &cut_short))
        return !cut_short;
    return whole && !succeeds(mirror, fsck, &cut_short) && !cut_short;
}

static bool make_anew(const struct mirror *mirror, const char *url, struct hp_error *err)
{
    hp_log(HP_LOG_WARNING, "the mirror %s is damaged: it is fetched anew", mirror->folder);
    return create(mirror, url, err) || hp_error_context(err, "the mirror is damaged");
}

static bool update(const struct mirror *mirror, const char *url, struct hp_error *err)
{
    HP_FREE char *mark = suspect_path(mirror), *shallow = hp_format("%s/shallow", mirror->folder);
    if (!mark || !shallow)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    bool suspect = access(mark, F_OK) == 0;
    if (access(shallow, F_OK) == 0 || (suspect && is_damaged(mirror, true)))
        return make_anew(mirror, url, err);
    if (suspect)
        unlink(mark);
    if (fetch_into(mirror, mirror->folder, url, err))
        return follow_head(mirror, mirror->folder, url, err);
    /* The other side changed its kind of names, or this side cannot be read. */
    if (err->code == HP_FAILED &&
        (strstr(err->message, "mismatched algorithms") || is_damaged(mirror, false)))
        return make_anew(mirror, url, err);
    return false;
}

/* The lock of one mirror; released by closing the descriptor. -1 on failure. */
static int lock(const struct mirror *mirror, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s.lock", mirror->folder);
    if (!path) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return -1;
    }
    HP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        hp_fail_errno(err, "cannot open %s", path);
        return -1;
    }
    double end = hp_monotonic_s() + LOCK_TIMEOUT_S;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (hp_monotonic_s() > end) {
            hp_fail(err, HP_UNAVAILABLE, "another fetch of %s has not ended yet", mirror->folder);
            return -1;
        }
        hp_sleep_ms(20);
    }
    return hp_take_fd(&fd);
}

bool mirror_fetch(const struct mirror *mirror, const char *url, struct hp_error *err)
{
    if (!mirror_check_url(url, err))
        return false;
    HP_FD int held = lock(mirror, err);
    if (held < 0)
        return false;
    if (access(mirror->folder, F_OK) != 0)
        return create(mirror, url, err);
    return update(mirror, url, err);
}
