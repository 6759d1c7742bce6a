/*
 * Results on their way into the store. A document that obeys its schema is checked for what a
 * schema cannot say, its verdicts are computed again from the samples by analysis/, and all of it
 * is written in one durable transaction that also ends the job and, where a relevant regression
 * was found, makes the alert and the message that tells of it. Delivering a run twice stores it
 * once. Nothing is kept between calls; any thread may call.
 */
#ifndef HP_COLLECTOR_INGEST_H
#define HP_COLLECTOR_INGEST_H

#include "collector/db.h"

struct ingest_outcome {
    bool stored;      /* false: this run was stored before, and the first delivery counts */
    char verdict[16]; /* of the run as stored */
    char size[16];    /* "small", "relevant" or "" */
    int64_t alert;    /* the alert that was made; 0: none */
    bool voided;      /* the runner decided otherwise than its samples say: stored as failed */
};

/* Stores a document that has passed hp_wire_check(HP_WIRE_RESULT, …). The run must be the one its
 * job's present claim announced.
 *   HP_INVALID   contradicts itself, its job, repository or suite; err->path is the JSON pointer
 *   HP_NOT_FOUND no such job
 *   HP_CONFLICT  stale fence: the job was claimed anew, or ended by another run
 * and the errors of db.h. After an error nothing is stored. */
bool ingest_result(struct db *db, const json_t *result, struct ingest_outcome *out,
                   struct hp_error *err);

/* Who delivered it, for the audit log. */
struct ingest_sender {
    const char *who, *address;
};

/* The same, with a line in the audit log that is written in the same transaction. */
bool ingest_result_from(struct db *db, const json_t *result, const struct ingest_sender *sender,
                        struct ingest_outcome *out, struct hp_error *err);

#endif
