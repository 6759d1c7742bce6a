/*
 * Source trees as tar archives in open files that have no name: nothing is left behind whatever
 * happens, and a tree fetched as one user can be used as another. Nothing here unpacks an archive;
 * that happens inside the sandbox.
 */
#ifndef RN_SOURCE_H
#define RN_SOURCE_H

#include "common/error.h"
#include "common/hash.h"
#include "common/http_client.h"

#include <stdint.h>

/* Largest archive that is accepted, in bytes. */
#define RN_SOURCE_LIMIT ((size_t)1 << 30)

/* The archives of one job, -1 where there is none. */
struct rn_sources {
    int head, base, driver, reference;
};

#define RN_NO_SOURCES ((struct rn_sources){-1, -1, -1, -1})
void rn_sources_close(struct rn_sources *sources);

/* A commit that a revision of a repository names. */
struct rn_commit {
    char sha[65];
    char subject[1025];
};

/* Resolves a revision in a local repository. HP_NOT_FOUND with the revision's name. */
bool rn_source_resolve(const char *repository, const char *rev, struct rn_commit *out,
                       struct hp_error *err);

/* `git archive` of a commit of a local repository into a nameless file in `folder`. Returns the
 * descriptor, -1 on failure. */
int rn_source_archive(const char *repository, const char *sha, const char *folder,
                      struct hp_error *err);

/* The same from the collector, for a claimed job. */
int rn_source_download(struct hp_http *http, int64_t job, int64_t fence, const char *sha,
                       const char *folder, struct hp_error *err);

/* Identity of the tree in an archive: names, modes, contents and links, but neither times nor
 * comments, so that two commits with the same tree have the same. HP_INVALID if it is no tar. */
bool rn_source_hash(int fd, char out[HP_HASH_TEXT], struct hp_error *err);

#endif
