/* From SQLSTATE (PostgreSQL manual, appendix A) to an error that people and the wire understand. */
#include "collector/db_internal.h"

#include <stdlib.h>
#include <string.h>

/* A code of five characters, or a class of two; the first row that fits counts. */
struct state_row {
    const char *state;
    enum hp_code code;
    bool fatal; /* the connection is of no use afterwards */
};

static const struct state_row states[] = {
    {"HP404", HP_NOT_FOUND, false},   {"HP409", HP_CONFLICT, false}, {"HP422", HP_INVALID, false},
    {"23505", HP_CONFLICT, false},    {"23", HP_INVALID, false},     {"22", HP_INVALID, false},
    {"57014", HP_UNAVAILABLE, false}, /* the statement took too long, or was cancelled */
    {"55P03", HP_UNAVAILABLE, false}, /* a lock took too long */
    {"57", HP_UNAVAILABLE, true},     /* shutting down, crashed, starting up */
    {"53", HP_UNAVAILABLE, false},    /* disk full, out of memory, too many connections */
    {"58", HP_UNAVAILABLE, false},    /* I/O errors of the server */
    {"08", HP_UNAVAILABLE, true},     /* connection failures */
    {"25006", HP_UNAVAILABLE, true},  /* read-only: a replica, or failing over */
    {"25P03", HP_UNAVAILABLE, true},  /* idle in a transaction for too long */
    {"40", HP_UNAVAILABLE, false},    /* serialisation failure, deadlock */
    {"26", HP_UNAVAILABLE, true},     /* a prepared statement that the server has lost */
    {"0A000", HP_UNAVAILABLE, true},  /* a cached plan that the schema has outgrown */
    {"28", HP_UNAVAILABLE, true},     /* authentication: an operator must act, the runner waits */
    {"3D", HP_UNAVAILABLE, true},     /* no such database */
};

static const struct state_row *find_state(const char *state)
{
    for (size_t i = 0; state && i < sizeof states / sizeof states[0]; i++)
        if (strncmp(states[i].state, state, strlen(states[i].state)) == 0)
            return &states[i];
    return NULL;
}

bool db_error_is_fatal(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const struct state_row *row = find_state(state);
    if (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
        return true;
    return !state || (row && row->fatal);
}

/* libpq ends its messages with newlines; an error of ours is one line. */
static void one_line(const char *text, char *out, size_t room)
{
    size_t n = 0;
    for (; *text && n + 1 < room; text++)
        out[n++] = *text == '\n' || *text == '\t' ? ' ' : *text;
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

static bool fill_connection(struct hp_error *err, const PGconn *pg)
{
    char text[700];
    one_line(pg ? PQerrorMessage(pg) : "out of memory", text, sizeof text);
    hp_fail(err, HP_UNAVAILABLE, "the database does not answer: %s",
            text[0] ? text : "connection lost");
    return hp_error_hint(err, "Is it running? `hakperf db status` tells of the private one.");
}

bool db_error_fill(struct hp_error *err, const PGconn *pg, const PGresult *result)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (!state)
        return fill_connection(err, pg);
    const struct state_row *row = find_state(state);
    enum hp_code code = row ? row->code : HP_INTERNAL;
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    if (strncmp(state, "HP", 2) == 0)
        hp_fail(err, code, "%s", primary ? primary : state);
    else
        hp_fail(err, code, "database: %s%s%s (%s)", primary ? primary : "no message",
                detail && detail[0] ? ": " : "", detail ? detail : "", state);
    if (hint)
        hp_error_hint(err, "%s", hint);
    return false;
}
