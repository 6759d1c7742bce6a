/* Alerts as people meet them: by the API, by the command line, and what is told of each step. */
#include "collector/ingest.h"
#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/process.h"
#include "tests/collector/collector_fixture.h"
#include "tests/collector/golden.h"
#include "tests/suite.h"

#include <limits.h>
#include <string.h>

static struct hp_error err;

/* The golden regression, confirmed: alert 1. */
static void begin(void)
{
    struct ingest_outcome out;
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    HP_JSON json_t *result = golden_read("result-v1.json");
    ck_assert_msg(ingest_result(db, result, &out, &err), "%s", err.message);
    HP_JSON json_t *fresh = golden_confirm(true);
    ck_assert_msg(ingest_result(db, fresh, &out, &err), "%s", err.message);
    db_close(db);
    ck_assert_int_eq(out.alert, 1);
    collector_start(NULL);
}

static const char *ask(const char *sql)
{
    return store_ask(PRIVATE_DB_OWNER, sql);
}

/* One step, given as JSON text; the status. */
static long act(const char *text)
{
    HP_JSON json_t *body = hp_json_parse(text, strlen(text), &err);
    ck_assert_ptr_nonnull(body);
    HP_JSON json_t *answer = NULL;
    return collector_ask("POST", "/api/v1/alerts/1", body, &answer);
}

static const char *const standing =
    "SELECT concat_ws(' ', state, owner, resolution) FROM hakperf.alerts";
static const char *const history =
    "SELECT string_agg(concat_ws(':', action, note), ' ' ORDER BY id) FROM store.alert_event";

START_TEST(an_alert_goes_its_way)
{
    begin();
    ck_assert_int_eq(act("{\"action\": \"acknowledge\"}"), 200);
    ck_assert_int_eq(act("{\"action\": \"acknowledge\"}"), 200); /* holds already: nothing new */
    ck_assert_int_eq(act("{\"action\": \"assign\", \"owner\": \"ann\"}"), 200);
    ck_assert_str_eq(ask(standing), "acknowledged ann");
    ck_assert_int_eq(act("{\"action\": \"note\", \"note\": \"looks real\"}"), 200);
    ck_assert_int_eq(
        act("{\"action\": \"resolve\", \"resolution\": \"accepted\", \"note\": \"safer\"}"), 200);
    ck_assert_str_eq(ask(standing), "resolved ann accepted");
    ck_assert_int_eq(act("{\"action\": \"acknowledge\"}"), 409);
    ck_assert_int_eq(act("{\"action\": \"resolve\", \"resolution\": \"false\"}"), 409);
    ck_assert_int_eq(act("{\"action\": \"reopen\"}"), 200);
    ck_assert_int_eq(act("{\"action\": \"reopen\"}"), 409);
    ck_assert_int_eq(act("{\"action\": \"assign\", \"owner\": null}"), 200);
    ck_assert_str_eq(ask(standing), "open");
    ck_assert_str_eq(ask(history), "opened acknowledged assigned:ann noted:looks real "
                                   "resolved:accepted: safer reopened assigned:nobody");
    /* Everybody who listens hears of each step but the note. */
    ck_assert_str_eq(ask("SELECT string_agg(payload ->> 'event', ' ' ORDER BY id) "
                         "FROM store.outbox"),
                     "regressed acknowledged assigned resolved reopened assigned");
    ck_assert_str_eq(ask("SELECT payload -> 'commit' ->> 'subject' <> '' AND "
                         "payload ->> 'sentence' LIKE '%slower%' AND payload ->> 'who' <> '' "
                         "FROM store.outbox ORDER BY id DESC LIMIT 1"),
                     "t");
    collector_stop();
}
END_TEST

START_TEST(a_senseless_step_is_refused)
{
    static const char *const rows[][2] = {
        {"{\"action\": \"shout\"}", "/action"},
        {"{}", "/action"},
        {"{\"action\": \"assign\"}", "/owner"},
        {"{\"action\": \"resolve\", \"owner\": \"ann\"}", "/owner"},
        {"{\"action\": \"assign\", \"owner\": \"\"}", "/owner"},
        {"{\"action\": \"assign\", \"owner\": \"a\\u001bb\"}", "/owner"},
        {"{\"action\": \"assign\", \"owner\": 7}", "/owner"},
        {"{\"action\": \"resolve\", \"resolution\": \"gone\"}", "/resolution"},
        {"{\"action\": \"acknowledge\", \"resolution\": \"fixed\"}", "/resolution"},
        {"{\"action\": \"note\"}", "/note"},
        {"{\"action\": \"reopen\", \"state\": \"open\"}", "/state"},
    };
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HP_JSON json_t *body = hp_json_parse(rows[i][0], strlen(rows[i][0]), &err);
        HP_JSON json_t *answer = NULL;
        ck_assert_int_eq(collector_ask("POST", "/api/v1/alerts/1", body, &answer), 422);
        ck_assert_str_eq(hp_json_string(answer, "path", ""), rows[i][1]);
    }
    HP_JSON json_t *step = json_pack("{s:s}", "action", "acknowledge");
    ck_assert_str_eq(collector_error("POST", "/api/v1/alerts/99", step), "not_found");
    ck_assert_str_eq(collector_error("POST", "/api/v1/alerts/x", step), "not_found");
    ck_assert_str_eq(collector_error("GET", "/api/v1/alerts/99", NULL), "not_found");
    ck_assert_str_eq(collector_error("GET", "/api/v1/alerts?state=odd", NULL), "invalid");
    HP_JSON json_t *refused = NULL;
    ck_assert_int_eq(collector_ask_as(collector_token("read", "reader"), "POST", "/api/v1/alerts/1",
                                      step, &refused),
                     403);
    ck_assert_str_eq(ask(history), "opened");
    collector_stop();
}
END_TEST

