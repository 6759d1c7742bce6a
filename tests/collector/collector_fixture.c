#include "tests/collector/collector_fixture.h"

#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/process.h"
#include "common/state.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { TEXT = 256 << 10, ARGUMENTS = 32, REPOSITORIES = 4 };

static struct hp_child collector;
static char state[96], address[128];
static char collector_url[512], owner_url[512];

/* --- the program
 * ---------------------------------------------------------------------------------- */

static const char *program(void)
{
    static char path[512];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/bin/hakperf-collector", build ? build : "build");
    char *whole = realpath(path, NULL);
    ck_assert_msg(whole != NULL, "no %s", path);
    snprintf(path, sizeof path, "%s", whole);
    free(whole);
    return path;
}

void collector_begin(void)
{
    store_start();
}

/* Processes of failed tests, by the notes that collector_start leaves. */
void collector_end(void)
{
    HP_FREE char *notes = hp_format("%s/pids", store_state());
    HP_BUFFER struct hp_buffer text = {0};
    struct hp_error err;
    if (hp_file_read(notes, 1 << 16, &text, &err))
        for (const char *at = hp_buffer_text(&text); *at; at = strchr(at, '\n') + 1) {
            pid_t pid = atoi(at);
            HP_FREE char *exe = hp_format("/proc/%d/exe", pid);
            char target[512];
            ssize_t n = readlink(exe, target, sizeof target - 1);
            if (n > 0 && (target[n] = '\0', strstr(target, "hakperf-collector")))
                kill(pid, SIGKILL);
        }
    store_stop();
}

static void note_pid(pid_t pid)
{
    HP_FREE char *path = hp_format("%s/pids", store_state());
    HP_FILE FILE *f = fopen(path, "a");
    ck_assert(f != NULL);
    fprintf(f, "%d\n", (int)pid);
}

const char *collector_state(void)
{
    if (!state[0]) {
        struct hp_error err;
        snprintf(state, sizeof state, "%s/c%d", store_state(), (int)getpid());
        snprintf(collector_url, sizeof collector_url, "%s", store_url(PRIVATE_DB_COLLECTOR));
        snprintf(owner_url, sizeof owner_url, "%s", store_url(PRIVATE_DB_OWNER));
        ck_assert_msg(hp_state_make(state, "run", 0700, &err), "%s", err.message);
    }
    return state;
}

/* Waits for "ready: ADDRESS" on its standard output. */
static void read_address(void)
{
    char line[256] = "";
    size_t n = 0;
    double end = hp_monotonic_s() + 30;
    while (n + 1 < sizeof line && !strchr(line, '\n')) {
        struct pollfd slot = {collector.out, POLLIN, 0};
        ck_assert_msg(hp_monotonic_s() < end, "the collector is not ready: '%s'", line);
        if (poll(&slot, 1, 100) <= 0)
            continue;
        ssize_t got = read(collector.out, line + n, sizeof line - 1 - n);
        ck_assert_msg(got > 0, "the collector ended");
        n += (size_t)got;
        line[n] = '\0';
    }
    ck_assert_msg(sscanf(line, "ready: %127s", address) == 1, "it said '%s'", line);
}

void collector_start(const char *const *arguments)
{
    const char *argv[ARGUMENTS] = {
        program(),         "serve",      "--quiet",     "--state",
        collector_state(), "--database", collector_url, "--owner-database",
        owner_url,         "--listen",   "127.0.0.1:0"};
    size_t n = 11;
    for (; arguments && *arguments; arguments++)
        argv[n++] = *arguments;
    struct hp_command command = {.argv = argv};
    struct hp_error err;
    ck_assert_msg(hp_child_start(&command, false, true, &collector, &err), "%s", err.message);
    note_pid(collector.pid);
    read_address();
}

