/* Messages: a real little receiver, and a collector that sends to it. */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 16 };

/* What the receiver got. One mutex for all of it. */
static struct {
    pthread_mutex_t mutex;
    char body[MESSAGES][1024], delivery[MESSAGES][64];
    int count, refusals; /* the first `refusals` are answered 500 */
} got = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static enum MHD_Result receive(void *cls, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **context)
{
    (void)cls;
    (void)url;
    (void)version;
    struct hp_buffer *body = *context;
    if (!body) {
        *context = calloc(1, sizeof *body);
        return MHD_YES;
    }
    if (*size > 0) {
        hp_buffer_append(body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    const char *id = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Hakperf-Delivery");
    pthread_mutex_lock(&got.mutex);
    bool refuse = got.count < got.refusals;
    if (got.count < MESSAGES && strcmp(method, "POST") == 0) {
        snprintf(got.body[got.count], sizeof got.body[0], "%s", hp_buffer_text(body));
        snprintf(got.delivery[got.count], sizeof got.delivery[0], "%s", id ? id : "");
        got.count++;
    }
    pthread_mutex_unlock(&got.mutex);
    hp_buffer_clear(body);
    free(body);
    struct MHD_Response *none = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result sent = MHD_queue_response(connection, refuse ? 500 : 204, none);
    MHD_destroy_response(none);
    return sent;
}

static struct MHD_Daemon *receiver;
static char webhook[64];

static void start_receiver(int refusals)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    got.refusals = refusals;
    receiver = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, receive, NULL,
                                MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_END);
    ck_assert_ptr_nonnull(receiver);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(receiver, MHD_DAEMON_INFO_BIND_PORT);
    snprintf(webhook, sizeof webhook, "http://127.0.0.1:%d/hook", info->port);
}

static int received(void)
{
    pthread_mutex_lock(&got.mutex);
    int n = got.count;
    pthread_mutex_unlock(&got.mutex);
    return n;
}

static void wait_received(int wanted)
{
    for (int i = 0; i < 200 && received() < wanted; i++)
        hp_sleep_ms(100);
    ck_assert_int_eq(received(), wanted);
}

static const char *owner(const char *sql)
{
    return store_ask("hakperf_owner", sql);
}

/* A message as ingest writes it, of a repository that needs nothing else. */
static void write_message(const char *text)
{
    HP_FREE char *sql = hp_format(
        "WITH r AS (INSERT INTO store.repository (name, url) VALUES ('r', '/x') ON CONFLICT (name) "
        "DO UPDATE SET url = '/x' RETURNING id) INSERT INTO store.outbox (repository, kind, "
        "payload) SELECT id, 'alert', jsonb_build_object('sentence', '%s', 'address', '/#x') FROM "
        "r",
        text);
    owner(sql);
}

START_TEST(messages_arrive)
{
    start_receiver(0);
    const char *const arguments[] = {"--webhook", webhook, NULL};
    collector_start(arguments);
    write_message("w is 5 % slower");
    wait_received(1);
    HP_JSON json_t *body = json_loads(got.body[0], 0, NULL);
    ck_assert_str_eq(hp_json_string(body, "sentence", ""), "w is 5 % slower");
    ck_assert_str_eq(hp_json_string(body, "kind", ""), "alert");
    ck_assert_str_eq(hp_json_string(body, "id", "?"), got.delivery[0]);
    const char *address = hp_json_string(body, "address", "");
    ck_assert_msg(strncmp(address, "http://127.0.0.1:", 17) == 0 && strstr(address, "/#x"), "%s",
                  address);
    for (int i = 0; i < 50 && strcmp(owner("SELECT count(delivered) FROM store.outbox"), "1"); i++)
        hp_sleep_ms(100);
    ck_assert_str_eq(owner("SELECT count(delivered) FROM store.outbox"), "1");
    collector_stop();
    MHD_stop_daemon(receiver);
}
END_TEST

/* Refused, then taken; the same id tells the receiver that it is the same. */
START_TEST(refused_messages_come_again)
{
    start_receiver(1);
    const char *const arguments[] = {"--webhook", webhook, NULL};
    collector_start(arguments);
    write_message("again");
    wait_received(1);
    static const char *const sql = "SELECT attempts || ' ' || last_error || ' ' || "
                                   "(next_attempt > now() + interval '5 s') FROM store.outbox";
    for (int i = 0; i < 50 && !strstr(owner(sql), "500"); i++)
        hp_sleep_ms(100);
    ck_assert_str_eq(owner(sql), "1 message 1-1 was not taken: the webhook answered 500 true");
    ck_assert_str_eq(owner("SELECT count(delivered) FROM store.outbox"), "0");
    owner("UPDATE store.outbox SET next_attempt = now()");
    wait_received(2);
    ck_assert_str_eq(got.delivery[0], got.delivery[1]);
    collector_stop();
    MHD_stop_daemon(receiver);
}
END_TEST

/* Nobody listens: the server does not care, and the message stays. */
START_TEST(a_dead_webhook_holds_nothing_up)
{
    const char *const arguments[] = {"--webhook", "http://127.0.0.1:9/x", NULL};
    collector_start(arguments);
    for (int i = 0; i < 5; i++)
        write_message("lost?");
    hp_sleep_ms(1500);
    ck_assert_int_eq(collector_ask("GET", "/readyz", NULL, NULL), 200);
    ck_assert_str_eq(owner("SELECT count(*) FROM store.outbox WHERE delivered IS NULL AND "
                           "given_up IS NULL"),
                     "5");
    owner("UPDATE store.outbox SET next_attempt = now(), created = now() - interval '4 days'");
    static const char *const sql = "SELECT count(given_up) FROM store.outbox";
    for (int i = 0; i < 100 && strcmp(owner(sql), "5") != 0; i++)
        hp_sleep_ms(100);
    ck_assert_str_eq(owner(sql), "5");
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

/* The address changes in the configuration file; SIGHUP makes it count. */
START_TEST(a_reload_changes_the_webhook)
{
    struct hp_error err;
    start_receiver(0);
    HP_FREE char *config = hp_format("%s/hakperf.conf", collector_state());
    const char *poll = "poll = 60\n";
    ck_assert(hp_file_replace(config, poll, strlen(poll), 0644, &err));
    setenv("HAKPERF_CONFIG", config, 1);
    collector_start(NULL);
    write_message("waits");
    hp_sleep_ms(1500);
    ck_assert_int_eq(received(), 0);
    HP_FREE char *text = hp_format("webhook = %s\n", webhook);
    ck_assert(hp_file_replace(config, text, strlen(text), 0644, &err));
    collector_signal(SIGHUP);
    wait_received(1);
    /* What is wrong changes nothing. */
    const char *bad = "webhook = ftp://x\n";
    ck_assert(hp_file_replace(config, bad, strlen(bad), 0644, &err));
    collector_signal(SIGHUP);
    hp_sleep_ms(300);
    write_message("still");
    wait_received(2);
    ck_assert_int_eq(collector_stop(), 0);
    MHD_stop_daemon(receiver);
}
END_TEST

HP_SUITE(collector_outbox)
{
    Suite *s = suite_create("collector_outbox");
    TCase *t = tcase_create("outbox");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, messages_arrive);
    tcase_add_test(t, refused_messages_come_again);
    tcase_add_test(t, a_dead_webhook_holds_nothing_up);
    tcase_add_test(t, a_reload_changes_the_webhook);
    suite_add_tcase(s, t);
    return s;
}
