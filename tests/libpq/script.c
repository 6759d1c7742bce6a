#include "tests/libpq/script.h"

#include "collector/db.h"

#include <check.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pg_conn {
    int pipe[2]; /* readable: something to read */
    ConnStatusType status;
    PGTransactionStatusType transaction;
    PostgresPollingStatusType poll;
    const struct script_step *asked; /* the statement that is being answered; NULL: none */
    size_t answered;
    bool flushed_half, idle_gone;
    char sent[64];
    const char *message;
};
struct pg_result {
    ExecStatusType status;
    struct script_answer answer;
    char tag[32];
};
struct pg_cancel {
    const struct script_step *step;
};

const struct hp_embedded sql_data[] = {
    {"one.sql", "SELECT 1", 8}, {"two.sql", "SELECT 2", 8}, {NULL, NULL, 0}};

static const struct script_step *next_step;
static PGconn *current;
static int open_connections;
static atomic_int results;

void script_set(const struct script_step *steps)
{
    next_step = steps;
}

void script_done(void)
{
    ck_assert_msg(next_step->what == SCRIPT_END, "the script expected '%s' still",
                  next_step->text ? next_step->text : "something");
    ck_assert_int_eq(script_results(), 0);
}

int script_open(void)
{
    return open_connections;
}

int script_results(void)
{
    return atomic_load(&results);
}

static const struct script_step *take(enum script_what what, const char *text)
{
    const struct script_step *step = next_step;
    ck_assert_msg(step && step->what == what, "unexpected: %s", text);
    ck_assert_msg(!step->text || strstr(text, step->text), "'%s' expected, not: %s", step->text,
                  text);
    next_step++;
    return step;
}

static void make_readable(PGconn *pg, bool yes)
{
    char byte;
    while (read(pg->pipe[0], &byte, 1) == 1)
        ;
    if (yes)
        ck_assert_int_eq(write(pg->pipe[1], "x", 1), 1);
}

void script_idle_message(void)
{
    make_readable(current, true);
}

void script_idle_gone(void)
{
    make_readable(current, true);
    current->idle_gone = true;
}

/* --- connecting ---------------------------------------------------------------------------------
 */