int collector_stop(void)
{
    int status = hp_child_stop(&collector, SIGTERM, 40);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void collector_kill(void)
{
    hp_child_stop(&collector, SIGKILL, 5);
}

void collector_signal(int signal_number)
{
    kill(collector.pid, signal_number);
}

int collector_run(const char *const *arguments, bool connected, const char **printed)
{
    static char text[65536];
    const char *argv[ARGUMENTS] = {program()};
    size_t n = 1;
    for (; *arguments; arguments++)
        argv[n++] = *arguments;
    if (connected) {
        argv[n++] = "--state";
        argv[n++] = collector_state();
        argv[n++] = "--database";
        argv[n++] = collector_url;
    }
    struct hp_command command = {.argv = argv, .merge_stderr = true, .timeout_s = 60};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err;
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    snprintf(text, sizeof text, "%s", hp_buffer_text(&outcome.out));
    if (printed)
        *printed = text;
    return outcome.exit_code;
}

const char *collector_address(void)
{
    return address;
}

int collector_port(void)
{
    return atoi(strrchr(address, ':') + 1);
}

/* --- requests
 * --------------------------------------------------------------------------------------- */

static long ask(const char *server, const char *token, const char *method, const char *path,
                const json_t *body, json_t **answer)
{
    struct hp_error err;
    HP_HTTP struct hp_http *http = hp_http_new(server, token, &err);
    ck_assert_msg(http != NULL, "%s", err.message);
    HP_JSON json_t *got = NULL;
    long status = 0;
    if (!hp_http_json(http, method, path, body, &got, &status, &err))
        got = hp_error_json(&err);
    if (answer)
        *answer = hp_take(got);
    return status;
}

long collector_ask(const char *method, const char *path, const json_t *body, json_t **answer)
{
    HP_FREE char *server = hp_format("unix:%s/run/collector.sock", collector_state());
    return ask(server, NULL, method, path, body, answer);
}

long collector_ask_as(const char *token, const char *method, const char *path, const json_t *body,
                      json_t **answer)
{
    return ask(address, token, method, path, body, answer);
}

const char *collector_error(const char *method, const char *path, const json_t *body)
{
    static char code[32];
    HP_JSON json_t *answer = NULL;
    long status = collector_ask(method, path, body, &answer);
    snprintf(code, sizeof code, "%s", status < 300 ? "" : hp_json_string(answer, "code", "?"));
    return code;
}

static int connect_tcp(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)collector_port())};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

