/* hakperf hook install, hook remove: every push to a repository is announced to the collector. */
#include "cli/checkout.h"
#include "cli/hook.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/state.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define HOOK_LIMIT 65536
#define ASK_SECONDS 2

/* The hook's file: where it belongs, and what is there now. */
struct place {
    char *folder; /* of the hooks */
    char *path;
    char *git; /* git folder of the repository */
    struct hp_buffer present;
    bool exists;
};

static void place_clear(struct place *place)
{
    free(place->folder);
    free(place->path);
    free(place->git);
    hp_buffer_clear(&place->present);
}
#define PLACE __attribute__((cleanup(place_clear)))

static bool place_find(struct place *place, const char *folder, struct hp_error *err)
{
    place->folder = cli_hooks_folder(folder);
    place->git = cli_git_folder(folder);
    if (!place->folder || !place->git) {
        hp_fail(err, HP_NOT_FOUND, "%s is not a git repository", folder);
        return hp_error_hint(err, "Give the folder of the repository that is pushed to.");
    }
    place->path = hp_format("%s/post-receive", place->folder);
    if (!place->path)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    place->exists = hp_file_read(place->path, HOOK_LIMIT, &place->present, err);
    if (!place->exists && err->code != HP_NOT_FOUND)
        return false;
    *err = (struct hp_error){0};
    return true;
}

static bool is_ours(const struct place *place)
{
    return place->exists && cli_hook_is_ours(hp_buffer_text(&place->present));
}

/* The repository that the collector fetches from this folder; NULL if it knows none or is away. */
static char *known_as(const struct hp_values *values, const char *git)
{
    struct hp_error ignored = {0};
    CLI_SESSION struct cli_session session = {0};
    char real[PATH_MAX];
    if (!cli_session_open(&session, values, &ignored))
        return NULL;
    hp_http_timeout(session.http, ASK_SECONDS);
    HP_JSON json_t *answer = cli_get(&session, &ignored, "/api/v1/repositories");
    size_t i;
    const json_t *entry;
    json_array_foreach (json_object_get(answer, "repositories"), i, entry) {
        const char *url = hp_json_string(entry, "url", "");
        if (realpath(url, real) && strcmp(real, git) == 0)
            return strdup(hp_json_string(entry, "name", ""));
    }
    return NULL;
}

/* The folder's own name without ".git", where that is a repository's name by the schema. */
static char *named_by_folder(const char *git)
{
    HP_FREE char *copy = strdup(git);
    if (!copy)
        return NULL;
    size_t n = strlen(copy);
    if (n > 5 && strcmp(copy + n - 5, "/.git") == 0)
        copy[n - 5] = '\0';
    char *base = strrchr(copy, '/');
    base = base ? base + 1 : copy;
    n = strlen(base);
    if (n > 4 && strcmp(base + n - 4, ".git") == 0)
        base[n - 4] = '\0';
    for (const char *p = base; *p; p++)
        if (!isalnum((unsigned char)*p) && (p == base || !strchr("._-", *p)))
            return NULL;
    return *base && strlen(base) <= 64 ? strdup(base) : NULL;
}

static char *repository_name(const struct hp_values *values, const struct place *place,
                             struct hp_error *err)
{
    const char *chosen = hp_opt(values, "repository");
    if (chosen && chosen[0])
        return strdup(chosen);
    char *name = known_as(values, place->git);
    if (!name)
        name = named_by_folder(place->git);
    if (!name) {
        hp_fail(err, HP_USAGE, "cannot tell the repository's name from %s", place->git);
        hp_error_hint(err, "Give --repository NAME.");
    }
    return name;
}

/* The hook as it should be: it must work from anywhere, so that every path is absolute. */
static char *wanted(const struct hp_values *values, const char *name, struct hp_error *err)
{
    char token[PATH_MAX];
    const char *token_file = hp_opt(values, "token-file");
    HP_FREE char *folder = hp_program_folder(err);
    HP_FREE char *program = folder ? hp_format("%s/hakperf", folder) : NULL;
    HP_FREE char *server = cli_server(values, err);
    if (!program || !server)
        return NULL;
    if (token_file && !realpath(token_file, token)) {
        hp_fail_errno(err, "token file %s", token_file);
        return NULL;
    }
    const char *with_token = token_file ? "--token-file" : NULL;
    const char *options[] = {"--server", server, "--repository", name, with_token, token, NULL};
    char *text = cli_hook_text(program, options);
    if (!text)
        hp_fail(err, HP_SYSTEM, "out of memory");
    return text;
}

static bool foreign(const struct place *place, const char *name, struct hp_error *err)
{
    hp_fail(err, HP_CONFLICT, "%s exists and is not hakperf's", place->path);
    return hp_error_hint(err, "Call hakperf from it: hakperf queue --hook --repository %s",
                         name ? name : "NAME");
}

static int tell(const struct hp_values *values, const struct place *place, const char *name,
                const char *did)
{
    if (hp_opt_flag(values, "json")) {
        HP_JSON json_t *answer =
            json_pack("{s:s, s:s?, s:s}", "hook", place->path, "repository", name, "did", did);
        cli_print_json(answer);
    } else if (name) {
        printf("hook of repository %s %s: %s\n", name, did, place->path);
    } else {
        printf("hook %s: %s\n", did, place->path);
    }
    return HP_EXIT_OK;
}

int cli_hook_install(const struct hp_values *values)
{
    struct hp_error err = {0};
    PLACE struct place place = {0};
    const char *folder = hp_arg_count(values) > 0 ? hp_arg(values, 0) : ".";
    if (!place_find(&place, folder, &err))
        return cli_fail(values, &err);
    HP_FREE char *name = repository_name(values, &place, &err);
    HP_FREE char *text = name ? wanted(values, name, &err) : NULL;
    if (!text || (place.exists && !is_ours(&place) && !foreign(&place, name, &err)))
        return cli_fail(values, &err);
    if (place.exists && strcmp(hp_buffer_text(&place.present), text) == 0 &&
        access(place.path, X_OK) == 0)
        return tell(values, &place, name, "is there already");
    if (!hp_make_dirs(place.folder, 0755, &err) ||
        !hp_file_replace(place.path, text, strlen(text), 0755, &err))
        return cli_fail(values, &err);
    return tell(values, &place, name, place.exists ? "renewed" : "installed");
}

int cli_hook_remove(const struct hp_values *values)
{
    struct hp_error err = {0};
    PLACE struct place place = {0};
    const char *folder = hp_arg_count(values) > 0 ? hp_arg(values, 0) : ".";
    if (!place_find(&place, folder, &err))
        return cli_fail(values, &err);
    if (!place.exists)
        return tell(values, &place, NULL, "was not there");
    if (!is_ours(&place)) {
        hp_fail(&err, HP_CONFLICT, "%s is not hakperf's, it stays", place.path);
        return cli_fail(values, &err);
    }
    if (unlink(place.path) != 0) {
        hp_fail_errno(&err, "cannot remove %s", place.path);
        return cli_fail(values, &err);
    }
    return tell(values, &place, NULL, "removed");
}
