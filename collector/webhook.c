/*
 * POST /webhook/REPO: what a forge sends after a push. It proves itself by a secret that only it
 * and a file of ours know, over the bytes as they came; what it then says is only "look at REPO",
 * so that a replayed or invented push finds nothing new.
 */
#include "collector/api.h"
#include "collector/auth.h"
#include "collector/counters.h"
#include "collector/look.h"
#include "common/cleanup.h"
#include "common/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { SECRET_LIMIT = 4096, SIGNATURE_TEXT = 64, CLOCK_S = 300 };

/* A name that is one of a repository, and so of a file in the folder. */
static bool plain_name(const char *name)
{
    return *name && *name != '.' && strlen(name) < 65 && !strchr(name, '/');
}

static bool read_secret(struct service *service, const char *repository, struct hp_buffer *secret,
                        struct hp_error *err)
{
    struct stat st;
    struct hp_error inner = {0};
    HP_FREE char *folder = service_text(service, &service->texts.webhook_secrets);
    if (!folder || !plain_name(repository))
        return hp_fail(err, HP_NOT_FOUND, "no webhook is taken for this repository");
    HP_FREE char *path = hp_format("%s/%s", folder, repository);
    if (!path)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (stat(path, &st) != 0 && errno != ENOENT)
        return hp_fail(err, HP_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    if (stat(path, &st) != 0)
        return hp_fail(err, HP_NOT_FOUND, "no webhook is taken for this repository");
    if (st.st_mode & 077)
        return hp_fail(err, HP_SYSTEM, "%s may be read by others: chmod 600", path);
    if (!hp_file_read(path, SECRET_LIMIT, secret, &inner))
        return hp_fail(err, HP_SYSTEM, "%s", inner.message);
    while (secret->size > 0 && strchr("\r\n", secret->data[secret->size - 1]))
        secret->data[--secret->size] = '\0';
    return secret->size > 0 || hp_fail(err, HP_SYSTEM, "%s is empty", path);
}

/* The hexadecimal HMAC of the body, as GitHub (behind "sha256="), Gitea and Forgejo send it. */
static bool hex_signature(const struct request *request, const struct hp_buffer *secret,
                          const char *given)
{
    unsigned char mac[32];
    char text[SIGNATURE_TEXT + 1];
    hp_hmac(secret->data, secret->size, hp_buffer_text(&request->body), request->body.size, mac);
    hp_hex(mac, sizeof mac, text);
    return hp_equal_secret(text, given);
}

/* The key of a signing token "whsec_BASE64"; its size, 0 where it is none. */
static size_t signing_key(const struct hp_buffer *secret, unsigned char key[SECRET_LIMIT])
{
    static const char prefix[] = "whsec_";
    size_t length = secret->size - (sizeof prefix - 1);
    if (secret->size <= sizeof prefix || strncmp(secret->data, prefix, sizeof prefix - 1) != 0 ||
        length % 4 != 0)
        return 0;
    const char *text = secret->data + sizeof prefix - 1;
    int n = EVP_DecodeBlock(key, (const unsigned char *)text, (int)length);
    int padding = text[length - 1] == '=' ? 1 + (text[length - 2] == '=') : 0;
    return n > padding ? (size_t)(n - padding) : 0;
}

/* GitLab's signing token (Standard Webhooks): "v1,BASE64" of id.timestamp.body, of now. */
static bool standard_signature(const struct request *request, const struct hp_buffer *secret,
                               const char *given)
{
    const char *id = server_header(request, "webhook-id"),
               *stamp = server_header(request, "webhook-timestamp");
    unsigned char key[SECRET_LIMIT], mac[32], text[SIGNATURE_TEXT];
    size_t size = signing_key(secret, key);
    long long sent = stamp ? strtoll(stamp, NULL, 10) : 0, now = (long long)time(NULL);
    if (!id || !stamp || size == 0 || sent < now - CLOCK_S || sent > now + CLOCK_S)
        return false;
    HP_BUFFER struct hp_buffer signed_text = {0};
    if (!hp_buffer_printf(&signed_text, "%s.%s.", id, stamp) ||
        !hp_buffer_append(&signed_text, hp_buffer_text(&request->body), request->body.size))
        return false;
    hp_hmac(key, size, signed_text.data, signed_text.size, mac);
    EVP_EncodeBlock(text, mac, sizeof mac);
    bool matches = false;
    for (const char *at = given; *at;) {
        char one[SIGNATURE_TEXT * 2];
        size_t length = strcspn(at, " ");
        snprintf(one, sizeof one, "%.*s", (int)length, at);
        if (strncmp(one, "v1,", 3) == 0)
            matches |= hp_equal_secret((const char *)text, one + 3);
        at += length + (at[length] == ' ');
    }
    return matches;
}

/* One proof that is wrong is none, whatever the others say. */
static bool is_proved(const struct request *request, const struct hp_buffer *secret)
{
    const char *github = server_header(request, "X-Hub-Signature-256");
    const char *forgejo = server_header(request, "X-Forgejo-Signature");
    const char *gitea = server_header(request, "X-Gitea-Signature");
    const char *gitlab = server_header(request, "X-Gitlab-Token");
    const char *standard = server_header(request, "webhook-signature");
    if (!github && !forgejo && !gitea && !gitlab && !standard)
        return false;
    if (github &&
        (strncmp(github, "sha256=", 7) != 0 || !hex_signature(request, secret, github + 7)))
        return false;
    return (!forgejo || hex_signature(request, secret, forgejo)) &&
           (!gitea || hex_signature(request, secret, gitea)) &&
           (!standard || standard_signature(request, secret, standard)) &&
           (!gitlab || standard || hp_equal_secret(secret->data, gitlab));
}

/* What happened, in the forge's word; those that move refs are looks. */
static const char *event_of(const struct request *request, bool *moves)
{
    static const char *const headers[] = {"X-Forgejo-Event", "X-Gitea-Event", "X-GitHub-Event",
                                          "X-Gitlab-Event"};
    static const char *const moving[] = {"push",      "create",        "delete",
                                         "Push Hook", "Tag Push Hook", "System Hook"};
    const char *event = NULL;
    for (size_t i = 0; !event && i < sizeof headers / sizeof *headers; i++)
        event = server_header(request, headers[i]);
    *moves = !event;
    for (size_t i = 0; event && i < sizeof moving / sizeof *moving; i++)
        *moves = *moves || strcmp(event, moving[i]) == 0;
    return event ? event : "push";
}

bool api_webhook(struct service *service, const struct request *request, struct answer *answer,
                 struct hp_error *err)
{
    const char *repository = request->arg[0];
    HP_BUFFER struct hp_buffer secret = {0};
    bool moves;
    if (!read_secret(service, repository, &secret, err))
        return false;
    if (!is_proved(request, &secret)) {
        hp_fail(err, HP_DENIED, "the webhook's signature is missing or wrong");
        return hp_error_hint(err,
                             "The forge and the file of --webhook-secrets must hold the same.");
    }
    const char *event = event_of(request, &moves);
    if (!moves)
        return answer_json(
            answer, 200, json_pack("{s:s, s:b, s:[]}", "event", event, "looked", 0, "queued"), err);
    HP_JSON json_t *look = look_at(service, repository, true, err);
    counters_add(look ? COUNT_LOOKS : COUNT_LOOKS_FAILED);
    if (!look) {
        if (err->code == HP_LIMIT)
            answer->status = 429;
        return false;
    }
    auth_audit(service->db, "webhook", request->address, "look", repository, look);
    return answer_json(answer, 200,
                       json_pack("{s:s, s:b, s:O}", "event", event, "looked", 1, "queued",
                                 json_object_get(look, "queued")),
                       err);
}