PGconn *PQconnectStartParams(const char *const *keys, const char *const *values, int expand)
{
    char text[1024] = "";
    ck_assert_int_eq(expand, 1);
    for (size_t i = 0; keys[i]; i++)
        if (values[i]) {
            size_t n = strlen(text);
            snprintf(text + n, sizeof text - n, "%s=%s ", keys[i], values[i]);
        }
    const struct script_step *step = take(SCRIPT_CONNECT, text);
    if (step->how == SCRIPT_NO_MEMORY)
        return NULL;
    PGconn *pg = calloc(1, sizeof *pg);
    ck_assert_int_eq(pipe2(pg->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    pg->status = step->how == SCRIPT_REFUSED ? CONNECTION_BAD : CONNECTION_STARTED;
    pg->message = "connection refused\n\tis the server running?\n";
    pg->poll = step->how == SCRIPT_FAILS_LATER ? PGRES_POLLING_FAILED
               : step->how == SCRIPT_SILENT    ? PGRES_POLLING_READING
                                               : PGRES_POLLING_OK;
    pg->transaction = PQTRANS_IDLE;
    open_connections++;
    current = pg;
    return pg;
}

PostgresPollingStatusType PQconnectPoll(PGconn *pg)
{
    pg->status = pg->poll == PGRES_POLLING_OK ? CONNECTION_OK : CONNECTION_BAD;
    return pg->poll;
}

void PQfinish(PGconn *pg)
{
    if (!pg)
        return;
    close(pg->pipe[0]);
    close(pg->pipe[1]);
    open_connections--;
    free(pg);
}

/* No script says that a server recovers: tests/collector/test_faults.c has a real one that does. */
PGPing PQping(const char *url)
{
    (void)url;
    return PQPING_OK;
}

ConnStatusType PQstatus(const PGconn *pg)
{
    return pg ? pg->status : CONNECTION_BAD;
}

/* The write end is always writable, the read end readable when there is something: poll() asks
 * for one of them. A connection that is silent gets an end that is never ready. */
int PQsocket(const PGconn *pg)
{
    bool connecting = pg->status == CONNECTION_STARTED;
    return connecting && pg->poll != PGRES_POLLING_READING ? pg->pipe[1] : pg->pipe[0];
}

char *PQerrorMessage(const PGconn *pg)
{
    union {
        const char *in;
        char *out;
    } message = {pg->message};
    return message.out;
}

PGTransactionStatusType PQtransactionStatus(const PGconn *pg)
{
    return pg->transaction;
}

int PQsetnonblocking(PGconn *pg, int on)
{
    (void)pg;
    return on ? 0 : -1;
}

PQnoticeProcessor PQsetNoticeProcessor(PGconn *pg, PQnoticeProcessor processor, void *argument)
{
    (void)pg;
    processor(argument, "notice\n"); /* it must not mind */
    return NULL;
}

/* --- statements ---------------------------------------------------------------------------------
 */

static int send_text(PGconn *pg, const char *text)
{
    const struct script_step *step = take(SCRIPT_SEND, text);
    snprintf(pg->sent, sizeof pg->sent, "%s", text);
    if (step->how == SCRIPT_REFUSED) {
        pg->message = "another command is already in progress\n";
        return 0;
    }
    pg->asked = step;
    pg->answered = 0;
    pg->flushed_half = step->how == SCRIPT_SLOW_FLUSH;
    make_readable(pg, step->how != SCRIPT_SILENT);
    return 1;
}

int PQsendQuery(PGconn *pg, const char *text)
{
    return send_text(pg, text);
}

int PQsendQueryParams(PGconn *pg, const char *text, int n, const Oid *types,
                      const char *const *values, const int *lengths, const int *formats, int binary)
{
    (void)n, (void)types, (void)values, (void)lengths, (void)formats, (void)binary;
    return send_text(pg, text);
}

int PQsendPrepare(PGconn *pg, const char *name, const char *text, int n, const Oid *types)
{
    char whole[256];
    (void)n, (void)types;
    snprintf(whole, sizeof whole, "prepare %s: %s", name, text);
    return send_text(pg, whole);
}

int PQsendQueryPrepared(PGconn *pg, const char *name, int n, const char *const *values,
                        const int *lengths, const int *formats, int binary)
{
    char whole[256];
    (void)n, (void)values, (void)lengths, (void)formats, (void)binary;
    snprintf(whole, sizeof whole, "execute %s", name);
    return send_text(pg, whole);
}

int PQflush(PGconn *pg)
{
    if (pg->asked && pg->asked->how == SCRIPT_FAILS_LATER) {
        pg->status = CONNECTION_BAD;
        pg->message = "server closed the connection unexpectedly\n";
        return -1;
    }
    bool half = pg->flushed_half;
    pg->flushed_half = false;
    return half;
}

int PQconsumeInput(PGconn *pg)
{
    if (pg->idle_gone || (pg->asked && pg->asked->how == SCRIPT_BROKEN)) {
        pg->status = CONNECTION_BAD;
        pg->message = "server closed the connection unexpectedly\n";
        return 0;
    }
    if (!pg->asked)
        make_readable(pg, false);
    return 1;
}

int PQisBusy(PGconn *pg)
{
    return pg->asked && pg->asked->how == SCRIPT_SILENT;
}

static void follow_transaction(PGconn *pg, bool good)
{
    if (!good)
        pg->transaction = pg->transaction == PQTRANS_IDLE ? PQTRANS_IDLE : PQTRANS_INERROR;
    else if (strcmp(pg->sent, "BEGIN") == 0)
        pg->transaction = PQTRANS_INTRANS;
    else if (strcmp(pg->sent, "COMMIT") == 0 || strcmp(pg->sent, "ROLLBACK") == 0)
        pg->transaction = PQTRANS_IDLE;
}

static PGresult *make_result(PGconn *pg, const struct script_answer *answer)
{
    PGresult *result = calloc(1, sizeof *result);
    result->answer = *answer;
    bool good = !answer->state || !answer->state[0];
    result->status = pg->asked->how == SCRIPT_COPY ? PGRES_COPY_IN
                     : good                        ? PGRES_TUPLES_OK
                                                   : PGRES_FATAL_ERROR;
    snprintf(result->tag, sizeof result->tag, "%.20s", answer->tag ? answer->tag : pg->sent);
    follow_transaction(pg, good);
    if (answer->severity && strcmp(answer->severity, "ERROR") != 0 && !good)
        pg->transaction = PQTRANS_UNKNOWN;
    atomic_fetch_add(&results, 1);
    return result;
}

PGresult *PQgetResult(PGconn *pg)
{
    if (!pg->asked)
        return NULL;
    const struct script_answer *answer = &pg->asked->answer[pg->answered];
    bool none = pg->asked->how == SCRIPT_EMPTY || pg->answered == 3;
    if (none || (pg->answered > 0 && !answer->state)) {
        pg->asked = NULL;
        make_readable(pg, false);
        return NULL;
    }
    pg->answered++;
    return make_result(pg, answer);
}

void PQclear(PGresult *result)
{
    if (result)
        atomic_fetch_sub(&results, 1);
    free(result);
}

ExecStatusType PQresultStatus(const PGresult *result)
{
    return result->status;
}

char *PQresultErrorField(const PGresult *result, int field)
{
    const struct script_answer *a = &result->answer;
    union {
        const char *in;
        char *out;
    } text = {NULL};
    if (!a->state || !a->state[0] || strcmp(a->state, "none") == 0)
        return NULL;
    if (field == PG_DIAG_SQLSTATE)
        text.in = a->state;
    else if (field == PG_DIAG_SEVERITY_NONLOCALIZED)
        text.in = a->severity ? a->severity : "ERROR";
    else if (field == PG_DIAG_MESSAGE_PRIMARY)
        text.in = "it did not work";
    else if (field == PG_DIAG_MESSAGE_HINT)
        text.in = a->hint;
    return text.out;
}

char *PQcmdStatus(PGresult *result)
{
    return result->tag;
}

char *PQcmdTuples(PGresult *result)
{
    return result->tag;
}

/* One row of one field: '{"a": 1}', which is no JSON after a hint "broken". */
int PQntuples(const PGresult *result)
{
    return result->answer.tag && strcmp(result->answer.tag, "none") == 0 ? 0 : 1;
}

int PQgetisnull(const PGresult *result, int row, int column)
{
    (void)row, (void)column;
    return result->answer.hint && strcmp(result->answer.hint, "null") == 0;
}

char *PQgetvalue(const PGresult *result, int row, int column)
{
    static char good[] = "{\"a\": 1}", broken[] = "{\"a\": ";
    (void)row, (void)column;
    return result->answer.hint && strcmp(result->answer.hint, "broken") == 0 ? broken : good;
}

/* --- cancelling, and what needs no script ------------------------------------------------------
 */

PGcancel *PQgetCancel(PGconn *pg)
{
    (void)pg;
    const struct script_step *step = take(SCRIPT_CANCEL, "cancel");
    if (step->how == SCRIPT_NO_MEMORY)
        return NULL;
    PGcancel *cancel = calloc(1, sizeof *cancel);
    cancel->step = step;
    return cancel;
}

int PQcancel(PGcancel *cancel, char *reason, int size)
{
    snprintf(reason, (size_t)size, "no");
    if (cancel->step->how == SCRIPT_SILENT)
        usleep(4000000);
    if (cancel->step->how != SCRIPT_FINE)
        return 0;
    /* The statement ends with 57014, which is then read. */
    static const struct script_step cancelled = {SCRIPT_SEND, NULL, SCRIPT_FINE, {{"57014"}}};
    current->asked = &cancelled;
    current->answered = 0;
    make_readable(current, true);
    return 1;
}

void PQfreeCancel(PGcancel *cancel)
{
    free(cancel);
}

/* Words "key=value" with blanks between; "bad" is no connection string. */
PQconninfoOption *PQconninfoParse(const char *text, char **reason)
{
    static const char *const keys[] = {"host", "hostaddr", "port", "target_session_attrs",
                                       "connect_timeout"};
    if (strstr(text, "bad")) {
        if (reason)
            *reason = strdup("missing \"=\"\nline two\n");
        return NULL;
    }
    PQconninfoOption *options = calloc(6, sizeof *options);
    for (size_t i = 0; i < 5; i++) {
        char key[32];
        snprintf(key, sizeof key, " %s=", keys[i]);
        options[i].keyword = strdup(keys[i]);
        char padded[512];
        snprintf(padded, sizeof padded, " %s", text);
        const char *at = strstr(padded, key);
        if (at)
            options[i].val = strndup(at + strlen(key), strcspn(at + strlen(key), " "));
    }
    return options;
}

void PQconninfoFree(PQconninfoOption *options)
{
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        free(o->keyword);
        free(o->val);
    }
    free(options);
}

void PQfreemem(void *memory)
{
    free(memory);
}
