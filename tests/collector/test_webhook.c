/* What forges send: real signatures over the raw body, and everything that is not quite one. */
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/state.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char secret[] = "It's a Secret to Everybody";
static const char body[] = "{\"ref\":\"refs/heads/main\",  \"after\":\"x\"}";

static const char *folder(void)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/hooks", collector_state());
    return path;
}

static void write_secret(const char *name, const char *text, mode_t mode)
{
    struct hp_error err;
    struct stat st;
    char path[400];
    ck_assert(hp_state_make(collector_state(), "hooks", 0700, &err));
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    ck_assert(hp_file_replace(path, text, strlen(text), mode, &err));
    /* The collector drops root: it must own its secrets. */
    ck_assert_int_eq(stat(folder(), &st), 0);
    ck_assert_int_eq(chown(path, st.st_uid, st.st_gid), 0);
}

static const char *hex_of(const char *key, const char *text)
{
    static char hex[65];
    unsigned char mac[32];
    hp_hmac(key, strlen(key), text, strlen(text), mac);
    hp_hex(mac, sizeof mac, hex);
    return hex;
}

static const char *answer_to(const char *path, const char *headers, const char *text)
{
    HP_FREE char *all =
        hp_format("POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %zu\r\n"
                  "%sConnection: close\r\n\r\n%s",
                  path, collector_port(), strlen(text), headers, text);
    return collector_ask_raw(all);
}

static int status_to(const char *path, const char *headers, const char *text)
{
    int status = 0;
    sscanf(answer_to(path, headers, text), "HTTP/1.1 %d", &status);
    return status;
}

static int signed_by(const char *header, const char *value, const char *event)
{
    char headers[512];
    snprintf(headers, sizeof headers, "%s: %s\r\n%s", header, value, event);
    return status_to("/webhook/r", headers, body);
}

static void start(void)
{
    const char *const arguments[] = {"--webhook-secrets", folder(), NULL};
    write_secret("r", "It's a Secret to Everybody\n", 0600);
    collector_start(arguments);
}

