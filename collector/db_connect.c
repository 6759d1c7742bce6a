/* Finding the server: one host after the other, each for its share of the time. */
#include "collector/db_internal.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS = 16 };

/* What of a connection string decides where to connect. Lists are split at their commas. */
struct target {
    char *host, *address, *port; /* the lists, owned */
    char *hosts[HOSTS], *addresses[HOSTS], *ports[HOSTS];
    size_t count; /* of servers; at least 1 */
    char session[32];
    double limit_s; /* connect_timeout of the string, 0: none */
};

static void target_clear(struct target *t)
{
    free(t->host);
    free(t->address);
    free(t->port);
}
#define TARGET __attribute__((cleanup(target_clear)))

/* How many parts there are; `parts` point into `list`. */
static size_t split(char *list, char *parts[HOSTS])
{
    size_t n = 0;
    char *rest = list;
    while (rest && n < HOSTS)
        parts[n++] = strsep(&rest, ",");
    return n;
}

static char *copy_of(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

/* Environment and service files count as libpq counts them. */
static bool read_target(const char *url, struct target *t, struct hp_error *err)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (!options)
        return hp_fail(err, HP_INVALID, "not a connection string of PostgreSQL");
    for (PQconninfoOption *o = options; o->keyword; o++) {
        const char *value = o->val ? o->val : o->envvar ? getenv(o->envvar) : NULL;
        if (strcmp(o->keyword, "host") == 0)
            t->host = copy_of(value);
        else if (strcmp(o->keyword, "hostaddr") == 0)
            t->address = copy_of(value);
        else if (strcmp(o->keyword, "port") == 0)
            t->port = copy_of(value);
        else if (strcmp(o->keyword, "target_session_attrs") == 0)
            snprintf(t->session, sizeof t->session, "%s", value ? value : "");
        else if (strcmp(o->keyword, "connect_timeout") == 0)
            t->limit_s = value ? strtod(value, NULL) : 0;
    }
    PQconninfoFree(options);
    size_t hosts = split(t->host, t->hosts), addresses = split(t->address, t->addresses);
    size_t ports = split(t->port, t->ports);
    t->count = addresses ? addresses : hosts ? hosts : 1;
    /* libpq itself refuses lists of different lengths, with its own words: it gets them whole. */
    if ((hosts && hosts != t->count) || (ports > 1 && ports != t->count))
        t->count = 1;
    for (size_t i = 1; ports == 1 && i < t->count; i++)
        t->ports[i] = t->ports[0];
    if (!t->session[0])
        snprintf(t->session, sizeof t->session, "%s", t->count > 1 ? "read-write" : "any");
    return true;
}

static bool poll_until(PGconn *pg, double deadline, double limit_s, struct hp_error *err)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            return db_error_fill(err, pg, NULL);
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (db_wait_socket(pg, events, deadline) != DB_WAIT_READY) {
            /* What was left of the limit is a little less than the limit. */
            hp_fail(err, HP_UNAVAILABLE, "the database does not answer: no connection within %g s",
                    fmax(round(10 * limit_s) / 10, 0.1));
            return hp_error_hint(err, "Is it running, and is the way to it open?");
        }
        state = PQconnectPoll(pg);
    }
    return true;
}

/* One server. Later keywords override what the connection string says. */
static PGconn *connect_one(const char *url, const char *name, const struct target *t, size_t i,
                           const char *session, double timeout_s, double limit_s,
                           struct hp_error *err)
{
    char user_timeout[DB_TEXT];
    bool many = t->count > 1;
    const char *const keys[] = {"dbname",
                                "application_name",
                                "client_encoding",
                                "tcp_user_timeout",
                                "connect_timeout",
                                "target_session_attrs",
                                many ? "host" : NULL,
                                "hostaddr",
                                "port",
                                NULL};
    const char *const values[] = {
        url,         name,    "UTF8",      db_int(user_timeout, (int64_t)(timeout_s * 1000)),
        "0",         session, t->hosts[i], t->addresses[i],
        t->ports[i], NULL};
    double deadline = hp_monotonic_s() + limit_s;
    PGconn *pg = PQconnectStartParams(keys, values, 1);
    bool ok = pg && PQstatus(pg) != CONNECTION_BAD ? poll_until(pg, deadline, limit_s, err)
                                                   : db_error_fill(err, pg, NULL);
    if (ok)
        return pg;
    PQfinish(pg);
    return NULL;
}

PGconn *db_connect(const char *url, const char *name, double timeout_s, double deadline,
                   struct hp_error *err)
{
    TARGET struct target t = {0};
    if (!read_target(url, &t, err))
        return NULL;
    /* libpq looks twice for this one; with one host at a time that is done here. */
    bool prefer = strcmp(t.session, "prefer-standby") == 0;
    size_t attempts = t.count * (prefer ? 2 : 1);
    for (size_t i = 0; i < attempts; i++) {
        double left = deadline - hp_monotonic_s(), share = left / (double)(attempts - i);
        if (t.limit_s > 0 && share > t.limit_s)
            share = t.limit_s;
        if (share <= 0) {
            hp_fail(err, HP_UNAVAILABLE, "the database does not answer: no time left");
            return NULL;
        }
        bool again = i >= t.count;
        const char *session = !prefer ? t.session : again ? "any" : "standby";
        PGconn *pg =
            connect_one(url, name, &t, again ? i - t.count : i, session, timeout_s, share, err);
        if (pg)
            return pg;
    }
    if (t.count > 1)
        hp_error_context(err, "none of %zu servers can be used; the last one", t.count);
    return NULL;
}

bool db_recovers(const char *url)
{
    return PQping(url) == PQPING_REJECT;
}
