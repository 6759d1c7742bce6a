/* The HTTP server: limits, errors, the page, long polls, and its end. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int status_of(const char *answer)
{
    int status = 0;
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

/* A request over TCP with a token, headers and body as they are. */
static const char *raw(const char *token, const char *start, const char *headers, const char *body)
{
    HP_FREE char *text = hp_format("%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                                   "Connection: close\r\n%s\r\n%s",
                                   start, token, headers, body);
    return collector_ask_raw(text);
}

/* Posts a body of that text with its length. */
static const char *post(const char *token, const char *start, const char *body)
{
    char length[64];
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
    return raw(token, start, length, body);
}

START_TEST(malformed_documents_are_refused)
{
    collector_start(NULL);
    const char *token = collector_token("admin", "a");
    static const struct {
        const char *body;
        int status;
    } bad[] = {
        {"", 422},
        {"{", 422},
        {"[]", 422},
        {"null", 422},
        {"{\"a\":1,\"a\":2}", 422},
        {"{\"a\":\"\\u0000\"}", 422},
        {"{} {}", 422},
        {"\xff\xfe", 422},
        {"{\"runner\":\"\",\"version\":\"1\"}", 422},
        {"{\"runner\":5,\"version\":\"1\"}", 422},
        {"{\"runner\":\"x\"}", 422},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *answer = post(token, "POST /api/v1/jobs/claim", bad[i].body);
        ck_assert_msg(status_of(answer) == bad[i].status && strstr(answer, "\"code\":\"invalid\""),
                      "%s: %s", bad[i].body, answer);
    }
    HP_BUFFER struct hp_buffer deep = {0};
    for (int i = 0; i < 20000; i++)
        hp_buffer_append(&deep, "[", 1);
    ck_assert_int_eq(status_of(post(token, "PUT /api/v1/suites", deep.data)), 422);
    ck_assert_int_eq(status_of(post(token, "PUT /api/v1/suites", "{\"format\":\"x\"}")), 422);
    ck_assert_int_eq(status_of(post(token, "GET /api/v1/jobs/1?limit", "x")), 413);
    ck_assert_int_eq(status_of(raw(token, "GET /%zz", "", "")), 400);
    const char *answer = raw(token, "GET /api/v1/alerts?owner=%ff", "", "");
    ck_assert_msg(status_of(answer) == 400 && strstr(answer, "not UTF-8"), "%s", answer);
    ck_assert_int_eq(status_of(raw(token, "GET /api/v1/repositories/%c3%28/log", "", "")), 400);
    ck_assert_int_eq(status_of(raw(token, "GET /api/v1/alerts?limit=0", "", "")), 400);
    ck_assert_int_eq(status_of(raw(token, "GET /api/v1/nothing", "", "")), 404);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(bodies_have_a_limit)
{
    collector_start(NULL);
    const char *token = collector_token("runner", "r");
    const char *start = "POST /api/v1/jobs/claim";
    ck_assert_int_eq(status_of(raw(token, start, "Content-Length: 65537\r\n", "")), 413);
    ck_assert_int_eq(
        status_of(raw(token, start, "Content-Length: 99999999999999999999999\r\n", "{}")) / 100, 4);
    ck_assert_int_eq(
        status_of(raw(token, "PUT /api/v1/runs/x", "Content-Length: 67108865\r\n", "")), 413);
    /* Without a length: read to the end, kept nowhere. */
    HP_BUFFER struct hp_buffer body = {0};
    for (int i = 0; i < 70; i++) {
        hp_buffer_printf(&body, "400\r\n%01024d\r\n", 0);
    }
    hp_buffer_printf(&body, "0\r\n\r\n");
    ck_assert_int_eq(status_of(raw(token, start, "Transfer-Encoding: chunked\r\n", body.data)),
                     413);
    ck_assert_int_eq(status_of(post(token, start, "{\"runner\":\"x\",\"version\":\"1\"}")), 204);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

/* So many parameters that MHD has no memory left to answer. */
START_TEST(a_flood_of_parameters_is_cut_off)
{
    collector_start(NULL);
    HP_BUFFER struct hp_buffer start = {0};
    hp_buffer_printf(&start, "GET /api/v1/status?");
    for (int i = 0; i < 1000; i++)
        hp_buffer_printf(&start, "a=1&");
    double begin = hp_monotonic_s();
    raw(collector_token("read", "r"), start.data, "", "");
    ck_assert_double_lt(hp_monotonic_s() - begin, 30); /* a silent one has longer */
    ck_assert_int_eq(collector_ask("GET", "/healthz", NULL, NULL), 200);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

/* A proxy in front might have understood where the body ends in another way. */
START_TEST(the_end_of_a_body_is_told_once)
{
    collector_start(NULL);
    const char *token = collector_token("runner", "r");
    static const char *const headers[] = {
        "Content-Length: 2\r\nContent-Length: 5\r\n",
        "Content-Length: 12\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        ck_assert_int_eq(
            status_of(raw(token, "POST /api/v1/jobs/claim", headers[i], "2\r\n{}\r\n0\r\n\r\n")),
            400);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(a_stranger_sends_no_body)
{
    collector_start(NULL);
    HP_FREE char *text = hp_format("PUT /api/v1/runs/x HTTP/1.1\r\nHost: localhost\r\n"
                                   "Content-Length: 1000000\r\n\r\n");
    ck_assert_int_eq(status_of(collector_ask_raw(text)), 401);
    const char *token = collector_token("read", "r");
    ck_assert_int_eq(status_of(raw(token, "PUT /api/v1/runs/x", "Content-Length: 1000000\r\n", "")),
                     403);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(methods_are_told)
{
    collector_start(NULL);
    const char *token = collector_token("admin", "a");
    const char *answer = raw(token, "PUT /api/v1/jobs/claim", "", "");
    ck_assert_int_eq(status_of(answer), 405);
    ck_assert_ptr_nonnull(strstr(answer, "Allow: GET, DELETE, POST\r\n"));
    ck_assert_int_eq(status_of(raw(token, "HEAD /api/v1/repositories", "", "")), 200);
    ck_assert_int_eq(status_of(raw(token, "BREW /healthz", "", "")), 405);
    answer = raw(token, "HEAD /api/v1/events", "", "");
    ck_assert(status_of(answer) == 200 && strstr(answer, "text/event-stream"));
    ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    collector_stop();
}
END_TEST

START_TEST(the_page_is_closed_to_foreign_code)
{
    collector_start(NULL);
    const char *token = collector_token("read", "r");
    char etag[64] = "", header[128];
    const char *answer = raw(token, "GET /", "", "");
    ck_assert_int_eq(status_of(answer), 200);
    static const char *const wanted[] = {
        "Content-Type: text/html", "default-src 'none'", "frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer"};
    for (size_t i = 0; i < 5; i++)
        ck_assert_msg(strstr(answer, wanted[i]), "%s", wanted[i]);
    ck_assert_ptr_null(strstr(answer, "unsafe"));
    ck_assert_int_eq(sscanf(strstr(answer, "ETag: "), "ETag: %63[^\r]", etag), 1);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
    ck_assert_int_eq(status_of(raw(token, "GET /", header, "")), 304);
    ck_assert_ptr_nonnull(strstr(raw(token, "GET /main.js", "", ""), "text/javascript"));
    static const char *const missing[] = {"GET /nothing.js", "GET /..%2Fmain.js", "GET /a/main.js",
                                          "GET /.done", "GET /apix"};
    for (size_t i = 0; i < 5; i++)
        ck_assert_msg(status_of(raw(token, missing[i], "", "")) == 404, "%s", missing[i]);
    collector_stop();
}
END_TEST

START_TEST(metrics_count)
{
    collector_start(NULL);
    const char *token = collector_token("read", "r");
    raw(token, "GET /healthz", "", "");
    raw(token, "GET /nothing", "", "");
    const char *text = raw(token, "GET /metrics", "", "");
    static const char *const wanted[] = {
        "hakperf_http_requests_total{route=\"GET /healthz\",status=\"200\"} 1\n",
        "hakperf_http_requests_total{route=\"GET /*\",status=\"404\"} 1\n",
        "hakperf_http_request_seconds_bucket{route=\"GET /healthz\",le=\"+Inf\"} 1\n",
        "hakperf_db_up 1\n",
        "hakperf_build_info{version=\"" HAKPERF_VERSION "\"} 1\n",
        "hakperf_outbox{state=\"waiting\"} 0\n",
        "hakperf_db_connections{state=\"limit\"} 15\n",
        "hakperf_results_total{outcome=\"stored\"} 0\n",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_msg(strstr(text, wanted[i]), "%s in %s", wanted[i], text);
    collector_stop();
}
END_TEST

/* --- the format of Prometheus, version 0.0.4, strictly ---------------------------------------- */

struct family {
    char name[96], type[16];
    bool helped, over; /* lines of another family followed */
};

static size_t name_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
}

/* `{name="value",…}` with its escapes; the end, NULL where it is malformed. */
static const char *skip_labels(const char *at)
{
    if (*at != '{')
        return at;
    do {
        at++;
        size_t n = name_length(at);
        if (n == 0 || (*at >= '0' && *at <= '9') || at[n] != '=' || at[n + 1] != '"')
            return NULL;
        for (at += n + 2; *at != '"'; at++) {
            if (*at == '\0' || *at == '\n')
                return NULL;
            if (*at == '\\' && !strchr("\\n\"", *++at))
                return NULL;
        }
        at++;
    } while (*at == ',');
    return *at == '}' ? at + 1 : NULL;
}

static struct family *family_of(struct family *families, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const struct family *f = &families[i];
        size_t n = strlen(f->name);
        bool histogram = strcmp(f->type, "histogram") == 0;
        if (strncmp(name, f->name, n) == 0 &&
            (name[n] == '\0' ||
             (histogram && (strcmp(name + n, "_bucket") == 0 || strcmp(name + n, "_sum") == 0 ||
                            strcmp(name + n, "_count") == 0))))
            return &families[i];
    }
    return NULL;
}

/* A line of HELP or TYPE: each family once, in this order, and all of its lines together. */
static void check_comment(const char *line, struct family *families, size_t *count)
{
    char what[8], name[96], rest[256] = "";
    ck_assert_msg(sscanf(line, "# %7s %95s %255[^\n]", what, name, rest) == 3, "%s", line);
    ck_assert_msg(name_length(name) == strlen(name), "%s", line);
    bool help = strcmp(what, "HELP") == 0, type = strcmp(what, "TYPE") == 0;
    ck_assert_msg(help || type, "%s", line);
    struct family *f = *count ? &families[*count - 1] : NULL;
    if (type && f && strcmp(f->name, name) == 0 && !f->type[0]) {
        snprintf(f->type, sizeof f->type, "%s", rest);
    } else {
        ck_assert_msg(help, "no HELP before: %s", line);
        for (size_t i = 0; i < *count; i++)
            ck_assert_msg(strcmp(families[i].name, name) != 0, "twice: %s", line);
        ck_assert_uint_lt(*count, 100);
        f = &families[(*count)++];
        *f = (struct family){.helped = true};
        snprintf(f->name, sizeof f->name, "%s", name);
    }
    ck_assert_msg(!type || strcmp(rest, "counter") == 0 || strcmp(rest, "gauge") == 0 ||
                      strcmp(rest, "histogram") == 0,
                  "%s", line);
}

static void check_sample(const char *line, struct family *families, size_t count)
{
    char name[96];
    size_t n = name_length(line);
    ck_assert_msg(n > 0 && n < sizeof name, "%s", line);
    snprintf(name, sizeof name, "%.*s", (int)n, line);
    const char *at = skip_labels(line + n);
    ck_assert_msg(at && *at == ' ', "%s", line);
    char *end;
    double value = strtod(at + 1, &end);
    ck_assert_msg(end != at + 1 && *end == '\0', "%s", line);
    struct family *f = family_of(families, count, name);
    ck_assert_msg(f && f->type[0] && f == &families[count - 1], "not with its family: %s", line);
    if (strcmp(f->type, "counter") == 0) {
        ck_assert_msg(value >= 0, "%s", line);
        ck_assert_msg(strcmp(name + n - 6, "_total") == 0, "a counter without _total: %s", line);
    }
}

/* Each line by itself, HELP and TYPE before the samples of a family, no sample twice. */
START_TEST(metrics_have_the_format_of_prometheus)
{
    static struct family families[100];
    size_t count = 0, samples = 0;
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    collector_start(NULL);
    suite_applied(repository);
    const char *token = collector_token("read", "r");
    const char *text = strstr(raw(token, "GET /metrics", "", ""), "\r\n\r\n");
    ck_assert_ptr_nonnull(text);
    HP_FREE char *copy = strdup(text + 4);
    ck_assert_int_eq(copy[strlen(copy) - 1], '\n');
    for (char *rest = copy, *line; (line = strsep(&rest, "\n")) && rest;) {
        if (*line == '#') {
            check_comment(line, families, &count);
            continue;
        }
        check_sample(line, families, count);
        samples++;
        char *value = strrchr(line, ' ');
        size_t n = (size_t)(value - line) + 1;
        for (const char *again = strstr(text, "\n"); again; again = strstr(again + 1, "\n"))
            ck_assert_msg(strncmp(again + 1, line, n) != 0 ||
                              (size_t)(again + 1 - (text + 4)) == (size_t)(line - copy),
                          "twice: %s", line);
    }
    ck_assert_uint_gt(samples, 40);
    collector_stop();
}
END_TEST

/* --- long polls
 * ------------------------------------------------------------------------------------ */

struct waiter {
    pthread_t thread;
    char server[128];
    long status;
    double took;
};

static void *wait_for_job(void *argument)
{
    struct waiter *w = argument;
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(w->server, NULL, &err);
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "runner", "w", "version", "1");
    HP_JSON json_t *answer = NULL;
    double begin = hp_monotonic_s();
    hp_http_json(http, "POST", "/api/v1/jobs/claim?wait=20", body, &answer, &w->status, &err);
    w->took = hp_monotonic_s() - begin;
    return NULL;
}

static void start_waiters(struct waiter *waiters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        waiters[i] = (struct waiter){0};
        snprintf(waiters[i].server, sizeof waiters[i].server, "unix:%s/run/collector.sock",
                 collector_state());
        ck_assert_int_eq(pthread_create(&waiters[i].thread, NULL, wait_for_job, &waiters[i]), 0);
    }
    hp_sleep_ms(500);
}

START_TEST(a_long_poll_ends_with_its_time)
{
    collector_start(NULL);
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "runner", "w", "version", "1");
    double begin = hp_monotonic_s();
    ck_assert_int_eq(collector_ask("POST", "/api/v1/jobs/claim?wait=1", body, NULL), 204);
    double took = hp_monotonic_s() - begin;
    ck_assert_msg(took >= 1 && took < 3, "%g", took);
    ck_assert_int_eq(collector_ask("POST", "/api/v1/jobs/claim?wait=31", body, NULL), 400);
    collector_stop();
}
END_TEST

/* More waiters than workers: the server answers others, and work goes to one of them at once. */
START_TEST(waiters_hold_nobody_up)
{
    enum { WAITERS = 20 };
    static struct waiter waiters[WAITERS];
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    collector_start(NULL);
    start_waiters(waiters, WAITERS);
    double begin = hp_monotonic_s();
    HP_JSON json_t *applied = suite_apply(repository);
    ck_assert_uint_eq(json_array_size(json_object_get(applied, "queued")), 1);
    hp_sleep_ms(1500);
    size_t got = 0;
    ck_assert_str_eq(
        store_ask("hakperf_owner", "SELECT count(*) FROM store.job WHERE state = 'running'"), "1");
    ck_assert_double_lt(hp_monotonic_s() - begin, 10);
    /* The end of the server answers those that still wait. */
    ck_assert_int_eq(collector_stop(), 0);
    for (size_t i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        ck_assert_msg(waiters[i].status == 200 || waiters[i].status == 204, "%ld",
                      waiters[i].status);
        got += waiters[i].status == 200;
        ck_assert_double_lt(waiters[i].took, 15);
    }
    ck_assert_uint_eq(got, 1);
}
END_TEST

/* A job is not given to a runner that hung up while it waited. */
START_TEST(a_waiter_that_hung_up_gets_nothing)
{
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    collector_start(NULL);
    const char *token = collector_token("runner", "r");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)collector_port())};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    HP_FREE char *text = hp_format("POST /api/v1/jobs/claim?wait=30 HTTP/1.1\r\nHost: localhost\r\n"
                                   "Authorization: Bearer %s\r\nContent-Length: 28\r\n\r\n"
                                   "{\"runner\":\"x\",\"version\":\"1\"}",
                                   token);
    ck_assert(hp_write_all(fd, text, strlen(text)));
    hp_sleep_ms(500);
    close(fd);
    suite_applied(repository);
    hp_sleep_ms(1500);
    ck_assert_str_eq(store_ask("hakperf_owner", "SELECT state FROM store.job"), "queued");
    HP_JSON json_t *job = claim("y");
    ck_assert_int_eq(hp_json_int(job, "attempt", 0), 1);
    collector_stop();
}
END_TEST

