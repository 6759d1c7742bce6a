/* The spool on disk, and delivery from it to a collector that answers as told. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "runner/deliver.h"
#include "runner/lease.h"
#include "runner/spool.h"
#include "tests/runner/fixture.h"
#include "tests/runner/responder.h"
#include "tests/suite.h"

#include <string.h>

#define RUN_A "0b9d1f0e-6d5e-4d6c-9d3a-000000000001"
#define RUN_B "0b9d1f0e-6d5e-4d6c-9d3a-000000000002"

static void put(const char *run)
{
    struct hp_error err = {0};
    HP_FREE char *text = hp_format("{'run': '%s', 'status': 'measured'}", run);
    HP_JSON json_t *result = fx_json(text);
    ck_assert_msg(rn_spool_put(fx.runner.state, result, &err), "%s", err.message);
}

static size_t count_spool(void)
{
    struct hp_error err = {0};
    char **runs;
    size_t count;
    ck_assert(rn_spool_list(fx.runner.state, &runs, &count, &err));
    rn_spool_free(runs, count);
    return count;
}

START_TEST(oldest_first_and_only_results)
{
    struct hp_error err = {0};
    char **runs;
    size_t count;
    put(RUN_B);
    hp_sleep_ms(20);
    put(RUN_A);
    fx_write("state/spool/" RUN_A ".json.tmp.77", "{\"half", 0600);
    fx_write("state/spool/notes.txt", "", 0600);
    fx_write("state/spool/refused/" RUN_A ".json", "{}", 0600);
    ck_assert(rn_spool_list(fx.runner.state, &runs, &count, &err));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(runs[0], RUN_B);
    ck_assert_str_eq(runs[1], RUN_A);
    rn_spool_free(runs, count);
    rn_spool_clean(fx.runner.state);
    ck_assert(!fx_exists("state/spool/" RUN_A ".json.tmp.77"));
    ck_assert(fx_exists("state/spool/notes.txt"));
    ck_assert(rn_spool_remove(fx.runner.state, RUN_A, &err));
    ck_assert(rn_spool_remove(fx.runner.state, RUN_A, &err));
    ck_assert_uint_eq(count_spool(), 1);
}
END_TEST

START_TEST(statuses)
{
    static const struct {
        long status;
        enum rn_delivery delivery;
    } cases[] = {{200, RN_DELIVERED}, {201, RN_DELIVERED}, {202, RN_KEPT},    {204, RN_KEPT},
                 {0, RN_KEPT},        {400, RN_REFUSED},   {401, RN_KEPT},    {403, RN_KEPT},
                 {404, RN_KEPT},      {409, RN_REFUSED},   {413, RN_REFUSED}, {422, RN_REFUSED},
                 {429, RN_KEPT},      {500, RN_KEPT},      {503, RN_KEPT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(rn_delivery_of(cases[i].status) == cases[i].delivery, "%ld", cases[i].status);
}
END_TEST

START_TEST(waiting_grows_and_is_bounded)
{
    for (unsigned failures = 0; failures < 100; failures++) {
        double s = rn_backoff(failures);
        double middle = failures < 6 ? (double)(1 << failures) : 60;
        ck_assert(s >= 0.74 * middle && s <= 1.26 * middle);
    }
}
END_TEST

START_TEST(nobody_answers)
{
    struct hp_error err = {0};
    HP_HTTP struct hp_http *http = hp_http_new("http://127.0.0.1:1", NULL, &err);
    put(RUN_A);
    ck_assert(!rn_deliver_all(http, fx.runner.state, &err));
    ck_assert_int_eq(err.code, HP_UNAVAILABLE);
    ck_assert_uint_eq(count_spool(), 1);
}
END_TEST

START_TEST(kept_until_acknowledged)
{
    struct hp_error err = {0};
    static const struct answer script[] = {
        {503, "{\"code\":\"unavailable\",\"message\":\"m\",\"hint\":null,\"path\":null}", 0},
        {0, NULL, 0}, /* the connection breaks after the request was read */
        {201, "{\"run\":\"x\",\"stored\":true,\"verdict\":\"equivalent\"}", 0},
        {200, "{\"run\":\"x\",\"stored\":false,\"verdict\":null}", 0},
    };
    struct responder *responder = responder_start(script, 4);
    HP_HTTP struct hp_http *http = hp_http_new(responder_url(responder), "secret", &err);
    put(RUN_A);
    ck_assert(!rn_deliver_all(http, fx.runner.state, &err));
    ck_assert_uint_eq(count_spool(), 1);
    ck_assert(!rn_deliver_all(http, fx.runner.state, &err));
    ck_assert_uint_eq(count_spool(), 1);
    ck_assert_msg(rn_deliver_all(http, fx.runner.state, &err), "%s", err.message);
    ck_assert_uint_eq(count_spool(), 0);
    put(RUN_A); /* a second delivery of what was stored before */
    ck_assert_msg(rn_deliver_all(http, fx.runner.state, &err), "%s", err.message);
    ck_assert_uint_eq(count_spool(), 0);
    HP_FREE char *seen = responder_stop(responder);
    ck_assert_msg(strstr(seen, "PUT /api/v1/runs/" RUN_A " HTTP/1.1") != NULL, "%s", seen);
    ck_assert(strstr(seen, "Authorization: Bearer secret") != NULL);
    ck_assert(strstr(seen, "\"status\":\"measured\"") != NULL);
}
END_TEST

