/* Server-sent events, as a client over the network gets them. */
#include "collector/auth.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const double PATIENCE_S = 20;

/* One stream: what came so far, without the marks of chunks. */
struct client {
    int fd;
    struct hp_buffer raw, text;
    size_t decoded; /* of raw */
    bool headers, over;
};

/* The first part of what is asked: path and headers. */
static void open_stream(struct client *c, const char *query, const char *headers)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)collector_port())};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ck_assert(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0);
    HP_FREE char *request =
        hp_format("GET /api/v1/events%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: "
                  "text/event-stream\r\n%s\r\n",
                  query, collector_port(), headers);
    ck_assert(hp_write_all(c->fd, request, strlen(request)));
}

static void close_stream(struct client *c)
{
    close(c->fd);
    hp_buffer_clear(&c->raw);
    hp_buffer_clear(&c->text);
}

/* Takes the headers, then whole chunks, out of what came. */
static void decode(struct client *c)
{
    const char *end = strstr(hp_buffer_text(&c->raw), "\r\n\r\n");
    if (!c->headers && end) {
        hp_buffer_append(&c->text, c->raw.data, (size_t)(end + 4 - c->raw.data));
        c->decoded = c->text.size;
        c->headers = true;
    }
    while (c->headers) {
        const char *at = hp_buffer_text(&c->raw) + c->decoded;
        const char *line = strstr(at, "\r\n");
        size_t size = strtoul(at, NULL, 16), left = c->raw.size - c->decoded;
        if (!line || (size_t)(line - at) + 2 + size + 2 > left)
            break;
        hp_buffer_append(&c->text, line + 2, size);
        c->decoded += (size_t)(line - at) + 2 + size + 2;
        c->over = c->over || size == 0;
    }
}

/* Reads until the text holds `wanted`, the stream is over or patience is; whether it does. */
static bool reads(struct client *c, const char *wanted, double seconds)
{
    double until = hp_monotonic_s() + seconds;
    while (!(*wanted && strstr(hp_buffer_text(&c->text), wanted)) && !c->over) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        double left = until - hp_monotonic_s();
        char bytes[4096];
        if (left <= 0 || poll(&p, 1, (int)(left * 1000) + 1) <= 0)
            break;
        ssize_t n = read(c->fd, bytes, sizeof bytes);
        if (n <= 0) {
            c->over = true;
            break;
        }
        hp_buffer_append(&c->raw, bytes, (size_t)n);
        decode(c);
    }
    return *wanted && strstr(hp_buffer_text(&c->text), wanted) != NULL;
}

#define EXPECT(client, wanted)                                                  \
    ck_assert_msg(reads(client, wanted, PATIENCE_S), "no '%s' in:\n%s", wanted, \
                  hp_buffer_text(&(client)->text))

/* The last id that the client was given, as text; "" for none. */
static const char *last_id(const struct client *c)
{
    static char id[32];
    id[0] = '\0';
    for (const char *at = hp_buffer_text(&c->text); (at = strstr(at, "\nid: ")); at++)
        snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 5, "\n"), at + 5);
    return id;
}

static size_t count(const struct client *c, const char *text)
{
    size_t n = 0;
    for (const char *at = hp_buffer_text(&c->text); (at = strstr(at, text)); at++)
        n++;
    return n;
}

static const char *bearer(const char *token)
{
    static char header[160];
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\n", token);
    return header;
}

static void progress(const json_t *job, int done)
{
    char path[80];
    HP_JSON json_t *body =
        json_pack("{s:I, s:s, s:i, s:i, s:s}", "fence", (json_int_t)hp_json_int(job, "fence", 0),
                  "stage", "measure", "done", done, "total", 9, "text", "a workload");
    snprintf(path, sizeof path, "/api/v1/jobs/%lld/progress",
             (long long)hp_json_int(job, "job", 0));
    ck_assert_int_eq(collector_ask("POST", path, body, NULL), 200);
}

