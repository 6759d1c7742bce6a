/*
 * kill -9 at random moments of `hakperf-runner work`: while it claims, builds, writes its result
 * and delivers. The collector here keeps the books of the real one: a job is given out until a
 * result of its newest claim arrives, an older claim's result is refused, a known one is
 * acknowledged again; now and then it takes a result and breaks the connection instead of saying
 * so. At the end every job has exactly one result, and nothing that was ever whole in the spool is
 * missing. HAKPERF_SOAK=SECONDS goes on for so long (make soak-runner).
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "common/wire.h"
#include "runner/source.h"
#include "runner/spool.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_CLAIMS 20000
#define RUN_FORMAT "0b9d1f0e-6d5e-4d6c-9d3a-%012d"

struct books {
    int listener;
    char url[64];
    char *source[2]; /* archives of plain and comment */
    size_t source_size[2];
    struct rn_commit commit[2];
    json_t *suite;
    char suite_hash[65];
    pthread_t thread;
    volatile int end;
    int claims, jobs_done, repeated, refused; /* claim n has run id n */
    int job_of[MOST_CLAIMS + 1];
    bool stored[MOST_CLAIMS + 1], seen[MOST_CLAIMS + 1];
    unsigned random;
};

static unsigned draw(unsigned *state, unsigned below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

static void reply(int fd, int status, const void *body, size_t size)
{
    dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status, size);
    hp_write_all(fd, body, size);
}

static void reply_text(int fd, int status, const char *text)
{
    reply(fd, status, text, strlen(text));
}

static json_t *commit_json(const struct rn_commit *commit)
{
    return json_pack("{s:s, s:s}", "sha", commit->sha, "subject", commit->subject);
}

static void claim(struct books *b, int fd)
{
    if (b->end || b->claims == MOST_CLAIMS) {
        reply_text(fd, 204, "");
        return;
    }
    int claim = ++b->claims;
    b->job_of[claim] = b->jobs_done + 1;
    HP_FREE char *run = hp_format(RUN_FORMAT, claim);
    HP_JSON json_t *job =
        json_pack("{s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:O, s:s, s:i}", "format",
                  "hakperf-job-v1", "job", b->jobs_done + 1, "fence", claim, "attempt", 1, "run",
                  run, "kind", "commit", "repository", "t", "base", commit_json(&b->commit[0]),
                  "head", commit_json(&b->commit[1]), "driver", commit_json(&b->commit[0]), "suite",
                  b->suite, "suite_hash", b->suite_hash, "lease_seconds", 3600);
    HP_FREE char *text = hp_json_text(job);
    reply_text(fd, 200, text);
}

static void take_result(struct books *b, int fd, int claim, const char *body)
{
    struct hp_error err;
    HP_JSON json_t *result = hp_wire_parse(HP_WIRE_RESULT, body, strlen(body), &err);
    if (!result || claim < 1 || claim > b->claims) {
        reply_text(fd, 422, "{\"code\":\"invalid\",\"message\":\"half a result\"}");
        return;
    }
    b->seen[claim] = true;
    if (b->stored[claim]) {
        b->repeated++;
        reply_text(fd, 200, "{}");
    } else if (claim != b->claims || b->job_of[claim] != b->jobs_done + 1) {
        b->refused++;
        reply_text(fd, 409, "{\"code\":\"conflict\",\"message\":\"late\"}");
    } else {
        b->stored[claim] = true;
        b->jobs_done++;
        if (draw(&b->random, 4) != 0)
            reply_text(fd, 201, "{}");
    }
}

static void serve_one(struct books *b, int fd)
{
    HP_BUFFER struct hp_buffer request = {0};
    char block[65536];
    int run = 0;
    const char *body = NULL;
    for (;;) {
        body = request.data ? strstr(request.data, "\r\n\r\n") : NULL;
        const char *length = request.data ? strstr(request.data, "Content-Length: ") : NULL;
        size_t expected = length ? (size_t)strtoul(length + 16, NULL, 10) : 0;
        if (body && request.size >= (size_t)(body + 4 - request.data) + expected)
            break;
        ssize_t n = read(fd, block, sizeof block);
        if (n <= 0)
            return; /* the runner died in the middle of it */
        hp_buffer_append(&request, block, (size_t)n);
    }
    const char *line = hp_buffer_text(&request);
    if (strncmp(line, "POST /api/v1/jobs/claim", 23) == 0)
        claim(b, fd);
    else if (strncmp(line, "GET /api/v1/jobs/", 17) == 0) {
        const char *sha = strstr(line, "/source/");
        int which = sha && strncmp(sha + 8, b->commit[1].sha, 40) == 0;
        reply(fd, 200, b->source[which], b->source_size[which]);
    } else if (sscanf(line, "PUT /api/v1/runs/" RUN_FORMAT, &run) == 1)
        take_result(b, fd, run, body + 4);
    else
        reply_text(fd, 200, "{\"lease_seconds\":3600}");
}

