/* The OpenAPI document against the program: every route in both directions, and real answers. */
#include "collector/ingest.h"
#include "collector/private_db.h"
#include "collector/route.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_schema.h"
#include "tests/collector/collector_fixture.h"
#include "tests/collector/golden.h"
#include "tests/suite.h"

#include <ctype.h>
#include <string.h>

static json_t *document(void)
{
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error err;
    ck_assert(hp_file_read("common/wire/openapi.json", 1 << 20, &text, &err));
    json_t *value = json_loads(hp_buffer_text(&text), JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(value);
    return value;
}

/* "/a/{name}/b" as the table of routes has it, "/a/{}/b"; how many there are. */
static size_t plain_path(const char *path, char out[160])
{
    size_t n = 0, names = 0;
    for (const char *c = path; *c; c++) {
        out[n++] = *c;
        if (*c == '{') {
            names++;
            c += strcspn(c, "}") - 1;
        }
    }
    out[n] = '\0';
    return names;
}

static const char *scope_name(unsigned scope)
{
    switch (scope) {
    case SCOPE_READ:
        return "read";
    case SCOPE_SUBMIT:
        return "submit";
    case SCOPE_RUNNER:
        return "runner";
    case SCOPE_ADMIN:
        return "admin";
    default:
        return "none";
    }
}

static const struct route *route_of(const char *method, const char *path)
{
    for (const struct route *route = routes; route->method; route++)
        if (strcasecmp(route->method, method) == 0 && strcmp(route->path, path) == 0)
            return route;
    return NULL;
}

static size_t path_parameters(const json_t *operation)
{
    size_t i, n = 0;
    const json_t *parameter;
    json_array_foreach (json_object_get(operation, "parameters"), i, parameter) {
        ck_assert(json_is_object(json_object_get(parameter, "schema")));
        n += strcmp(hp_json_string(parameter, "in", ""), "path") == 0;
    }
    return n;
}

/* The page's files are not part of the API; all else is told, and nothing that is not there. */
START_TEST(every_route_is_told_and_nothing_else)
{
    HP_JSON json_t *doc = document();
    size_t told = 0;
    const char *path, *method;
    json_t *methods, *operation;
    json_object_foreach (json_object_get(doc, "paths"), path, methods) {
        char plain[160];
        size_t names = plain_path(path, plain);
        json_object_foreach (methods, method, operation) {
            const struct route *route = route_of(method, plain);
            ck_assert_msg(route != NULL, "%s %s is told, but not served", method, path);
            ck_assert_msg(
                strcmp(hp_json_string(operation, "x-scope", ""), scope_name(route->scope)) == 0,
                "%s %s", method, path);
            ck_assert_uint_eq(path_parameters(operation), names);
            ck_assert_msg(!json_object_get(operation, "requestBody") || route->body_limit > 0,
                          "%s %s takes no body", method, path);
            told++;
        }
    }
    ck_assert_uint_eq(told, route_count - 1);
}
END_TEST

/* Whether the table of endpoints names a parameter of that operation: "?name=" or "&name=" in its
 * row; format is told for all tables together. */
static bool in_table(const char *table, const char *method, const char *path, const char *name)
{
    static const char *const words[][2] = {
        {"{repository}", "REPO"}, {"{rev}", "REV"}, {"{job}", "ID"},   {"{alert}", "ID"},
        {"{run}", "RUN"},         {"{sha}", "SHA"}, {"{name}", "NAME"}};
    char row[400], key[80];
    snprintf(row, sizeof row, "| `%s %s", method, path);
    for (char *c = row; *c && c < row + 3 + strlen(method); c++)
        *c = (char)toupper((unsigned char)*c);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (char *at; (at = strstr(row, words[i][0]));) {
            char rest[400];
            snprintf(rest, sizeof rest, "%s", at + strlen(words[i][0]));
            snprintf(at, (size_t)(row + sizeof row - at), "%s%s", words[i][1], rest);
        }
    for (const char *at = table; (at = strstr(at, row)); at++) {
        const char *end = at + strlen(row);
        if (*end != '?' && *end != '`')
            continue;
        size_t line = strcspn(at, "\n");
        HP_FREE char *text = strndup(at, line);
        snprintf(key, sizeof key, "?%s=", name);
        bool found = strstr(text, key) != NULL;
        key[0] = '&';
        return found || strstr(text, key) || strcmp(name, "format") == 0;
    }
    ck_abort_msg("the table of endpoints lacks %s", row);
}

/* Every query parameter stands in both, with its schema. */
START_TEST(query_parameters_are_told_twice)
{
    HP_JSON json_t *doc = document();
    HP_BUFFER struct hp_buffer table = {0};
    struct hp_error err;
    ck_assert(hp_file_read("common/wire/README.md", 1 << 20, &table, &err));
    const char *path, *method;
    json_t *methods, *operation, *parameter;
    size_t i, told = 0, written = 0;
    json_object_foreach (json_object_get(doc, "paths"), path, methods) {
        json_object_foreach (methods, method, operation) {
            json_array_foreach (json_object_get(operation, "parameters"), i, parameter) {
                const char *name = hp_json_string(parameter, "name", "");
                if (strcmp(hp_json_string(parameter, "in", ""), "query") != 0)
                    continue;
                ck_assert_msg(in_table(table.data, method, path, name), "%s %s: %s", method, path,
                              name);
                told += strcmp(name, "format") != 0;
            }
        }
    }
    /* And none stands only there. */
    for (const char *at = table.data; (at = strstr(at, "\n| `")); at += 4) {
        size_t end = strcspn(at + 4, "`");
        for (size_t c = 4; c < end + 4; c++)
            written += (at[c] == '?' || at[c] == '&') && strncmp(at + c + 1, "format=", 7) != 0;
    }
    ck_assert_uint_eq(told, written);
}
END_TEST

/* What goes wrong has the one body that is told for every other status. */
START_TEST(errors_are_what_is_told)
{
    HP_JSON json_t *doc = document();
    static const struct {
        const char *method, *path;
        long status;
    } asks[] = {
        {"GET", "/api/v1/jobs/999", 404},        {"GET", "/api/v1/nothing", 404},
        {"POST", "/api/v1/status", 405},         {"GET", "/api/v1/jobs?limit=0", 400},
        {"DELETE", "/api/v1/tokens/none", 404},  {"GET", "/api/v1/events?after=x", 400},
        {"PUT", "/api/v1/suites", 422},          {"POST", "/api/v1/jobs/999/retry", 404},
        {"POST", "/api/v1/import?name=x", 422},  {"GET", "/api/v1/repositories/x/export", 404},
        {"GET", "/api/v1/jobs/1/source/0", 400}, {"GET", "/api/v1/alerts/999", 404},
        {"GET", "/api/v1/audit?before=x", 400},  {"GET", "/api/v1/repositories/x/log", 404},
    };
    const json_t *error =
        json_object_get(json_object_get(json_object_get(doc, "components"), "schemas"), "Error");
    collector_start(NULL);
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct hp_error err = {0};
        HP_JSON json_t *body = asks[i].method[0] == 'P' ? json_object() : NULL;
        HP_JSON json_t *answer = NULL;
        long status = collector_ask(asks[i].method, asks[i].path, body, &answer);
        ck_assert_msg(status == asks[i].status, "%s: %ld", asks[i].path, status);
        ck_assert_msg(hp_schema_check(error, answer, &err), "%s: %s", asks[i].path, err.message);
    }
    collector_stop();
}
END_TEST

