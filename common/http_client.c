#include "common/http_client.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ANSWER_LIMIT (64u << 20)

struct hp_http {
    CURL *curl;
    char *base;   /* without a slash at the end */
    char *socket; /* path of a Unix socket, or NULL */
    char *bearer; /* "Authorization: Bearer …", or NULL */
    char *shown;  /* what messages call the server */
    double timeout_s;
    const char *encoding; /* of bodies; NULL: none */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void hp_http_free(struct hp_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    free(http->base);
    free(http->socket);
    if (http->bearer)
        explicit_bzero(http->bearer, strlen(http->bearer));
    free(http->bearer);
    free(http->shown);
    free(http);
}

void hp_http_clear(struct hp_http **http)
{
    hp_http_free(*http);
    *http = NULL;
}

struct hp_http *hp_http_new(const char *server, const char *token, struct hp_error *err)
{
    pthread_once(&curl_once, curl_start);
    bool local = strncmp(server, "unix:/", 6) == 0;
    if (!local && strncasecmp(server, "http://", 7) != 0 &&
        strncasecmp(server, "https://", 8) != 0) {
        hp_fail(err, HP_USAGE, "cannot use \"%s\" as address of a collector", server);
        hp_error_hint(err, "Give unix:/path/to/socket, http://host:port or https://host.");
        return NULL;
    }
    struct hp_http *http = calloc(1, sizeof *http);
    if (http) {
        http->curl = curl_easy_init();
        http->base = strdup(local ? "http://localhost" : server);
        http->socket = local ? strdup(server + 5) : NULL;
        http->bearer = token ? hp_format("Authorization: Bearer %s", token) : NULL;
        http->shown = strdup(server);
        http->timeout_s = 30;
    }
    if (!http || !http->curl || !http->base || !http->shown || (local && !http->socket) ||
        (token && !http->bearer)) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        hp_http_free(http);
        return NULL;
    }
    size_t n = strlen(http->base);
    while (n > 0 && http->base[n - 1] == '/')
        http->base[--n] = '\0';
    return http;
}

void hp_http_timeout(struct hp_http *http, double seconds)
{
    http->timeout_s = seconds;
}

void hp_http_encoding(struct hp_http *http, const char *encoding)
{
    http->encoding = encoding;
}

struct sink {
    struct hp_buffer *buffer; /* or NULL: */
    int fd;
    CURL *curl;
    size_t limit, size;
    bool too_large, write_failed;
    int upload;               /* > 0: the body is that file, */
    size_t upload_size;       /* of so many bytes */
    struct hp_buffer refusal; /* body of an answer that is no success */
};

static size_t receive(char *bytes, size_t one, size_t count, void *context)
{
    struct sink *sink = context;
    size_t n = one * count;
    long status = 0;
    curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300) {
        if (sink->refusal.size + n <= (1u << 20))
            hp_buffer_append(&sink->refusal, bytes, n);
        return n;
    }
    if (sink->size + n > sink->limit) {
        sink->too_large = true;
        return 0;
    }
    sink->size += n;
    bool ok =
        sink->buffer ? hp_buffer_append(sink->buffer, bytes, n) : hp_write_all(sink->fd, bytes, n);
    sink->write_failed = !ok;
    return ok ? n : 0;
}

static bool unreachable(const struct hp_http *http, CURLcode code, const char *detail,
                        struct hp_error *err)
{
    bool late = code == CURLE_OPERATION_TIMEDOUT;
    hp_fail(err, late ? HP_TIMEOUT : HP_UNAVAILABLE, "no answer from the collector at %s: %s",
            http->shown, detail[0] ? detail : curl_easy_strerror(code));
    if (!late)
        hp_error_hint(err, "Start it with: hakperf up. Another address is chosen by --server.");
    return false;
}

static bool refused(const struct sink *sink, long status, struct hp_error *err)
{
    struct hp_error ignored;
    HP_JSON json_t *body =
        hp_json_parse(hp_buffer_text(&sink->refusal), sink->refusal.size, &ignored);
    if (json_is_object(body) && json_object_get(body, "code"))
        hp_error_from_json(err, body);
    else
        hp_fail(err, status == 503 ? HP_UNAVAILABLE : HP_INTERNAL,
                "the collector answered with status %ld", status);
    return false;
}

static size_t read_file(char *out, size_t one, size_t count, void *context)
{
    ssize_t n = read(*(const int *)context, out, one * count);
    return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static bool prepare(struct hp_http *http, const char *method, const char *url, const void *body,
                    size_t size)
{
    CURL *curl = http->curl;
    curl_easy_reset(curl);
    bool ok = curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(http->timeout_s * 1000));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "hakperf/" HAKPERF_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    if (http->socket) {
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, http->socket);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    }
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    return ok;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *header, bool *ok)
{
    struct curl_slist *longer = curl_slist_append(list, header);
    *ok = *ok && longer;
    return longer ? longer : list;
}

