#include "runner/cache.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)1 << 30)

bool rn_path_is_safe(const char *path)
{
    if (path[0] == '/' || path[0] == '\0')
        return false;
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += n;
        if (*p == '/' && *++p == '\0')
            return false;
    }
    return true;
}

bool rn_copy_file(const char *from, const char *to, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer bytes = {0};
    HP_FREE char *copy = strdup(to);
    struct stat st;
    if (!copy)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (stat(from, &st) != 0)
        return hp_fail_errno(err, "cannot read %s", from);
    return hp_make_dirs(dirname(copy), 0755, err) && hp_file_read(from, FILE_LIMIT, &bytes, err) &&
           hp_file_replace(to, bytes.data, bytes.size, st.st_mode & 0777, err);
}

static char *cache_path(const char *state, const char *name)
{
    return hp_format("%s/runner/cache/%s", state, name);
}

/* Copies every artifact, checking that it is what was stored. */
static bool copy_artifacts(const char *from, const char *into, const json_t *entry,
                           struct hp_error *err)
{
    size_t i;
    json_t *artifact;
    json_array_foreach (json_object_get(entry, "artifacts"), i, artifact) {
        const char *path = hp_json_string(artifact, "path", "");
        HP_FREE char *source = hp_format("%s/%s", from, path);
        HP_FREE char *target = hp_format("%s/%s", into, path);
        char hash[HP_HASH_TEXT];
        if (!source || !target || !rn_path_is_safe(path))
            return hp_fail(err, HP_INVALID, "unusable artifact \"%s\"", path);
        if (!rn_copy_file(source, target, err) || !hp_hash_file(target, hash, err))
            return false;
        if (strcmp(hash, hp_json_string(artifact, "hash", "")) != 0)
            return hp_fail(err, HP_INVALID, "%s is damaged", source);
    }
    return json_array_size(json_object_get(entry, "artifacts")) > 0 ||
           hp_fail(err, HP_INVALID, "no artifacts");
}

/* Out of sight in one step, so that nobody meets half of it; what is left of it counts as
 * unfinished. */
static bool drop_entry(const char *state, const char *name)
{
    struct hp_error err;
    HP_FREE char *folder = cache_path(state, name);
    HP_FREE char *gone =
        hp_format("%s/runner/cache/tmp-%ld-gone-%.64s", state, (long)getpid(), name);
    if (!folder || !gone)
        return false;
    if (strncmp(name, "tmp-", 4) == 0 || rename(folder, gone) != 0)
        return hp_remove_tree(folder, &err);
    return hp_remove_tree(gone, &err);
}

json_t *rn_cache_fetch(const char *state, const char *key, const char *into)
{
    struct hp_error err = {0};
    HP_FREE char *folder = cache_path(state, key);
    HP_FREE char *path = folder ? hp_format("%s/entry.json", folder) : NULL;
    HP_FREE char *files = folder ? hp_format("%s/files", folder) : NULL;
    if (!path || !files)
        return NULL;
    HP_JSON json_t *entry = hp_json_read_file(path, 4u << 20, &err);
    if (entry && copy_artifacts(files, into, entry, &err)) {
        utimensat(AT_FDCWD, path, NULL, 0);
        return hp_take(entry);
    }
    if (err.code == HP_NOT_FOUND)
        return NULL;
    hp_log_error(HP_LOG_WARNING, "dropping an entry of the build cache", &err);
    (void)drop_entry(state, key);
    return NULL;
}

bool rn_cache_store(const char *state, const char *key, const char *from, const json_t *entry,
                    struct hp_error *err)
{
    HP_FREE char *fresh = hp_format("%s/runner/cache/tmp-%ld-%s", state, (long)getpid(), key);
    HP_FREE char *final = cache_path(state, key);
    HP_FREE char *files = fresh ? hp_format("%s/files", fresh) : NULL;
    HP_FREE char *path = fresh ? hp_format("%s/entry.json", fresh) : NULL;
    HP_FREE char *text = hp_json_text(entry);
    struct hp_error ignored;
    if (!final || !files || !path || !text)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    bool ok = hp_make_dirs(files, 0755, err) && copy_artifacts(from, files, entry, err) &&
              hp_file_replace(path, text, strlen(text), 0644, err);
    /* Another runner may have been faster; its entry is as good. */
    if (ok && rename(fresh, final) != 0 && errno != ENOTEMPTY && errno != EEXIST)
        ok = hp_fail_errno(err, "cannot keep a build");
    (void)hp_remove_tree(fresh, &ignored);
    return ok;
}

struct entry {
    char name[80];
    struct timespec used;
    int64_t bytes;
};

static _Thread_local int64_t walked;

static int add_size(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)path;
    (void)at;
    if (type == FTW_F)
        walked += st->st_size;
    return 0;
}

static int by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const struct entry *)a)->used;
    const struct timespec *y = &((const struct entry *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

/* Fills one entry; what was begun more than a day ago and never finished counts as oldest. */
static bool read_entry(const char *state, const char *name, struct entry *entry)
{
    HP_FREE char *folder = cache_path(state, name);
    HP_FREE char *path = folder ? hp_format("%s/entry.json", folder) : NULL;
    struct stat st;
    if (!path || name[0] == '.' || strlen(name) >= sizeof entry->name)
        return false;
    bool unfinished = strncmp(name, "tmp-", 4) == 0;
    if (unfinished && (stat(folder, &st) != 0 || time(NULL) - st.st_mtime < 86400))
        return false;
    *entry = (struct entry){0};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    if (!unfinished && stat(path, &st) == 0)
        entry->used = st.st_mtim;
    walked = 0;
    nftw(folder, add_size, 16, FTW_PHYS);
    entry->bytes = walked;
    return true;
}

void rn_cache_trim(const char *state, int64_t limit_mib)
{
    HP_FREE char *path = hp_format("%s/runner/cache", state);
    HP_DIR DIR *folder = path ? opendir(path) : NULL;
    HP_FREE struct entry *entries = NULL;
    size_t count = 0;
    int64_t total = 0;
    for (const struct dirent *d; folder && (d = readdir(folder));) {
        struct entry *more = realloc(entries, (count + 1) * sizeof *more);
        if (!more)
            return;
        entries = more;
        if (read_entry(state, d->d_name, &entries[count]))
            total += entries[count++].bytes;
    }
    if (count > 1)
        qsort(entries, count, sizeof *entries, by_use);
    for (size_t i = 0; i < count && total > limit_mib * 1024 * 1024; i++) {
        if (drop_entry(state, entries[i].name))
            total -= entries[i].bytes;
    }
}
