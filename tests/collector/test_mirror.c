/* Mirrors of real repositories, made by git in a temporary folder. */
#include "collector/history.h"
#include "collector/mirror.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/mirror_fixture.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

START_TEST(follows_branches_tags_and_head)
{
    const char *one = commit("a", "1", "one");
    GIT("branch", "old");
    GIT("tag", "v1");
    const char *two = commit("a", "2", "two");
    fetch();
    char sha[GIT_SHA_TEXT];
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, two) == 0);
    ck_assert(resolve("HEAD", sha) == HP_OK && strcmp(sha, two) == 0);
    ck_assert(resolve("v1", sha) == HP_OK && strcmp(sha, one) == 0);
    ck_assert(resolve("main~1", sha) == HP_OK && strcmp(sha, one) == 0);
    HP_FREE char *head = mirror_head(&mirror);
    ck_assert_str_eq(head, "main");
    GIT("branch", "--delete", "--force", "old");
    GIT("branch", "--move", "main", "trunk");
    fetch();
    ck_assert_int_eq(resolve("old", sha), HP_NOT_FOUND);
    ck_assert_int_eq(resolve("main", sha), HP_NOT_FOUND);
    HP_FREE char *renamed = mirror_head(&mirror);
    ck_assert_str_eq(renamed, "trunk");
}
END_TEST

START_TEST(keeps_what_a_forced_push_drops)
{
    commit("a", "1", "one");
    const char *lost = commit("a", "2", "two");
    fetch();
    GIT("reset", "--quiet", "--hard", "HEAD~1");
    const char *other = commit("a", "3", "three");
    fetch();
    char sha[GIT_SHA_TEXT];
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, other) == 0);
    ck_assert(resolve(lost, sha) == HP_OK && strcmp(sha, lost) == 0);
}
END_TEST

START_TEST(refuses_revisions_that_are_options)
{
    commit("a", "1", "one");
    fetch();
    static const char *const bad[] = {"--all", "-h", "--output=/tmp/x", "", "a\nb", "\x01"};
    char sha[GIT_SHA_TEXT];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(resolve(bad[i], sha) == HP_USAGE, "%s", bad[i]);
    static const char *const unknown[] = {"nothing", "main~9", "HEAD:a", "main^{tree}",
                                          "0000000000000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        ck_assert_msg(resolve(unknown[i], sha) == HP_NOT_FOUND, "%s", unknown[i]);
}
END_TEST

START_TEST(refuses_odd_addresses)
{
    static const char *const bad[] = {"ext::sh -c touch% /tmp/x",
                                      "--upload-pack=x",
                                      "repo",
                                      "",
                                      "../x",
                                      "-x:y",
                                      "https\x01://a",
                                      "foo::bar",
                                      "ftp://h/x"};
    static const char *const good[] = {"/srv/git/x.git", "https://h/x", "ssh://g@h/x",
                                       "g@h:x.git",      "git://h/x",   "file:///x"};
    struct hp_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!mirror_check_url(bad[i], &err), "%s", bad[i]);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(mirror_check_url(good[i], &err), "%s", good[i]);
}
END_TEST

/* Beyond the check of the address: git itself would refuse the transport. */
START_TEST(git_allows_no_other_transport)
{
    HP_FREE char *mark = hp_format("%s/mark", folder);
    HP_FREE char *url = hp_format("ext::touch %s", mark);
    const char *const argv[] = {"ls-remote", url, NULL};
    struct git_call call = {.argv = argv, .timeout_s = 20};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err = {0};
    ck_assert(!git_run(state, &call, &outcome, &err));
    ck_assert_msg(strstr(err.message, "not allowed"), "%s", err.message);
    ck_assert(!exists(mark));
}
END_TEST

START_TEST(an_unreachable_repository_leaves_nothing)
{
    struct hp_error err = {0};
    HP_FREE char *nowhere = hp_format("%s/nowhere", folder);
    ck_assert(!mirror_fetch(&mirror, nowhere, &err));
    ck_assert_int_eq(err.code, HP_FAILED);
    ck_assert_msg(strstr(err.message, "does not appear to be a git repository"), "%s", err.message);
    ck_assert(!exists(mirror.folder));
    HP_FREE char *half = hp_format("%s.new", mirror.folder);
    ck_assert(!exists(half));
}
END_TEST

