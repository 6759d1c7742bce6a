#include "runner/source.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 512

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void rn_sources_close(struct rn_sources *sources)
{
    close_fd(&sources->head);
    close_fd(&sources->base);
    close_fd(&sources->driver);
    close_fd(&sources->reference);
}

static int nameless_file(const char *folder, struct hp_error *err)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        HP_FREE char *path = hp_format("%s/source-XXXXXX", folder);
        fd = path ? mkostemp(path, O_CLOEXEC) : -1;
        if (fd >= 0)
            unlink(path);
    }
    if (fd < 0)
        hp_fail_errno(err, "cannot make a file in %s", folder);
    return fd;
}

static bool git(const char *const *argv, int stdout_fd, struct hp_outcome *outcome,
                struct hp_error *err)
{
    const struct hp_command command = {.argv = argv, .timeout_s = 300, .stdout_fd = stdout_fd};
    if (hp_run_ok(&command, outcome, err))
        return true;
    if (err->code == HP_NOT_FOUND) {
        hp_fail(err, HP_NOT_FOUND, "git is not installed");
        hp_error_hint(err, "Install the Debian package git.");
    }
    return false;
}

bool rn_source_resolve(const char *repository, const char *rev, struct rn_commit *out,
                       struct hp_error *err)
{
    HP_OUTCOME struct hp_outcome outcome = {0};
    HP_FREE char *commit = hp_format("%s^{commit}", rev);
    if (!commit)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    const char *const argv[] = {
        "git",  "-C", repository, "log", "-1", "--no-show-signature", "--format=%H%n%s",
        commit, "--", NULL};
    if (rev[0] == '-')
        return hp_fail(err, HP_NOT_FOUND, "no such revision: %s", rev);
    if (!git(argv, 0, &outcome, err)) {
        if (err->code != HP_FAILED)
            return false;
        struct hp_error why = *err;
        hp_fail(err, HP_NOT_FOUND, "no revision %s in %s: %s", rev, repository, why.message);
        return hp_error_hint(err, "Give a commit, branch or tag of that repository.");
    }
    char *rest = outcome.out.data;
    const char *sha = rest ? strsep(&rest, "\n") : "";
    const char *subject = rest ? strsep(&rest, "\n") : "";
    snprintf(out->sha, sizeof out->sha, "%s", sha);
    snprintf(out->subject, sizeof out->subject, "%s", subject ? subject : "");
    return true;
}

int rn_source_archive(const char *repository, const char *sha, const char *folder,
                      struct hp_error *err)
{
    HP_OUTCOME struct hp_outcome outcome = {0};
    int fd = nameless_file(folder, err);
    if (fd < 0)
        return -1;
    const char *const argv[] = {"git", "-C", repository, "archive", "--format=tar", sha, NULL};
    if (git(argv, fd, &outcome, err))
        return fd;
    hp_error_context(err, "the source of %.12s", sha);
    close(fd);
    return -1;
}

int rn_source_download(struct hp_http *http, int64_t job, int64_t fence, const char *sha,
                       const char *folder, struct hp_error *err)
{
    HP_FREE char *path =
        hp_format("/api/v1/jobs/%lld/source/%s?fence=%lld", (long long)job, sha, (long long)fence);
    int fd = nameless_file(folder, err);
    if (fd < 0)
        return -1;
    if (path && hp_http_download(http, path, fd, RN_SOURCE_LIMIT, err))
        return fd;
    hp_error_context(err, "the source of %.12s", sha);
    close(fd);
    return -1;
}

/* Reads exactly `size` bytes at an offset; false at the end of the file too. */
static bool read_at(int fd, void *out, size_t size, off_t at)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = pread(fd, (char *)out + got, size - got, at + (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* The size field of a header: octal digits, or base 256 with the top bit set. */
static bool entry_size(const unsigned char *header, uint64_t *size)
{
    const unsigned char *field = header + 124;
    *size = 0;
    if (field[0] & 0x80) {
        for (int i = 4; i < 12; i++)
            *size = *size << 8 | field[i];
    } else {
        for (int i = 0; i < 12 && field[i] >= '0' && field[i] <= '7'; i++)
            *size = *size * 8 + (uint64_t)(field[i] - '0');
    }
    return *size <= RN_SOURCE_LIMIT;
}

static bool is_zero(const unsigned char *block)
{
    for (int i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

static bool hash_entries(int fd, EVP_MD_CTX *digest, struct hp_error *err)
{
    unsigned char block[BLOCK];
    off_t at = 0;
    while (read_at(fd, block, BLOCK, at) && !is_zero(block)) {
        uint64_t size;
        if (memcmp(block + 257, "ustar", 5) != 0 || !entry_size(block, &size))
            return hp_fail(err, HP_INVALID, "the source is not a tar archive");
        at += BLOCK;
        off_t end = at + (off_t)((size + BLOCK - 1) / BLOCK * BLOCK);
        bool comment = block[156] == 'g'; /* git's own: the commit's name */
        memset(block + 136, 0, 12);       /* time of change */
        memset(block + 148, 0, 8);        /* checksum, which depends on it */
        if (!comment)
            EVP_DigestUpdate(digest, block, BLOCK);
        for (; at < end; at += BLOCK) {
            if (!read_at(fd, block, BLOCK, at))
                return hp_fail(err, HP_INVALID, "the source archive is truncated");
            if (!comment)
                EVP_DigestUpdate(digest, block, BLOCK);
        }
    }
    return at > 0 || hp_fail(err, HP_INVALID, "the source archive is empty");
}

bool rn_source_hash(int fd, char out[HP_HASH_TEXT], struct hp_error *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1
                  ? hash_entries(fd, digest, err)
                  : hp_fail(err, HP_SYSTEM, "out of memory");
    if (ok && EVP_DigestFinal_ex(digest, bytes, &size) == 1)
        hp_hex(bytes, size, out);
    EVP_MD_CTX_free(digest);
    return ok;
}
