/*
 * The golden examples of common/wire/examples as a world in the store: repository and suite, three
 * commits in a row (base, head, and one that does not compile), and the two jobs that their results
 * belong to, both claimed by a runner.
 */
#ifndef HP_TESTS_GOLDEN_H
#define HP_TESTS_GOLDEN_H

#include "collector/db.h"

/* "result-v1.json" and its like, parsed; the caller owns it. Fails the test where it is missing. */
json_t *golden_read(const char *name);

/* Makes the world in the test's own database. */
void golden_world(void);

/* Changes the value at a path such as "/workloads/0/pairs/count"; steals `value`, NULL deletes. */
void golden_set(json_t *document, const char *path, json_t *value);

#define GOLDEN_REPOSITORY "hakmem"
extern char golden_base[65], golden_head[65], golden_broken[65];

#endif
