/* Who may do what: every endpoint of the published table with every scope and none. */
#include "collector/auth.h"
#include "collector/route.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct endpoint {
    char method[8], path[160], scope[16];
};

/* Replaces every `from` in place; there is room. */
static void fill(char text[160], const char *from, const char *to)
{
    for (char *at; (at = strstr(text, from));) {
        char rest[160];
        snprintf(rest, sizeof rest, "%s", at + strlen(from));
        snprintf(at, (size_t)(text + 160 - at), "%s%s", to, rest);
    }
}

/* The rows "| `GET /path` | scope | …" of the endpoints, with names of nothing that exists. */
static size_t read_table(struct endpoint *rows, size_t room)
{
    HP_FILE FILE *f = fopen("common/wire/README.md", "r");
    ck_assert_ptr_nonnull(f);
    char line[4096];
    size_t n = 0;
    while (fgets(line, sizeof line, f) && n < room) {
        struct endpoint *e = &rows[n];
        if (sscanf(line, "| `%7[A-Z] %159[^`]`", e->method, e->path) != 2 ||
            sscanf(strchr(line + 1, '|'), "| %15[^ |]", e->scope) != 1)
            continue;
        e->path[strcspn(e->path, ",`")] = '\0';
        fill(e->path, "limit=20&before=SHA", "limit=20");
        fill(e->path, "REPO", "r");
        fill(e->path, "REV", "main");
        fill(e->path, "ID", "999");
        fill(e->path, "source/SHA", "source/0123456789012345678901234567890123456789");
        fill(e->path, "fence=N", "fence=1");
        fill(e->path, "SECONDS", "0");
        fill(e->path, "RUN", "b1a7c9de-0f35-4e5b-9a41-6d2c8e7f5a10");
        fill(e->path, "CODE", "0123");
        n++;
    }
    return n;
}

static bool admits(const char *needed, const char *held)
{
    if (strcmp(needed, "–") == 0)
        return true;
    return (auth_scopes(held) & (strcmp(needed, "read") == 0     ? SCOPE_READ
                                 : strcmp(needed, "submit") == 0 ? SCOPE_SUBMIT
                                 : strcmp(needed, "runner") == 0 ? SCOPE_RUNNER
                                                                 : SCOPE_ADMIN)) != 0;
}

static void check_endpoint(const struct endpoint *e, const char *scope, const char *token)
{
    bool open = strcmp(e->scope, "–") == 0;
    HP_JSON json_t *body = e->method[0] == 'P' ? json_object() : NULL; /* POST, PUT */
    HP_JSON json_t *answer = NULL;
    long status = collector_ask_as(token, e->method, e->path, body, &answer);
    const char *code = hp_json_string(answer, "code", "");
    if (strcmp(e->path, "/login?once=0123") == 0)
        ck_assert_int_eq(status, 401); /* a code that is none */
    else if (open || (token && admits(e->scope, scope)))
        ck_assert_msg(status != 401 && status != 403 && status != 500, "%s %s as %s: %ld %s",
                      e->method, e->path, scope, status, hp_json_string(answer, "message", ""));
    else if (!token && strcmp(e->path, "/") == 0)
        ck_assert_int_eq(status, 401); /* with a page for people */
    else
        ck_assert_msg(status == (token ? 403 : 401) && strcmp(code, "denied") == 0,
                      "%s %s as %s: %ld %s", e->method, e->path, scope, status, code);
}