static void deliver(const json_t *job)
{
    HP_JSON json_t *result = failed_result(job);
    HP_FREE char *path = hp_format("/api/v1/runs/%s", hp_json_string(result, "run", ""));
    ck_assert_int_eq(collector_ask("PUT", path, result, NULL), 201);
}

/* Nobody will send a better one: the job does not wait for the end of its lease. */
START_TEST(a_refused_result_ends_the_attempt)
{
    static const char *const states[] = {"queued", "queued", "dead"};
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "the first");
    collector_start(NULL);
    suite_applied(repository);
    for (int i = 0; i < 3; i++) {
        HP_JSON json_t *job = claim("w");
        HP_JSON json_t *result = failed_result(job);
        HP_JSON json_t *state = NULL;
        HP_FREE char *run = hp_format("/api/v1/runs/%s", hp_json_string(result, "run", ""));
        HP_FREE char *path = hp_format("/api/v1/jobs/%lld", (long long)hp_json_int(job, "job", 0));
        json_object_set_new(result, "status", json_string("splendid"));
        json_t *stale = json_copy(result);
        json_object_set_new(stale, "fence", json_integer(hp_json_int(job, "fence", 0) + 1));
        ck_assert_int_eq(collector_ask("PUT", run, stale, NULL), 422);
        json_decref(stale);
        ck_assert_int_eq(collector_ask("GET", path, NULL, &state), 200);
        ck_assert_str_eq(hp_json_string(state, "state", ""), "running");
        json_decref(hp_take(state));
        ck_assert_int_eq(collector_ask("PUT", run, result, NULL), 422);
        ck_assert_int_eq(collector_ask("GET", path, NULL, &state), 200);
        ck_assert_str_eq(hp_json_string(state, "state", ""), states[i]);
        const char *reason = hp_json_string(state, "reason", "");
        HP_FREE char *attempt = hp_format("of runner w was refused (attempt %d of 3): ", i + 1);
        ck_assert_msg(strstr(reason, attempt) && strstr(reason, " at /status"), "%s", reason);
    }
}
END_TEST

/* The life of a job, event by event; then what a client missed that was cut off. */
START_TEST(a_job_from_push_to_result)
{
    struct client c, again;
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "the first");
    collector_start(NULL);
    suite_applied(repository);
    const char *token = collector_token("read", "reader");
    open_stream(&c, "", bearer(token));
    EXPECT(&c, "event: ready\n");
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&c.text), "HTTP/1.1 200"));
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&c.text), "Content-Type: text/event-stream\r\n"));
    ck_assert_ptr_nonnull(strstr(hp_buffer_text(&c.text), "Cache-Control: no-store\r\n"));
    ck_assert_uint_eq(count(&c, "event: job"), 0); /* what was before is no news */

    HP_JSON json_t *job = claim("w");
    EXPECT(&c, "\"state\" : \"running\"");
    progress(job, 4);
    EXPECT(&c, "\"done\" : 4");
    ck_assert_uint_eq(count(&c, "event: job"), 2);
    progress(job, 4); /* a sign of life, and no news */
    char id[32];
    reads(&c, "", 1.5);
    ck_assert_uint_eq(count(&c, "event: job"), 2);
    snprintf(id, sizeof id, "%s", last_id(&c));
    ck_assert_str_ne(id, "");
    close_stream(&c);

    progress(job, 7);
    deliver(job);
    HP_FREE char *header = hp_format("%sLast-Event-ID: %s\r\n", bearer(token), id);
    open_stream(&again, "", header);
    EXPECT(&again, "\"state\" : \"done\"");
    reads(&again, "", 1.5);
    ck_assert_uint_eq(count(&again, "\"state\" : \"done\""), 1); /* its last state, once */
    ck_assert_ptr_null(strstr(hp_buffer_text(&again.text), "event: reset"));
    close_stream(&again);

    /* The same by a parameter, after a restart: the id is the database's. */
    ck_assert_int_eq(collector_stop(), 0);
    collector_start(NULL);
    HP_FREE char *query = hp_format("?after=%s", id);
    open_stream(&again, query, bearer(token));
    EXPECT(&again, "\"state\" : \"done\"");
    close_stream(&again);
    collector_stop();
}
END_TEST

