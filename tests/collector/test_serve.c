/* The program itself: sockets, readiness, its end, and its smaller verbs. */
#include "collector/listen.h"
#include "collector/settings.h"
#include "collector/verbs.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool exists(const char *below, struct stat *st)
{
    HP_FREE char *path = hp_format("%s/%s", collector_state(), below);
    return stat(path, st) == 0;
}

START_TEST(tells_where_it_is_and_cleans_up)
{
    struct stat st;
    struct hp_error err;
    collector_start(NULL);
    ck_assert(exists("run/collector.sock", &st) && (st.st_mode & 0777) == 0600);
    HP_FREE char *path = hp_format("%s/run/address", collector_state());
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert(hp_file_read(path, 200, &text, &err));
    text.data[strcspn(text.data, "\n")] = '\0';
    ck_assert_str_eq(text.data, collector_address());
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert(!exists("run/collector.sock", &st) && !exists("run/address", &st));
    /* A socket that a killed one left is no hindrance. */
    collector_start(NULL);
    collector_kill();
    ck_assert(exists("run/collector.sock", &st));
    collector_start(NULL);
    ck_assert_int_eq(collector_ask("GET", "/healthz", NULL, NULL), 200);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(serves_without_tcp)
{
    struct stat st;
    const char *const arguments[] = {"--no-tcp", NULL};
    collector_start(arguments);
    ck_assert_int_eq(collector_address()[0], '/');
    ck_assert_int_eq(collector_ask("GET", "/readyz", NULL, NULL), 200);
    ck_assert(!exists("run/address", &st));
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(refuses_what_is_taken)
{
    const char *printed;
    collector_start(NULL);
    const char *const same[] = {"serve", "--listen", "127.0.0.1:0", NULL};
    ck_assert_int_eq(collector_run(same, true, &printed), 3);
    ck_assert_msg(strstr(printed, "a collector already runs"), "%s", printed);
    HP_FREE char *listen = hp_format("127.0.0.1:%d", collector_port());
    HP_FREE char *socket = hp_format("%s/run/other.sock", collector_state());
    const char *const port[] = {"serve", "--listen", listen, "--socket", socket, NULL};
    ck_assert_int_eq(collector_run(port, true, &printed), 3);
    ck_assert_msg(strstr(printed, "Address already in use") && strstr(printed, "HINT: "), "%s",
                  printed);
    ck_assert_int_ne(access(socket, F_OK), 0);
    ck_assert_int_eq(collector_ask("GET", "/healthz", NULL, NULL), 200);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(needs_a_database)
{
    const char *printed;
    const char *const none[] = {"serve",    "--state",     collector_state(),
                                "--listen", "127.0.0.1:0", NULL};
    ck_assert_int_eq(collector_run(none, false, &printed), 3);
    ck_assert_msg(strstr(printed, "does not run") && strstr(printed, "db start"), "%s", printed);
    struct stat st;
    ck_assert(!exists("run/collector.sock", &st));
    static const char *const bad[][5] = {
        {"serve", "--listen", "nowhere"},
        {"serve", "--poll", "0"},
        {"serve", "--webhook", "ftp://x"},
        {"serve", "--lease", "x"},
        {"token", "create", "--name", "x"},
        {"token", "create", "--scope", "read"},
        {"serve", "--nothing"},
        {"dance"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(collector_run(bad[i], strcmp(bad[i][0], "dance") != 0, &printed) == 2,
                      "%zu: %s", i, printed);
}
END_TEST

START_TEST(shows_its_configuration)
{
    const char *printed;
    setenv("HAKPERF_POLL", "7", 1);
    const char *const show[] = {
        "config",  "show", "--json", "--database", "postgresql://u:geheim@h/d",
        "--lease", "9",    NULL};
    ck_assert_int_eq(collector_run(show, false, &printed), 0);
    unsetenv("HAKPERF_POLL");
    HP_JSON json_t *all = json_loads(printed, 0, NULL);
    const json_t *poll = json_object_get(all, "poll"), *lease = json_object_get(all, "lease");
    ck_assert_str_eq(hp_json_string(poll, "value", ""), "7");
    ck_assert_str_eq(hp_json_string(poll, "source", ""), "environment");
    ck_assert_str_eq(hp_json_string(lease, "source", ""), "command line");
    ck_assert_ptr_null(strstr(printed, "geheim"));
}
END_TEST

/* systemd's protocol, spoken to a socket of ours. */
START_TEST(tells_systemd)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/run/notify", collector_state());
    HP_FD int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(chmod(at.sun_path, 0666), 0);
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    collector_start(NULL);
    unsetenv("NOTIFY_SOCKET");
    char text[256];
    static const char *const wanted[] = {"READY=1\n", "STOPPING=1\n"};
    for (size_t i = 0; i < 2; i++) {
        struct pollfd slot = {fd, POLLIN, 0};
        ck_assert_int_eq(poll(&slot, 1, 10000), 1);
        ssize_t n = recv(fd, text, sizeof text - 1, 0);
        ck_assert_int_gt(n, 0);
        text[n] = '\0';
        ck_assert_int_eq(strncmp(text, wanted[i], strlen(wanted[i])), 0);
        if (i == 0)
            collector_signal(SIGTERM);
    }
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

static void *apply_slowly(void *repository)
{
    HP_JSON json_t *suite = suite_for(repository);
    static long status;
    status = collector_ask("PUT", "/api/v1/suites", suite, NULL);
    return &status;
}

/* A request that is in hand when the end comes gets its answer. */
START_TEST(finishes_what_is_in_hand)
{
    pthread_t thread;
    void *status;
    const char *r = repo_make();
    repo_commit(r, "lib/a", "1", "one");
    collector_start(NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, apply_slowly, (void *)(uintptr_t)r), 0);
    struct stat st; /* the lock of a mirror: git is at work */
    for (int i = 0; i < 1000 && !exists("mirrors/r.git.lock", &st); i++)
        hp_sleep_ms(5);
    collector_signal(SIGTERM); /* to the collector alone, as KillMode=mixed does */
    pthread_join(thread, &status);
    ck_assert_int_eq(collector_stop(), 0);
    ck_assert_int_eq(*(long *)status, 200);
    ck_assert_str_eq(store_ask("hakperf_owner", "SELECT count(*) FROM store.job"), "1");
}
END_TEST

/* The database goes away and comes back: 503 with Retry-After, then all is well. */
START_TEST(survives_a_lost_database)
{
    collector_start(NULL);
    ck_assert_int_eq(collector_ask("GET", "/readyz", NULL, NULL), 200);
    store_ask("hakperf_owner", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                               "datname = current_database() AND pid <> pg_backend_pid()");
    hp_sleep_ms(200);
    long status = 0;
    for (int i = 0; i < 20 && status != 200; i++)
        status = collector_ask("GET", "/readyz", NULL, NULL);
    ck_assert_int_eq(status, 200);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

START_TEST(listens_where_it_is_told)
{
    struct hp_error err;
    struct listen_tcp tcp;
    static const char *const bad[] = {
        "", "x", "127.0.0.1", "127.0.0.1:", ":80", "h:p", "[::1]:x", "127.0.0.1:999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!listen_tcp(bad[i], &tcp, &err), "%s", bad[i]);
    ck_assert_msg(listen_tcp("127.0.0.1:0", &tcp, &err), "%s", err.message);
    ck_assert(tcp.loopback && strncmp(tcp.address, "http://127.0.0.1:", 17) == 0);
    struct listen_tcp second;
    ck_assert(!listen_tcp(tcp.address + 7, &second, &err));
    ck_assert_int_eq(err.code, HP_CONFLICT);
    close(tcp.fd);
    ck_assert(listen_tcp("0.0.0.0:0", &tcp, &err) && !tcp.loopback);
    close(tcp.fd);
    HP_FREE char *file = hp_format("%s/file", collector_state());
    ck_assert(hp_file_replace(file, "x", 1, 0600, &err));
    ck_assert_int_eq(listen_unix(file, &err), -1);
    ck_assert_int_eq(err.code, HP_CONFLICT);
    ck_assert_int_eq(access(file, F_OK), 0);
    char longer[200];
    snprintf(longer, sizeof longer, "/tmp/%0150d", 0);
    ck_assert_int_eq(listen_unix(longer, &err), -1);
    ck_assert_int_eq(err.code, HP_LIMIT);
}
END_TEST

/* Both answer, and both know that they are for this machine alone. */
START_TEST(listens_on_several_addresses)
{
    struct hp_error err;
    char first[64], second[64];
    collector_start((const char *const[]){"--listen", "127.0.0.1:0,127.0.0.2:0", NULL});
    HP_FREE char *path = hp_format("%s/run/address", collector_state());
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert(hp_file_read(path, 200, &text, &err));
    ck_assert_int_eq(sscanf(hp_buffer_text(&text), "%63s %63s", first, second), 2);
    ck_assert_str_eq(first, collector_address());
    ck_assert(strncmp(second, "http://127.0.0.2:", 17) == 0);
    ck_assert_int_eq(collector_ask_as(NULL, "GET", "/healthz", NULL, NULL), 200);
    HP_HTTP struct hp_http *http = hp_http_new(second, NULL, &err);
    HP_BUFFER struct hp_buffer answer = {0};
    long status = 0;
    hp_http_bytes(http, "GET", "/healthz", NULL, NULL, 0, 4096, &answer, &status, &err);
    ck_assert_int_eq(status, 403); /* its Host is no name of this machine */
    ck_assert_int_eq(collector_stop(), 0);
    const char *printed;
    ck_assert_int_ne(
        collector_run((const char *const[]){"serve", "--listen", "127.0.0.1:0,127.0.0.1", NULL},
                      true, &printed),
        0);
    ck_assert_ptr_nonnull(strstr(printed, "'127.0.0.1' is not an address"));
}
END_TEST

static void configure(const char *text)
{
    struct hp_error err;
    HP_FREE char *config = hp_format("%s/hakperf.conf", collector_state());
    ck_assert(hp_file_replace(config, text, strlen(text), 0644, &err));
    setenv("HAKPERF_CONFIG", config, 1);
}

/* Who may read, and how long a lease is, change with SIGHUP; all or nothing of it. */
START_TEST(reads_its_settings_anew)
{
    configure("anonymous-read = no\n");
    collector_start(NULL);
    ck_assert_int_eq(collector_ask_as(NULL, "GET", "/api/v1/status", NULL, NULL), 401);
    configure("anonymous-read = yes\nworkers = 3\n");
    collector_signal(SIGHUP);
    for (int i = 0; i < 100; i++) {
        if (collector_ask_as(NULL, "GET", "/api/v1/status", NULL, NULL) == 200)
            break;
        hp_sleep_ms(50);
    }
    ck_assert_int_eq(collector_ask_as(NULL, "GET", "/api/v1/status", NULL, NULL), 200);
    configure("anonymous-read = no\nlease = never\n");
    collector_signal(SIGHUP);
    hp_sleep_ms(300);
    ck_assert_int_eq(collector_ask_as(NULL, "GET", "/api/v1/status", NULL, NULL), 200);
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

/* What does not change with SIGHUP is a setting there is. */
START_TEST(fixed_settings_exist)
{
    for (const char *const *name = settings_fixed; *name; name++) {
        const struct hp_option *option = serve_options;
        while (option->name && strcmp(option->name, *name) != 0)
            option++;
        ck_assert_msg(option->name != NULL, "%s", *name);
    }
}
END_TEST

HP_SUITE(collector_serve)
{
    Suite *s = suite_create("collector_serve");
    TCase *t = tcase_create("serve");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, tells_where_it_is_and_cleans_up);
    tcase_add_test(t, serves_without_tcp);
    tcase_add_test(t, refuses_what_is_taken);
    tcase_add_test(t, needs_a_database);
    tcase_add_test(t, shows_its_configuration);
    tcase_add_test(t, tells_systemd);
    tcase_add_test(t, finishes_what_is_in_hand);
    tcase_add_test(t, survives_a_lost_database);
    tcase_add_test(t, listens_where_it_is_told);
    tcase_add_test(t, listens_on_several_addresses);
    tcase_add_test(t, reads_its_settings_anew);
    tcase_add_test(t, fixed_settings_exist);
    suite_add_tcase(s, t);
    return s;
}