START_TEST(every_endpoint_with_every_scope)
{
    static const char *const scopes[] = {"none", "read", "submit", "runner", "admin"};
    struct endpoint rows[64];
    size_t count = read_table(rows, 64);
    ck_assert_uint_eq(count, route_count);
    collector_start(NULL);
    for (size_t s = 0; s < 5; s++) {
        const char *token = s == 0 ? NULL : collector_token(scopes[s], scopes[s]);
        for (size_t i = 0; i < count; i++)
            check_endpoint(&rows[i], scopes[s], token);
    }
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(tokens_are_listed_and_revoked)
{
    collector_start(NULL);
    const char *token = collector_token("read", "reader"), *printed;
    ck_assert_int_eq(collector_ask_as(token, "GET", "/api/v1/repositories", NULL, NULL), 200);
    ck_assert_int_eq(collector_ask_as("hakperf_0", "GET", "/api/v1/repositories", NULL, NULL), 401);
    ck_assert_int_eq(collector_ask_as("", "GET", "/api/v1/repositories", NULL, NULL), 401);
    const char *const list[] = {"token", "list", "--json", NULL};
    ck_assert_int_eq(collector_run(list, true, &printed), 0);
    ck_assert_ptr_nonnull(strstr(printed, "\"reader\""));
    ck_assert_ptr_null(strstr(printed, token));
    ck_assert_str_eq(store_ask("hakperf_owner", "SELECT count(*) FROM store.token t WHERE "
                                                "t::text LIKE '%hakperf\\_%'"),
                     "0");
    const char *const again[] = {"token", "create", "--scope", "read", "--name", "reader", NULL};
    ck_assert_int_eq(collector_run(again, true, &printed), 3);
    const char *const revoke[] = {"token", "revoke", "reader", NULL};
    ck_assert_int_eq(collector_run(revoke, true, &printed), 0);
    ck_assert_int_eq(collector_run(revoke, true, &printed), 3);
    ck_assert_int_eq(collector_ask_as(token, "GET", "/api/v1/repositories", NULL, NULL), 401);
    const char *const bad[] = {"token", "create", "--scope", "root", "--name", "x", NULL};
    ck_assert_int_eq(collector_run(bad, true, &printed), 2);
    collector_stop();
}
END_TEST

/* A token file that was lost is written anew, and the lost token is worth nothing. */
START_TEST(a_lost_token_file_is_replaced)
{
    collector_start(NULL);
    HP_FREE char *file = hp_format("%s/run/a.token", collector_state());
    const char *const create[] = {"token", "create", "--scope", "runner", "--name",
                                  "local", "--file", file,      NULL};
    const char *printed;
    struct hp_error err;
    ck_assert_msg(collector_run(create, true, &printed) == 0, "%s", printed);
    HP_BUFFER struct hp_buffer first = {0}, second = {0};
    ck_assert(hp_file_read(file, 1000, &first, &err));
    ck_assert_int_eq(collector_run(create, true, &printed), 3);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_msg(collector_run(create, true, &printed) == 0, "%s", printed);
    ck_assert(hp_file_read(file, 1000, &second, &err));
    first.data[strcspn(first.data, "\n")] = '\0';
    second.data[strcspn(second.data, "\n")] = '\0';
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "runner", "x", "version", "1");
    ck_assert_int_eq(collector_ask_as(first.data, "POST", "/api/v1/jobs/claim", body, NULL), 401);
    ck_assert_int_eq(collector_ask_as(second.data, "POST", "/api/v1/jobs/claim", body, NULL), 204);
    collector_stop();
}
END_TEST

/* The value of our cookie in an answer; "" for none. */
static const char *cookie_of(const char *answer)
{
    static char value[80];
    const char *at = strstr(answer, "Set-Cookie: " AUTH_COOKIE "=");
    value[0] = '\0';
    if (at)
        sscanf(at + strlen("Set-Cookie: " AUTH_COOKIE "="), "%79[0-9a-f]", value);
    return value;
}

static const char *ask_with(const char *method, const char *path, const char *headers)
{
    HP_FREE char *text = hp_format("%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%sConnection: close\r\n"
                                   "\r\n",
                                   method, path, collector_port(), headers);
    return collector_ask_raw(text);
}

