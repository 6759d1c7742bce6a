#include "collector/hint.h"

#include "common/clock.h"
#include "common/log.h"

#include <poll.h>

static const double AGAIN_S = 5;

static void lose(struct hint *hint)
{
    db_release(hint->conn);
    hint->conn = NULL;
    hint->again = hp_monotonic_s() + AGAIN_S;
}

static void listen_again(struct hint *hint)
{
    struct hp_error err = {0};
    if (hint->conn || hp_monotonic_s() < hint->again)
        return;
    hint->conn = db_acquire(hint->db, &err);
    if (hint->conn && db_run(hint->conn, "hint_listen.sql", DB_NO_PARAMS, NULL, &err)) {
        hint->told = false;
        return;
    }
    if (!hint->told)
        hp_log_error(HP_LOG_DEBUG, "listening for jobs", &err);
    hint->told = true;
    lose(hint);
}

/* Takes all notifications that arrived; how many. */
static int take(struct hint *hint)
{
    PGconn *pg = db_raw(hint->conn);
    int count = 0;
    if (!PQconsumeInput(pg)) {
        lose(hint);
        return 0;
    }
    for (PGnotify *n; (n = PQnotifies(pg)); count++)
        PQfreemem(n);
    return count;
}

bool hint_wait(struct hint *hint, double seconds, int wake_fd)
{
    listen_again(hint);
    /* What came together with the answer to the last statement is in libpq's hands already. */
    if (hint->conn && take(hint) > 0)
        return true;
    struct pollfd fds[2] = {
        {.fd = wake_fd, .events = POLLIN},
        {.fd = hint->conn ? PQsocket(db_raw(hint->conn)) : -1, .events = POLLIN}};
    if (poll(fds, 2, (int)(seconds * 1000)) <= 0 || !fds[1].revents)
        return false;
    return take(hint) > 0;
}

void hint_release(struct hint *hint)
{
    db_release(hint->conn);
    hint->conn = NULL;
}
