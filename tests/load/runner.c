#include "tests/load/load.h"

#include "common/clock.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/log.h"
#include "runner/deliver.h"
#include "runner/spool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int runner_claim(struct hp_http *http, const char *name, json_t **job)
{
    struct hp_error err;
    long status = 0;
    HP_JSON json_t *body = json_pack("{s:s, s:s}", "runner", name, "version", "1");
    *job = NULL;
    if (!hp_http_json(http, "POST", "/api/v1/jobs/claim", body, job, &status, &err))
        return -1;
    return *job ? 1 : 0;
}

static volatile sig_atomic_t ending;

static void on_term(int number)
{
    (void)number;
    ending = 1;
}

/* A line is written by one call, so that a kill leaves whole lines. */
static void note_sent(int fd, const json_t *job, int64_t tag)
{
    char line[128];
    int n = snprintf(line, sizeof line, "%s %lld %lld\n", hp_json_string(job, "run", ""),
                     (long long)hp_json_int(job, "job", 0), (long long)tag);
    if (write(fd, line, (size_t)n) != n)
        die("cannot write the list of what was sent");
}

/* Renews the lease once, as a runner does while it measures. */
static void renew(struct hp_http *http, const json_t *job)
{
    struct hp_error ignored;
    HP_FREE char *path =
        hp_format("/api/v1/jobs/%lld/progress", (long long)hp_json_int(job, "job", 0));
    HP_JSON json_t *body =
        json_pack("{s:O, s:s, s:i, s:i, s:s}", "fence", json_object_get(job, "fence"), "stage",
                  "measure", "done", 64, "total", 1536, "text", "");
    HP_JSON json_t *answer = NULL;
    hp_http_json(http, "POST", path, body, &answer, NULL, &ignored);
}

static void work_once(struct hp_http *http, const char *folder, const char *name, int fd)
{
    struct hp_error err;
    HP_JSON json_t *job = NULL;
    uint32_t random = 0;
    if (!rn_deliver_all(http, folder, &err)) {
        hp_sleep_ms(100);
        return;
    }
    if (ending)
        return;
    int claimed = runner_claim(http, name, &job);
    if (claimed <= 0) {
        hp_sleep_ms(claimed < 0 ? 100 : 20);
        return;
    }
    hp_random_bytes(&random, sizeof random, &err);
    renew(http, job);
    hp_sleep_ms((int)(random % 20));
    size_t size;
    HP_FREE char *text = document_text(job, name, (int64_t)(random % 1000000000), false, &size);
    HP_JSON json_t *document = json_loads(text, 0, NULL);
    if (!rn_spool_put(folder, document, &err))
        die("spool: %s", err.message);
    note_sent(fd, job, (int64_t)(random % 1000000000));
}

void runner_process(const char *server, const char *folder, int number)
{
    struct hp_error err;
    char name[32];
    hp_log_init("load", HP_LOG_ERROR + 1);
    signal(SIGTERM, on_term);
    snprintf(name, sizeof name, "load-%d", number);
    HP_FREE char *list = hp_format("%s/sent", folder);
    HP_FD int fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    HP_HTTP struct hp_http *http = hp_http_new(server, NULL, &err);
    if (fd < 0 || !http)
        die("runner %d cannot begin", number);
    rn_spool_clean(folder);
    double end = 0;
    for (;;) {
        work_once(http, folder, name, fd);
        if (!ending)
            continue;
        char **runs = NULL;
        size_t count = 1;
        if (rn_spool_list(folder, &runs, &count, &err))
            rn_spool_free(runs, count);
        if (end == 0)
            end = hp_monotonic_s() + 180;
        if (count == 0 || hp_monotonic_s() > end)
            return;
    }
}
