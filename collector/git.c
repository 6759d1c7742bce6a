#include "collector/git.h"

#include "common/cleanup.h"
#include "common/state.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile int cancelled;

static double fetch_timeout_s = 600;
static int64_t mirror_limit = (int64_t)10 << 30;

/* What git may do for the collector. `safe.directory` has to stand in this file: a local fetch runs
 * upload-pack in the other repository, which reads it from here and from no environment variable.
 * What is fetched belongs to strangers, hence fsck on arrival and no maintenance behind our back.
 */
static const char configuration[] = "# Written by hakperf-collector at every start.\n"
                                    "[safe]\n\tdirectory = *\n"
                                    "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n"
                                    "[protocol]\n\tallow = never\n"
                                    "[protocol \"file\"]\n\tallow = always\n"
                                    "[protocol \"git\"]\n\tallow = always\n"
                                    "[protocol \"http\"]\n\tallow = always\n"
                                    "[protocol \"https\"]\n\tallow = always\n"
                                    "[protocol \"ssh\"]\n\tallow = always\n"
                                    "[transfer]\n\tfsckObjects = true\n"
                                    "[fetch]\n\tfsckObjects = true\n\trecurseSubmodules = false\n"
                                    "\twriteCommitGraph = false\n"
                                    "[submodule]\n\trecurse = false\n"
                                    "[gc]\n\tauto = 0\n\tautoDetach = false\n"
                                    "[maintenance]\n\tauto = false\n"
                                    "[http]\n\tlowSpeedLimit = 1000\n\tlowSpeedTime = 30\n"
                                    "\tfollowRedirects = initial\n"
                                    "[log]\n\tshowRoot = true\n\tmailmap = false\n"
                                    "[init]\n\tdefaultBranch = main\n";

static char *config_path(const char *state)
{
    return hp_format("%s/mirrors/gitconfig", state);
}

/* A secret's file: there, a file, and nobody else's business. Its path stands between quotes of the
 * configuration and of a shell. */
static bool check_secret(const char *path, const char *what, struct hp_error *err)
{
    struct stat st;
    bool plain = *path == '/';
    for (const char *c = path; *c; c++)
        plain = plain && (unsigned char)*c >= ' ' && !strchr("'\"\\", *c);
    if (!plain) {
        hp_fail(err, HP_USAGE, "%s '%.200s' is not a plain absolute path", what, path);
        return hp_error_hint(err, "Quotes, backslashes and control characters cannot be used.");
    }
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, R_OK) != 0) {
        hp_fail(err, HP_USAGE, "%s %s cannot be read", what, path);
        return hp_error_hint(err, "It must be a file that the collector's own user may read.");
    }
    if ((st.st_mode & 077) != 0) {
        hp_fail(err, HP_USAGE, "%s %s may be read by others", what, path);
        return hp_error_hint(err, "Close it: chmod 600 %s", path);
    }
    return true;
}

/* The helper answers `get` and nothing else, so that a refused password stays in the file. */
static bool add_secrets(struct hp_buffer *text, const struct git_settings *settings,
                        struct hp_error *err)
{
    const char *file = settings->credentials, *key = settings->ssh_key;
    bool ok = hp_buffer_printf(text, "[core]\n\tsshCommand = \"ssh -oBatchMode=yes");
    if (key && *key)
        ok = ok && check_secret(key, "the key for ssh", err) &&
             hp_buffer_printf(text, " -oIdentitiesOnly=yes -i '%s'", key);
    ok = ok && hp_buffer_printf(text, "\"\n");
    if (ok && file && *file)
        ok = check_secret(file, "the file of credentials", err) &&
             hp_buffer_printf(text,
                              "[credential]\n\thelper = \"!f() { test \\\"$1\\\" != get || "
                              "exec git credential-store --file '%s' get; }; f\"\n",
                              file);
    if (!ok && err->code == HP_OK)
        hp_fail(err, HP_SYSTEM, "out of memory");
    return ok;
}

bool git_prepare(const char *state, const struct git_settings *settings, struct hp_error *err)
{
    static const struct git_settings defaults;
    HP_FREE char *folder = hp_format("%s/mirrors", state);
    HP_FREE char *path = config_path(state);
    HP_BUFFER struct hp_buffer text = {0};
    if (!settings)
        settings = &defaults;
    err->code = HP_OK;
    if (!folder || !path || !hp_buffer_append(&text, configuration, sizeof configuration - 1))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (settings->fetch_timeout_s > 0)
        fetch_timeout_s = settings->fetch_timeout_s;
    if (settings->mirror_limit > 0)
        mirror_limit = settings->mirror_limit;
    return add_secrets(&text, settings, err) && hp_make_dirs(folder, 0700, err) &&
           hp_file_replace(path, text.data, text.size, 0600, err);
}