static size_t listed(const char *query)
{
    char path[128];
    HP_JSON json_t *answer = NULL;
    snprintf(path, sizeof path, "/api/v1/alerts%s", query);
    ck_assert_int_eq(collector_ask("GET", path, NULL, &answer), 200);
    return json_array_size(json_object_get(answer, "alerts"));
}

START_TEST(alerts_are_listed_by_state_and_owner)
{
    begin();
    ck_assert_uint_eq(listed(""), 1);
    ck_assert_uint_eq(listed("?state=open&repository=" GOLDEN_REPOSITORY), 1);
    ck_assert_uint_eq(listed("?state=resolved"), 0);
    ck_assert_uint_eq(listed("?owner=ann"), 0);
    ck_assert_int_eq(act("{\"action\": \"assign\", \"owner\": \"ann\"}"), 200);
    ck_assert_uint_eq(listed("?owner=ann"), 1);
    ck_assert_int_eq(act("{\"action\": \"resolve\"}"), 200);
    ck_assert_uint_eq(listed("?state=active"), 0);
    ck_assert_uint_eq(listed("?before=1"), 0);
    HP_JSON json_t *one = NULL;
    ck_assert_int_eq(collector_ask("GET", "/api/v1/alerts/1", NULL, &one), 200);
    ck_assert_str_eq(hp_json_string(one, "sha", ""), golden_head);
    ck_assert_uint_gt(json_array_size(json_object_get(one, "workloads")), 0);
    ck_assert(strchr(hp_json_string(one, "reproduce", "\n"), '\n') == NULL);
    collector_stop();
}
END_TEST

/* The program as it is typed; what it printed, its exit code in *code. */
static const char *hakperf(int *code, const char *a, const char *b, const char *c, const char *d)
{
    static char printed[8192], program[PATH_MAX];
    const char *build = getenv("BUILD"); /* absolute, as make sets it */
    HP_OUTCOME struct hp_outcome o = {0};
    snprintf(program, sizeof program, "%s/bin/hakperf", build ? build : "build");
    HP_FREE char *server = hp_format("unix:%s/run/collector.sock", collector_state());
    const char *argv[] = {program, "alerts", "--server", server, a, b, c, d, NULL};
    struct hp_command command = {.argv = argv, .timeout_s = 30};
    ck_assert_msg(hp_run(&command, &o, &err), "%s", err.message);
    snprintf(printed, sizeof printed, "%s%s", hp_buffer_text(&o.out), hp_buffer_text(&o.err));
    *code = o.exit_code;
    return printed;
}

START_TEST(the_command_line_does_it)
{
    int code;
    begin();
    ck_assert_ptr_nonnull(strstr(hakperf(&code, "--check", NULL, NULL, NULL), "slower"));
    ck_assert_int_eq(code, 1);
    ck_assert_str_eq(hakperf(&code, "ack", "1", NULL, NULL), "alert 1 acknowledged\n");
    ck_assert_int_eq(code, 0);
    hakperf(&code, "assign", "1", "ann", NULL);
    ck_assert_str_eq(ask(standing), "acknowledged ann");
    const char *shown = hakperf(&code, "show", "1", NULL, NULL);
    ck_assert_ptr_nonnull(strstr(shown, "ann"));
    ck_assert_ptr_nonnull(strstr(shown, "reproduce"));
    ck_assert_ptr_nonnull(strstr(shown, "acknowledged"));
    hakperf(&code, "resolve", "1", "--as=false", "--note=noise");
    ck_assert_str_eq(ask(standing), "resolved ann false");
    hakperf(&code, "--check", NULL, NULL, NULL);
    ck_assert_int_eq(code, 0);
    HP_JSON json_t *alert = NULL;
    const char *json = hakperf(&code, "show", "1", "--json", NULL);
    ck_assert((alert = hp_json_parse(json, strlen(json), &err)) != NULL);
    ck_assert_str_eq(hp_json_string(alert, "closed_reason", ""), "noise");
    ck_assert_ptr_nonnull(
        strstr(hakperf(&code, "ack", "1", NULL, NULL), "HINT: `hakperf alerts reopen"));
    ck_assert_int_eq(code, 3);
    static const char *const wrong[][2] = {
        {"ack", NULL}, {"ack", "one"}, {"assign", "1"}, {"shout", "1"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        hakperf(&code, wrong[i][0], wrong[i][1], NULL, NULL);
        ck_assert_int_eq(code, 2);
    }
    collector_stop();
}
END_TEST

HP_SUITE(collector_alerts)
{
    Suite *s = suite_create("collector_alerts");
    TCase *t = tcase_create("alerts");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, an_alert_goes_its_way);
    tcase_add_test(t, a_senseless_step_is_refused);
    tcase_add_test(t, alerts_are_listed_by_state_and_owner);
    tcase_add_test(t, the_command_line_does_it);
    suite_add_tcase(s, t);
    return s;
}