/* --- real answers -------------------------------------------------------------------------------
 */

/* The schema that a path tells for 200 or 201, with all schemas beside it, as our checker reads
 * references. */
static json_t *schema_of(const json_t *doc, const char *method, const char *path)
{
    const json_t *operation =
        json_object_get(json_object_get(json_object_get(doc, "paths"), path), method);
    const json_t *responses = json_object_get(operation, "responses");
    const json_t *ok = json_object_get(responses, "200");
    ok = ok ? ok : json_object_get(responses, "201");
    const json_t *schema = json_object_get(
        json_object_get(json_object_get(ok, "content"), "application/json"), "schema");
    ck_assert_msg(schema != NULL, "%s %s", method, path);
    json_t *whole = json_deep_copy(schema);
    json_object_set_new(
        whole, "$defs",
        json_deep_copy(json_object_get(json_object_get(doc, "components"), "schemas")));
    HP_FREE char *text = json_dumps(whole, 0);
    json_decref(whole);
    static const char from[] = "#/components/schemas/", to[] = "#/$defs/";
    for (char *at; (at = strstr(text, from));) {
        memmove(at, to, strlen(to));
        memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    }
    whole = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(whole);
    return whole;
}

static void check_answer(const json_t *doc, const char *method, const char *path, const char *ask,
                         const json_t *body)
{
    struct hp_error err = {0};
    char verb[8];
    snprintf(verb, sizeof verb, "%s", method);
    for (char *c = verb; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    HP_JSON json_t *answer = NULL;
    long status = collector_ask(verb, ask, body, &answer);
    ck_assert_msg(status == 200 || status == 201, "%s %s: %ld %s", verb, ask, status,
                  hp_json_string(answer, "message", ""));
    HP_JSON json_t *schema = schema_of(doc, method, path);
    ck_assert_msg(hp_schema_check(schema, answer, &err), "%s %s: %s at %s", verb, ask, err.message,
                  err.path);
}

START_TEST(answers_are_what_is_told)
{
    struct ingest_outcome out;
    struct hp_error err = {0};
    HP_JSON json_t *doc = document();
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    static const char *const results[] = {"result-v1.json", "result-failed-v1.json"};
    for (size_t i = 0; i < 2; i++) {
        HP_JSON json_t *result = golden_read(results[i]);
        ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    }
    HP_JSON json_t *fresh = golden_confirm(true);
    ck_assert_msg(ingest_result(db, fresh, &out, &err), "%s", err.message);
    char repository[80], head[80], base[80], path[400];
    snprintf(repository, sizeof repository, "%s",
             store_ask("hakperf_owner", "SELECT name FROM store.repository ORDER BY id LIMIT 1"));
    snprintf(
        head, sizeof head, "%s",
        store_ask("hakperf_owner", "SELECT head FROM store.run WHERE status = 'measured' LIMIT 1"));
    snprintf(
        base, sizeof base, "%s",
        store_ask("hakperf_owner", "SELECT base FROM store.run WHERE status = 'measured' LIMIT 1"));
    collector_start(NULL);
    HP_JSON json_t *token = json_pack("{s:s, s:s}", "name", "t", "scope", "read");
    check_answer(doc, "get", "/healthz", "/healthz", NULL);
    check_answer(doc, "get", "/readyz", "/readyz", NULL);
    check_answer(doc, "get", "/api/v1/openapi.json", "/api/v1/openapi.json", NULL);
    check_answer(doc, "get", "/api/v1/repositories", "/api/v1/repositories", NULL);
    check_answer(doc, "get", "/api/v1/status", "/api/v1/status", NULL);
    check_answer(doc, "get", "/api/v1/jobs", "/api/v1/jobs?limit=1", NULL);
    snprintf(path, sizeof path, "/api/v1/jobs/%s",
             store_ask("hakperf_owner", "SELECT min(id) FROM store.job"));
    check_answer(doc, "get", "/api/v1/jobs/{job}", path, NULL);
    check_answer(doc, "get", "/api/v1/alerts", "/api/v1/alerts", NULL);
    snprintf(path, sizeof path, "/api/v1/alerts/%s",
             store_ask("hakperf_owner", "SELECT min(id) FROM store.alert"));
    check_answer(doc, "get", "/api/v1/alerts/{alert}", path, NULL);
    HP_JSON json_t *step =
        json_pack("{s:s, s:s, s:s}", "action", "assign", "owner", "ann", "note", "hers");
    check_answer(doc, "post", "/api/v1/alerts/{alert}", path, step);
    check_answer(doc, "post", "/api/v1/tokens", "/api/v1/tokens", token);
    check_answer(doc, "get", "/api/v1/tokens", "/api/v1/tokens", NULL);
    check_answer(doc, "delete", "/api/v1/tokens/{name}", "/api/v1/tokens/t", NULL);
    check_answer(doc, "post", "/api/v1/login-links", "/api/v1/login-links", NULL);
    check_answer(doc, "get", "/api/v1/audit", "/api/v1/audit?limit=1", NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/log", repository);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/log", path, NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/series", repository);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/series", path, NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/changepoints", repository);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/changepoints", path, NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/selftest", repository);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/selftest", path, NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/suspects", repository);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/suspects", path, NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/commits/%s", repository, head);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/commits/{rev}", path, NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/commits/%s/profile", repository, head);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/commits/{rev}/profile", path, NULL);
    snprintf(path, sizeof path, "/api/v1/repositories/%s/compare?base=%s&head=%s", repository, base,
             head);
    check_answer(doc, "get", "/api/v1/repositories/{repository}/compare", path, NULL);
    collector_stop();
    db_close(db);
}
END_TEST

HP_SUITE(collector_openapi)
{
    Suite *s = suite_create("collector_openapi");
    TCase *t = tcase_create("openapi");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, every_route_is_told_and_nothing_else);
    tcase_add_test(t, query_parameters_are_told_twice);
    tcase_add_test(t, answers_are_what_is_told);
    tcase_add_test(t, errors_are_what_is_told);
    suite_add_tcase(s, t);
    return s;
}
