/* What one client, one repository and one address may take. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)collector_port())};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

/* Sends one byte after the other, slowly; how long the other side bore it. */
static double drip(const char *start, char byte)
{
    int fd = connect_to();
    double begin = hp_monotonic_s();
    ck_assert(hp_write_all(fd, start, strlen(start)));
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char got[64];
        if (poll(&p, 1, 200) > 0 && read(fd, got, sizeof got) <= 0)
            break;
        ck_assert_double_lt(hp_monotonic_s() - begin, 30);
        if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
            break;
    }
    close(fd);
    return hp_monotonic_s() - begin;
}

/* Neither a line, nor headers, nor a body that never end hold a place for long; not even behind a
 * first request that was whole. */
START_TEST(a_drop_now_and_then_is_no_request)
{
    const char *const arguments[] = {"--request-timeout", "2", NULL};
    collector_start(arguments);
    static const char *const starts[] = {
        "GET /",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /",
    };
    for (size_t i = 0; i < 3; i++) {
        double bore = drip(starts[i], 'a');
        ck_assert_msg(bore >= 1.5 && bore < 15, "%zu: %g", i, bore);
    }
    HP_FREE char *body = hp_format("POST /api/v1/jobs/claim HTTP/1.1\r\nHost: localhost\r\n"
                                   "Authorization: Bearer %s\r\nContent-Length: 60000\r\n\r\n{",
                                   collector_token("runner", "r"));
    double bore = drip(body, ' ');
    ck_assert_msg(bore >= 1.5 && bore < 15, "%g", bore);
    ck_assert_int_eq(collector_ask("GET", "/healthz", NULL, NULL), 200);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

/* Whom the audit log names for a request with that header. */
static const char *named(const char *token, const char *header)
{
    HP_FREE char *text =
        hp_format("POST /api/v1/login-links HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                  "%s\r\n%sContent-Length: 2\r\nConnection: close\r\n\r\n{}",
                  token, header);
    ck_assert_ptr_nonnull(strstr(collector_ask_raw(text), "HTTP/1.1 201"));
    return store_ask("hakperf_owner", "SELECT host(address::inet) FROM store.audit_log WHERE "
                                      "action = 'login link' ORDER BY id DESC LIMIT 1");
}

START_TEST(only_our_proxy_may_name_the_client)
{
    collector_start(NULL);
    const char *token = collector_token("admin", "a");
    ck_assert_str_eq(named(token, "X-Forwarded-For: 192.0.2.7\r\n"), "127.0.0.1");
    collector_stop();
    const char *const arguments[] = {"--trusted-proxy", "127.0.0.1, 192.0.2.1", NULL};
    collector_start(arguments);
    ck_assert_str_eq(named(token, ""), "127.0.0.1");
    ck_assert_str_eq(named(token, "X-Forwarded-For: 192.0.2.7\r\n"), "192.0.2.7");
    ck_assert_str_eq(named(token, "X-Forwarded-For: 2001:db8::1\r\n"), "2001:db8::1");
    /* What the client sent itself stands in front; a proxy of ours behind it. */
    ck_assert_str_eq(named(token, "X-Forwarded-For: 10.0.0.1, 192.0.2.7\r\n"), "192.0.2.7");
    ck_assert_str_eq(named(token, "X-Forwarded-For: 10.0.0.1, 192.0.2.7, 192.0.2.1\r\n"),
                     "192.0.2.7");
    ck_assert_str_eq(named(token, "X-Forwarded-For: nobody\r\n"), "127.0.0.1");
    collector_stop();
}
END_TEST

/* Over the network nobody registers what lies on this machine, unless its folder is named. */
START_TEST(repositories_of_this_machine_are_kept)
{
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    HP_JSON json_t *suite = suite_for(repository), *answer = NULL;
    collector_start(NULL);
    const char *token = collector_token("admin", "a");
    ck_assert_int_eq(collector_ask_as(token, "PUT", "/api/v1/suites", suite, &answer), 403);
    ck_assert_str_eq(hp_json_string(answer, "path", ""), "/repository/url");
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, NULL), 200);
    collector_stop();

    HP_FREE char *around = hp_format("/nowhere:%s", repository);
    *strrchr(around, '/') = '\0';
    const char *const named_folder[] = {"--local-repositories", around, NULL};
    collector_start(named_folder);
    ck_assert_int_eq(collector_ask_as(token, "PUT", "/api/v1/suites", suite, NULL), 200);
    HP_FREE char *dots = hp_format("file://%s/../../../etc", repository);
    json_object_set_new(json_object_get(suite, "repository"), "url", json_string(dots));
    ck_assert_int_eq(collector_ask("PUT", "/api/v1/suites", suite, NULL), 403);
    collector_stop();
}
END_TEST

START_TEST(one_repository_fills_its_own_queue_only)
{
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    const char *const arguments[] = {"--repository-queue-limit", "2", "--queue-limit", "50", NULL};
    collector_start(arguments);
    suite_applied(repository);
    char shas[3][65];
    for (int i = 0; i < 3; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i);
        snprintf(shas[i], 65, "%s", repo_commit(repository, "lib/a", text, "more"));
    }
    HP_JSON json_t *three = json_pack("{s:[s,s]}", "revs", shas[1], shas[2]);
    HP_JSON json_t *answer = NULL;
    collector_ask("POST", "/api/v1/repositories/r/look", NULL, NULL);
    long status = collector_ask("POST", "/api/v1/repositories/r/jobs", three, &answer);
    ck_assert_int_eq(status, 429);
    ck_assert_ptr_nonnull(strstr(hp_json_string(answer, "hint", ""), "--repository-queue-limit"));
    ck_assert_str_eq(store_ask("hakperf_owner", "SELECT count(*) <= 2 FROM store.job"), "t");
    collector_stop();
}
END_TEST

/* Beyond loopback one address has so many connections and no more. */
START_TEST(one_address_has_so_many_connections)
{
    const char *const arguments[] = {"--listen", "0.0.0.0:0", "--connections-per-address", "3",
                                     NULL};
    collector_start(arguments);
    int fds[6], open = 0;
    for (int i = 0; i < 6; i++) {
        static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        char got[16];
        struct pollfd p = {.fd = fds[i] = connect_to(), .events = POLLIN};
        send(fds[i], ask, sizeof ask - 1, MSG_NOSIGNAL);
        open += poll(&p, 1, 3000) > 0 && read(fds[i], got, sizeof got) > 0;
    }
    ck_assert_int_eq(open, 3);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    collector_stop();
}
END_TEST

HP_SUITE(collector_limits)
{
    Suite *s = suite_create("collector_limits");
    TCase *t = tcase_create("limits");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_add_test(t, a_drop_now_and_then_is_no_request);
    tcase_add_test(t, only_our_proxy_may_name_the_client);
    tcase_add_test(t, repositories_of_this_machine_are_kept);
    tcase_add_test(t, one_repository_fills_its_own_queue_only);
    tcase_add_test(t, one_address_has_so_many_connections);
    suite_add_tcase(s, t);
    return s;
}
