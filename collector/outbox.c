#include "collector/outbox.h"

#include "collector/counters.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

#include <curl/curl.h>
#include <string.h>

static const long SEND_TIMEOUT_S = 10;

/* A message that was taken from the table. */
struct message {
    char repository[DB_TEXT], number[DB_TEXT];
    char id[2 * DB_TEXT];
    char *body;
};

bool outbox_check_url(const char *url, struct hp_error *err)
{
    if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
        return true;
    hp_fail(err, HP_USAGE, "'%.200s' is not an address for a webhook", url);
    return hp_error_hint(err, "It starts with http:// or https://.");
}

/* The store knows where on the page to look, this process under what host the page is. */
static void complete_address(json_t *body, const char *host)
{
    const char *path = hp_json_string(body, "address", "");
    if (path[0] == '/' && host[0])
        json_object_set_new(body, "address", json_sprintf("%s%s", host, path));
}

/* {"id", "kind", …payload}. */
static char *make_body(const char *id, const char *kind, const char *payload, const char *host)
{
    struct hp_error ignored;
    HP_JSON json_t *body = hp_json_parse(payload, strlen(payload), &ignored);
    if (!json_is_object(body))
        return NULL;
    json_object_set_new(body, "id", json_string(id));
    if (!json_object_get(body, "kind"))
        json_object_set_new(body, "kind", json_string(kind));
    complete_address(body, host);
    return hp_json_text(body);
}

/* *found: whether a message was due. */
static bool take(struct service *service, struct message *message, bool *found,
                 struct hp_error *err)
{
    DB_RESULT PGresult *row = db_pool_query(service->db, "outbox_take.sql", DB_NO_PARAMS, err);
    *found = row && PQntuples(row) > 0;
    if (!row || !*found)
        return row != NULL;
    db_int(message->repository, db_get_int(row, 0, 0));
    db_int(message->number, db_get_int(row, 0, 1));
    snprintf(message->id, sizeof message->id, "%s-%s", message->repository, message->number);
    message->body =
        make_body(message->id, db_text(row, 0, 2), db_text(row, 0, 3), service->address);
    return message->body || hp_fail(err, HP_INTERNAL, "message %s is not an object", message->id);
}

static size_t drop(char *data, size_t size, size_t count, void *unused)
{
    (void)data;
    (void)unused;
    return size * count;
}

/* The collector stops: what was not sent stays in the table. */
static int stopped(void *stop, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return *(const volatile int *)stop;
}

static bool set_options(CURL *curl, const char *url, const struct message *message,
                        struct curl_slist *headers, const volatile int *stop)
{
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, message->body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, SEND_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "hakperf/" HAKPERF_VERSION) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stopped) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, stop) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop) == CURLE_OK;
}

static bool post(const char *url, const struct message *message, const volatile int *stop,
                 struct hp_error *err)
{
    CURL *curl = curl_easy_init();
    HP_FREE char *delivery = hp_format("X-Hakperf-Delivery: %s", message->id);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = headers && delivery ? curl_slist_append(headers, delivery) : NULL;
    bool ok = curl && more && set_options(curl, url, message, more, stop);
    long status = 0;
    if (!ok) {
        hp_fail(err, HP_SYSTEM, "out of memory");
    } else {
        CURLcode code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        ok = code == CURLE_OK && status >= 200 && status < 300;
        if (code != CURLE_OK)
            hp_fail(err, HP_UNAVAILABLE, "%s", curl_easy_strerror(code));
        else if (!ok)
            hp_fail(err, HP_FAILED, "the webhook answered %ld", status);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return ok;
}

/* False: nothing more can be done now. */
static bool send_one(struct service *service, const char *url, const volatile int *stop,
                     struct hp_error *err)
{
    struct message message = {0};
    bool found;
    if (!take(service, &message, &found, err) || !found) {
        free(message.body);
        return false;
    }
    struct hp_error why = {0};
    bool sent = post(url, &message, stop, &why);
    counters_add(sent ? COUNT_SENT : COUNT_SEND_FAILED);
    if (!sent) {
        hp_error_context(&why, "message %s was not taken", message.id);
        hp_log_error(HP_LOG_WARNING, "outbox", &why);
    }
    bool ok =
        sent ? db_pool_run(service->db, "outbox_done.sql",
                           DB_PARAMS(message.repository, message.number), NULL, err)
             : db_pool_run(service->db, "outbox_failed.sql",
                           DB_PARAMS(message.repository, message.number, why.message), NULL, err);
    free(message.body);
    return ok;
}

void outbox_send(struct service *service, const volatile int *stop)
{
    struct hp_error err = {0};
    HP_FREE char *url = service_text(service, &service->texts.webhook);
    if (!url) {
        if (!db_pool_run(service->db, "outbox_expire.sql", DB_NO_PARAMS, NULL, &err))
            hp_log_error(HP_LOG_DEBUG, "outbox", &err);
        return;
    }
    while (!*stop && send_one(service, url, stop, &err))
        ;
    if (err.code != HP_OK)
        hp_log_error(HP_LOG_WARNING, "outbox", &err);
}
