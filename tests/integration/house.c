#include "tests/integration/house.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_SECONDS 90.0
#define PATHS 8

static struct {
    pid_t owner; /* the process that opened it and must close it */
    char folder[64], state[96], trouble[4096];
    struct hp_child up;
    struct MHD_Daemon *receiver;
    struct watch {
        pid_t pid;
        int pipe; /* its other end is open for as long as this process lives */
    } watch;
} house;

const char *house_state(void)
{
    return house.state;
}

/* The collector says where it listens each time it starts; "any port" is another one then. */
const char *house_page(void)
{
    static char page[128];
    struct hp_error ignored;
    HP_BUFFER struct hp_buffer log = {0};
    const char *at;
    page[0] = '\0';
    hp_file_read(house_path("up.log"), 1 << 20, &log, &ignored);
    for (const char *rest = hp_buffer_text(&log); (at = strstr(rest, "ready: ")); rest = at + 7)
        snprintf(page, sizeof page, "%.*s", (int)strcspn(at + 7, "\n"), at + 7);
    return page;
}

const char *house_path(const char *name)
{
    static char text[PATHS][PATH_MAX];
    static int at;
    at = (at + 1) % PATHS;
    snprintf(text[at], sizeof text[at], "%s/%s", house.folder, name);
    return text[at];
}

const char *house_program(const char *name)
{
    static char text[PATH_MAX];
    const char *build = getenv("BUILD"); /* absolute, as make sets it */
    snprintf(text, sizeof text, "%s/bin/%s", build ? build : "build", name);
    return text;
}

/* --- the receiver of webhooks ------------------------------------------------------------------
 */