static void *serve(void *context)
{
    struct books *b = context;
    while (b->end < 2) {
        struct pollfd slot = {.fd = b->listener, .events = POLLIN};
        if (poll(&slot, 1, 20) <= 0)
            continue;
        int fd = accept(b->listener, NULL, NULL);
        if (fd < 0)
            continue;
        struct timeval patience = {.tv_sec = 2};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        serve_one(b, fd);
        close(fd);
    }
    return NULL;
}

static void open_books(struct books *b)
{
    static const char *const tags[] = {"plain", "comment"};
    struct hp_error err = {0};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    HP_FREE char *repository = fx_path("repo");
    HP_FREE char *path = fx_path("suite.json");
    b->suite = hp_json_read_file(path, 100000, &err);
    ck_assert(hp_suite_hash(b->suite, b->suite_hash, &err));
    for (int i = 0; i < 2; i++) {
        ck_assert(rn_source_resolve(repository, tags[i], &b->commit[i], &err));
        HP_FD int fd = rn_source_archive(repository, tags[i], fx.folder, &err);
        b->source_size[i] = (size_t)lseek(fd, 0, SEEK_END);
        b->source[i] = malloc(b->source_size[i]);
        ck_assert_int_eq(pread(fd, b->source[i], b->source_size[i], 0), (long)b->source_size[i]);
    }
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(b->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(b->listener, 16), 0);
    ck_assert_int_eq(getsockname(b->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&b->thread, NULL, serve, b), 0);
}

static void close_books(struct books *b)
{
    b->end = 2;
    pthread_join(b->thread, NULL);
    close(b->listener);
    free(b->source[0]);
    free(b->source[1]);
    json_decref(b->suite);
}

static void start_runner(const struct books *b, struct hp_child *child)
{
    struct hp_error err;
    const char *const argv[] = {fx.runner.launcher, "work", "--state", fx.runner.state,
                                "--server",         b->url, NULL};
    const struct hp_command command = {.argv = argv, .folder = fx.folder};
    ck_assert_msg(hp_child_start(&command, false, false, child, &err), "%s", err.message);
}

/* Marks what is whole in the spool now: it must arrive. Only while no runner runs. */
static void note_spool(bool owed[MOST_CLAIMS + 1])
{
    struct hp_error err;
    char **runs;
    size_t count;
    int run;
    ck_assert(rn_spool_list(fx.runner.state, &runs, &count, &err));
    for (size_t i = 0; i < count; i++)
        if (sscanf(runs[i], RUN_FORMAT, &run) == 1)
            owed[run] = true;
    rn_spool_free(runs, count);
}

static struct books books;
static bool owed[MOST_CLAIMS + 1];

START_TEST(nothing_is_lost_and_nothing_doubled)
{
    const char *soak = getenv("HAKPERF_SOAK");
    double end = hp_monotonic_s() + (soak ? atof(soak) : 14);
    struct hp_child child;
    int kills = 0, per_job[MOST_CLAIMS + 2] = {0};
    unsigned random = (unsigned)getpid() * 2654435761u + 1;
    books = (struct books){.random = random};
    open_books(&books);
    for (; hp_monotonic_s() < end; kills++) {
        start_runner(&books, &child);
        /* The first time long enough to fill the build cache, so that later ones come further. */
        hp_sleep_ms(kills == 0 ? 4000 : 20 + (int)draw(&random, 1200));
        hp_child_stop(&child, SIGKILL, 5);
        note_spool(owed);
    }
    books.end = 1; /* no more jobs; what is in the spool still goes */
    start_runner(&books, &child);
    for (int i = 0; i < 200; i++) {
        struct hp_error err;
        char **runs;
        size_t count = 0;
        hp_sleep_ms(50);
        ck_assert(rn_spool_list(fx.runner.state, &runs, &count, &err));
        rn_spool_free(runs, count);
        if (count == 0 && i > 20)
            break;
    }
    hp_child_stop(&child, SIGTERM, 5);
    close_books(&books);
    for (int claim = 1; claim <= books.claims; claim++) {
        ck_assert_msg(!owed[claim] || books.seen[claim], "run %d was whole and never came", claim);
        per_job[books.job_of[claim]] += books.stored[claim];
    }
    for (int job = 1; job <= books.jobs_done; job++)
        ck_assert_int_eq(per_job[job], 1);
    printf("kills %d, claims %d, jobs done %d, delivered again %d, refused as late %d\n", kills,
           books.claims, books.jobs_done, books.repeated, books.refused);
    ck_assert_int_gt(kills, 3);
    ck_assert_int_gt(books.jobs_done, 0);
    HP_FREE char *left = fx_output((const char *const[]){"find", "state/spool", "-type", "f",
                                                         "-not", "-path", "*/refused/*", NULL});
    ck_assert_str_eq(left, "");
}
END_TEST

HP_SUITE_AT(runner_killed, HP_SUITE_FIRST)
{
    Suite *s = suite_create("runner_killed");
    TCase *t = tcase_create("killed");
    const char *soak = getenv("HAKPERF_SOAK");
    tcase_add_checked_fixture(t, fx_open_repository, fx_close);
    tcase_add_test(t, nothing_is_lost_and_nothing_doubled);
    tcase_set_timeout(t, 120 + (soak ? atof(soak) : 0));
    suite_add_tcase(s, t);
    return s;
}