const char *collector_ask_bytes(const void *bytes, size_t size)
{
    static char text[TEXT];
    HP_FD int fd = connect_tcp();
    size_t n = 0;
    text[0] = '\0';
    if (!hp_write_all(fd, bytes, size))
        return text;
    for (ssize_t got; n + 1 < TEXT && (got = read(fd, text + n, TEXT - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    return text;
}

const char *collector_ask_raw(const char *text)
{
    return collector_ask_bytes(text, strlen(text));
}

const char *collector_token(const char *scope, const char *name)
{
    static char tokens[8][96];
    static size_t next;
    char *token = tokens[next++ % 8];
    const char *printed;
    const char *const arguments[] = {"token", "create", "--scope", scope, "--name", name, NULL};
    ck_assert_msg(collector_run(arguments, true, &printed) == 0, "%s", printed);
    snprintf(token, 96, "%.*s", (int)strcspn(printed, "\n"), printed);
    return token;
}

/* --- repositories
 * ------------------------------------------------------------------------------------- */

const char *repo_git(const char *repository, const char *const *arguments)
{
    static char text[65536];
    const char *argv[ARGUMENTS] = {"git",
                                   "-c",
                                   "user.name=Test",
                                   "-c",
                                   "user.email=t@example.org",
                                   "-c",
                                   "init.defaultBranch=main"};
    size_t n = 7;
    for (; *arguments; arguments++)
        argv[n++] = *arguments;
    struct hp_command command = {.argv = argv, .folder = repository, .timeout_s = 60};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error err;
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    ck_assert_msg(outcome.exit_code == 0, "git: %s", hp_buffer_text(&outcome.err));
    snprintf(text, sizeof text, "%s", hp_buffer_text(&outcome.out));
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    return text;
}

const char *repo_make(void)
{
    static char paths[REPOSITORIES][96];
    static size_t made;
    ck_assert(made < REPOSITORIES);
    char *path = paths[made];
    struct hp_error err;
    snprintf(path, 96, "%s/repo-%d-%zu", store_state(), (int)getpid(), made++);
    ck_assert_msg(hp_make_dirs(path, 0755, &err), "%s", err.message);
    REPO_GIT(path, "init", "--quiet");
    return path;
}

const char *repo_commit(const char *repository, const char *path, const char *text,
                        const char *subject)
{
    static char shas[32][65];
    static size_t next;
    HP_FREE char *file = hp_format("%s/%s", repository, path);
    HP_FREE char *folder = strndup(file, (size_t)(strrchr(file, '/') - file));
    struct hp_error err;
    ck_assert_msg(hp_make_dirs(folder, 0755, &err), "%s", err.message);
    ck_assert_msg(hp_file_replace(file, text, strlen(text), 0644, &err), "%s", err.message);
    REPO_GIT(repository, "add", "--all");
    REPO_GIT(repository, "commit", "--quiet", "--allow-empty", "--message", subject);
    char *sha = shas[next++ % 32];
    snprintf(sha, 65, "%s", REPO_GIT(repository, "rev-parse", "HEAD"));
    return sha;
}

/* --- documents
 * ------------------------------------------------------------------------------------------ */

json_t *suite_for(const char *repository)
{
    json_error_t where;
    json_t *suite = json_pack_ex(
        &where, 0,
        "{s:s, s:s, s:{s:s, s:s, s:[s]}, s:{s:[[s]], s:[s]}, s:{s:s, s:{s:[[s]], s:[s]}},"
        " s:[{s:s, s:s, s:[s], s:i}]}",
        "format", "hakperf-suite-v1", "name", "test", "repository", "name", "r", "url", repository,
        "watch", "lib/", "recipe", "commands", "make", "artifacts", "libx.so", "driver", "rev",
        "main", "recipe", "commands", "make", "artifacts", "bench", "workloads", "name", "w",
        "program", "bench", "arguments", "{iterations}", "iterations", 1000);
    ck_assert_msg(suite != NULL, "%s", where.text);
    return suite;
}

json_t *suite_apply(const char *repository)
{
    HP_JSON json_t *suite = suite_for(repository);
    json_t *answer = NULL;
    long status = collector_ask("PUT", "/api/v1/suites", suite, &answer);
    ck_assert_msg(status == 200, "%s", hp_json_string(answer, "message", "?"));
    return answer;
}

void suite_applied(const char *repository)
{
    json_decref(suite_apply(repository));
}

json_t *claim(const char *runner)
{
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "runner", runner, "version", "1");
    json_t *job = NULL;
    long status = collector_ask("POST", "/api/v1/jobs/claim", body, &job);
    ck_assert_msg(status == 200 || status == 204, "%s", hp_json_string(job, "message", "?"));
    return job;
}

json_t *failed_result(const json_t *job)
{
    static const char *const same[] = {"run",     "job",        "fence",
                                       "attempt", "repository", "suite_hash"};
    struct hp_error err;
    json_t *result = hp_json_read_file("common/wire/examples/result-failed-v1.json", 1 << 20, &err);
    ck_assert_msg(result != NULL, "%s", err.message);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        json_object_set(result, same[i], json_object_get(job, same[i]));
    json_t *arms = json_object_get(result, "arms");
    for (size_t i = json_array_size(arms); i-- > 0;) {
        json_t *arm = json_array_get(arms, i);
        json_t *commit = json_object_get(job, hp_json_string(arm, "name", ""));
        if (json_is_object(commit))
            json_object_set(arm, "sha", json_object_get(commit, "sha"));
        else
            json_array_remove(arms, i);
    }
    return result;
}