/* Appends each body to a file, which the forked tests can read too. */
static enum MHD_Result receive(void *closure, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **context)
{
    (void)closure, (void)url, (void)method, (void)version;
    if (!*context) {
        *context = &house; /* the headers are in */
        return MHD_YES;
    }
    if (*size > 0) {
        HP_FD int fd =
            open(house_path("webhooks"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        bool written = fd >= 0 && hp_write_all(fd, data, *size);
        *size = 0;
        return written ? MHD_YES : MHD_NO;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

/*
 * The leak checker of a forked test case cannot stop the receiver's thread, which stayed in the
 * parent, and then sees leaks where there are none: what the test binary itself allocates from here
 * on is not judged. The programs under test are processes of their own, and are.
 */
static void no_false_leaks(void)
{
#ifdef __SANITIZE_ADDRESS__
    __lsan_disable();
#endif
}

static int receiver_start(void)
{
    no_false_leaks();
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    house.receiver = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, receive, NULL,
                                      MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        house.receiver ? MHD_get_daemon_info(house.receiver, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    return info ? info->port : 0;
}

char *house_webhooks(void)
{
    struct hp_error ignored;
    HP_BUFFER struct hp_buffer text = {0};
    hp_file_read(house_path("webhooks"), 1 << 20, &text, &ignored);
    return strdup(hp_buffer_text(&text));
}

/* --- the service -------------------------------------------------------------------------------
 */

static bool start_up(int port, struct hp_error *err)
{
    HP_FREE char *webhook = hp_format("http://127.0.0.1:%d/alert", port);
    HP_FD int log = open(house_path("up.log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    /* It ends with this test run, however that ends. */
    const char *argv[] = {"setpriv",     "--pdeathsig", "TERM",      house_program("hakperf"),
                          "up",          "--state",     house.state, "--listen",
                          "127.0.0.1:0", "--webhook",   webhook,     NULL};
    struct hp_command command = {
        .argv = argv, .folder = house.folder, .stdout_fd = log, .merge_stderr = true};
    if (log < 0)
        return hp_fail_errno(err, "cannot write %s", house_path("up.log"));
    return hp_child_start(&command, false, false, &house.up, err);
}

/* Stops the service where the test binary ended without doing so: a pipe tells. */
static bool start_watch(void)
{
    int ends[2];
    char told;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        setsid(); /* out of reach of the terminal's Ctrl-C */
        close(ends[1]);
        while (read(ends[0], &told, 1) < 0 && errno == EINTR)
            ;
        kill(house.up.pid, SIGTERM);
        _exit(0);
    }
    close(ends[0]);
    house.watch = (struct watch){pid, ends[1]};
    return pid > 0;
}

static void stop_watch(void)
{
    if (house.watch.pid <= 0)
        return;
    kill(house.watch.pid, SIGKILL);
    waitpid(house.watch.pid, NULL, 0);
    close(house.watch.pipe);
}

/* Waits for the line with the link to the page: all is started then. */
static void wait_ready(void)
{
    double deadline = hp_monotonic_s() + READY_SECONDS;
    for (;;) {
        struct hp_error ignored;
        int status;
        HP_BUFFER struct hp_buffer log = {0};
        hp_file_read(house_path("up.log"), 1 << 20, &log, &ignored);
        const char *at = strstr(hp_buffer_text(&log), "page: ");
        if (at && strchr(at, '\n'))
            return;
        if (hp_child_ended(&house.up, &status) || hp_monotonic_s() > deadline) {
            snprintf(house.trouble, sizeof house.trouble, "hakperf up is not ready: %s",
                     hp_buffer_text(&log));
            return;
        }
        hp_sleep_ms(100);
    }
}

static const char *const environment[][2] = {{"GIT_CONFIG_GLOBAL", "/dev/null"},
                                             {"GIT_AUTHOR_NAME", "Ann Author"},
                                             {"GIT_AUTHOR_EMAIL", "ann@example.org"},
                                             {"GIT_COMMITTER_NAME", "Ann Author"},
                                             {"GIT_COMMITTER_EMAIL", "ann@example.org"}};

void house_open(void)
{
    struct hp_error err = {0};
    house.owner = getpid();
    house.up = (struct hp_child){.in = -1, .out = -1};
    snprintf(house.folder, sizeof house.folder, "%s/it-XXXXXX", test_root());
    /* Readable by the user that the programs run as when this is root. */
    if (!mkdtemp(house.folder) || chmod(house.folder, 0755) != 0 ||
        mkdir(house_path("work"), 0755) != 0) {
        snprintf(house.trouble, sizeof house.trouble, "cannot make %s", house.folder);
        return;
    }
    snprintf(house.state, sizeof house.state, "%s/state", house.folder);
    setenv("HAKPERF_STATE", house.state, 1);
    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++)
        setenv(environment[i][0], environment[i][1], 1);
    atexit(house_close);
    int port = receiver_start();
    if (port == 0 || !start_up(port, &err) || !start_watch())
        snprintf(house.trouble, sizeof house.trouble, "no service: %s", err.message);
    else
        wait_ready();
}

void house_close(void)
{
    struct hp_error err = {0};
    if (house.owner != getpid())
        return; /* a forked test, or closed already */
    house.owner = 0;
    stop_watch();
    hp_child_stop(&house.up, SIGTERM, 60);
    if (house.receiver)
        MHD_stop_daemon(house.receiver);
    if (!getenv("HAKPERF_TEST_KEEP") && !hp_remove_tree(house.folder, &err))
        hp_error_print("integration test", &err);
    unsetenv("HAKPERF_STATE");
    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++)
        unsetenv(environment[i][0]);
}

const char *house_ready(void)
{
    return house.trouble[0] ? house.trouble : NULL;
}

pid_t house_pid(const char *verb)
{
    struct hp_error ignored;
    HP_BUFFER struct hp_buffer notes = {0};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/run/up.pids", house.state);
    if (!hp_file_read(path, 4096, &notes, &ignored))
        return 0;
    for (char *rest = notes.data, *line; rest && (line = strsep(&rest, "\n"));) {
        HP_BUFFER struct hp_buffer words = {0};
        int pid = atoi(line);
        snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
        if (pid <= 0 || !hp_file_read(path, 65536, &words, &ignored) || !words.data)
            continue;
        size_t first = strlen(words.data) + 1;
        if (first < words.size && strcmp(words.data + first, verb) == 0)
            return pid;
    }
    return 0;
}

void house_run(struct hp_outcome *outcome, const char *folder, double seconds,
               const char *const *argv)
{
    struct hp_error err;
    struct hp_command command = {
        .argv = argv, .folder = folder ? folder : house.folder, .timeout_s = seconds};
    ck_assert_msg(hp_run(&command, outcome, &err), "%s", err.message);
    ck_assert_msg(!outcome->timed_out, "%s %s took over %.0f s: %s", argv[0], argv[1], seconds,
                  hp_buffer_text(&outcome->err));
}