/* --- many, slow, and half requests
 * ------------------------------------------------------------------ */

START_TEST(idle_and_half_connections_do_no_harm)
{
    enum { MANY = 300 };
    int fds[MANY];
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    collector_start(NULL);
    snprintf(to.sun_path, sizeof to.sun_path, "%s/run/collector.sock", collector_state());
    for (int i = 0; i < MANY; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&to, sizeof to), 0);
        static const char half[] = "PUT /api/v1/runs/x HTTP/1.1\r\nHost: x\r\nContent-Length: 500"
                                   "\r\n\r\n{\"format\":";
        ck_assert(hp_write_all(fds[i], half, i % 3 == 0 ? 0 : i % 3 == 1 ? 20 : sizeof half - 1));
    }
    ck_assert_int_eq(collector_ask("GET", "/healthz", NULL, NULL), 200);
    ck_assert_int_eq(collector_ask("GET", "/readyz", NULL, NULL), 200);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

HP_SUITE(collector_http)
{
    Suite *s = suite_create("collector_http");
    TCase *t = tcase_create("http");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, malformed_documents_are_refused);
    tcase_add_test(t, bodies_have_a_limit);
    tcase_add_test(t, a_flood_of_parameters_is_cut_off);
    tcase_add_test(t, the_end_of_a_body_is_told_once);
    tcase_add_test(t, a_stranger_sends_no_body);
    tcase_add_test(t, methods_are_told);
    tcase_add_test(t, the_page_is_closed_to_foreign_code);
    tcase_add_test(t, metrics_count);
    tcase_add_test(t, metrics_have_the_format_of_prometheus);
    tcase_add_test(t, a_long_poll_ends_with_its_time);
    tcase_add_test(t, waiters_hold_nobody_up);
    tcase_add_test(t, a_waiter_that_hung_up_gets_nothing);
    tcase_add_test(t, idle_and_half_connections_do_no_harm);
    suite_add_tcase(s, t);
    return s;
}
