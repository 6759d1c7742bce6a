/*
 * HTTP to a collector (libcurl): requests with JSON bodies, one error body for all that goes wrong,
 * over TCP or a Unix socket, with deadlines and a limit on what is received. A client belongs to
 * one thread.
 */
#ifndef HP_COMMON_HTTP_CLIENT_H
#define HP_COMMON_HTTP_CLIENT_H

#include "common/error.h"
#include "common/io.h"

struct hp_http;

/* `server`: "unix:/path/to/socket", "http://host:port" or "https://…". `token` (may be NULL) goes
 * into the Authorization header and is never logged. NULL on a malformed server. */
struct hp_http *hp_http_new(const char *server, const char *token, struct hp_error *err);
void hp_http_free(struct hp_http *http);
void hp_http_clear(struct hp_http **http);
#define HP_HTTP __attribute__((cleanup(hp_http_clear)))

/* Seconds for a whole request; 30 unless set. */
void hp_http_timeout(struct hp_http *http, double seconds);

/* What the bodies of the following hp_http_bytes are compressed with, as Content-Encoding names it;
 * the text outlives them. NULL: nothing. */
void hp_http_encoding(struct hp_http *http, const char *encoding);

/* A request with an optional JSON body. 2xx: true, *answer is the parsed body (NULL where there is
 * none: 204), owned by the caller. Otherwise false and the server's error body in err, or
 * HP_UNAVAILABLE where nobody answered (hint: how to start the collector). `status` may be NULL. */
bool hp_http_json(struct hp_http *http, const char *method, const char *path, const json_t *body,
                  json_t **answer, long *status, struct hp_error *err);

/* As above with bytes as body and answer of `content_type`; NULL body: none. */
bool hp_http_bytes(struct hp_http *http, const char *method, const char *path,
                   const char *content_type, const void *body, size_t size, size_t answer_limit,
                   struct hp_buffer *answer, long *status, struct hp_error *err);

/* Sends an open file of `size` bytes as body, from its beginning; the answer as hp_http_json has
 * it. */
bool hp_http_upload(struct hp_http *http, const char *method, const char *path,
                    const char *content_type, int fd, size_t size, json_t **answer,
                    struct hp_error *err);

/* Downloads an answer of at most `limit` bytes into an open descriptor. */
bool hp_http_download(struct hp_http *http, const char *path, int fd, size_t limit,
                      struct hp_error *err);

/* Percent-encodes one path segment or query value; the caller frees it, NULL without memory. */
char *hp_url_encode(const char *text);

#endif
