/*
 * The repository that the integration tests push to: a small allocator (tests/integration/planted)
 * and commits with planted changes. HOUSE/work is the work tree, HOUSE/upstream.git the bare
 * repository with the hook, "planted" its name in the service. Functions assert.
 */
#ifndef HP_TESTS_INTEGRATION_PLANTED_H
#define HP_TESTS_INTEGRATION_PLANTED_H

#include "tests/integration/house.h"

#include <jansson.h>

#define PLANTED "planted"

/* Makes both repositories, with a first commit and tag "base" in the work tree, and installs the
 * hook; nothing is pushed. */
void planted_make(void);

/* From now on the suite has that revision as its reference, so that runs add to series; the text
 * must live on. */
void planted_reference(const char *rev);

/* Writes the suite and applies it, the driver built from revision `driver`. */
void planted_apply(struct hp_outcome *outcome, const char *driver);

/* Replaces the first `from` in a file of the library in the work tree. */
void planted_edit(const char *name, const char *from, const char *to);

/* Commits what the work tree holds, on the current branch, and tags the commit there. */
void planted_commit(const char *tag, const char *subject);

/* The whole name of a commit; static text, good for the next three calls. */
const char *planted_sha(const char *rev);

/* Pushes a commit to a branch upstream; what the hook said is in outcome->err. */
void planted_push(struct hp_outcome *outcome, const char *rev, const char *branch);

/* What a program printed, as JSON; the caller owns it. */
json_t *planted_json(const struct hp_outcome *outcome);

/* The first value of a query, through `hakperf db psql`. */
void planted_query(const char *sql, char *out, size_t room);

#endif
