#include "collector/mirror.h"

#include "collector/mirror_internal.h"
#include "common/cleanup.h"
#include "common/hash.h"

#include <string.h>

static const double QUERY_TIMEOUT_S = 60;

bool mirror_init(struct mirror *mirror, const char *state, const char *repository,
                 struct hp_error *err)
{
    *mirror =
        (struct mirror){hp_format("%s", state), hp_format("%s/mirrors/%s.git", state, repository)};
    if (mirror->state && mirror->folder)
        return true;
    mirror_release(mirror);
    return hp_fail(err, HP_SYSTEM, "out of memory");
}

bool mirror_init_driver(struct mirror *mirror, const char *state, const char *url,
                        struct hp_error *err)
{
    char hash[HP_HASH_TEXT], name[32];
    hp_hash_bytes(url, strlen(url), hash);
    /* No repository can be called so. */
    snprintf(name, sizeof name, ".driver-%.16s", hash);
    return mirror_init(mirror, state, name, err);
}

void mirror_release(struct mirror *mirror)
{
    free(mirror->state);
    free(mirror->folder);
    *mirror = (struct mirror){0};
}

/* scheme://user:password@host */
static bool holds_password(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host)
        return false;
    size_t length = strcspn(host + 3, "/");
    const char *at = memrchr(host + 3, '@', length);
    return at && memchr(host + 3, ':', (size_t)(at - host - 3));
}

bool mirror_check_url(const char *url, struct hp_error *err)
{
    static const char *const schemes[] = {"file://", "https://", "http://", "ssh://", "git://"};
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return hp_fail(err, HP_INVALID, "the repository's address holds a control character");
    if (*url == '/')
        return true;
    if (holds_password(url)) {
        hp_fail(err, HP_INVALID, "the repository's address holds a password");
        return hp_error_hint(err, "Everybody who reads the suite would see it. Put it into a file "
                                  "and name that to the collector: --git-credentials FILE.");
    }
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    /* host:path and user@host:path, git's short form of ssh; never "transport::address". */
    const char *colon = strchr(url, ':');
    if (colon && colon != url && colon[1] != ':' && strncmp(colon, "://", 3) != 0 && *url != '-' &&
        !memchr(url, '/', (size_t)(colon - url)))
        return true;
    hp_fail(err, HP_INVALID, "'%s' is not an address of a git repository", url);
    return hp_error_hint(err, "Give an absolute path, or a file, https, http, ssh or git URL.");
}

bool mirror_call(const struct mirror *mirror, const char *folder, const char *const *argv,
                 double timeout_s, struct hp_outcome *outcome, struct hp_error *err)
{
    struct git_call git = {
        .folder = folder, .argv = argv, .timeout_s = timeout_s, .output_limit = 16 << 20};
    return git_run(mirror->state, &git, outcome, err);
}

static bool add_tip(struct mirror_tips *tips, size_t *room, const char *line, size_t length)
{
    const char *space = memchr(line, ' ', length);
    if (!space || space - line >= GIT_SHA_TEXT)
        return true; /* never printed so */
    if (tips->count == *room) {
        size_t grown = *room ? 2 * *room : 16;
        struct mirror_tip *rows = reallocarray(tips->rows, grown, sizeof *rows);
        if (!rows)
            return false;
        tips->rows = rows;
        *room = grown;
    }
    struct mirror_tip *tip = &tips->rows[tips->count];
    snprintf(tip->sha, sizeof tip->sha, "%.*s", (int)(space - line), line);
    tip->branch = strndup(space + 1, length - (size_t)(space + 1 - line));
    if (!tip->branch)
        return false;
    tips->count++;
    return true;
}

bool mirror_tips(const struct mirror *mirror, struct mirror_tips *tips, struct hp_error *err)
{
    *tips = (struct mirror_tips){0};
    const char *const argv[] = {"for-each-ref", "--format=%(objectname) %(refname:lstrip=2)",
                                "refs/heads", NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (!mirror_call(mirror, mirror->folder, argv, QUERY_TIMEOUT_S, &outcome, err))
        return false;
    size_t room = 0;
    for (const char *at = hp_buffer_text(&outcome.out); *at;) {
        size_t length = strcspn(at, "\n");
        if (!add_tip(tips, &room, at, length)) {
            mirror_tips_release(tips);
            return hp_fail(err, HP_SYSTEM, "out of memory");
        }
        at += length + (at[length] == '\n');
    }
    return true;
}

void mirror_tips_release(struct mirror_tips *tips)
{
    for (size_t i = 0; i < tips->count; i++)
        free(tips->rows[i].branch);
    free(tips->rows);
    *tips = (struct mirror_tips){0};
}

static bool check_rev(const char *rev, struct hp_error *err)
{
    size_t length = strlen(rev);
    bool ok = length > 0 && length <= 255 && *rev != '-';
    for (size_t i = 0; i < length; i++)
        ok = ok && (unsigned char)rev[i] >= ' ' && rev[i] != 127;
    if (ok)
        return true;
    hp_fail(err, HP_USAGE, "'%.60s' is not a revision", rev);
    return hp_error_hint(err, "Give a branch, a tag, a commit name, or what git rev-parse "
                              "understands; it cannot start with a dash.");
}

bool mirror_resolve(const struct mirror *mirror, const char *rev, char sha[GIT_SHA_TEXT],
                    struct hp_error *err)
{
    *sha = '\0';
    if (!check_rev(rev, err))
        return false;
    HP_FREE char *name = hp_format("%s^{commit}", rev);
    if (!name)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    const char *const argv[] = {"rev-parse", "--quiet", "--verify", "--end-of-options", name, NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (mirror_call(mirror, mirror->folder, argv, QUERY_TIMEOUT_S, &outcome, err)) {
        const char *text = hp_buffer_text(&outcome.out);
        snprintf(sha, GIT_SHA_TEXT, "%.*s", (int)strcspn(text, "\n"), text);
        if (git_is_sha(sha))
            return true;
    } else if (err->code != HP_FAILED) {
        return false;
    }
    *sha = '\0';
    hp_fail(err, HP_NOT_FOUND, "no revision '%s' in this repository", rev);
    return hp_error_hint(err,
                         "The collector knows what was pushed: push the commit, or look at the "
                         "repository again (hakperf queue).");
}

char *mirror_head(const struct mirror *mirror)
{
    const char *const argv[] = {"symbolic-ref", "--quiet", "--short", "HEAD", NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error ignored;
    if (!mirror_call(mirror, mirror->folder, argv, QUERY_TIMEOUT_S, &outcome, &ignored))
        return NULL;
    const char *text = hp_buffer_text(&outcome.out);
    return strndup(text, strcspn(text, "\n"));
}

bool mirror_archive(const struct mirror *mirror, const char *sha, int fd, struct hp_error *err)
{
    if (!git_is_sha(sha))
        return hp_fail(err, HP_USAGE, "'%.70s' is not a full commit name", sha);
    const char *const argv[] = {"archive", "--format=tar", sha, NULL};
    struct git_call git = {.folder = mirror->folder,
                           .argv = argv,
                           .timeout_s = git_fetch_timeout(),
                           .output_limit = 64 << 10,
                           .stdout_fd = fd};
    HP_OUTCOME struct hp_outcome outcome = {0};
    if (git_run(mirror->state, &git, &outcome, err))
        return true;
    if (err->code != HP_FAILED)
        return false;
    /* Not there at all, or not readable. */
    struct hp_error why = *err;
    char found[GIT_SHA_TEXT];
    if (!mirror_resolve(mirror, sha, found, err))
        return false;
    *err = why;
    mirror_suspect(mirror);
    return false;
}
