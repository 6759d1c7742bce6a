/* The pool: connections are lent in the order of asking, and to a bounded number of waiters. */
#include "collector/db_internal.h"
#include "common/clock.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POOL_DEFAULT 8
#define TIMEOUT_DEFAULT 10.0
/* After a failure to connect the same slot rests so long. */
#define REST_S 0.3
/* Waiters for each connection, at most. */
#define WAITERS_EACH 16

/* Who waits stands in a queue, and is handed a connection by whoever gives one back. */
struct waiter {
    struct waiter *next;
    pthread_cond_t woken;
    struct db_conn *conn; /* handed over; NULL: not yet */
};

struct db {
    char *url, *name;
    double timeout_s;
    int size;
    size_t statements; /* rows of sql_data */
    struct db *fallback;
    struct db_counters counters;
    struct db_conn *conns; /* size of them */

    pthread_mutex_t lock; /* of what follows */
    struct waiter *first, **last;
    int waiting;
    struct hp_error failure; /* of the last attempt to connect; its code is HP_OK after a success */
    int opening;             /* attempts to connect that go on */
};

static bool check_url(const char *url, struct hp_error *err)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &reason);
    bool ok = options != NULL;
    if (!ok) {
        hp_fail(err, HP_INVALID, "not a connection string of PostgreSQL: %.*s",
                (int)strcspn(reason ? reason : "", "\n"), reason ? reason : "out of memory");
        hp_error_hint(err, "Such as postgresql://user@host/database or host=… dbname=….");
    }
    PQconninfoFree(options);
    PQfreemem(reason);
    return ok;
}

/* A connection string that prefers replicas unless it says itself what it wants. */
static char *readers_url(const char *url)
{
    const char *uri = strstr(url, "://");
    char *out = NULL;
    bool said = strstr(url, "target_session_attrs") != NULL;
    bool several = strchr(url, ',') != NULL;
    if (said || !several)
        return strdup(url);
    const char *joint = !uri ? " " : strchr(uri, '?') ? "&" : "?";
    return asprintf(&out, "%s%starget_session_attrs=prefer-standby", url, joint) < 0 ? NULL : out;
}

static bool fill(struct db *db, const char *url, const struct db_options *o)
{
    db->size = o->pool_size > 0 ? o->pool_size : POOL_DEFAULT;
    db->timeout_s = o->timeout_s > 0 ? o->timeout_s : TIMEOUT_DEFAULT;
    db->url = o->readers ? readers_url(url) : strdup(url);
    db->name = strdup(o->name ? o->name : "hakperf-collector");
    db->fallback = o->fallback;
    db->last = &db->first;
    db->conns = calloc((size_t)db->size, sizeof *db->conns);
    while (sql_data[db->statements].name)
        db->statements++;
    if (!db->url || !db->name || !db->conns)
        return false;
    for (int i = 0; i < db->size; i++)
        db->conns[i] =
            (struct db_conn){.db = db, .counters = &db->counters, .timeout_s = db->timeout_s};
    return pthread_mutex_init(&db->lock, NULL) == 0;
}

static void release_memory(struct db *db)
{
    free(db->conns);
    free(db->name);
    free(db->url);
    free(db);
}

struct db *db_open(const char *url, const struct db_options *options, struct hp_error *err)
{
    static const struct db_options none;
    if (!check_url(url, err))
        return NULL;
    struct db *db = calloc(1, sizeof *db);
    if (db && fill(db, url, options ? options : &none))
        return db;
    if (db)
        release_memory(db);
    hp_fail(err, HP_SYSTEM, "out of memory");
    return NULL;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (int i = 0; i < db->size; i++)
        db_conn_drop(&db->conns[i]);
    pthread_mutex_destroy(&db->lock);
    release_memory(db);
}

struct db *db_fallback(const struct db *db)
{
    return db->fallback;
}

void db_stats(struct db *db, struct db_stats *out)
{
    *out = (struct db_stats){.size = db->size,
                             .calls = atomic_load(&db->counters.calls),
                             .errors = atomic_load(&db->counters.errors),
                             .timeouts = atomic_load(&db->counters.timeouts),
                             .reconnects = atomic_load(&db->counters.reconnects)};
    pthread_mutex_lock(&db->lock);
    out->waiting = db->waiting;
    for (int i = 0; i < db->size; i++) {
        out->busy += db->conns[i].busy;
        out->open += db->conns[i].busy || db->conns[i].pg != NULL;
    }
    pthread_mutex_unlock(&db->lock);
}

/* --- taking and giving back, with the lock held ------------------------------------------------
 */

/* A free connection: an open one, else one that need not rest. NULL: there is none. */
static struct db_conn *find_free(struct db *db)
{
    struct db_conn *found = NULL;
    double now = hp_monotonic_s();
    for (int i = 0; i < db->size; i++) {
        struct db_conn *c = &db->conns[i];
        if (!c->busy && (c->pg || c->rest_until <= now) && (!found || (c->pg && !found->pg)))
            found = c;
    }
    return found;
}

/* Whether there is an open connection that will come back. */
static bool any_open(const struct db *db)
{
    for (int i = 0; i < db->size; i++)
        if (db->conns[i].open)
            return true;
    return false;
}

static void leave_queue(struct db *db, struct waiter *me)
{
    for (struct waiter **at = &db->first; *at; at = &(*at)->next)
        if (*at == me) {
            *at = me->next;
            if (!*at)
                db->last = at;
            db->waiting--;
            return;
        }
}

