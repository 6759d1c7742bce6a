/* The build cache: several processes on one key, what is kept when it is full, and damage. */
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/cache.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct hp_error err;

/* A built artifact of `kib` in FOLDER/NAME/x.so, and the entry that names it. */
static json_t *artifact(const char *name, size_t kib)
{
    char hash[HP_HASH_TEXT];
    size_t size = kib * 1024;
    HP_FREE char *bytes = malloc(size + 1);
    HP_FREE char *file = hp_format("%s/x.so", name);
    HP_FREE char *path = fx_path(file);
    memset(bytes, name[0], size);
    bytes[size] = '\0';
    fx_write(file, bytes, 0755);
    ck_assert(hp_hash_file(path, hash, &err));
    return json_pack("{s:s, s:[{s:s, s:s}]}", "artifact_hash", hash, "artifacts", "path", "x.so",
                     "hash", hash);
}

static void store(const char *key, const char *name, const json_t *entry)
{
    HP_FREE char *from = fx_path(name);
    ck_assert_msg(rn_cache_store(fx.runner.state, key, from, entry, &err), "%s", err.message);
}

static bool is_kept(const char *key)
{
    HP_FREE char *name = hp_format("state/runner/cache/%s/entry.json", key);
    return fx_exists(name);
}

/* Last used so many hours ago. */
static void used(const char *key, int hours_ago)
{
    const struct timespec then[2] = {{.tv_sec = time(NULL) - hours_ago * 3600},
                                     {.tv_sec = time(NULL) - hours_ago * 3600}};
    HP_FREE char *name = hp_format("state/runner/cache/%s/entry.json", key);
    HP_FREE char *path = fx_path(name);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, then, 0), 0);
}

/* One of several runners: stores, fetches and trims; 0 where it never saw half an entry. */
static int one_runner(const json_t *entry, int number)
{
    HP_FREE char *from = fx_path("a");
    HP_FREE char *into = hp_format("%s/into-%d", fx.folder, number);
    HP_FREE char *file = hp_format("%s/x.so", into);
    const char *wanted = hp_json_string(entry, "artifact_hash", "");
    if (!hp_make_dirs(into, 0755, &err))
        return 2;
    for (int i = 0; i < 25; i++) {
        char hash[HP_HASH_TEXT];
        if (!rn_cache_store(fx.runner.state, "same", from, entry, &err))
            return 3;
        HP_JSON json_t *got = rn_cache_fetch(fx.runner.state, "same", into);
        /* Another may have just trimmed it away; what is there is whole. */
        if (got && (!hp_hash_file(file, hash, &err) || strcmp(hash, wanted) != 0))
            return 4;
        rn_cache_trim(fx.runner.state, i % 5 == 4 ? 0 : 100);
    }
    return 0;
}

START_TEST(several_runners_on_one_key)
{
    pid_t runner[4];
    HP_JSON json_t *entry = artifact("a", 64);
    for (int i = 0; i < 4; i++) {
        runner[i] = fork();
        ck_assert_int_ge(runner[i], 0);
        if (runner[i] == 0)
            _exit(one_runner(entry, i));
    }
    for (int i = 0; i < 4; i++) {
        int status;
        ck_assert_int_eq(waitpid(runner[i], &status, 0), runner[i]);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "runner %d ended with %d", i,
                      WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    store("same", "a", entry);
    ck_assert(is_kept("same"));
    HP_FREE char *left = fx_output((const char *const[]){"ls", "state/runner/cache", NULL});
    ck_assert_str_eq(left, "same\n");
}
END_TEST

/* What was not used for longest goes first, down to the bound and no further; being used counts,
 * not being made. What a runner began and left is swept after a day. */
START_TEST(the_oldest_go_first)
{
    HP_JSON json_t *entry = artifact("a", 1024);
    HP_FREE char *into = fx_path("into");
    static const char *const keys[] = {"one", "two", "three", "four"};
    for (int i = 0; i < 4; i++) {
        store(keys[i], "a", entry);
        used(keys[i], 10 - i);
    }
    fx_write("state/runner/cache/tmp-1-old/files/x.so", "half", 0644);
    fx_write("state/runner/cache/tmp-2-young/files/x.so", "half", 0644);
    HP_FREE char *old = fx_path("state/runner/cache/tmp-1-old");
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    ck_assert_int_eq(utimensat(AT_FDCWD, old, long_ago, 0), 0);
    rn_cache_trim(fx.runner.state, 100);
    ck_assert(is_kept("one") && is_kept("two") && is_kept("three") && is_kept("four"));
    ck_assert(hp_make_dirs(into, 0755, &err));
    HP_JSON json_t *got = rn_cache_fetch(fx.runner.state, "one", into);
    ck_assert(got != NULL);
    rn_cache_trim(fx.runner.state, 3); /* 4 MiB and their entries are there */
    ck_assert(is_kept("one") && is_kept("four"));
    ck_assert(!is_kept("two") && !is_kept("three"));
    ck_assert(!fx_exists("state/runner/cache/tmp-1-old"));
    ck_assert(fx_exists("state/runner/cache/tmp-2-young"));
}
END_TEST

START_TEST(an_entry_that_was_tampered_with_counts_as_absent)
{
    HP_JSON json_t *entry = artifact("a", 16);
    HP_FREE char *into = fx_path("into");
    ck_assert(hp_make_dirs(into, 0755, &err));
    store("k", "a", entry);
    fx_write("state/runner/cache/k/files/x.so", "something else", 0755);
    HP_JSON json_t *got = rn_cache_fetch(fx.runner.state, "k", into);
    ck_assert(got == NULL);
    ck_assert(!is_kept("k"));
    store("k", "a", entry);
    fx_write("state/runner/cache/k/entry.json",
             "{\"artifacts\":[{\"path\":\"../../x\",\"hash\":\"\"}]}", 0644);
    HP_JSON json_t *out = rn_cache_fetch(fx.runner.state, "k", into);
    ck_assert(out == NULL);
}
END_TEST

HP_SUITE(runner_cache)
{
    Suite *s = suite_create("runner_cache");
    TCase *t = tcase_create("cache");
    tcase_add_checked_fixture(t, fx_open, fx_close);
    tcase_add_test(t, several_runners_on_one_key);
    tcase_add_test(t, the_oldest_go_first);
    tcase_add_test(t, an_entry_that_was_tampered_with_counts_as_absent);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    return s;
}
