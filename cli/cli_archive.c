/* hakperf export, import: a repository's whole history to a file and back. */
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As long as a day: a history may be large. */
static const double TIMEOUT_S = 86400;
static const size_t LIMIT = (size_t)256 << 30;

const struct hp_option cli_export_options[] = {
    {"force", 'f', HP_OPT_FLAG, NULL, NULL, 0, 0, "replace FILE where it is there", false},
    {.name = NULL},
};

const struct hp_option cli_import_options[] = {
    {"as", 0, HP_OPT_STRING, "NAME", NULL, 0, 0, "what the repository is called here", false},
    {.name = NULL},
};

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The answer in `fd`; what it is called later decides whether it is compressed. */
static bool fetch(struct cli_session *session, const char *name, int fd, struct hp_error *err)
{
    HP_FREE char *repository = cli_repository(session, err);
    HP_FREE char *path = repository
                             ? hp_format("/api/v1/repositories/%s/export?format=%s", repository,
                                         ends_with(name, ".zst") ? "zstd" : "jsonl")
                             : NULL;
    hp_http_timeout(session->http, TIMEOUT_S);
    return path && hp_http_download(session->http, path, fd, LIMIT, err);
}

static bool check_free(const struct hp_values *values, const char *file, struct hp_error *err)
{
    if (hp_opt_flag(values, "force") || access(file, F_OK) != 0)
        return true;
    hp_fail(err, HP_CONFLICT, "%s is there already", file);
    return hp_error_hint(err, "Give another name, or --force.");
}

/* FILE is whole or not there. */
static bool export_file(struct cli_session *session, const char *file, struct stat *st,
                        struct hp_error *err)
{
    HP_FREE char *partial = hp_format("%s.partial", file);
    HP_FD int fd = partial ? open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    if (fd < 0)
        return hp_fail_errno(err, "cannot write %s", partial ? partial : file);
    bool ok = fetch(session, file, fd, err);
    if (ok && (fsync(fd) != 0 || fstat(fd, st) != 0 || rename(partial, file) != 0))
        ok = hp_fail_errno(err, "cannot write %s", file);
    if (!ok)
        unlink(partial);
    return ok;
}

int cli_export(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct stat st = {0};
    CLI_SESSION struct cli_session session = {0};
    const char *file = hp_arg(values, 0);
    if (!cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    if (strcmp(file, "-") == 0)
        return fetch(&session, file, STDOUT_FILENO, &err) ? HP_EXIT_OK : cli_fail(values, &err);
    if (!check_free(values, file, &err) || !export_file(&session, file, &st, &err))
        return cli_fail(values, &err);
    if (session.json) {
        HP_JSON json_t *out =
            json_pack("{s:s, s:I}", "file", file, "bytes", (json_int_t)st.st_size);
        cli_print_json(out);
    } else if (!session.quiet) {
        printf("%s: %lld bytes\n", file, (long long)st.st_size);
    }
    return HP_EXIT_OK;
}

static void print_report(const json_t *answer)
{
    const char *table;
    const json_t *lines;
    int64_t sum = 0;
    json_object_foreach ((json_t *)(uintptr_t)json_object_get(answer, "lines"), table, lines)
        sum += json_integer_value(lines);
    const json_t *all = json_object_get(answer, "lines");
    printf("%s: %lld commits, %lld jobs, %lld runs, %lld lines in all\n",
           hp_json_string(answer, "repository", "?"), (long long)hp_json_int(all, "commit", 0),
           (long long)hp_json_int(all, "job", 0), (long long)hp_json_int(all, "run", 0),
           (long long)sum);
}

/* -1 with an error. */
static int open_archive(const char *file, struct stat *st, struct hp_error *err)
{
    if (stat(file, st) != 0) {
        hp_fail_errno(err, "cannot read %s", file);
        return -1;
    }
    if (!S_ISREG(st->st_mode)) {
        hp_fail(err, HP_USAGE, "%s is no file", file);
        return -1;
    }
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        hp_fail_errno(err, "cannot read %s", file);
    return fd;
}

int cli_import(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct stat st;
    CLI_SESSION struct cli_session session = {0};
    const char *file = hp_arg(values, 0), *as = hp_opt(values, "as");
    HP_FREE char *name = as ? hp_url_encode(as) : NULL;
    HP_FREE char *path = hp_format("/api/v1/import%s%s", name ? "?name=" : "", name ? name : "");
    HP_FD int fd = open_archive(file, &st, &err);
    if (fd < 0)
        return cli_fail(values, &err);
    if (!path || !cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    hp_http_timeout(session.http, TIMEOUT_S);
    HP_JSON json_t *answer = NULL;
    if (!hp_http_upload(session.http, "POST", path, "application/octet-stream", fd,
                        (size_t)st.st_size, &answer, &err))
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else if (!session.quiet)
        print_report(answer);
    return HP_EXIT_OK;
}