static struct timespec clock_time(double at)
{
    double whole = floor(at);
    return (struct timespec){.tv_sec = (time_t)whole, .tv_nsec = (long)((at - whole) * 1e9)};
}

/* To the first that waits, who then owns it, or back among the free ones. */
static void pass_on(struct db *db, struct db_conn *conn)
{
    struct waiter *next = db->first;
    conn->busy = next != NULL;
    if (!next)
        return;
    leave_queue(db, next);
    next->conn = conn;
    pthread_cond_signal(&next->woken);
}

/* Connections that were set aside, to those that wait since: nobody gives these back. */
static void pass_on_rested(struct db *db)
{
    for (struct db_conn *conn; db->first && (conn = find_free(db));)
        pass_on(db, conn);
}

/* Waits in the queue until a connection is handed over. NULL: the deadline came first. */
static struct db_conn *queue_up(struct db *db, double deadline)
{
    struct waiter me = {0};
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&me.woken, &clock);
    pthread_condattr_destroy(&clock);
    *db->last = &me;
    /* cppcheck-suppress autoVariables; it has left the queue before this function ends */
    db->last = &me.next;
    db->waiting++;
    for (double now; !me.conn && (now = hp_monotonic_s()) < deadline;) {
        struct timespec until = clock_time(fmin(deadline, now + REST_S));
        if (pthread_cond_timedwait(&me.woken, &db->lock, &until) == ETIMEDOUT)
            pass_on_rested(db);
    }
    if (!me.conn)
        leave_queue(db, &me);
    pthread_cond_destroy(&me.woken);
    return me.conn;
}

static struct db_conn *take(struct db *db, double deadline, struct hp_error *err)
{
    pthread_mutex_lock(&db->lock);
    /* Nobody overtakes those that wait. */
    struct db_conn *conn = db->first ? NULL : find_free(db);
    if (conn)
        conn->busy = true;
    else if (!any_open(db) && db->failure.code != HP_OK)
        *err = db->failure;
    else if (db->waiting >= db->size * WAITERS_EACH)
        hp_fail(err, HP_UNAVAILABLE, "%d requests wait for the database already", db->waiting);
    else if (!(conn = queue_up(db, deadline)))
        hp_fail(err, HP_UNAVAILABLE, "all %d connections to the database are in use", db->size);
    pthread_mutex_unlock(&db->lock);
    return conn;
}

/* --- lending ------------------------------------------------------------------------------------
 */

static void give_back(struct db_conn *conn)
{
    struct db *db = conn->db;
    pthread_mutex_lock(&db->lock);
    conn->open = conn->pg != NULL;
    pass_on(db, conn);
    pthread_mutex_unlock(&db->lock);
}

/* While the database is away one thread at a time looks whether it is back. */
static bool may_open(struct db_conn *conn)
{
    struct db *db = conn->db;
    pthread_mutex_lock(&db->lock);
    conn->open = false;
    bool yes = db->failure.code == HP_OK || db->opening == 0;
    db->opening += yes;
    pthread_mutex_unlock(&db->lock);
    return yes;
}

static void opened(struct db_conn *conn)
{
    struct db *db = conn->db;
    pthread_mutex_lock(&db->lock);
    db->opening--;
    db->failure.code = HP_OK;
    conn->open = true;
    pthread_mutex_unlock(&db->lock);
}

/* What could not be opened rests; `tried`: *err says why, else it gets why. True: others are open,
 * and worth waiting for. */
static bool set_aside(struct db_conn *conn, bool tried, struct hp_error *err)
{
    struct db *db = conn->db;
    pthread_mutex_lock(&db->lock);
    if (tried) {
        db->opening--;
        db->failure = *err;
    } else if (db->failure.code != HP_OK) {
        *err = db->failure;
    } else {
        hp_fail(err, HP_UNAVAILABLE, "the database comes back just now");
    }
    conn->busy = false;
    conn->rest_until = hp_monotonic_s() + REST_S;
    bool others = any_open(db);
    /* With nothing open, those that wait would do so in vain: they fail now, or try themselves. */
    if (!others && db->first)
        pass_on(db, conn);
    pthread_mutex_unlock(&db->lock);
    return others;
}

static struct db_conn *acquire(struct db *db, struct hp_error *err)
{
    double deadline = db_deadline(db->timeout_s);
    struct hp_error why; /* callers may look at *err after a success: it is left alone then */
    for (;;) {
        struct db_conn *conn = take(db, deadline, &why);
        if (conn && db_conn_alive(conn))
            return conn;
        if (!conn)
            break;
        if (conn->pg)
            atomic_fetch_add(&db->counters.reconnects, 1);
        db_conn_drop(conn);
        bool tried = may_open(conn);
        if (tried && db_conn_open(conn, db->url, db->name, db->statements, &why)) {
            opened(conn);
            return conn;
        }
        if (!set_aside(conn, tried, &why) || hp_monotonic_s() >= deadline)
            break;
    }
    *err = why;
    return NULL;
}

struct db_conn *db_acquire(struct db *db, struct hp_error *err)
{
    struct db_conn *conn = acquire(db, err);
    if (conn || !db->fallback || err->code != HP_UNAVAILABLE)
        return conn;
    *err = (struct hp_error){0};
    return acquire(db->fallback, err);
}

void db_release(struct db_conn *conn)
{
    if (!conn)
        return;
    conn->timeout_s = conn->db->timeout_s;
    if (conn->pg && PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        db_conn_rollback(conn);
    give_back(conn);
}
