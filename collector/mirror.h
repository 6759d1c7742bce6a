/*
 * The bare mirror of one repository: STATE/mirrors/REPO.git. Its refs are a copy of the
 * repository's branches and tags; objects are never pruned, so that a commit that was measured
 * stays readable after a forced push.
 *
 * Names of objects are SHA-1 or SHA-256, as the repository has them.
 *
 * A struct mirror only knows names and may be used by several threads; mirror_fetch serializes
 * itself by a lock file, between processes too.
 */
#ifndef HP_COLLECTOR_MIRROR_H
#define HP_COLLECTOR_MIRROR_H

#include "collector/git.h"

struct mirror {
    char *state;
    char *folder; /* the git folder; need not exist yet */
};

/* One branch: its name without "refs/heads/" and the commit at its tip. */
struct mirror_tip {
    char *branch;
    char sha[GIT_SHA_TEXT];
};

struct mirror_tips {
    struct mirror_tip *rows;
    size_t count;
};

/* Names the mirror of a repository; `repository` obeys the suite schema's pattern of names. */
bool mirror_init(struct mirror *mirror, const char *state, const char *repository,
                 struct hp_error *err);
/* The mirror of a repository that only benchmark drivers come from, named after its address. */
bool mirror_init_driver(struct mirror *mirror, const char *state, const char *url,
                        struct hp_error *err);
void mirror_release(struct mirror *mirror);
#define MIRROR __attribute__((cleanup(mirror_release)))

/* Whether an address may be given to git: an absolute path, or a URL of an allowed transport
 * without a password in it. */
bool mirror_check_url(const char *url, struct hp_error *err);

/* Copies all branches and tags of `url`, deletes those that are gone, and makes the mirror at the
 * first time (in a temporary folder: a failure leaves nothing). A mirror that is damaged or shallow
 * is made anew from `url`; if that fails it stays as it was. HP_FAILED with what git said,
 * HP_TIMEOUT after git_fetch_timeout(), HP_LIMIT where it would be larger than git_mirror_limit():
 * nothing of what was fetched stays then. */
bool mirror_fetch(const struct mirror *mirror, const char *url, struct hp_error *err);

/* The branches, sorted by name. The caller calls mirror_tips_release. */
bool mirror_tips(const struct mirror *mirror, struct mirror_tips *tips, struct hp_error *err);
void mirror_tips_release(struct mirror_tips *tips);
#define MIRROR_TIPS __attribute__((cleanup(mirror_tips_release)))

/* The commit that a revision names. HP_NOT_FOUND (with a hint) for an unknown one, HP_USAGE for
 * one that looks like an option or holds control characters. */
bool mirror_resolve(const struct mirror *mirror, const char *rev, char sha[GIT_SHA_TEXT],
                    struct hp_error *err);

/* The branch that the repository's HEAD names ("main"), as of the last fetch; the caller frees it.
 * NULL without error code where HEAD names none that exists. */
char *mirror_head(const struct mirror *mirror);

/* Writes the tree of a commit as an uncompressed tar archive to `fd`. HP_NOT_FOUND where the mirror
 * does not have it. */
bool mirror_archive(const struct mirror *mirror, const char *sha, int fd, struct hp_error *err);

#endif
