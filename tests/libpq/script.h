/*
 * A scripted stand-in for libpq, linked instead of it: each test says what the client must do, in
 * order, and how the database answers, so that every way in which a database can fail has a test.
 * What the real library and server do is tested by tests/collector/test_db.c and test_faults.c.
 *
 *     script_set((const struct script_step[]){
 *         SCRIPT_OPEN("host=a"), {SCRIPT_SEND, "SELECT 1", .answer = {{"57P01", "FATAL"}}},
 *         {SCRIPT_END}});
 *     … calls of db.h …
 *     script_done();
 *
 * A call that is not next in the script fails the test, and so does script_done where steps are
 * left. One connection is in use at a time; threads of PQcancel alone run beside.
 */
#ifndef HP_TESTS_LIBPQ_SCRIPT_H
#define HP_TESTS_LIBPQ_SCRIPT_H

#include <stdbool.h>

/* A step says only what matters; the rest is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum script_what {
    SCRIPT_END,
    SCRIPT_CONNECT, /* PQconnectStartParams; `text` must be in "key=value key=value …" */
    SCRIPT_SEND,    /* PQsend…; `text` must be in the SQL or the statement's name */
    SCRIPT_CANCEL,  /* PQcancel */
};

enum script_how {
    SCRIPT_FINE,
    SCRIPT_REFUSED,     /* the call itself fails */
    SCRIPT_NO_MEMORY,   /* connect and cancel: no handle */
    SCRIPT_FAILS_LATER, /* connect: PQconnectPoll fails; send: the flush fails */
    SCRIPT_SILENT,      /* nothing is ever answered; cancel: does not return for two seconds more
                           than anybody waits */
    SCRIPT_BROKEN,      /* send: reading fails, the connection is bad */
    SCRIPT_SLOW_FLUSH,  /* send: the first flush could not send all */
    SCRIPT_COPY,        /* send: the answer is COPY */
    SCRIPT_EMPTY,       /* send: no result at all */
};

/* A result: its SQLSTATE ("": success), severity (NULL: "ERROR"), command tag, hint. */
struct script_answer {
    const char *state, *severity, *tag, *hint;
};

struct script_step {
    enum script_what what;
    const char *text;
    enum script_how how;
    struct script_answer answer[3]; /* until one whose state is NULL; none: one success */
};

/* A connection that is made and told its settings. */
#define SCRIPT_OPEN(where)                                       \
    {SCRIPT_CONNECT, where}, {SCRIPT_SEND, "statement_timeout"}, \
    {                                                            \
        SCRIPT_SEND, "TimeZone"                                  \
    }

void script_set(const struct script_step *steps);
void script_done(void);

/* What the server does to an idle connection: it says something and stays, or goes. */
void script_idle_message(void);
void script_idle_gone(void);

/* Connections that were made and not finished, results that were not cleared. */
int script_open(void);
int script_results(void);

#endif