/* A browser's cookie is enough; ids that are none, or of another database, say: ask anew. */
START_TEST(by_cookie_and_with_strange_ids)
{
    struct client c;
    collector_start(NULL);
    store_ask("hakperf_owner",
              "INSERT INTO store.session (hash, scope, expires) VALUES "
              "(encode(sha256('abcd'), 'hex'), 'read', now() + interval '1 hour')");
    static const char *const ids[] = {"9223372036854775000", "-1", "x1", "99999999999999999999999"};
    for (size_t i = 0; i < 4; i++) {
        HP_FREE char *header =
            hp_format("Cookie: " AUTH_COOKIE "=abcd\r\nLast-Event-ID: %s\r\n", ids[i]);
        open_stream(&c, "", header);
        EXPECT(&c, "event: reset\n");
        ck_assert(last_id(&c)[0] != '\0');
        close_stream(&c);
    }
    open_stream(&c, "", "");
    EXPECT(&c, "HTTP/1.1 401");
    close_stream(&c);
    ck_assert_str_eq(collector_error("GET", "/api/v1/events?after=x", NULL), "usage");
    ck_assert_str_eq(collector_error("GET", "/api/v1/events?repository=none", NULL), "not_found");
    collector_stop();
}
END_TEST

/* So many and no more; the end of one makes room, and the end of the service ends all at once. */
START_TEST(streams_are_counted)
{
    struct client c[3];
    const char *const arguments[] = {"--event-streams", "2", NULL};
    collector_start(arguments);
    const char *token = collector_token("read", "reader");
    for (int i = 0; i < 2; i++) {
        open_stream(&c[i], "", bearer(token));
        EXPECT(&c[i], "event: ready\n");
    }
    open_stream(&c[2], "", bearer(token));
    EXPECT(&c[2], "HTTP/1.1 503");
    EXPECT(&c[2], "Retry-After:");
    close_stream(&c[2]);
    close_stream(&c[1]);
    double until = hp_monotonic_s() + PATIENCE_S;
    for (bool room = false; !room;) {
        ck_assert_double_lt(hp_monotonic_s(), until);
        open_stream(&c[1], "", bearer(token));
        room = reads(&c[1], "event: ready\n", 2);
        if (!room)
            close_stream(&c[1]);
    }
    double begin = hp_monotonic_s();
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert_double_lt(hp_monotonic_s() - begin, 10);
    for (int i = 0; i < 2; i++) {
        reads(&c[i], "", 5);
        ck_assert(c[i].over);
        close_stream(&c[i]);
    }
}
END_TEST

/* Only one repository's jobs where one is named; a sign of life where nothing happens. */
START_TEST(one_repository_and_silence)
{
    struct client named, all;
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "the first");
    collector_start(NULL);
    suite_applied(repository);
    store_ask("hakperf_owner", "INSERT INTO store.repository (name, url) VALUES ('other', 'x')");
    const char *token = collector_token("read", "reader");
    open_stream(&named, "?repository=other", bearer(token));
    EXPECT(&named, "event: ready\n");
    open_stream(&all, "", bearer(token));
    EXPECT(&all, "event: ready\n");
    HP_JSON json_t *job = claim("w");
    ck_assert_ptr_nonnull(job);
    EXPECT(&all, "event: job\n");
    EXPECT(&named, "\n: \n");
    ck_assert_uint_eq(count(&named, "event: job"), 0);
    ck_assert_str_eq(last_id(&named), last_id(&all));
    close_stream(&named);
    close_stream(&all);
    collector_stop();
}
END_TEST

HP_SUITE(collector_events)
{
    Suite *s = suite_create("collector_events");
    TCase *t = tcase_create("streams");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_add_test(t, a_refused_result_ends_the_attempt);
    tcase_add_test(t, a_job_from_push_to_result);
    tcase_add_test(t, by_cookie_and_with_strange_ids);
    tcase_add_test(t, streams_are_counted);
    tcase_add_test(t, one_repository_and_silence);
    suite_add_tcase(s, t);
    return s;
}
