/* Mirrors of repositories that are too large, too slow, hostile, damaged, or of another kind. */
#include "collector/history.h"
#include "collector/mirror.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/mirror_fixture.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void prepare(const struct git_settings *settings)
{
    struct hp_error err = {0};
    ck_assert_msg(git_prepare(state, settings, &err), "%s", err.message);
}

static enum hp_code refused(const char *url, const char *says)
{
    struct hp_error err = {0};
    ck_assert(!mirror_fetch(&mirror, url, &err));
    ck_assert_msg(strstr(err.message, says), "%s", err.message);
    return err.code;
}

/* A file that does not compress. */
static const char *commit_large(const char *name, size_t mib, const char *subject)
{
    size_t size = mib << 20;
    HP_FREE char *text = malloc(size + 1);
    unsigned x = 1;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (char)(33 + (x >> 24) % 90);
    }
    text[size] = '\0';
    return commit(name, text, subject);
}

static bool has_leftovers(void)
{
    HP_FREE char *pattern = hp_format("ls %s/objects/pack/tmp_* >/dev/null 2>&1", mirror.folder);
    return system(pattern) == 0;
}

START_TEST(a_huge_repository_is_refused_whole)
{
    prepare(&(struct git_settings){.mirror_limit = 2 << 20});
    commit_large("big", 6, "six MiB");
    ck_assert_int_eq(refused(repository, "takes more than 2 MiB"), HP_LIMIT);
    HP_FREE char *half = hp_format("%s.new", mirror.folder);
    ck_assert(!exists(mirror.folder) && !exists(half));
    prepare(&(struct git_settings){.mirror_limit = 64 << 20});
    fetch();
}
END_TEST

START_TEST(a_huge_push_leaves_what_was_there)
{
    char sha[GIT_SHA_TEXT];
    prepare(&(struct git_settings){.mirror_limit = 2 << 20});
    const char *one = commit("a", "1", "one");
    fetch();
    commit_large("big", 6, "six MiB");
    ck_assert_int_eq(refused(repository, "takes more than 2 MiB"), HP_LIMIT);
    ck_assert(!has_leftovers());
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, one) == 0);
    prepare(&(struct git_settings){.mirror_limit = 64 << 20});
    fetch();
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, one) != 0);
    /* It has grown beyond a limit that was set later. */
    prepare(&(struct git_settings){.mirror_limit = 1 << 20});
    ck_assert_int_eq(refused(repository, "takes more than 1 MiB"), HP_LIMIT);
}
END_TEST

/* A server that takes the connection and says nothing. */
START_TEST(a_silent_server_costs_the_time_limit)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    HP_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0 && listen(fd, 4) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    HP_FREE char *url = hp_format("git://127.0.0.1:%d/x", ntohs(at.sin_port));
    prepare(&(struct git_settings){.fetch_timeout_s = 1});
    ck_assert_int_eq(refused(url, "took longer than 1 s"), HP_TIMEOUT);
    ck_assert(!exists(mirror.folder));
}
END_TEST

/* Names of 64 digits all the way: branches, history, the archive. */
START_TEST(a_repository_of_sha256)
{
    struct hp_error err = {0};
    char sha[GIT_SHA_TEXT];
    ck_assert(hp_remove_tree(repository, &err) && hp_make_dirs(repository, 0755, &err));
    GIT("init", "--quiet", "--initial-branch=main", "--object-format=sha256");
    commit("a", "1", "one");
    const char *two = commit("a", "2", "two");
    fetch();
    ck_assert_uint_eq(strlen(two), 64);
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, two) == 0);
    MIRROR_TIPS struct mirror_tips tips = {0};
    HP_JSON json_t *none = json_array();
    ck_assert(mirror_tips(&mirror, &tips, &err));
    HP_JSON json_t *shas = history_unseen(&mirror, &tips, none, &err);
    ck_assert_uint_eq(json_array_size(shas), 2);
    HP_FREE char *path = hp_format("%s/a.tar", folder);
    HP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_msg(mirror_archive(&mirror, sha, fd, &err), "%s", err.message);
}
END_TEST

/* An empty repository names no kind; the first commit shows it. */
START_TEST(an_empty_repository_may_become_either)
{
    struct hp_error err = {0};
    char sha[GIT_SHA_TEXT];
    ck_assert(hp_remove_tree(repository, &err) && hp_make_dirs(repository, 0755, &err));
    GIT("init", "--quiet", "--initial-branch=main", "--object-format=sha256");
    mirror_fetch(&mirror, repository, &err);
    const char *one = commit("a", "1", "one");
    fetch();
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, one) == 0);
}
END_TEST

