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

/* After the golden result was stored: claims the job that is to confirm it, and gives the result of
 * that run, which finds the regression again or the opposite of it. The caller owns it. */
json_t *golden_confirm(bool again);

/* The golden result with its arms swapped: faster. The caller owns it. */
json_t *golden_faster(void);

/* The verdict of throughput in the first workload, decided anew from its samples at `critical`. */
void golden_decide(json_t *result, double critical);

/* The first workload is decided by a metric of which less is better; the suite must say so too. */
void golden_decide_by(json_t *result, const char *metric);

#define GOLDEN_REPOSITORY "hakmem"
extern char golden_base[65], golden_head[65], golden_broken[65];

#endif