static int status_of(const char *answer)
{
    int status = 0;
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

START_TEST(a_link_logs_in_once)
{
    collector_start(NULL);
    const char *printed;
    const char *const link[] = {"login-link", NULL};
    ck_assert_msg(collector_run(link, true, &printed) == 0, "%s", printed);
    ck_assert_int_eq(strncmp(printed, collector_address(), strlen(collector_address())), 0);
    char path[160], headers[256], cookie[80];
    snprintf(path, sizeof path, "%.*s", (int)strcspn(printed + strlen(collector_address()), "\n"),
             printed + strlen(collector_address()));
    const char *answer = ask_with("GET", path, "");
    ck_assert_int_eq(status_of(answer), 303);
    ck_assert_ptr_nonnull(strstr(answer, "HttpOnly; SameSite=Strict"));
    ck_assert_ptr_nonnull(strstr(answer, "Location: /\r\n"));
    snprintf(cookie, sizeof cookie, "%s", cookie_of(answer));
    ck_assert_uint_eq(strlen(cookie), 64);
    ck_assert_int_eq(status_of(ask_with("GET", path, "")), 401);
    snprintf(headers, sizeof headers, "Cookie: other=1; %s=%s\r\n", AUTH_COOKIE, cookie);
    ck_assert_int_eq(status_of(ask_with("GET", "/", headers)), 200);
    ck_assert_int_eq(status_of(ask_with("GET", "/api/v1/repositories", headers)), 200);
    ck_assert_int_eq(status_of(ask_with("POST", "/api/v1/repositories/r/look", headers)), 403);
    ck_assert_int_eq(status_of(ask_with("GET", "/", "Cookie: " AUTH_COOKIE "=00\r\n")), 401);
    collector_stop();
}
END_TEST

/* A session that may change something is asked where the request comes from. */
START_TEST(other_sites_cannot_use_the_cookie)
{
    collector_start(NULL);
    char hash_sql[512], headers[512], origin[256];
    snprintf(hash_sql, sizeof hash_sql,
             "INSERT INTO store.session (hash, scope, expires) VALUES "
             "(encode(sha256('abcd'), 'hex'), 'admin', now() + interval '1 hour')");
    store_ask("hakperf_owner", hash_sql);
    const char *const path = "/api/v1/repositories/r/look";
    const char *cookie = "Cookie: " AUTH_COOKIE "=abcd\r\n";
    ck_assert_int_eq(status_of(ask_with("POST", path, cookie)), 403);
    snprintf(headers, sizeof headers, "%sOrigin: http://evil.example\r\n", cookie);
    ck_assert_int_eq(status_of(ask_with("POST", path, headers)), 403);
    snprintf(headers, sizeof headers, "%sOrigin: null\r\n", cookie);
    ck_assert_int_eq(status_of(ask_with("POST", path, headers)), 403);
    snprintf(origin, sizeof origin, "Origin: %s\r\n", collector_address());
    snprintf(headers, sizeof headers, "%s%s", cookie, origin);
    ck_assert_int_eq(status_of(ask_with("POST", path, headers)), 404);
    store_ask("hakperf_owner", "UPDATE store.session SET expires = now()");
    ck_assert_int_eq(status_of(ask_with("GET", "/", cookie)), 401);
    collector_stop();
}
END_TEST

/* A foreign page that resolves its own name to this machine. */
START_TEST(other_host_names_are_refused)
{
    collector_start(NULL);
    static const char *const bad[] = {"Host: evil.example\r\n", "Host: 127.0.0.1.evil.example\r\n",
                                      "Host: localhostx:80\r\n", ""};
    for (size_t i = 0; i < 4; i++) {
        HP_FREE char *text = hp_format("GET /healthz HTTP/1.%d\r\n%sConnection: close\r\n\r\n",
                                       i == 3 ? 0 : 1, bad[i]);
        ck_assert_msg(status_of(collector_ask_raw(text)) == 403 ||
                          strstr(collector_ask_raw(text), "\"denied\""),
                      "%s", bad[i]);
    }
    ck_assert_int_eq(status_of(collector_ask_raw("GET /healthz HTTP/1.1\r\nHost: LocalHost:1\r\n"
                                                 "Connection: close\r\n\r\n")),
                     200);
    collector_stop();
}
END_TEST

START_TEST(deeds_are_written_down)
{
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    collector_start(NULL);
    suite_applied(repository);
    const char *token = collector_token("submit", "ci");
    ck_assert_int_eq(collector_ask_as(token, "POST", "/api/v1/repositories/r/look", NULL, NULL),
                     200);
    char expected[128];
    snprintf(expected, sizeof expected,
             "uid %u: suite r; command line: token create ci; token ci: look r", getuid());
    ck_assert_str_eq(store_ask("hakperf_owner",
                               "SELECT string_agg(who || ': ' || action || ' ' || object, '; ' "
                               "ORDER BY id) FROM store.audit_log"),
                     expected);
    collector_stop();
}
END_TEST

/* What each endpoint that changes something is called in the audit log; those of runners, which
 * deliver what they were given, and the import, which has a test of its own, stay out. */
static const struct {
    const char *method, *path, *action;
} changes[] = {
    {"PUT", "/api/v1/suites", "suite"},
    {"POST", "/api/v1/repositories/{}/look", "look"},
    {"POST", "/api/v1/repositories/{}/jobs", "queue"},
    {"DELETE", "/api/v1/jobs/{}", "cancel"},
    {"POST", "/api/v1/jobs/{}/retry", "retry"},
    {"POST", "/api/v1/alerts/{}", "alert"},
    {"POST", "/api/v1/tokens", "token create"},
    {"DELETE", "/api/v1/tokens/{}", "token revoke"},
    {"POST", "/api/v1/login-links", "login link"},
    {"POST", "/api/v1/import", NULL},
    {"POST", "/webhook/{}", NULL}, /* likewise */
};

static const char *action_of(const struct route *route, bool *known)
{
    *known = false;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (strcmp(changes[i].method, route->method) == 0 &&
            strcmp(changes[i].path, route->path) == 0) {
            *known = true;
            return changes[i].action;
        }
    return NULL;
}

static void do_deed(const char *method, const char *path, json_t *body, long status)
{
    HP_JSON json_t *owned = body;
    HP_JSON json_t *answer = NULL;
    long got = collector_ask(method, path, owned, &answer);
    ck_assert_msg(got == status, "%s %s: %ld %s", method, path, got,
                  hp_json_string(answer, "message", ""));
}

START_TEST(every_change_is_written_down)
{
    const char *repository = repo_make();
    repo_commit(repository, "lib/a", "1", "one");
    collector_start(NULL);
    suite_applied(repository);
    char path[80];
    do_deed("POST", "/api/v1/repositories/r/look", NULL, 200);
    HP_JSON json_t *job = claim("w");
    HP_JSON json_t *result = failed_result(job);
    HP_FREE char *run = hp_format("/api/v1/runs/%s", hp_json_string(result, "run", ""));
    ck_assert_int_eq(collector_ask("PUT", run, result, NULL), 201);
    do_deed("POST", "/api/v1/repositories/r/jobs", json_pack("{s:[s]}", "revs", "main"), 200);
    snprintf(path, sizeof path, "/api/v1/jobs/%s",
             store_ask("hakperf_owner", "SELECT id FROM store.job WHERE state = 'queued'"));
    do_deed("DELETE", path, NULL, 200);
    strcat(path, "/retry");
    do_deed("POST", path, NULL, 200);
    store_ask("hakperf_owner",
              "WITH w AS (INSERT INTO store.workload (repository, name, hash) VALUES (1, 'w', "
              "repeat('0', 64)) RETURNING id), m AS (INSERT INTO store.metric (name, unit, better) "
              "VALUES ('m', 'u', 'higher') RETURNING id) INSERT INTO store.alert (repository, run, "
              "head, workload, metric, sentence, change, low, high) SELECT 1, u.id, u.head, w.id, "
              "m.id, 's', -0.1, -0.2, -0.05 FROM store.run u, w, m");
    snprintf(path, sizeof path, "/api/v1/alerts/%s",
             store_ask("hakperf_owner", "SELECT max(id) FROM store.alert"));
    do_deed("POST", path, json_pack("{s:s, s:s}", "action", "note", "note", "n"), 200);
    do_deed("POST", "/api/v1/tokens", json_pack("{s:s, s:s}", "name", "t", "scope", "read"), 201);
    do_deed("DELETE", "/api/v1/tokens/t", NULL, 200);
    do_deed("POST", "/api/v1/login-links", NULL, 201);
    for (const struct route *route = routes; route->method; route++) {
        bool known;
        const char *action = action_of(route, &known);
        if (strcmp(route->method, "GET") == 0 || route->scope == SCOPE_RUNNER)
            continue;
        ck_assert_msg(known, "who writes down %s %s?", route->method, route->path);
        HP_FREE char *sql = hp_format(
            "SELECT count(*) FROM store.audit_log WHERE action = '%s' AND who LIKE 'uid %%'",
            action ? action : "suite");
        ck_assert_msg(strcmp(store_ask("hakperf_owner", sql), "0") != 0, "%s", route->path);
    }
    collector_stop();
}
END_TEST

/* The same tokens by the API, with an end; a token cannot make another without scope admin. */
START_TEST(tokens_are_made_by_the_api_and_expire)
{
    collector_start(NULL);
    HP_JSON json_t *body =
        json_pack("{s:s, s:s, s:i}", "name", "t", "scope", "read", "expires_days", 1);
    HP_JSON json_t *made = NULL, *list = NULL, *deeds = NULL;
    ck_assert_int_eq(collector_ask("POST", "/api/v1/tokens", body, &made), 201);
    const char *token = hp_json_string(made, "token", "");
    ck_assert_int_eq(collector_ask_as(token, "GET", "/api/v1/repositories", NULL, NULL), 200);
    ck_assert_int_eq(collector_ask_as(token, "POST", "/api/v1/tokens", body, NULL), 403);
    ck_assert_int_eq(collector_ask("POST", "/api/v1/tokens", body, NULL), 409);
    store_ask("hakperf_owner", "UPDATE store.token SET expires = now() - interval '1 s'");
    ck_assert_int_eq(collector_ask_as(token, "GET", "/api/v1/repositories", NULL, NULL), 401);
    ck_assert_int_eq(collector_ask("POST", "/api/v1/tokens", body, NULL), 201);
    ck_assert_int_eq(collector_ask("DELETE", "/api/v1/tokens/t", NULL, NULL), 200);
    ck_assert_int_eq(collector_ask("DELETE", "/api/v1/tokens/t", NULL, NULL), 404);
    json_object_set_new(body, "expires_days", json_integer(-1));
    ck_assert_str_eq(collector_error("POST", "/api/v1/tokens", body), "usage");
    ck_assert_int_eq(collector_ask("GET", "/api/v1/tokens", NULL, &list), 200);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "tokens")), 2);
    ck_assert_int_eq(collector_ask("GET", "/api/v1/audit?limit=2", NULL, &deeds), 200);
    const json_t *entries = json_object_get(deeds, "entries");
    ck_assert_uint_eq(json_array_size(entries), 2);
    ck_assert_str_eq(hp_json_string(json_array_get(entries, 0), "action", ""), "token revoke");
    ck_assert_str_eq(hp_json_string(json_array_get(entries, 1), "action", ""), "token create");
    ck_assert_int_eq(hp_json_int(deeds, "next", 0),
                     hp_json_int(json_array_get(entries, 1), "id", -1));
    collector_stop();
}
END_TEST

