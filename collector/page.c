/*
 * The page: files that the program carries inside itself, served with a policy that lets a browser
 * run and load nothing but them; and the login that turns a one-time link into a cookie.
 */
#include "collector/api.h"
#include "collector/auth.h"
#include "collector/rate.h"
#include "common/cleanup.h"
#include "common/hash.h"

#include <string.h>

/* The files of dashboards/web, as its build.sh collects them. */
extern const struct hp_embedded web_data[];

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".json", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static bool page_headers(struct answer *answer, const char *etag, struct hp_error *err)
{
    static const char policy[] =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'";
    answer->page = true;
    bool ok = answer_header(answer, "Content-Security-Policy", "%s", policy) &&
              answer_header(answer, "Referrer-Policy", "no-referrer") &&
              answer_header(answer, "Cross-Origin-Opener-Policy", "same-origin") &&
              answer_header(answer, "Cross-Origin-Resource-Policy", "same-origin") &&
              answer_header(answer, "Cache-Control", etag ? "private, no-cache" : "no-store") &&
              (!etag || answer_header(answer, "ETag", "%s", etag));
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}

static bool not_there(const struct request *request, struct hp_error *err)
{
    return hp_fail(err, HP_NOT_FOUND, "there is nothing at %.200s", request->raw);
}

bool page_file(struct service *service, const struct request *request, struct answer *answer,
               struct hp_error *err)
{
    (void)service;
    if (request->segments > 1)
        return not_there(request, err);
    const char *name = request->segments == 1 ? request->segment[0] : "index.html";
    const struct hp_embedded *file = hp_embedded_find(web_data, name);
    if (!file)
        return not_there(request, err);
    char hash[HP_HASH_TEXT], etag[HP_HASH_TEXT + 2];
    hp_hash_bytes(file->data, file->size, hash);
    snprintf(etag, sizeof etag, "\"%.32s\"", hash);
    if (!page_headers(answer, etag, err))
        return false;
    if (request->if_none_match && strstr(request->if_none_match, etag)) {
        answer->status = 304;
        return true;
    }
    answer->content_type = type_of(name);
    answer->fixed = file->data;
    answer->size = file->size;
    return true;
}

void page_stranger(const struct request *request, struct answer *answer)
{
    static const char text[] =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>hakperf</title>"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<link rel=\"icon\" href=\"data:,\"></head><body><h1>hakperf</h1>\n"
        "<p>This browser is not logged in, or its session has ended.</p>\n"
        "<p>On the machine of the service, type</p>\n<pre>hakperf login</pre>\n"
        "<p>and open the link that it prints. The link works once, within ten minutes.\n"
        "Elsewhere: <code>hakperf --server ADDRESS --token-file FILE login</code> with a token of"
        " scope admin.</p>\n</body></html>\n";
    struct hp_error ignored;
    bool api = request->segments > 0 && strcmp(request->segment[0], "api") == 0;
    if (api || request->over_unix ||
        !(request->segments == 0 || (request->accept && strstr(request->accept, "text/html"))))
        return;
    answer_release(answer);
    answer->status = 401;
    answer->content_type = "text/html; charset=utf-8";
    answer->fixed = text;
    answer->size = sizeof text - 1;
    page_headers(answer, NULL, &ignored);
    answer_header(answer, "WWW-Authenticate", "Bearer realm=\"hakperf\"");
}

bool page_login(struct service *service, const struct request *request, struct answer *answer,
                struct hp_error *err)
{
    char cookie[AUTH_SECRET_TEXT];
    const char *code = request_need(request, "once", err);
    if (!code)
        return false;
    if (!auth_login(service->db, code, service->session_minutes, cookie, err)) {
        if (err->code == HP_DENIED)
            rate_wrong(request);
        return false;
    }
    auth_audit(service->db, "browser", request->address, "login", "", NULL);
    answer->status = 303;
    bool ok = answer_header(answer, "Location", "/") &&
              answer_header(answer, "Referrer-Policy", "no-referrer") &&
              answer_header(answer, "Set-Cookie",
                            AUTH_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld",
                            cookie, (long long)service->session_minutes * 60);
    return ok || hp_fail(err, HP_SYSTEM, "out of memory");
}
