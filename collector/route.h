/*
 * The table of endpoints: method, path, who may, how large a body may be, and the handler. It is
 * common/wire/README.md in C, and the only place that says who may do what.
 */
#ifndef HP_COLLECTOR_ROUTE_H
#define HP_COLLECTOR_ROUTE_H

#include "collector/request.h"

struct service;

enum route_kind {
    ROUTE_PLAIN, /* waits for the database at most */
    ROUTE_HEAVY, /* the same for long: as many workers take these as there is machine for */
    ROUTE_SLOW,  /* runs git: only some of the workers take these */
    ROUTE_FILE,  /* the same, and the body goes to a file (body_fd), not to memory */
    ROUTE_QUICK, /* waits for nothing: answered even while every worker is busy */
};

/* Fills the answer, or returns false with an error that becomes the error body. */
typedef bool handler(struct service *service, const struct request *request, struct answer *answer,
                     struct hp_error *err);

struct route {
    const char *method;
    const char *path;  /* "{}" stands for one segment; "*" at the end for any rest, none included */
    unsigned scope;    /* one of enum scope */
    size_t body_limit; /* 0: no body is taken */
    handler *run;
    enum route_kind kind;
};

static inline bool route_is_slow(const struct route *route)
{
    return route->kind == ROUTE_SLOW || route->kind == ROUTE_FILE;
}

/* Ended by a row whose method is NULL. */
extern const struct route routes[];
extern const size_t route_count;

/* The route of a parsed request, its `arg` filled; HEAD finds GET. NULL: HP_NOT_FOUND, or (405)
 * HP_USAGE with the methods there are in `allow`, which is "" otherwise. */
const struct route *route_find(const struct route *table, struct request *request, char allow[64],
                               struct hp_error *err);

#endif
