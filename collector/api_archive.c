/* Export and import of a repository's whole history. */
#include "collector/api.h"
#include "collector/archive.h"
#include "collector/auth.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>
#include <sys/stat.h>

static bool wants_zstd(const struct request *request, bool *zstd, struct hp_error *err)
{
    const char *format = request_param(request, "format");
    *zstd = format && strcmp(format, "zstd") == 0;
    if (!format || *zstd || strcmp(format, "jsonl") == 0)
        return true;
    hp_fail(err, HP_USAGE, "there is no format '%.40s'", format);
    hp_error_hint(err, "Formats are jsonl and zstd.");
    return hp_error_path(err, "format");
}

bool api_export(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    bool zstd;
    struct stat st;
    if (!wants_zstd(request, &zstd, err))
        return false;
    HP_FD int fd = server_file(service->server, err);
    if (fd < 0 || !archive_export(service->reader, request->arg[0], fd, zstd, err))
        return false;
    if (fstat(fd, &st) != 0)
        return hp_fail_errno(err, "cannot read the archive");
    answer->content_type = zstd ? "application/zstd" : "application/x-ndjson";
    answer->size = (size_t)st.st_size;
    answer->fd = hp_take_fd(&fd);
    return answer_header(answer, "Content-Disposition", "attachment; filename=\"%s.jsonl%s\"",
                         request->arg[0], zstd ? ".zst" : "") ||
           hp_fail(err, HP_SYSTEM, "out of memory");
}

struct asker {
    struct service *service;
    bool over_unix;
};

static bool may_import(const void *context, const char *url, struct hp_error *err)
{
    const struct asker *asker = context;
    return mirror_check_url(url, err) &&
           service_may_read(asker->service, asker->over_unix, url, err);
}

bool api_import(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    HP_JSON json_t *report = NULL;
    const char *name = request_param(request, "name");
    struct asker asker = {service, request->over_unix};
    struct archive_policy policy = {may_import, &asker};
    if (request->body_fd <= 0) {
        hp_fail(err, HP_INVALID, "there is no archive in the request");
        return hp_error_hint(err, "hakperf import FILE sends one.");
    }
    if (!archive_import(service->db, request->body_fd, name, &policy, &report, err))
        return false;
    auth_audit(service->db, request->who.name, request->address, "import",
               hp_json_string(report, "repository", ""), json_object_get(report, "lines"));
    return answer_json(answer, 201, hp_take(report), err);
}