/* A large result goes compressed, and as it is to a collector that does not take it so. */
START_TEST(large_results_are_compressed)
{
    struct hp_error err = {0};
    static const struct answer script[] = {
        {201, "{}", 0},
        {415, "{\"code\":\"usage\",\"message\":\"m\",\"hint\":null,\"path\":null}", 0},
        {201, "{}", 0},
    };
    struct responder *responder = responder_start(script, 3);
    HP_HTTP struct hp_http *http = hp_http_new(responder_url(responder), NULL, &err);
    HP_FREE char *padding = calloc(1, 40001);
    memset(padding, 'p', 40000);
    for (int i = 0; i < 2; i++) {
        HP_JSON json_t *result = json_pack("{s:s, s:s}", "run", RUN_A, "note", padding);
        ck_assert_msg(rn_spool_put(fx.runner.state, result, &err), "%s", err.message);
        ck_assert_msg(rn_deliver_all(http, fx.runner.state, &err), "%s", err.message);
        ck_assert_uint_eq(count_spool(), 0);
    }
    HP_FREE char *seen = responder_stop(responder);
    const char *first = strstr(seen, "Content-Encoding: zstd\r\n");
    ck_assert_ptr_nonnull(first);
    ck_assert_int_lt(strtol(strstr(seen, "Content-Length: ") + 16, NULL, 10), 1000);
}
END_TEST

START_TEST(refused_for_good)
{
    struct hp_error err = {0};
    static const struct answer script[] = {
        {422, "{\"code\":\"invalid\",\"message\":\"wrong\",\"hint\":null,\"path\":\"/arms/0\"}", 0},
        {201, "{}", 0},
    };
    struct responder *responder = responder_start(script, 2);
    HP_HTTP struct hp_http *http = hp_http_new(responder_url(responder), NULL, &err);
    put(RUN_A);
    hp_sleep_ms(20);
    put(RUN_B);
    ck_assert_msg(rn_deliver_all(http, fx.runner.state, &err), "%s", err.message);
    free(responder_stop(responder));
    ck_assert_uint_eq(count_spool(), 0);
    ck_assert(fx_exists("state/spool/refused/" RUN_A ".json"));
    HP_FREE char *note = fx_path("state/spool/refused/" RUN_A ".error.json");
    HP_JSON json_t *body = hp_json_read_file(note, 10000, &err);
    ck_assert_str_eq(hp_json_string(body, "code", ""), "invalid");
    ck_assert_str_eq(hp_json_string(body, "path", ""), "/arms/0");
}
END_TEST

