#include "common/hash.h"

#include "common/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void hp_hex(const void *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * size] = '\0';
}

void hp_hash_bytes(const void *data, size_t size, char out[HP_HASH_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (!EVP_Digest(data, size, digest, &length, EVP_sha256(), NULL))
        abort(); /* only without memory for a few hundred bytes */
    hp_hex(digest, 32, out);
}

void hp_hmac(const void *key, size_t key_size, const void *data, size_t size, unsigned char out[32])
{
    unsigned int length = 32;
    if (key_size > INT_MAX || !HMAC(EVP_sha256(), key, (int)key_size, data, size, out, &length))
        abort(); /* only without memory for a few hundred bytes */
}

struct hp_hasher {
    EVP_MD_CTX *context;
};

struct hp_hasher *hp_hasher_new(void)
{
    struct hp_hasher *hasher = calloc(1, sizeof *hasher);
    if (hasher && (hasher->context = EVP_MD_CTX_new()) &&
        EVP_DigestInit_ex(hasher->context, EVP_sha256(), NULL) == 1)
        return hasher;
    hp_hasher_free(hasher);
    return NULL;
}

void hp_hasher_add(struct hp_hasher *hasher, const void *data, size_t size)
{
    if (EVP_DigestUpdate(hasher->context, data, size) != 1)
        abort(); /* only for a context that is none */
}

void hp_hasher_end(struct hp_hasher *hasher, char out[HP_HASH_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(hasher->context, digest, NULL) != 1)
        abort();
    hp_hex(digest, 32, out);
}

void hp_hasher_free(struct hp_hasher *hasher)
{
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->context);
    free(hasher);
}

bool hp_hash_file(const char *path, char out[HP_HASH_TEXT], struct hp_error *err)
{
    HP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return hp_fail_errno(err, "cannot read %s", path);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    char block[65536];
    ssize_t n = 0;
    while (ok && (n = read(fd, block, sizeof block)) > 0)
        ok = EVP_DigestUpdate(context, block, (size_t)n) == 1;
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (n < 0)
        ok = hp_fail_errno(err, "cannot read %s", path);
    else if (!ok || !EVP_DigestFinal_ex(context, digest, NULL))
        ok = hp_fail(err, HP_INTERNAL, "cannot hash %s", path);
    else
        hp_hex(digest, 32, out);
    EVP_MD_CTX_free(context);
    return ok;
}

bool hp_hash_json(const json_t *value, char out[HP_HASH_TEXT], struct hp_error *err)
{
    HP_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (!text)
        return hp_fail(err, HP_INTERNAL, "cannot write a JSON value as text");
    hp_hash_bytes(text, strlen(text), out);
    return true;
}

bool hp_equal_secret(const char *a, const char *b)
{
    size_t n = strlen(a);
    return n == strlen(b) && CRYPTO_memcmp(a, b, n) == 0;
}

bool hp_random_bytes(void *out, size_t size, struct hp_error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = getrandom((char *)out + done, size - done, 0);
        if (n < 0)
            return hp_fail_errno(err, "cannot read random bytes");
        done += (size_t)n;
    }
    return true;
}