START_TEST(what_is_known_survives_an_outage)
{
    const char *one = commit("a", "1", "one");
    fetch();
    HP_FREE char *away = hp_format("%s.away", repository);
    ck_assert_int_eq(rename(repository, away), 0);
    struct hp_error err = {0};
    ck_assert(!mirror_fetch(&mirror, repository, &err));
    char sha[GIT_SHA_TEXT];
    ck_assert(resolve("main", sha) == HP_OK && strcmp(sha, one) == 0);
    ck_assert_int_eq(rename(away, repository), 0);
}
END_TEST

/* A folder and its branch names swapped: a/b where a was. */
START_TEST(branches_may_become_folders)
{
    commit("a", "1", "one");
    GIT("branch", "topic");
    fetch();
    GIT("branch", "--move", "topic", "topic/sub");
    fetch();
    MIRROR_TIPS struct mirror_tips tips = {0};
    struct hp_error err;
    ck_assert(mirror_tips(&mirror, &tips, &err));
    ck_assert_uint_eq(tips.count, 2);
    ck_assert_str_eq(tips.rows[0].branch, "main");
    ck_assert_str_eq(tips.rows[1].branch, "topic/sub");
}
END_TEST

/* What is built is what was committed, whatever its attributes say. */
START_TEST(the_archive_is_the_whole_tree)
{
    write_file(".gitattributes", "secret export-ignore\nstamp export-subst\n");
    write_file("secret", "hidden");
    const char *sha = commit("stamp", "$Format:%H$", "one");
    fetch();
    HP_FREE char *path = hp_format("%s/a.tar", folder);
    HP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct hp_error err = {0};
    ck_assert_msg(mirror_archive(&mirror, sha, fd, &err), "%s", err.message);
    HP_BUFFER struct hp_buffer tar = {0};
    ck_assert(hp_file_read(path, 1 << 20, &tar, &err));
    ck_assert_ptr_nonnull(memmem(tar.data, tar.size, "hidden", 6));
    ck_assert_ptr_nonnull(memmem(tar.data, tar.size, "$Format:%H$", 11));
    ck_assert(!mirror_archive(&mirror, "HEAD", fd, &err));
    ck_assert_int_eq(err.code, HP_USAGE);
}
END_TEST

/* --- history
 * --------------------------------------------------------------------------------------- */

static json_t *read_all(const json_t *watch)
{
    MIRROR_TIPS struct mirror_tips tips = {0};
    struct hp_error err = {0};
    HP_JSON json_t *none = json_array();
    ck_assert(mirror_tips(&mirror, &tips, &err));
    HP_JSON json_t *shas = history_unseen(&mirror, &tips, none, &err);
    ck_assert_msg(shas != NULL, "%s", err.message);
    json_t *commits = history_read(&mirror, shas, 0, json_array_size(shas), watch, &err);
    ck_assert_msg(commits != NULL, "%s", err.message);
    return commits;
}

static const json_t *with_subject(const json_t *commits, const char *subject)
{
    size_t i;
    json_t *c;
    json_array_foreach (commits, i, c)
        if (strcmp(hp_json_string(c, "subject", ""), subject) == 0)
            return c;
    ck_abort_msg("no commit '%s'", subject);
    return NULL;
}

static void check_paths(const json_t *commits, const char *subject, const char *wanted,
                        bool watched)
{
    const json_t *c = with_subject(commits, subject);
    HP_FREE char *paths = json_dumps(json_object_get(c, "paths"), JSON_COMPACT);
    ck_assert_str_eq(paths, wanted);
    ck_assert_msg(hp_json_bool(c, "watched", !watched) == watched, "%s", subject);
}

START_TEST(tells_what_each_commit_touched)
{
    commit("lib/a", "1", "root");
    commit("doc", "1", "doc");
    GIT("checkout", "--quiet", "-b", "side");
    commit("lib/b", "1", "side");
    commit("library", "1", "near miss");
    GIT("checkout", "--quiet", "main");
    commit("x\ty", "1", "odd name");
    GIT("commit", "--quiet", "--allow-empty", "--message", "empty");
    GIT("merge", "--quiet", "--no-ff", "--message", "merge", "side");
    fetch();
    HP_JSON json_t *watch = json_pack("[s]", "lib/");
    HP_JSON json_t *commits = read_all(watch);
    ck_assert_uint_eq(json_array_size(commits), 7);
    check_paths(commits, "root", "[\"lib/a\"]", true);
    check_paths(commits, "doc", "[\"doc\"]", false);
    check_paths(commits, "side", "[\"lib/b\"]", true);
    check_paths(commits, "near miss", "[\"library\"]", false);
    check_paths(commits, "odd name", "[\"x\\ty\"]", false);
    check_paths(commits, "empty", "[]", false);
    check_paths(commits, "merge", "[\"lib/b\",\"library\"]", true);
    const json_t *merge = with_subject(commits, "merge");
    ck_assert_uint_eq(json_array_size(json_object_get(merge, "parents")), 2);
    ck_assert_str_eq(hp_json_string(merge, "author", ""), "Té");
    ck_assert_str_eq(hp_json_string(json_array_get(commits, 0), "subject", ""), "root");
}
END_TEST

