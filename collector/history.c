#include "collector/history.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

static const double WALK_TIMEOUT_S = 300;
static const size_t WALK_LIMIT = 128 << 20;

/* Seconds that both time_t and PostgreSQL can show as a year of four digits. */
static const long long TIME_MAX = 253402300799;

static json_t *out_of_memory(struct hp_error *err)
{
    hp_fail(err, HP_SYSTEM, "out of memory");
    return NULL;
}

static bool add_known(struct hp_buffer *input, const json_t *known)
{
    size_t i;
    json_t *sha;
    json_array_foreach (known, i, sha) {
        if (!hp_buffer_printf(input, "^%s\n", json_string_value(sha)))
            return false;
    }
    return true;
}

/* Runs a rev-list and returns the names it prints. */
static json_t *walk(const struct mirror *mirror, const char *const *argv,
                    const struct hp_buffer *input, struct hp_error *err)
{
    struct git_call call = {.folder = mirror->folder,
                            .argv = argv,
                            .input = input->data,
                            .input_size = input->size,
                            .output_limit = WALK_LIMIT,
                            .timeout_s = WALK_TIMEOUT_S};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!git_run(mirror->state, &call, &outcome, err))
        return NULL;
    HP_JSON json_t *shas = json_array();
    for (const char *at = hp_buffer_text(&outcome.out); *at;) {
        size_t length = strcspn(at, "\n");
        if (json_array_append_new(shas, json_stringn(at, length)) != 0)
            return out_of_memory(err);
        at += length + (at[length] == '\n');
    }
    return hp_take(shas);
}

json_t *history_unseen(const struct mirror *mirror, const struct mirror_tips *tips,
                       const json_t *known, struct hp_error *err)
{
    if (tips->count == 0)
        return json_array();
    HP_BUFFER struct hp_buffer input = {0};
    for (size_t i = 0; i < tips->count; i++)
        if (!hp_buffer_printf(&input, "%s\n", tips->rows[i].sha))
            return out_of_memory(err);
    if (!add_known(&input, known))
        return out_of_memory(err);
    static const char *const argv[] = {"rev-list",     "--ignore-missing", "--reverse",
                                       "--topo-order", "--stdin",          NULL};
    return walk(mirror, argv, &input, err);
}

bool history_lacks(const struct mirror *mirror, const json_t *shas, bool *lacks,
                   struct hp_error *err)
{
    static const char *const argv[] = {"cat-file", "--batch-check=%(objecttype)", NULL};
    HP_BUFFER struct hp_buffer input = {0};
    size_t i;
    json_t *sha;
    json_array_foreach (shas, i, sha) {
        if (!hp_buffer_printf(&input, "%s\n", json_string_value(sha)))
            return hp_fail(err, HP_SYSTEM, "out of memory");
    }
    *lacks = false;
    if (input.size == 0)
        return true;
    struct git_call call = {.folder = mirror->folder,
                            .argv = argv,
                            .input = input.data,
                            .input_size = input.size,
                            .output_limit = WALK_LIMIT,
                            .timeout_s = WALK_TIMEOUT_S};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!git_run(mirror->state, &call, &outcome, err))
        return false;
    *lacks = strstr(hp_buffer_text(&outcome.out), " missing\n") != NULL;
    return true;
}

json_t *history_line(const struct mirror *mirror, const char *tip, const json_t *known,
                     const json_t *watch, int max, struct hp_error *err)
{
    enum { FIXED = 5, WATCH_ROOM = 64 };
    HP_BUFFER struct hp_buffer input = {0};
    if (!hp_buffer_printf(&input, "%s\n", tip) || !add_known(&input, known))
        return out_of_memory(err);
    HP_FREE char *most = hp_format("--max-count=%d", max);
    if (!most)
        return out_of_memory(err);
    const char *argv[FIXED + 1 + WATCH_ROOM + 1] = {"rev-list", "--ignore-missing",
                                                    "--first-parent", most, "--stdin"};
    size_t n = FIXED, i;
    json_t *path;
    if (json_array_size(watch) > 0)
        argv[n++] = "--";
    json_array_foreach (watch, i, path) {
        if (i >= WATCH_ROOM) {
            hp_fail(err, HP_LIMIT, "more than %d watched paths", WATCH_ROOM);
            return NULL;
        }
        argv[n++] = json_string_value(path);
    }
    return walk(mirror, argv, &input, err);
}

/* The NUL-separated output of git log, token by token. */
struct reader {
    const char *at, *end;
};

static const char *next_token(struct reader *r)
{
    if (r->at >= r->end)
        return NULL;
    const char *token = r->at;
    r->at += strlen(token) + 1; /* the buffer ends with a NUL byte */
    return token;
}

/* ":100644 …" in front of each path; the first of a commit has a line break before it. */
static bool at_path(const struct reader *r)
{
    return r->at < r->end && (*r->at == ':' || (*r->at == '\n' && r->at[1] == ':'));
}