/* --- damage ------------------------------------------------------------------------------------
 */

static void shell(const char *format)
{
    HP_FREE char *command = hp_format("cd %s && %s", mirror.folder, format);
    ck_assert_msg(system(command) == 0, "%s", command);
}

START_TEST(a_mirror_without_objects_is_fetched_anew)
{
    char sha[GIT_SHA_TEXT];
    commit("a", "1", "one");
    fetch();
    shell("rm -rf objects/pack/* objects/??");
    const char *two = commit("a", "2", "two");
    fetch();
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, two) == 0);
    ck_assert(resolve("main~1", sha) == HP_OK);
    shell("rm HEAD");
    fetch();
    ck_assert(resolve("main", sha) == HP_OK);
    HP_FREE char *old = hp_format("%s.old", mirror.folder);
    ck_assert(!exists(old));
}
END_TEST

START_TEST(a_shallow_mirror_is_completed)
{
    char sha[GIT_SHA_TEXT];
    commit("a", "1", "one");
    commit("a", "2", "two");
    fetch();
    shell("rm -rf objects/pack/* objects/?? && git fetch -q --depth=1 file://$(readlink -f "
          "../../../repo) +refs/heads/*:refs/heads/* && test -f shallow");
    fetch();
    ck_assert(resolve("main~1", sha) == HP_OK);
}
END_TEST

/* A file of the tree that cannot be read is found when a runner wants the source. */
START_TEST(an_unreadable_source_repairs_the_mirror)
{
    struct hp_error err = {0};
    const char *sha = commit("a", "some text", "one");
    fetch();
    shell("for f in objects/pack/*.pack; do mv $f p && git unpack-objects -q <p && rm p; done; "
          "rm -f objects/pack/*; o=$(git rev-parse main:a); f=objects/$(echo $o | cut -c1-2)/"
          "$(echo $o | cut -c3-); chmod u+w $f; echo x >$f");
    HP_FREE char *path = hp_format("%s/a.tar", folder);
    HP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert(!mirror_archive(&mirror, sha, fd, &err));
    ck_assert_int_eq(err.code, HP_FAILED);
    fetch();
    err = (struct hp_error){0};
    ck_assert_msg(mirror_archive(&mirror, sha, fd, &err), "%s", err.message);
}
END_TEST

START_TEST(a_damaged_mirror_stays_while_nobody_answers)
{
    commit("a", "1", "one");
    fetch();
    shell("rm -rf objects/pack/* objects/??");
    HP_FREE char *away = hp_format("%s.away", repository);
    ck_assert_int_eq(rename(repository, away), 0);
    ck_assert_int_eq(refused(repository, "the mirror is damaged"), HP_FAILED);
    ck_assert(exists(mirror.folder));
    ck_assert_int_eq(rename(away, repository), 0);
    fetch();
}
END_TEST

/* --- what a repository or the environment may want ---------------------------------------------
 */

START_TEST(neither_hooks_nor_the_environment_decide)
{
    HP_FREE char *mark = hp_format("%s/mark", folder);
    HP_FREE char *hook = hp_format("#!/bin/sh\ntouch %s\nexec \"$@\"\n", mark);
    commit("a", "1", "one");
    write_file("hook", hook);
    GIT("config", "uploadpack.packObjectsHook", "./hook");
    fetch();
    ck_assert(!exists(mark));
    HP_FREE char *mine = hp_format("%s/hooks", mirror.folder);
    ck_assert_int_eq(mkdir(mine, 0755), 0);
    shell("cp ../../../repo/hook hooks/reference-transaction && chmod 755 "
          "hooks/reference-transaction ../../../repo/hook");
    commit("a", "2", "two");
    setenv("GIT_DIR", "/nonexistent", 1);
    setenv("GIT_CONFIG_COUNT", "1", 1);
    setenv("GIT_CONFIG_KEY_0", "core.hooksPath", 1);
    setenv("GIT_CONFIG_VALUE_0", mine, 1);
    setenv("GIT_PROXY_COMMAND", mark, 1);
    fetch();
    ck_assert(!exists(mark));
}
END_TEST