START_TEST(reading_may_be_open_to_all)
{
    const char *const arguments[] = {"--anonymous-read", NULL};
    collector_start(arguments);
    ck_assert_int_eq(status_of(ask_with("GET", "/api/v1/repositories", "")), 200);
    ck_assert_int_eq(status_of(ask_with("GET", "/", "")), 200);
    ck_assert_int_eq(status_of(ask_with("GET", "/api/v1/audit", "")), 401);
    ck_assert_int_eq(status_of(ask_with("POST", "/api/v1/repositories/r/look", "")), 401);
    ck_assert_int_eq(collector_ask_as("wrong", "GET", "/api/v1/repositories", NULL, NULL), 401);
    collector_stop();
}
END_TEST

/* Whoever opens the page in a browser without a session is told how to get one. */
START_TEST(a_stranger_is_told_how_to_log_in)
{
    collector_start(NULL);
    const char *answer = ask_with("GET", "/", "Accept: text/html,*/*\r\n");
    ck_assert_int_eq(status_of(answer), 401);
    ck_assert_ptr_nonnull(strstr(answer, "hakperf login"));
    ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/html"));
    ck_assert_ptr_nonnull(strstr(answer, "Content-Security-Policy: default-src 'none'"));
    ck_assert_ptr_nonnull(
        strstr(ask_with("GET", "/api/v1/status", "Accept: text/html\r\n"), "\"denied\""));
    HP_JSON json_t *link = NULL;
    ck_assert_int_eq(collector_ask("POST", "/api/v1/login-links", NULL, &link), 201);
    const char *url = hp_json_string(link, "url", "");
    ck_assert_int_eq(status_of(ask_with("GET", url + strlen(collector_address()), "")), 303);
    collector_stop();
}
END_TEST

