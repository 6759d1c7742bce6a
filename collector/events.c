#include "collector/events.h"

#include "common/cleanup.h"
#include "common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct told {
    int64_t job, changed;
};

struct events {
    int64_t from;                     /* all before this transaction was told; -1: nothing yet */
    struct told told[EVENTS_AT_ONCE]; /* of those from `from` on */
    size_t count;
};

struct events *events_new(void)
{
    struct events *events = calloc(1, sizeof *events);
    if (events)
        events->from = -1;
    return events;
}

void events_free(struct events *events)
{
    free(events);
}

int64_t events_id(const char *text)
{
    char *end;
    if (!text || !*text)
        return -1;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return *end || errno || value < 0 || strspn(text, "0123456789") != strlen(text) ? -2 : value;
}

/* What was changed from that transaction on. NULL: the database does not answer, and is asked
 * again. */
static PGresult *ask(struct db *db, int64_t from)
{
    char number[DB_TEXT], most[DB_TEXT];
    struct hp_error err = {0};
    PGresult *rows = db_pool_query(
        db, "events.sql", DB_PARAMS(db_int(number, from), db_int(most, EVENTS_AT_ONCE + 1)), &err);
    if (!rows)
        hp_log_error(HP_LOG_DEBUG, "events", &err);
    return rows;
}

static bool was_told(const struct events *events, int64_t job, int64_t changed)
{
    for (size_t i = 0; i < events->count; i++)
        if (events->told[i].job == job && events->told[i].changed == changed)
            return true;
    return false;
}

/* One event; without a name only its id. */
static void send(struct server *server, uint64_t stream, const char *topic, const char *name,
                 const char *data, int64_t id)
{
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = hp_buffer_printf(&out, "id: %lld\n", (long long)id);
    ok = ok && (!name || hp_buffer_printf(&out, "event: %s\ndata: %s\n", name, data));
    ok = ok && hp_buffer_append(&out, "\n", 1);
    if (ok)
        server_stream_send(server, stream, topic, out.data, out.size);
}

/* Whether a row is to be told; `events` NULL: all of them are. */
static bool is_new(const struct events *events, const PGresult *rows, int row)
{
    return !events || !was_told(events, db_get_int(rows, row, 1), db_get_int(rows, row, 0));
}

/* Tells the rows that were asked for from transaction `from` on to one stream, or (0) to all; those
 * that `events` told before are left out. Only the last has the new id: who is cut off in between
 * gets all of them again. Then all learn it, for the last may not be of their topic. */
static void tell(struct server *server, uint64_t stream, const PGresult *rows, int64_t from,
                 const struct events *events)
{
    int count = PQntuples(rows), last = 0;
    int64_t safe = db_get_int(rows, 0, 0);
    if (count - 1 > EVENTS_AT_ONCE) {
        send(server, stream, NULL, "reset", "{}", safe);
        return;
    }
    for (int i = 1; i < count; i++)
        if (is_new(events, rows, i))
            last = i;
    for (int i = 1; i <= last; i++)
        if (is_new(events, rows, i))
            send(server, stream, db_text(rows, i, 2), "job", db_text(rows, i, 3),
                 i < last ? from : safe);
    if (last > 0)
        send(server, stream, NULL, NULL, NULL, safe);
}

/* What a later call would get again is remembered. */
static void remember(struct events *events, const PGresult *rows)
{
    int count = PQntuples(rows);
    events->from = db_get_int(rows, 0, 0);
    events->count = 0;
    if (count - 1 > EVENTS_AT_ONCE)
        return;
    for (int i = 1; i < count; i++)
        if (db_get_int(rows, i, 0) >= events->from)
            events->told[events->count++] =
                (struct told){db_get_int(rows, i, 1), db_get_int(rows, i, 0)};
}

/* A stream that begins: with an id what it missed, else from now on. An id that lies ahead of the
 * database's own is of another one, or of this one before it was restored. */
static bool greet(const struct events *events, struct service *service,
                  const struct stream_begin *begin)
{
    if (begin->from == -1) {
        send(service->server, begin->number, NULL, "ready", "{}", events->from);
        return true;
    }
    DB_RESULT PGresult *rows = ask(service->db, begin->from >= 0 ? begin->from : INT64_MAX);
    if (!rows)
        return false;
    int64_t safe = db_get_int(rows, 0, 0);
    if (begin->from < 0 || begin->from > safe) {
        send(service->server, begin->number, NULL, "reset", "{}", safe);
        return true;
    }
    send(service->server, begin->number, NULL, "ready", "{}", begin->from);
    tell(service->server, begin->number, rows, begin->from, NULL);
    return true;
}

void events_tell(struct events *events, struct service *service)
{
    struct server *server = service->server;
    struct stream_begin begin;
    server_stream_tend(server);
    if (server_streams(server) == 0) {
        events->from = -1;
        return;
    }
    DB_RESULT PGresult *rows = ask(service->db, events->from >= 0 ? events->from : INT64_MAX);
    if (!rows)
        return;
    if (events->from >= 0)
        tell(server, 0, rows, events->from, events);
    remember(events, rows);
    while (server_stream_next(server, &begin))
        if (greet(events, service, &begin))
            server_stream_greeted(server, begin.number);
        else
            break;
}
