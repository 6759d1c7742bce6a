#include "cli/checkout.h"

#include "common/cleanup.h"
#include "common/process.h"

#include <limits.h>
#include <string.h>

#define GIT_SECONDS 10

/* First line of what git printed, NULL where it failed; the caller frees it. */
static char *git_line(const char *const *argv, const char *folder)
{
    struct hp_error ignored;
    struct hp_command command = {.argv = argv, .folder = folder, .timeout_s = GIT_SECONDS};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!hp_run_ok(&command, &outcome, &ignored))
        return NULL;
    const char *text = hp_buffer_text(&outcome.out);
    size_t n = strcspn(text, "\n");
    return n > 0 ? strndup(text, n) : NULL;
}

char *cli_checkout_resolve(const char *text)
{
    HP_FREE char *commit = hp_format("%s^{commit}", text);
    const char *argv[] = {"git",  "rev-parse", "--verify", "--quiet", "--end-of-options",
                          commit, NULL};
    return commit ? git_line(argv, NULL) : NULL;
}

static bool contains(const char *sha)
{
    HP_FREE char *commit = hp_format("%s^{commit}", sha);
    const char *argv[] = {"git", "cat-file", "-e", commit, NULL};
    struct hp_error ignored;
    struct hp_command command = {.argv = argv, .timeout_s = GIT_SECONDS};
    HP_OUTCOME struct hp_outcome outcome = {0};
    return sha[0] && commit && hp_run_ok(&command, &outcome, &ignored);
}

/* Two ways to write the same place: with or without a final slash or ".git". */
static bool same_place(const char *a, const char *b)
{
    char real_a[PATH_MAX], real_b[PATH_MAX];
    if (strncmp(a, "file://", 7) == 0)
        a += 7;
    if (strncmp(b, "file://", 7) == 0)
        b += 7;
    if (a[0] == '/' && b[0] == '/' && realpath(a, real_a) && realpath(b, real_b))
        return strcmp(real_a, real_b) == 0;
    size_t n = strlen(a), m = strlen(b);
    while (n > 0 && a[n - 1] == '/')
        n--;
    while (m > 0 && b[m - 1] == '/')
        m--;
    if (n > 4 && strncmp(a + n - 4, ".git", 4) == 0)
        n -= 4;
    if (m > 4 && strncmp(b + m - 4, ".git", 4) == 0)
        m -= 4;
    return n == m && n > 0 && strncmp(a, b, n) == 0;
}

static bool remote_is(const char *url)
{
    const char *argv[] = {"git", "config", "--get-regexp", "^remote\\..*\\.url$", NULL};
    struct hp_error ignored;
    struct hp_command command = {.argv = argv, .timeout_s = GIT_SECONDS};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!hp_run_ok(&command, &outcome, &ignored) || !outcome.out.data)
        return false;
    char *rest = outcome.out.data;
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *space = strchr(line, ' ');
        if (space && same_place(space + 1, url))
            return true;
    }
    return false;
}

bool cli_checkout_belongs(const char *url, const char *head)
{
    const char *top_argv[] = {"git", "rev-parse", "--show-toplevel", NULL};
    HP_FREE char *git = cli_git_folder(".");
    if (!git)
        return false;
    HP_FREE char *top = git_line(top_argv, NULL);
    return same_place(git, url) || (top && same_place(top, url)) || remote_is(url) ||
           contains(head);
}

char *cli_checkout_top(void)
{
    const char *argv[] = {"git", "rev-parse", "--show-toplevel", NULL};
    char *top = git_line(argv, NULL);
    return top ? top : cli_git_folder(".");
}

char *cli_checkout_subject(const char *sha)
{
    const char *argv[] = {"git", "log", "-1", "--format=%s", sha, NULL};
    return git_line(argv, NULL);
}

/* Someone else's repository is fine here: rev-parse runs nothing of it. */
char *cli_git_folder(const char *folder)
{
    const char *argv[] = {"git", "-c", "safe.directory=*", "rev-parse", "--absolute-git-dir", NULL};
    return git_line(argv, folder);
}

char *cli_hooks_folder(const char *folder)
{
    const char *argv[] = {"git",   "-c", "safe.directory=*", "rev-parse", "--git-path",
                          "hooks", NULL};
    char real[PATH_MAX];
    HP_FREE char *hooks = git_line(argv, folder);
    if (!hooks || hooks[0] == '/')
        return hp_take(hooks);
    return realpath(folder, real) ? hp_format("%s/%s", real, hooks) : NULL;
}
