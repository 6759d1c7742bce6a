/*
 * The parts of the HTTP server that server.c puts together: the life of one exchange on MHD's
 * threads and on workers, and parking. Only server*.c include it.
 */
#ifndef HP_COLLECTOR_SERVER_INTERNAL_H
#define HP_COLLECTOR_SERVER_INTERNAL_H

#include "collector/listen.h"
#include "collector/server.h"
#include "collector/work.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

struct listener {
    struct server *server;
    struct MHD_Daemon *daemon;
    int fd;
    bool unix_socket;
    bool loopback; /* TCP for this machine alone */
};

struct server {
    struct server_options options;
    struct work_pool *pool;
    struct listener listener[LISTEN_MOST + 1];
    size_t listeners;
    atomic_uint in_hand; /* exchanges between their first byte and the end of their answer */
    atomic_size_t body_memory;
    pthread_t clock;
    bool clock_runs;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    struct exchange *parked;
    unsigned parked_count;
    struct connection *connections;
    struct stream *streams; /* the oldest first */
    uint64_t stream_number; /* of the newest */
    bool stopping;          /* nothing is parked any more */
    bool closed;            /* nothing is handed to a worker any more */
};

/* Where an exchange is. MHD's thread owns it in the stages that read, a worker in those that work;
 * it is handed over by suspending and resuming the connection. */
enum stage {
    STAGE_NEW,      /* the target was read */
    STAGE_ASKING,   /* a worker finds out who asks */
    STAGE_ADMITTED, /* it did; MHD calls once more before it reads on */
    STAGE_READING,  /* the body */
    STAGE_WORKING,  /* a worker answers */
    STAGE_ANSWER,   /* the answer is there */
};

struct exchange {
    struct work work; /* first: the pool hands it back */
    struct server *server;
    const struct listener *listener;
    struct MHD_Connection *connection;
    const struct route *route;
    enum stage stage;
    struct request request;
    struct answer answer;
    struct hp_error target_error; /* of parsing the target */
    char *target;
    size_t reserved; /* of the server's body_memory */
    bool too_large, decoded;
    size_t body_size;           /* of a body that goes to a file */
    struct hp_error body_error; /* why it could not be kept */
    double park_end;
    struct exchange *next_parked;
    struct stream *stream; /* while the answer goes on */
    unsigned status;
};

/* server_exchange.c: what MHD calls. */
enum MHD_Result server_on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context);
void *server_on_target(void *cls, const char *target, struct MHD_Connection *connection);
void server_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code);

/* server_connection.c: told by MHD; and by an exchange what it receives of a request. Cuts off whom
 * it takes too long. */
enum receiving { RECEIVING_BEGAN, RECEIVING_MORE, RECEIVING_ENDED, RECEIVING_NONSENSE };
void server_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code);
void server_receiving(struct exchange *x, enum receiving what, size_t bytes);
void server_cut_slow(struct server *server);

/* server_check.c: all that can be said from the headers alone; finds the route. */
bool server_check_headers(struct exchange *x, struct hp_error *err);

/* server_work.c. Refuses with an error body, or admits who has the route's scope. */
void server_refuse(struct exchange *x, const struct hp_error *err);
void server_admit(struct exchange *x, const struct hp_error *err);
/* Calls the handler; its answer or error is in the exchange afterwards. */
void server_call_handler(struct exchange *x);
/* What workers run: find out who asks, answer. Both resume the connection. */
void server_ask_who(struct work *work);
void server_run_handler(struct work *work);

/* server_stream.c: the response of an answer that goes on; NULL without memory. */
struct MHD_Response *server_stream_open(struct exchange *x);
/* The exchange is over. */
void server_stream_close(struct exchange *x);
void server_stream_end_all(struct server *server);

/* server_park.c. Hands an exchange to the workers. */
void server_dispatch(struct exchange *x, void (*run)(struct work *));
/* Puts it aside until it is woken or its time is over; false where nothing is parked any more. */
bool server_park(struct exchange *x);
/* A connection whose client hung up must not get a job that nobody then works on. */
bool server_client_gone(struct exchange *x);
/* Takes up to `n` parked exchanges whose time is over, or any when `all`, and lets them run. */
void server_release_parked(struct server *server, unsigned n, bool all);
/* The thread that ends long polls whose time is over; its argument is the server. */
void *server_clock(void *argument);

#endif
