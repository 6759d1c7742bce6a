#include "collector/patches.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const double TIMEOUT_S = 120;
static const int64_t DIFF_LIMIT = (int64_t)256 << 20;

/* An unlinked file for what git prints. */
static int open_scratch(const struct mirror *mirror, struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/mirrors/diff-XXXXXX", mirror->state);
    int fd = path ? mkostemp(path, O_CLOEXEC) : -1;
    if (fd < 0)
        hp_fail_errno(err, "cannot make a file in %s/mirrors", mirror->state);
    else
        unlink(path);
    return fd;
}

/* The differences of all, each behind the name of its commit, into `fd`, ready to be read. */
static bool write_diffs(const struct mirror *mirror, const struct hp_buffer *names, bool inverse,
                        int fd, struct hp_error *err)
{
    /* The prefixes are part of a patch id, and -R swaps them. */
    const char *const argv[] = {"diff-tree",
                                "--stdin",
                                "-p",
                                "--no-ext-diff",
                                "--no-textconv",
                                "--no-renames",
                                inverse ? "--src-prefix=b/" : "--src-prefix=a/",
                                inverse ? "--dst-prefix=a/" : "--dst-prefix=b/",
                                inverse ? "-R" : NULL,
                                NULL};
    struct git_call call = {.folder = mirror->folder,
                            .argv = argv,
                            .input = names->data,
                            .input_size = names->size,
                            .timeout_s = TIMEOUT_S,
                            .stdout_fd = fd,
                            .file_limit = DIFF_LIMIT};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!git_run(mirror->state, &call, &outcome, err))
        return false;
    return lseek(fd, 0, SEEK_SET) == 0 || hp_fail_errno(err, "cannot read the differences");
}

/* "PATCH COMMIT" a line → {COMMIT: PATCH}. */
static json_t *read_ids(const char *at)
{
    json_t *ids = json_object();
    while (*at) {
        size_t id = strcspn(at, " \n");
        if (at[id] != ' ')
            break;
        const char *name = at + id + 1;
        size_t length = strcspn(name, "\n");
        char sha[GIT_SHA_TEXT];
        snprintf(sha, sizeof sha, "%.*s", (int)length, name);
        json_object_set_new(ids, sha, json_stringn(at, id));
        at = name + length + (name[length] == '\n');
    }
    return ids;
}

static json_t *patch_ids(const struct mirror *mirror, const struct hp_buffer *names, bool inverse,
                         struct hp_error *err)
{
    static const char *const argv[] = {"patch-id", "--stable", NULL};
    HP_FD int fd = open_scratch(mirror, err);
    if (fd < 0 || !write_diffs(mirror, names, inverse, fd, err))
        return NULL;
    struct git_call call = {
        .folder = mirror->folder, .argv = argv, .timeout_s = TIMEOUT_S, .stdin_fd = fd};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!git_run(mirror->state, &call, &outcome, err))
        return NULL;
    return read_ids(hp_buffer_text(&outcome.out));
}

bool patches_add(const struct mirror *mirror, json_t *commits, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer names = {0};
    size_t i;
    json_t *commit;
    json_array_foreach (commits, i, commit) {
        if (json_array_size(json_object_get(commit, "parents")) == 1 &&
            !hp_buffer_printf(&names, "%s\n", hp_json_string(commit, "sha", "")))
            return hp_fail(err, HP_SYSTEM, "out of memory");
    }
    if (names.size == 0)
        return true;
    HP_JSON json_t *ids = patch_ids(mirror, &names, false, err);
    HP_JSON json_t *inverse = ids ? patch_ids(mirror, &names, true, err) : NULL;
    if (!inverse)
        return false;
    json_array_foreach (commits, i, commit) {
        const char *sha = hp_json_string(commit, "sha", "");
        if (!json_object_get(ids, sha) || !json_object_get(inverse, sha))
            continue;
        json_object_set(commit, "patch_id", json_object_get(ids, sha));
        json_object_set(commit, "inverse_id", json_object_get(inverse, sha));
    }
    return true;
}
