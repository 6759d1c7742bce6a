/*
 * Hearing of new jobs: a connection of the pool that listens on channel hakperf_job, which the
 * database's own trigger notifies, so that claims which wait in this collector wake when any
 * program queues. It is a hint over the poll of the background: a lost one costs a second, and a
 * database without notifications (a pooler in between) costs nothing else. One thread.
 */
#ifndef HP_COLLECTOR_HINT_H
#define HP_COLLECTOR_HINT_H

#include "collector/db.h"

struct hint {
    struct db *db;
    struct db_conn *conn; /* NULL: not listening */
    double again;         /* when to try once more */
    bool told;            /* that it could not */
};

/* Waits up to `seconds` for a hint; true where one came. Connects by itself, and after a loss tries
 * again every few seconds, waiting all the same. `wake_fd` ends the wait when it is readable. */
bool hint_wait(struct hint *hint, double seconds, int wake_fd);

/* Gives the connection back. */
void hint_release(struct hint *hint);

#endif