START_TEST(submodules_are_left_alone)
{
    HP_FREE char *mark = hp_format("%s/mark", folder);
    HP_FREE char *modules =
        hp_format("[submodule \"s\"]\n\tpath = s\n\turl = ext::touch %s\n", mark);
    write_file(".gitmodules", modules);
    const char *one = commit("a", "1", "one");
    HP_FREE char *link = hp_format("160000,%s,s", one);
    GIT("update-index", "--add", "--cacheinfo", link);
    GIT("commit", "--quiet", "--message", "link");
    fetch();
    ck_assert(!exists(mark));
    struct hp_error err = {0};
    char sha[GIT_SHA_TEXT];
    HP_FREE char *path = hp_format("%s/a.tar", folder);
    HP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert(resolve("main", sha) == HP_OK && mirror_archive(&mirror, sha, fd, &err));
    ck_assert(!exists(mark));
}
END_TEST

/* --- credentials -------------------------------------------------------------------------------
 */

static const char *secret_file(const char *text, mode_t mode)
{
    static char path[128];
    struct hp_error err;
    snprintf(path, sizeof path, "%s/secret", folder);
    ck_assert(hp_file_replace(path, text, strlen(text), mode, &err) && chmod(path, mode) == 0);
    return path;
}

static const char *credential(const char *verb, const char *input)
{
    static char text[512];
    const char *const argv[] = {"credential", verb, NULL};
    struct git_call call = {
        .argv = argv, .timeout_s = 20, .input = input, .input_size = strlen(input)};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err = {0};
    git_run(state, &call, &outcome, &err);
    snprintf(text, sizeof text, "%s", hp_buffer_text(&outcome.out));
    return text;
}

START_TEST(credentials_come_from_a_file_and_stay_there)
{
    static const char line[] = "https://robot:s3cret@git.example.org\n";
    const char *path = secret_file(line, 0600);
    prepare(&(struct git_settings){.credentials = path});
    ck_assert_ptr_nonnull(strstr(credential("fill", "protocol=https\nhost=git.example.org\n\n"),
                                 "password=s3cret\n"));
    ck_assert_ptr_null(strstr(credential("fill", "protocol=https\nhost=other\n\n"), "password"));
    /* A refused password is not forgotten, a new one not written. */
    credential("reject", "protocol=https\nhost=git.example.org\nusername=robot\n"
                         "password=s3cret\n\n");
    credential("approve", "protocol=https\nhost=a\nusername=b\npassword=c\n\n");
    struct hp_error err;
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert(hp_file_read(path, 1000, &text, &err));
    ck_assert_str_eq(text.data, line);
}
END_TEST

START_TEST(careless_secrets_are_refused)
{
    struct hp_error err = {0};
    struct git_settings open = {.credentials = secret_file("https://a:b@c\n", 0644)};
    ck_assert(!git_prepare(state, &open, &err));
    ck_assert_int_eq(err.code, HP_USAGE);
    ck_assert_msg(strstr(err.message, "may be read by others"), "%s", err.message);
    struct git_settings missing = {.ssh_key = "/nonexistent/key"};
    ck_assert(!git_prepare(state, &missing, &err));
    ck_assert_int_eq(err.code, HP_USAGE);
    struct git_settings quoted = {.ssh_key = "/tmp/a'; touch b; '"};
    ck_assert(!git_prepare(state, &quoted, &err));
    ck_assert_int_eq(err.code, HP_USAGE);
    static const char *const urls[] = {"https://me:pw@h/x", "ssh://me:pw@h/x"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert(!mirror_check_url(urls[i], &err));
        ck_assert_ptr_null(strstr(err.message, "pw"));
    }
    ck_assert(mirror_check_url("https://me@h:8443/x", &err));
    ck_assert(mirror_check_url("ssh://git@h:22/~me/x", &err));
}
END_TEST

HP_SUITE(mirror_trouble)
{
    Suite *s = suite_create("mirror_trouble");
    TCase *t = tcase_create("trouble");
    tcase_add_checked_fixture(t, mirror_setup, mirror_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_huge_repository_is_refused_whole);
    tcase_add_test(t, a_huge_push_leaves_what_was_there);
    tcase_add_test(t, a_silent_server_costs_the_time_limit);
    tcase_add_test(t, a_repository_of_sha256);
    tcase_add_test(t, an_empty_repository_may_become_either);
    tcase_add_test(t, a_mirror_without_objects_is_fetched_anew);
    tcase_add_test(t, a_shallow_mirror_is_completed);
    tcase_add_test(t, an_unreadable_source_repairs_the_mirror);
    tcase_add_test(t, a_damaged_mirror_stays_while_nobody_answers);
    tcase_add_test(t, neither_hooks_nor_the_environment_decide);
    tcase_add_test(t, submodules_are_left_alone);
    tcase_add_test(t, credentials_come_from_a_file_and_stay_there);
    tcase_add_test(t, careless_secrets_are_refused);
    suite_add_tcase(s, t);
    return s;
}
