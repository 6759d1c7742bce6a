#include "collector/route.h"
#include "tests/suite.h"

#include <string.h>

static struct request parsed(const char *method, const char *target)
{
    struct request r = {.method = method, .raw = target};
    struct hp_error err;
    ck_assert_msg(request_parse(&r, target, &err), "%s", err.message);
    return r;
}

/* A slash that was written as %2F belongs to its segment. */
START_TEST(segments_are_decoded_one_by_one)
{
    struct request r = parsed("GET", "/a//b%2Fc/%64?x=1+2&y=%26&flag&x=2");
    ck_assert_uint_eq(r.segments, 3);
    ck_assert_str_eq(r.segment[0], "a");
    ck_assert_str_eq(r.segment[1], "b/c");
    ck_assert_str_eq(r.segment[2], "d");
    ck_assert_str_eq(request_param(&r, "x"), "1 2");
    ck_assert_str_eq(request_param(&r, "y"), "&");
    ck_assert_str_eq(request_param(&r, "flag"), "");
    ck_assert_ptr_null(request_param(&r, "z"));
    request_release(&r);
}
END_TEST

START_TEST(malformed_targets_are_refused)
{
    static const char *const bad[] = {
        "",
        "a",
        "http://x/",
        "/%",
        "/%4",
        "/%zz",
        "/%00",
        "/a?x=%0",
        "/a?%00=1",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
        "/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct request r = {.method = "GET", .raw = bad[i]};
        struct hp_error err = {0};
        ck_assert_msg(!request_parse(&r, bad[i], &err), "%s", bad[i]);
        ck_assert_int_eq(err.code, HP_USAGE);
        request_release(&r);
    }
}
END_TEST

START_TEST(numbers_have_bounds)
{
    struct request r = parsed("GET", "/?a=5&b=-1&c=9999999999999999999&d=5x&e=&f=20");
    struct hp_error err = {0};
    int64_t n;
    ck_assert(request_int(&r, "a", 1, 10, 7, &n, &err) && n == 5);
    ck_assert(request_int(&r, "none", 1, 10, 7, &n, &err) && n == 7);
    static const char *const bad[] = {"b", "c", "d", "e", "f"};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_msg(!request_int(&r, bad[i], 1, 10, 7, &n, &err), "%s", bad[i]);
        ck_assert_str_eq(err.path, bad[i]);
    }
    request_release(&r);
}
END_TEST

static bool handle(struct service *service, const struct request *request, struct answer *answer,
                   struct hp_error *err)
{
    (void)service;
    (void)request;
    (void)answer;
    (void)err;
    return true;
}

static const struct route table[] = {
    {"GET", "/api/v1/jobs/{}", SCOPE_READ, 0, handle, ROUTE_PLAIN},
    {"POST", "/api/v1/jobs/claim", SCOPE_RUNNER, 0, handle, ROUTE_PLAIN},
    {"GET", "/api/v1/r/{}/c/{}", SCOPE_READ, 0, handle, ROUTE_PLAIN},
    {"GET", "/*", SCOPE_READ, 0, handle, ROUTE_PLAIN},
    {0},
};

static int find(const char *method, const char *target, struct request *r, char allow[64])
{
    struct hp_error err;
    *r = parsed(method, target);
    const struct route *route = route_find(table, r, allow, &err);
    return route ? (int)(route - table) : -1;
}

START_TEST(routes_are_found)
{
    struct request r;
    char allow[64];
    ck_assert_int_eq(find("GET", "/api/v1/jobs/7", &r, allow), 0);
    ck_assert_str_eq(r.arg[0], "7");
    request_release(&r);
    ck_assert_int_eq(find("HEAD", "/api/v1/jobs/7", &r, allow), 0);
    request_release(&r);
    ck_assert_int_eq(find("POST", "/api/v1/jobs/claim?wait=1", &r, allow), 1);
    request_release(&r);
    ck_assert_int_eq(find("GET", "/api/v1/r/x/c/a%2Fb", &r, allow), 2);
    ck_assert_str_eq(r.arg[1], "a/b");
    request_release(&r);
    ck_assert_int_eq(find("GET", "/", &r, allow), 3);
    request_release(&r);
    ck_assert_int_eq(find("GET", "/main.js", &r, allow), 3);
    request_release(&r);
}
END_TEST

START_TEST(other_methods_and_paths_are_told_apart)
{
    struct request r;
    char allow[64];
    ck_assert_int_eq(find("DELETE", "/api/v1/jobs/claim", &r, allow), -1);
    ck_assert_str_eq(allow, "GET, POST");
    request_release(&r);
    ck_assert_int_eq(find("GET", "/api/v1/jobs", &r, allow), -1);
    ck_assert_str_eq(allow, "");
    request_release(&r);
    ck_assert_int_eq(find("GET", "/api", &r, allow), -1);
    ck_assert_str_eq(allow, "");
    request_release(&r);
    ck_assert_int_eq(find("PUT", "/main.js", &r, allow), -1);
    ck_assert_str_eq(allow, "GET");
    request_release(&r);
}
END_TEST

HP_SUITE(collector_request)
{
    Suite *s = suite_create("collector_request");
    TCase *t = tcase_create("request");
    tcase_add_test(t, segments_are_decoded_one_by_one);
    tcase_add_test(t, malformed_targets_are_refused);
    tcase_add_test(t, numbers_have_bounds);
    tcase_add_test(t, routes_are_found);
    tcase_add_test(t, other_methods_and_paths_are_told_apart);
    suite_add_tcase(s, t);
    return s;
}
