#include "runner/spool.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_LENGTH 36
#define SUFFIX ".json"

char *rn_spool_path(const char *state, const char *run)
{
    return hp_format("%s/spool/%s" SUFFIX, state, run);
}

bool rn_spool_put(const char *state, const json_t *result, struct hp_error *err)
{
    HP_FREE char *path = rn_spool_path(state, hp_json_string(result, "run", "unknown"));
    HP_FREE char *text = hp_json_text(result);
    if (!path || !text)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return hp_file_replace(path, text, strlen(text), 0600, err);
}

struct found {
    char *run;
    struct timespec written;
};

static int by_time(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->written.tv_sec != y->written.tv_sec)
        return x->written.tv_sec < y->written.tv_sec ? -1 : 1;
    if (x->written.tv_nsec != y->written.tv_nsec)
        return x->written.tv_nsec < y->written.tv_nsec ? -1 : 1;
    return strcmp(x->run, y->run);
}

static bool is_result(const char *name)
{
    return strlen(name) == RUN_LENGTH + strlen(SUFFIX) && strcmp(name + RUN_LENGTH, SUFFIX) == 0 &&
           strspn(name, "0123456789abcdef-") == RUN_LENGTH;
}

static bool add_found(struct found **list, size_t *count, const char *state, const char *name)
{
    struct stat st;
    HP_FREE char *path = hp_format("%s/spool/%s", state, name);
    struct found *more = realloc(*list, (*count + 1) * sizeof *more);
    if (more)
        *list = more;
    if (!path || !more)
        return false;
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    more[*count] = (struct found){strndup(name, RUN_LENGTH), st.st_mtim};
    return more[*count].run && ++*count;
}

bool rn_spool_list(const char *state, char ***runs, size_t *count, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/spool", state);
    HP_DIR DIR *folder = path ? opendir(path) : NULL;
    struct found *list = NULL;
    bool ok = true;
    *runs = NULL;
    *count = 0;
    if (!folder)
        return errno == ENOENT || hp_fail_errno(err, "cannot read the spool of %s", state);
    for (const struct dirent *d; ok && (d = readdir(folder));)
        ok = !is_result(d->d_name) || add_found(&list, count, state, d->d_name);
    *runs = calloc(*count + 1, sizeof **runs);
    if (ok && *runs && *count > 1)
        qsort(list, *count, sizeof *list, by_time);
    for (size_t i = 0; i < *count; i++) {
        if (ok && *runs)
            (*runs)[i] = list[i].run;
        else
            free(list[i].run);
    }
    free(list);
    return (ok && *runs) || hp_fail(err, HP_SYSTEM, "out of memory");
}

void rn_spool_free(char **runs, size_t count)
{
    for (size_t i = 0; runs && i < count; i++)
        free(runs[i]);
    free(runs);
}

bool rn_spool_remove(const char *state, const char *run, struct hp_error *err)
{
    HP_FREE char *path = rn_spool_path(state, run);
    if (path && (unlink(path) == 0 || errno == ENOENT))
        return true;
    return hp_fail_errno(err, "cannot remove %s from the spool", run);
}

bool rn_spool_refuse(const char *state, const char *run, const struct hp_error *reason,
                     struct hp_error *err)
{
    HP_FREE char *from = rn_spool_path(state, run);
    HP_FREE char *to = hp_format("%s/spool/refused/%s.json", state, run);
    HP_FREE char *note = hp_format("%s/spool/refused/%s.error.json", state, run);
    HP_FREE char *folder = hp_format("%s/spool/refused", state);
    HP_JSON json_t *body = hp_error_json(reason);
    HP_FREE char *text = body ? hp_json_text(body) : NULL;
    if (!from || !to || !note || !folder || !text)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    /* The reason first: a result in that folder always has one beside it. */
    return hp_make_dirs(folder, 0700, err) &&
           hp_file_replace(note, text, strlen(text), 0600, err) &&
           (rename(from, to) == 0 || hp_fail_errno(err, "cannot set %s aside", run));
}

void rn_spool_clean(const char *state)
{
    HP_FREE char *path = hp_format("%s/spool", state);
    HP_DIR DIR *folder = path ? opendir(path) : NULL;
    for (const struct dirent *d; folder && (d = readdir(folder));)
        if (strstr(d->d_name, SUFFIX ".tmp"))
            unlinkat(dirfd(folder), d->d_name, 0);
}