/* Nothing that a commit can hold makes the reader stumble or the text invalid. */
START_TEST(survives_strange_commits)
{
    commit("a", "1", "one");
    write_file("b", "2");
    GIT("add", "--all");
    GIT("-c", "user.name=\xff\xfe bad", "commit", "--quiet", "--message", "latin \xe9");
    commit("\xc3\x28", "3", "path");
    GIT("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message", "");
    fetch();
    HP_JSON json_t *commits = read_all(NULL);
    ck_assert_uint_eq(json_array_size(commits), 4);
    HP_FREE char *text = hp_json_text(commits);
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(strstr(text, "latin \xc3\xa9") && strstr(text, "\xef\xbf\xbd("), "%s", text);
    check_paths(commits, "", "[]", true);
}
END_TEST

static size_t line_length(const char *tip, const char *known, const char *watch, int most)
{
    struct hp_error err = {0};
    HP_JSON json_t *seen = known ? json_pack("[s]", known) : json_array();
    HP_JSON json_t *paths = watch ? json_pack("[s]", watch) : json_array();
    HP_JSON json_t *line = history_line(&mirror, tip, seen, paths, most, &err);
    ck_assert_msg(line != NULL, "%s", err.message);
    return json_array_size(line);
}

START_TEST(the_line_is_that_of_first_parents)
{
    const char *one = commit("lib/a", "1", "one");
    GIT("checkout", "--quiet", "-b", "side");
    commit("lib/b", "1", "side 1");
    commit("lib/b", "2", "side 2");
    GIT("checkout", "--quiet", "main");
    commit("doc", "1", "doc");
    GIT("merge", "--quiet", "--no-ff", "--message", "merge", "side");
    const char *tip = commit("lib/a", "2", "two");
    fetch();
    ck_assert_uint_eq(line_length(tip, NULL, NULL, 100), 4);
    ck_assert_uint_eq(line_length(tip, NULL, "lib/", 100), 3);
    ck_assert_uint_eq(line_length(tip, one, "lib/", 100), 2);
    ck_assert_uint_eq(line_length(tip, one, "lib/", 1), 1);
    ck_assert_uint_eq(line_length(tip, tip, "lib/", 100), 0);
    /* A tip that the mirror never had counts for nothing. */
    ck_assert_uint_eq(line_length(tip, "1111111111111111111111111111111111111111", "lib/", 100), 3);
    /* Paths are names and no patterns. */
    ck_assert_uint_eq(line_length(tip, NULL, "li*", 100), 0);
    ck_assert_uint_eq(line_length(tip, NULL, ":(top)", 100), 0);
}
END_TEST

START_TEST(a_cancelled_git_ends_at_once)
{
    struct hp_error err = {0};
    commit("a", "1", "one");
    git_cancel_all();
    ck_assert(!mirror_fetch(&mirror, repository, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    git_cancel_reset();
}
END_TEST

HP_SUITE(collector_mirror)
{
    Suite *s = suite_create("collector_mirror");
    TCase *t = tcase_create("mirror");
    tcase_add_checked_fixture(t, mirror_setup, mirror_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, follows_branches_tags_and_head);
    tcase_add_test(t, keeps_what_a_forced_push_drops);
    tcase_add_test(t, refuses_revisions_that_are_options);
    tcase_add_test(t, refuses_odd_addresses);
    tcase_add_test(t, git_allows_no_other_transport);
    tcase_add_test(t, an_unreachable_repository_leaves_nothing);
    tcase_add_test(t, what_is_known_survives_an_outage);
    tcase_add_test(t, branches_may_become_folders);
    tcase_add_test(t, the_archive_is_the_whole_tree);
    tcase_add_test(t, a_cancelled_git_ends_at_once);
    TCase *h = tcase_create("history");
    tcase_add_checked_fixture(h, mirror_setup, mirror_teardown);
    tcase_set_timeout(h, 60);
    tcase_add_test(h, tells_what_each_commit_touched);
    tcase_add_test(h, survives_strange_commits);
    tcase_add_test(h, the_line_is_that_of_first_parents);
    suite_add_tcase(s, t);
    suite_add_tcase(s, h);
    return s;
}