double git_fetch_timeout(void)
{
    return fetch_timeout_s;
}

int64_t git_mirror_limit(void)
{
    return mirror_limit;
}

/* The lines of stderr that say what went wrong; git ends many messages with general advice. */
static void failure_text(const struct hp_outcome *outcome, char *out, size_t size)
{
    const char *line = hp_buffer_text(&outcome->err);
    const char *best = line;
    for (const char *at = line; *at; at = strchr(at, '\n') + 1) {
        if (strncmp(at, "fatal: ", 7) == 0 || strncmp(at, "error: ", 7) == 0) {
            best = at + 7;
            break;
        }
        if (!strchr(at, '\n'))
            break;
    }
    snprintf(out, size, "%.*s", (int)strcspn(best, "\n"), best);
    if (!*out)
        snprintf(out, size, "%s", hp_outcome_text(outcome));
}

static bool judge(const struct git_call *call, const struct hp_outcome *outcome,
                  struct hp_error *err)
{
    const char *verb = call->argv[0];
    if (outcome->cancelled)
        return hp_fail(err, HP_UNAVAILABLE, "git %s was ended: the collector stops", verb);
    if (outcome->timed_out)
        return hp_fail(err, HP_TIMEOUT, "git %s took longer than %.0f s", verb, call->timeout_s);
    if (outcome->exit_code != 0 && call->file_limit > 0 &&
        strstr(hp_buffer_text(&outcome->err), "File too large"))
        return hp_fail(err, HP_LIMIT, "git %s would store more than %lld MiB", verb,
                       (long long)(call->file_limit >> 20));
    if (outcome->exit_code != 0) {
        char text[512];
        failure_text(outcome, text, sizeof text);
        return hp_fail(err, HP_FAILED, "git %s: %s", verb, text);
    }
    if (outcome->truncated && call->stdout_fd <= 0)
        return hp_fail(err, HP_LIMIT, "git %s printed more than %zu bytes", verb,
                       call->output_limit);
    return true;
}

enum { ARGV_ROOM = 192, ENV_ROOM = 20 };

bool git_run(const char *state, const struct git_call *call, struct hp_outcome *outcome,
             struct hp_error *err)
{
    *outcome = (struct hp_outcome){0};
    const char *argv[ARGV_ROOM] = {"git"};
    for (size_t i = 0; call->argv[i]; i++) {
        if (i + 2 >= ARGV_ROOM)
            return hp_fail(err, HP_INTERNAL, "too many arguments for git");
        argv[i + 1] = call->argv[i];
    }
    HP_FREE char *config = hp_format("GIT_CONFIG_GLOBAL=%s/mirrors/gitconfig", state);
    HP_FREE char *home = hp_format("HOME=%s/mirrors", state);
    HP_FREE char *folder = call->folder ? hp_format("GIT_DIR=%s", call->folder) : NULL;
    HP_FREE char *path = hp_format("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    if (!config || !home || !path || (call->folder && !folder))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    const char *env[ENV_ROOM] = {config,
                                 home,
                                 path,
                                 "LC_ALL=C.UTF-8",
                                 "GIT_CONFIG_NOSYSTEM=1",
                                 "GIT_ATTR_NOSYSTEM=1",
                                 "GIT_TERMINAL_PROMPT=0",
                                 "GIT_ASKPASS=/bin/false",
                                 "SSH_ASKPASS=/bin/false",
                                 "GIT_NO_REPLACE_OBJECTS=1",
                                 "GIT_LITERAL_PATHSPECS=1",
                                 "GIT_OPTIONAL_LOCKS=0",
                                 folder};
    struct hp_command command = {
        .argv = argv,
        .env = env,
        .folder = "/",
        .input = call->input,
        .input_size = call->input_size,
        .timeout_s = call->timeout_s,
        .output_limit = call->output_limit,
        .stdin_fd = call->stdin_fd,
        .stdout_fd = call->stdout_fd,
        .file_limit = call->file_limit,
        .cancel = &cancelled,
    };
    if (!hp_run(&command, outcome, err)) {
        if (err->code == HP_NOT_FOUND)
            hp_error_hint(err, "The collector needs git: install the package git.");
        return false;
    }
    return judge(call, outcome, err);
}

void git_cancel_all(void)
{
    cancelled = 1;
}

void git_cancel_reset(void)
{
    cancelled = 0;
}

bool git_is_sha(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdef");
    return (digits == 40 || digits == 64) && text[digits] == '\0';
}
