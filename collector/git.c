#include "collector/git.h"

#include "common/cleanup.h"
#include "common/state.h"

#include <string.h>

static volatile int cancelled;

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

bool git_prepare(const char *state, struct hp_error *err)
{
    HP_FREE char *folder = hp_format("%s/mirrors", state);
    HP_FREE char *path = config_path(state);
    if (!folder || !path)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return hp_make_dirs(folder, 0700, err) &&
           hp_file_replace(path, configuration, sizeof configuration - 1, 0600, err);
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
                                 "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
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
        .stdout_fd = call->stdout_fd,
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
