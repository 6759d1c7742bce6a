/* What every list has: validators, links to the next page, and its form as a table. */
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <string.h>

static const char *token;

static const char *get(const char *path, const char *headers)
{
    HP_FREE char *text = hp_format("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer "
                                   "%s\r\n%sConnection: close\r\n\r\n",
                                   path, collector_port(), token, headers);
    return collector_ask_raw(text);
}

static int status_of(const char *answer)
{
    int status = 0;
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : "";
}

static void begin(size_t commits)
{
    const char *repository = repo_make();
    for (size_t i = 0; i < commits; i++) {
        char text[8];
        snprintf(text, sizeof text, "%zu", i);
        repo_commit(repository, "lib/a", text, i == 1 ? "=HYPERLINK(\"x\"), two" : text);
    }
    collector_start(NULL);
    suite_applied(repository);
    token = collector_token("read", "reader");
}

START_TEST(what_did_not_change_is_not_sent_again)
{
    begin(2);
    char etag[64] = "", headers[160];
    const char *answer = get("/api/v1/repositories/r/log", "");
    ck_assert_int_eq(sscanf(strstr(answer, "ETag: "), "ETag: %63[^\r]", etag), 1);
    ck_assert_ptr_nonnull(strstr(answer, "Cache-Control: private, no-cache"));
    snprintf(headers, sizeof headers, "If-None-Match: \"x\", %s\r\n", etag);
    answer = get("/api/v1/repositories/r/log", headers);
    ck_assert_int_eq(status_of(answer), 304);
    ck_assert_str_eq(body_of(answer), "");
    ck_assert_ptr_nonnull(strstr(answer, etag));
    store_ask("hakperf_owner", "UPDATE store.commit SET author = 'other'");
    ck_assert_int_eq(status_of(get("/api/v1/repositories/r/log", headers)), 200);
    ck_assert_ptr_null(strstr(get("/metrics", ""), "ETag"));
    collector_stop();
}
END_TEST

/* Following the links gives every commit once, though one more arrives in between. */
START_TEST(links_lead_through_all_pages)
{
    begin(7);
    char path[600] = "/api/v1/repositories/r/log?limit=3&watched=0";
    size_t seen = 0, pages = 0;
    while (*path) {
        const char *answer = get(path, "");
        ck_assert_int_eq(status_of(answer), 200);
        HP_JSON json_t *page = json_loads(body_of(answer), 0, NULL);
        seen += json_array_size(json_object_get(page, "commits"));
        const char *link = strstr(answer, "Link: <");
        ck_assert_int_eq(link == NULL, json_is_null(json_object_get(page, "next")));
        path[0] = '\0';
        if (link)
            ck_assert_int_eq(sscanf(link, "Link: <%599[^>]>; rel=\"next\"", path), 1);
        pages++;
    }
    ck_assert_uint_eq(pages, 3);
    ck_assert_uint_eq(seen, 7);
    collector_stop();
}
END_TEST

START_TEST(lists_come_as_tables)
{
    begin(2);
    const char *answer = get("/api/v1/repositories/r/log?format=csv", "");
    ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/csv"));
    const char *body = body_of(answer);
    ck_assert_int_eq(strncmp(body, "sha,subject,author,time,state,", 30), 0);
    /* A subject that a spreadsheet would run is text; quotes are doubled. */
    ck_assert_ptr_nonnull(strstr(body, ",\"'=HYPERLINK(\"\"x\"\"), two\","));
    size_t lines = 0;
    for (const char *at = body; (at = strstr(at, "\r\n")); at += 2)
        lines++;
    ck_assert_uint_eq(lines, 3);
    ck_assert_ptr_nonnull(
        strstr(get("/api/v1/jobs", "Accept: text/csv, application/json;q=0.5\r\n"), "text/csv"));
    ck_assert_ptr_nonnull(strstr(get("/api/v1/jobs", "Accept: application/json\r\n"), "{\"jobs\""));
    ck_assert_ptr_nonnull(
        strstr(get("/api/v1/jobs?format=json", "Accept: text/csv\r\n"), "{\"jobs\""));
    ck_assert_int_eq(status_of(get("/api/v1/jobs?format=xml", "")), 400);
    collector_stop();
}
END_TEST

HP_SUITE(collector_answer)
{
    Suite *s = suite_create("collector_answer");
    TCase *t = tcase_create("answer");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, what_did_not_change_is_not_sent_again);
    tcase_add_test(t, links_lead_through_all_pages);
    tcase_add_test(t, lists_come_as_tables);
    suite_add_tcase(s, t);
    return s;
}