static int limited_after(const char *headers, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        const char *answer = ask_with("GET", "/api/v1/status", headers);
        if (status_of(answer) == 429) {
            ck_assert_ptr_nonnull(strstr(answer, "Retry-After: "));
            return (int)i;
        }
    }
    return -1;
}

/* Whoever guesses is stopped soon, whoever asks too often later; the socket is not limited. */
START_TEST(too_many_requests_are_refused)
{
    const char *const arguments[] = {"--rate-limit", "10", NULL};
    collector_start(arguments);
    int wrong = limited_after("Authorization: Bearer wrong\r\n", 40);
    ck_assert_msg(wrong >= 20 && wrong < 30, "%d", wrong);
    ck_assert_int_eq(status_of(ask_with("GET", "/healthz", "")), 200);
    ck_assert_int_eq(status_of(ask_with("GET", "/login?once=00", "")), 429);
    ck_assert_int_ge(limited_after("", 2000), 20);
    ck_assert_int_eq(collector_ask("GET", "/api/v1/status", NULL, NULL), 200);
    collector_stop();
}
END_TEST

HP_SUITE(collector_access)
{
    Suite *s = suite_create("collector_access");
    TCase *t = tcase_create("access");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, every_endpoint_with_every_scope);
    tcase_add_test(t, tokens_are_listed_and_revoked);
    tcase_add_test(t, a_lost_token_file_is_replaced);
    tcase_add_test(t, a_link_logs_in_once);
    tcase_add_test(t, other_sites_cannot_use_the_cookie);
    tcase_add_test(t, other_host_names_are_refused);
    tcase_add_test(t, deeds_are_written_down);
    tcase_add_test(t, every_change_is_written_down);
    tcase_add_test(t, tokens_are_made_by_the_api_and_expire);
    tcase_add_test(t, too_many_requests_are_refused);
    tcase_add_test(t, reading_may_be_open_to_all);
    tcase_add_test(t, a_stranger_is_told_how_to_log_in);
    suite_add_tcase(s, t);
    return s;
}