static json_t *split_parents(const char *text)
{
    json_t *parents = json_array();
    while (*text) {
        size_t length = strcspn(text, " ");
        json_array_append_new(parents, json_stringn(text, length));
        text += length + (text[length] == ' ');
    }
    return parents;
}

/* A path is in a folder of `watch`, or is a file of it. */
static bool in_watch(const json_t *watch, const char *path)
{
    size_t i;
    json_t *entry;
    json_array_foreach (watch, i, entry) {
        const char *text = json_string_value(entry);
        size_t length = strlen(text);
        while (length > 0 && text[length - 1] == '/')
            length--;
        if (strncmp(path, text, length) == 0 &&
            (path[length] == '/' || (path[length] == '\0' && text[length] == '\0')))
            return true;
    }
    return false;
}

static json_t *read_paths(struct reader *r, const json_t *watch, bool *watched)
{
    json_t *paths = json_array();
    *watched = json_array_size(watch) == 0;
    while (at_path(r)) {
        next_token(r);
        const char *path = next_token(r);
        *watched = *watched || (path && in_watch(watch, path));
        if (path && json_array_size(paths) < HISTORY_PATHS)
            json_array_append_new(paths, hp_json_bytes(path, strlen(path)));
    }
    return paths;
}

static json_t *clip_text(const char *text, size_t limit)
{
    size_t length = strlen(text);
    return hp_json_bytes(text, length < limit ? length : limit);
}

/* The commit that git revert says it takes back; "" for none. */
static void find_revert(const char *body, char sha[GIT_SHA_TEXT])
{
    static const char words[] = "This reverts commit ";
    const char *found = strstr(body, words);
    const char *name = found ? found + sizeof words - 1 : "";
    size_t digits = strspn(name, "0123456789abcdef");
    sha[0] = '\0';
    if (digits == 40 || digits == 64)
        snprintf(sha, GIT_SHA_TEXT, "%.*s", (int)digits, name);
}

static json_t *read_commit(struct reader *r, const json_t *watch)
{
    enum { SHA, PARENTS, AUTHOR, EMAIL, TIME, SUBJECT, BODY, FIELDS };
    const char *field[FIELDS];
    for (size_t i = 0; i < FIELDS; i++)
        if (!(field[i] = next_token(r)))
            return NULL;
    long long seconds = strtoll(field[TIME], NULL, 10);
    seconds = seconds < 0 ? 0 : seconds > TIME_MAX ? TIME_MAX : seconds;
    bool watched;
    json_t *paths = read_paths(r, watch, &watched);
    char says[GIT_SHA_TEXT];
    find_revert(field[BODY], says);
    return json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:s*}", "sha", field[SHA], "parents",
                     split_parents(field[PARENTS]), "author", clip_text(field[AUTHOR], 255),
                     "email", clip_text(field[EMAIL], 255), "time", (json_int_t)seconds, "subject",
                     clip_text(field[SUBJECT], 900), "paths", paths, "watched", watched, "says",
                     says[0] ? says : NULL);
}

json_t *history_read(const struct mirror *mirror, const json_t *shas, size_t first, size_t count,
                     const json_t *watch, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer input = {0};
    for (size_t i = first; i < first + count; i++)
        if (!hp_buffer_printf(&input, "%s\n", json_string_value(json_array_get(shas, i))))
            return out_of_memory(err);
    /* --raw: each path stands behind a token that starts with a colon, so no path can be taken for
     * the name of the next commit. */
    static const char *const argv[] = {"log",
                                       "--stdin",
                                       "--no-walk=unsorted",
                                       "-z",
                                       "--format=%H%x00%P%x00%an%x00%ae%x00%ct%x00%s%x00%b",
                                       "--raw",
                                       "--abbrev=4",
                                       "--no-renames",
                                       "--no-ext-diff",
                                       "--diff-merges=first-parent",
                                       NULL};
    struct git_call call = {.folder = mirror->folder,
                            .argv = argv,
                            .input = input.data,
                            .input_size = input.size,
                            .output_limit = WALK_LIMIT,
                            .timeout_s = WALK_TIMEOUT_S};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!git_run(mirror->state, &call, &outcome, err))
        return NULL;
    struct reader r = {outcome.out.data, outcome.out.data + outcome.out.size};
    HP_JSON json_t *commits = json_array();
    while (r.at < r.end) {
        json_t *commit = read_commit(&r, watch);
        if (!commit || json_array_append_new(commits, commit) != 0) {
            hp_fail(err, HP_INTERNAL, "git log printed what is not understood");
            return NULL;
        }
    }
    if (json_array_size(commits) != count) {
        hp_fail(err, HP_INTERNAL, "git log printed %zu commits instead of %zu",
                json_array_size(commits), count);
        return NULL;
    }
    return hp_take(commits);
}