static struct curl_slist *headers(const struct hp_http *http, const char *content_type, bool *ok)
{
    struct curl_slist *list = add_header(NULL, "Expect:", ok);
    if (http->bearer)
        list = add_header(list, http->bearer, ok);
    if (content_type) {
        HP_FREE char *line = hp_format("Content-Type: %s", content_type);
        list = add_header(list, line ? line : "", ok);
    }
    if (content_type && http->encoding) {
        HP_FREE char *line = hp_format("Content-Encoding: %s", http->encoding);
        list = add_header(list, line ? line : "", ok);
    }
    return list;
}

static bool perform(struct hp_http *http, const char *method, const char *path,
                    const char *content_type, const void *body, size_t size, struct sink *sink,
                    long *status, struct hp_error *err)
{
    HP_FREE char *url = hp_format("%s%s", http->base, path);
    char detail[CURL_ERROR_SIZE] = "";
    bool ok = true;
    struct curl_slist *list = headers(http, body || sink->upload > 0 ? content_type : NULL, &ok);
    if (!ok || !url || !prepare(http, method, url, body, size)) {
        curl_slist_free_all(list);
        return hp_fail(err, HP_SYSTEM, "cannot prepare a request: out of memory");
    }
    sink->curl = http->curl;
    if (sink->upload > 0) {
        curl_easy_setopt(http->curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, method);
        curl_easy_setopt(http->curl, CURLOPT_READFUNCTION, read_file);
        curl_easy_setopt(http->curl, CURLOPT_READDATA, &sink->upload);
        curl_easy_setopt(http->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sink->upload_size);
    }
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, sink);
    CURLcode code = curl_easy_perform(http->curl);
    long answered = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answered);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(list);
    if (status)
        *status = answered;
    if (sink->too_large)
        ok = hp_fail(err, HP_LIMIT, "the answer is larger than %zu bytes", sink->limit);
    else if (sink->write_failed)
        ok = hp_fail_errno(err, "cannot keep the answer");
    else if (code != CURLE_OK)
        ok = unreachable(http, code, detail, err);
    else if (answered < 200 || answered >= 300)
        ok = refused(sink, answered, err);
    hp_buffer_clear(&sink->refusal);
    return ok;
}

bool hp_http_bytes(struct hp_http *http, const char *method, const char *path,
                   const char *content_type, const void *body, size_t size, size_t answer_limit,
                   struct hp_buffer *answer, long *status, struct hp_error *err)
{
    struct sink sink = {.buffer = answer, .limit = answer_limit};
    return perform(http, method, path, content_type, body, size, &sink, status, err);
}

bool hp_http_json(struct hp_http *http, const char *method, const char *path, const json_t *body,
                  json_t **answer, long *status, struct hp_error *err)
{
    HP_FREE char *text = body ? hp_json_text(body) : NULL;
    HP_BUFFER struct hp_buffer received = {0};
    if (answer)
        *answer = NULL;
    if (body && !text)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!hp_http_bytes(http, method, path, "application/json", text, text ? strlen(text) : 0,
                       ANSWER_LIMIT, &received, status, err))
        return false;
    if (!answer || received.size == 0)
        return true;
    *answer = hp_json_parse(hp_buffer_text(&received), received.size, err);
    return *answer || hp_error_context(err, "the collector's answer");
}

bool hp_http_upload(struct hp_http *http, const char *method, const char *path,
                    const char *content_type, int fd, size_t size, json_t **answer,
                    struct hp_error *err)
{
    HP_BUFFER struct hp_buffer received = {0};
    struct sink sink = {
        .buffer = &received, .limit = ANSWER_LIMIT, .upload = fd, .upload_size = size};
    *answer = NULL;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return hp_fail_errno(err, "cannot read the file");
    if (!perform(http, method, path, content_type, NULL, 0, &sink, NULL, err))
        return false;
    *answer = hp_json_parse(hp_buffer_text(&received), received.size, err);
    return *answer || hp_error_context(err, "the collector's answer");
}

bool hp_http_download(struct hp_http *http, const char *path, int fd, size_t limit,
                      struct hp_error *err)
{
    struct sink sink = {.fd = fd, .limit = limit};
    return perform(http, "GET", path, NULL, NULL, 0, &sink, NULL, err);
}

char *hp_url_encode(const char *text)
{
    char *encoded = curl_easy_escape(NULL, text, 0);
    char *copy = encoded ? strdup(encoded) : NULL;
    curl_free(encoded);
    return copy;
}
