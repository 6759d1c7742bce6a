/*
 * A repository's whole history out of the store and into one: commits, suites, jobs, runs with all
 * figures and samples, verdicts, alerts. Tokens, sessions, messages and the audit log stay where
 * they are. Which tables there are is the schema's business (schema/migrations/0014_archive.sql).
 */
#ifndef HP_COLLECTOR_ARCHIVE_H
#define HP_COLLECTOR_ARCHIVE_H

#include "collector/db.h"

/* Writes the repository's history, as it is at one moment, to an open descriptor. HP_NOT_FOUND. */
bool archive_export(struct db *db, const char *repository, int fd, bool zstd, struct hp_error *err);

/* Stores an archive as a new repository, whole or not at all, under its own name or `as` (may be
 * NULL). *report gets {"repository", "lines": {table: number}}, owned by the caller. HP_CONFLICT
 * where there is one of that name; HP_INVALID for what is no archive, is cut off or was changed,
 * with the line. */
struct archive_policy {
    bool (*may)(const void *context, const char *url,
                struct hp_error *err); /* the repository's address */
    const void *context;
};
bool archive_import(struct db *db, int fd, const char *as, const struct archive_policy *policy,
                    json_t **report, struct hp_error *err);

#endif
