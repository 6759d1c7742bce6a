/*
 * One request as a handler sees it, and the answer it gives. Handlers run on a worker thread, may
 * wait for the database and for git, and know nothing of sockets; collector/server.h feeds them.
 *
 * Request and answer belong to the server; texts in a request live as long as the request. A
 * handler hands its answer's body over.
 */
#ifndef HP_COLLECTOR_REQUEST_H
#define HP_COLLECTOR_REQUEST_H

#include "common/error.h"
#include "common/io.h"

#include <stdint.h>

/* Who may: a set of these. SCOPE_PUBLIC routes ask nobody who they are. */
enum scope {
    SCOPE_PUBLIC = 0,
    SCOPE_READ = 1,
    SCOPE_SUBMIT = 2,
    SCOPE_RUNNER = 4,
    SCOPE_ADMIN = 8,
    SCOPE_ALL = 15,
};

/* Who asks, and by what they proved it. */
struct principal {
    unsigned scopes;
    bool by_cookie; /* a browser: what it sends may have been caused by another site */
    char name[96];  /* "uid 1000", "token NAME", "browser", "anonymous" */
};

enum { REQUEST_SEGMENTS = 16, REQUEST_PARAMS = 16, REQUEST_ARGS = 4 };

struct request_param {
    const char *name, *value;
};

struct request {
    const char *method;
    const char *raw; /* the target as it was sent, for the log; valid while the server is in
                        the request */
    char *memory;    /* what segments and params point into */
    const char *segment[REQUEST_SEGMENTS]; /* of the path, decoded one by one */
    size_t segments;
    struct request_param param[REQUEST_PARAMS];
    size_t params;
    const char *arg[REQUEST_ARGS]; /* what stands at the {} of the route */
    const char *authorization, *cookie, *host, *origin, *if_none_match, *accept; /* headers, or
                                                                                   NULL */
    struct hp_buffer body;
    int body_fd; /* > 0: the body as a file without a name, where the route wants it so */
    struct principal who;
    bool over_unix;   /* came over the Unix socket */
    int64_t peer_uid; /* of the process at its other end, -1 where unknown */
    char address[64]; /* of the client, "unix" over the socket */
    double arrived;   /* hp_monotonic_s */
    bool waited;      /* a long poll whose time is over: answer now */
};

/* Splits a target ("/a/b%2Fc?x=1") into decoded segments and parameters. HP_USAGE for one that is
 * malformed: no slash in front, bad percent code, a NUL byte, too many parts. */
bool request_parse(struct request *request, const char *target, struct hp_error *err);
void request_release(struct request *request);

/* The first parameter of that name, NULL if there is none. */
const char *request_param(const struct request *request, const char *name);

/* A whole number of that name within bounds; `fallback` where absent. HP_USAGE with its name as
 * path otherwise. */
bool request_int(const struct request *request, const char *name, int64_t min, int64_t max,
                 int64_t fallback, int64_t *out, struct hp_error *err);

/* A parameter that must be there. NULL with HP_USAGE. */
const char *request_need(const struct request *request, const char *name, struct hp_error *err);

/* The body as a JSON object; the caller owns it. NULL with HP_INVALID. */
json_t *request_json(const struct request *request, struct hp_error *err);

enum { ANSWER_HEADERS = 6 };

struct answer {
    unsigned status; /* 0: 200 */
    const char *content_type;
    char *body;        /* malloc'ed, or NULL */
    const char *fixed; /* instead of `body`: bytes that live as long as the program */
    size_t size;
    int fd; /* > 0: a file whose first `size` bytes are the body */
    struct {
        const char *name;
        char *value;
    } header[ANSWER_HEADERS];
    size_t headers;
    bool stream;           /* the answer goes on: see the event streams of collector/server.h */
    int64_t stream_from;   /* for whoever tells the streams */
    char stream_topic[72]; /* "": every topic */
    double park_s;  /* > 0: nothing to say yet; call the handler again later, at most so long */
    bool validated; /* has an ETag: may be kept, and asked for again by it */
    bool page;      /* a page for a browser: gets a page's security headers, may be kept */
};

void answer_release(struct answer *answer);

/* Takes the value over. */
bool answer_json(struct answer *answer, unsigned status, json_t *value, struct hp_error *err);

/* Takes over a text that is JSON, as 200; NULL, of what failed before: false. */
bool answer_text(struct answer *answer, char *text);

/* Gives a whole answer its ETag, made of its bytes; 304 without a body where the client has it
 * already (If-None-Match). Answers that are no plain 200, or of plain text, stay as they are. */
void answer_validate(struct answer *answer, const char *if_none_match);

/* Whether the client wants CSV: format=csv (json: no), else the first of the two that Accept names.
 * HP_USAGE for another format. */
bool request_csv(const struct request *request, bool *csv, struct hp_error *err);

/* Takes the value over: as JSON, with a Link to the next page where it has a "next"; or, where the
 * client wants CSV, the objects of its array `rows` (NULL or missing: an empty table) with a line
 * of `columns`, names separated by commas; "a.b" is b of the object a. */
bool answer_rows(struct answer *answer, const struct request *request, json_t *value,
                 const char *rows, const char *columns, struct hp_error *err);

/* Replaces whatever there is by the error body and the status that belongs to its code. */
void answer_error(struct answer *answer, const struct hp_error *err, bool authenticated);

/* Adds a header; `name` lives as long as the program. False only without memory. */
bool answer_header(struct answer *answer, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
