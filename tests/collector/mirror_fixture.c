#include "tests/collector/mirror_fixture.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"
#include "tests/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char folder[64], state[96], repository[96];
struct mirror mirror;

const char *mirror_git(const char *const *arguments)
{
    static char text[65536];
    const char *argv[32] = {"git", "-c", "user.name=Té", "-c", "user.email=t@example.org"};
    size_t n = 5;
    for (; *arguments; arguments++)
        argv[n++] = *arguments;
    struct hp_command command = {.argv = argv, .folder = repository, .timeout_s = 60};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err;
    ck_assert_msg(hp_run(&command, &outcome, &err) && outcome.exit_code == 0, "git: %s",
                  hp_buffer_text(&outcome.err));
    snprintf(text, sizeof text, "%s", hp_buffer_text(&outcome.out));
    text[strcspn(text, "\n")] = '\0';
    return text;
}

void write_file(const char *name, const char *text)
{
    HP_FREE char *path = hp_format("%s/%s", repository, name);
    HP_FREE char *parent = strndup(path, (size_t)(strrchr(path, '/') - path));
    struct hp_error err;
    ck_assert(hp_make_dirs(parent, 0755, &err));
    ck_assert_msg(hp_file_replace(path, text, strlen(text), 0644, &err), "%s", err.message);
}

/* Makes a commit; its name, in static memory of the last eight. */
const char *commit(const char *name, const char *text, const char *subject)
{
    static char shas[8][GIT_SHA_TEXT];
    static size_t next;

    write_file(name, text);
    GIT("add", "--all");
    GIT("commit", "--quiet", "--allow-empty", "--message", subject);
    char *sha = shas[next++ % 8];
    snprintf(sha, GIT_SHA_TEXT, "%s", GIT("rev-parse", "HEAD"));
    return sha;
}

void mirror_setup(void)
{
    struct hp_error err;
    snprintf(folder, sizeof folder, "%s/mirror-XXXXXX", test_root());
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(state, sizeof state, "%s/state", folder);
    snprintf(repository, sizeof repository, "%s/repo", folder);
    ck_assert(hp_make_dirs(repository, 0755, &err));
    GIT("init", "--quiet", "--initial-branch=main");
    ck_assert_msg(git_prepare(state, NULL, &err), "%s", err.message);
    ck_assert(mirror_init(&mirror, state, "r", &err));
    git_cancel_reset();
}

void mirror_teardown(void)
{
    struct hp_error err;
    mirror_release(&mirror);
    ck_assert(hp_remove_tree(folder, &err));
}

void fetch(void)
{
    struct hp_error err = {0};
    ck_assert_msg(mirror_fetch(&mirror, repository, &err), "%s", err.message);
}

enum hp_code resolve(const char *rev, char sha[GIT_SHA_TEXT])
{
    struct hp_error err = {0};
    return mirror_resolve(&mirror, rev, sha, &err) ? HP_OK : err.code;
}

bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}