/* What a disk did to a file is told and set aside; the good ones behind it go on. */
START_TEST(damaged_files_are_set_aside)
{
    static const char *const damage[] = {"", "{\"run\":\"" RUN_A "\",\"sta", "\\x00\\x00", "[]",
                                         "{\"run\":\"" RUN_B "\"}"};
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        struct hp_error err = {0};
        static const struct answer script[] = {{201, "{}", 0}};
        struct responder *responder = responder_start(script, 1);
        HP_HTTP struct hp_http *http = hp_http_new(responder_url(responder), NULL, &err);
        fx_write("state/spool/" RUN_A ".json", damage[i], 0600);
        hp_sleep_ms(20);
        put(RUN_B);
        ck_assert_msg(rn_deliver_all(http, fx.runner.state, &err), "%s", err.message);
        HP_FREE char *seen = responder_stop(responder);
        ck_assert_ptr_nonnull(strstr(seen, "PUT /api/v1/runs/" RUN_B));
        ck_assert_ptr_null(strstr(seen, RUN_A));
        ck_assert_uint_eq(count_spool(), 0);
        ck_assert(fx_exists("state/spool/refused/" RUN_A ".json"));
        HP_FREE char *note = fx_path("state/spool/refused/" RUN_A ".error.json");
        HP_JSON json_t *body = hp_json_read_file(note, 10000, &err);
        ck_assert_ptr_nonnull(strstr(hp_json_string(body, "message", ""), "damaged"));
    }
}
END_TEST

START_TEST(a_lease_is_renewed_and_lost)
{
    struct hp_error err = {0};
    static const struct answer script[] = {
        {200, "{\"lease_seconds\":1}", 0},
        {409, "{\"code\":\"conflict\",\"message\":\"late\",\"hint\":null,\"path\":null}", 0},
    };
    struct responder *responder = responder_start(script, 2);
    HP_JSON json_t *job = fx_json("{'job': 9, 'fence': 4, 'lease_seconds': 1}");
    rn_progress_set(fx.runner.progress, "measure", 3, 64, "w");
    struct rn_lease *lease = rn_lease_begin(responder_url(responder), NULL, job, fx.runner.progress,
                                            -1, &fx.cancel, &err);
    ck_assert_ptr_nonnull(lease);
    for (int i = 0; i < 300 && !fx.cancel; i++)
        hp_sleep_ms(10);
    ck_assert_int_eq(fx.cancel, 1);
    ck_assert(rn_lease_end(lease));
    HP_FREE char *seen = responder_stop(responder);
    ck_assert(strstr(seen, "POST /api/v1/jobs/9/progress HTTP/1.1") != NULL);
    ck_assert_msg(strstr(seen, "\"fence\":4") && strstr(seen, "\"stage\":\"measure\"") &&
                      strstr(seen, "\"done\":3"),
                  "%s", seen);
}
END_TEST

START_TEST(a_lease_survives_a_collector_that_is_away)
{
    struct hp_error err = {0};
    HP_JSON json_t *job = fx_json("{'job': 9, 'fence': 4, 'lease_seconds': 1}");
    struct rn_lease *lease =
        rn_lease_begin("http://127.0.0.1:1", NULL, job, fx.runner.progress, -1, &fx.cancel, &err);
    ck_assert_ptr_nonnull(lease);
    hp_sleep_ms(800);
    ck_assert(!rn_lease_end(lease));
    ck_assert_int_eq(fx.cancel, 0);
}
END_TEST

HP_SUITE(runner_spool)
{
    Suite *s = suite_create("runner_spool");
    TCase *t = tcase_create("spool");
    tcase_add_checked_fixture(t, fx_open, fx_close);
    tcase_add_test(t, oldest_first_and_only_results);
    tcase_add_test(t, statuses);
    tcase_add_test(t, waiting_grows_and_is_bounded);
    tcase_add_test(t, nobody_answers);
    tcase_add_test(t, large_results_are_compressed);
    tcase_add_test(t, kept_until_acknowledged);
    tcase_add_test(t, refused_for_good);
    tcase_add_test(t, damaged_files_are_set_aside);
    tcase_add_test(t, a_lease_is_renewed_and_lost);
    tcase_add_test(t, a_lease_survives_a_collector_that_is_away);
    tcase_set_timeout(t, 20);
    suite_add_tcase(s, t);
    return s;
}