/* GitHub's documentation gives this example of its signature. */
START_TEST(hmac_is_that_of_github)
{
    ck_assert_str_eq(hex_of(secret, "Hello, World!"),
                     "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}
END_TEST

START_TEST(signatures_of_every_forge_count)
{
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    start();
    suite_applied(repository);
    char github[80], bad[80];
    snprintf(github, sizeof github, "sha256=%s", hex_of(secret, body));
    snprintf(bad, sizeof bad, "%s", github);
    bad[70] = bad[70] == '0' ? '1' : '0';
    ck_assert_int_eq(signed_by("X-Hub-Signature-256", github, "X-GitHub-Event: push\r\n"), 200);
    ck_assert_int_eq(signed_by("X-Hub-Signature-256", bad, "X-GitHub-Event: push\r\n"), 401);
    ck_assert_int_eq(signed_by("X-Hub-Signature-256", github + 7, ""), 401);
    ck_assert_int_eq(signed_by("X-Hub-Signature", github, ""), 401);
    ck_assert_int_eq(signed_by("X-Gitea-Signature", github + 7, "X-Gitea-Event: push\r\n"), 200);
    ck_assert_int_eq(signed_by("X-Gitea-Signature", bad + 7, ""), 401);
    ck_assert_int_eq(signed_by("X-Forgejo-Signature", github + 7, "X-Forgejo-Event: push\r\n"),
                     200);
    ck_assert_int_eq(signed_by("X-Gitlab-Token", secret, "X-Gitlab-Event: Push Hook\r\n"), 200);
    ck_assert_int_eq(signed_by("X-Gitlab-Token", "It's a Secret", ""), 401);
    ck_assert_int_eq(signed_by("X-Gitlab-Token", "", ""), 401);
    /* One that is right beside one that is wrong. */
    char both[256];
    snprintf(both, sizeof both, "X-Gitea-Signature: %s\r\nX-Hub-Signature-256: %s\r\n", github + 7,
             bad);
    ck_assert_int_eq(status_to("/webhook/r", both, body), 401);
    /* The bytes as they came: one space less is another body. */
    snprintf(both, sizeof both, "X-Hub-Signature-256: %s\r\n", github);
    ck_assert_int_eq(
        status_to("/webhook/r", both, "{\"ref\":\"refs/heads/main\", \"after\":\"x\"}"), 401);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(a_push_is_a_look_and_a_replay_is_nothing)
{
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    start();
    suite_applied(repository);
    const char *sha = repo_commit(repository, "lib/a", "2", "two");
    char headers[256];
    snprintf(headers, sizeof headers, "X-GitHub-Event: ping\r\nX-Hub-Signature-256: sha256=%s\r\n",
             hex_of(secret, body));
    ck_assert_ptr_nonnull(strstr(answer_to("/webhook/r", headers, body), "\"looked\":false"));
    snprintf(headers, sizeof headers, "X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=%s\r\n",
             hex_of(secret, body));
    ck_assert_ptr_nonnull(strstr(answer_to("/webhook/r", headers, body), sha));
    ck_assert_ptr_nonnull(strstr(answer_to("/webhook/r", headers, body), "\"queued\":[]"));
    ck_assert_str_eq(store_ask("hakperf_owner", "SELECT count(*) FROM store.job"), "2");
    ck_assert_str_eq(
        store_ask("hakperf_owner", "SELECT count(*) FROM store.audit_log WHERE who = 'webhook'"),
        "2");
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

/* Repositories without a secret, names that leave the folder, a secret that others may read. */
START_TEST(no_secret_no_webhook)
{
    write_secret("open", "x", 0644);
    write_secret("empty", "\n", 0600);
    start();
    ck_assert_int_eq(status_to("/webhook/other", "X-Gitlab-Token: x\r\n", body), 404);
    ck_assert_int_eq(status_to("/webhook/..%2Fhooks%2Fr", "X-Gitlab-Token: x\r\n", body), 404);
    ck_assert_int_eq(status_to("/webhook/..", "X-Gitlab-Token: x\r\n", body), 404);
    ck_assert_int_eq(status_to("/webhook/open", "X-Gitlab-Token: x\r\n", body), 500);
    ck_assert_int_eq(status_to("/webhook/empty", "X-Gitlab-Token: \r\n", body), 500);
    ck_assert_int_eq(status_to("/webhook/r", "", body), 401);
    /* What is wrong with our files is for our log. */
    const char *said = collector_ask_raw("POST /webhook/open HTTP/1.1\r\nHost: localhost\r\n"
                                         "X-Gitlab-Token: x\r\nContent-Length: 2\r\n"
                                         "Connection: close\r\n\r\n{}");
    ck_assert_ptr_nonnull(strstr(said, "its log says why"));
    ck_assert_ptr_null(strstr(said, folder()));
    ck_assert_ptr_null(strstr(said, "chmod"));
    collector_stop();
    collector_start(NULL);
    ck_assert_int_eq(status_to("/webhook/r", "X-Gitlab-Token: x\r\n", body), 404);
    collector_stop();
}
END_TEST

/* GitLab's signing token: the key of the Standard Webhooks specification's example. */
START_TEST(a_signing_token_counts_for_five_minutes)
{
    start();
    write_secret("s", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0600);
    unsigned char key[32], mac[32], text[64];
    ck_assert_int_eq(
        EVP_DecodeBlock(key, (const unsigned char *)"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32), 24);
    const long long now = (long long)time(NULL);
    static const long long ages[] = {0, 290, 310, -310};
    for (size_t i = 0; i < 4; i++) {
        char headers[512];
        HP_FREE char *signed_text = hp_format("msg_1.%lld.%s", now - ages[i], body);
        hp_hmac(key, 24, signed_text, strlen(signed_text), mac);
        EVP_EncodeBlock(text, mac, sizeof mac);
        snprintf(headers, sizeof headers,
                 "webhook-id: msg_1\r\nwebhook-timestamp: %lld\r\nX-Gitlab-Event: Issue Hook\r\n"
                 "webhook-signature: v1,AAAA v1,%s\r\n",
                 now - ages[i], (const char *)text);
        ck_assert_msg(status_to("/webhook/s", headers, body) == (i < 2 ? 200 : 401), "%zu", i);
    }
    collector_stop();
}
END_TEST

HP_SUITE(collector_webhook)
{
    Suite *s = suite_create("collector_webhook");
    TCase *t = tcase_create("webhook");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, hmac_is_that_of_github);
    tcase_add_test(t, signatures_of_every_forge_count);
    tcase_add_test(t, a_push_is_a_look_and_a_replay_is_nothing);
    tcase_add_test(t, no_secret_no_webhook);
    tcase_add_test(t, a_signing_token_counts_for_five_minutes);
    suite_add_tcase(s, t);
    return s;
}
