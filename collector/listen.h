/* The sockets that the server listens on: TCP, and a Unix socket in the state folder. */
#ifndef HP_COLLECTOR_LISTEN_H
#define HP_COLLECTOR_LISTEN_H

#include "common/error.h"

#include <stddef.h>

struct listen_tcp {
    int fd;
    bool loopback;     /* only this machine reaches it */
    char address[128]; /* "http://127.0.0.1:8947", with the port that was picked for port 0 */
};

/* Listens on "HOST:PORT" ("127.0.0.1:8947", "[::1]:0"). HP_CONFLICT where the port is taken. */
bool listen_tcp(const char *where, struct listen_tcp *out, struct hp_error *err);

/* Most addresses of one collector. */
#define LISTEN_MOST 8

/* Listens on each of the addresses, separated by commas, or on none. The caller closes the *n
 * sockets. */
bool listen_tcp_all(const char *list, struct listen_tcp out[LISTEN_MOST], size_t *n,
                    struct hp_error *err);

/* Listens on a Unix socket of mode 0600. A socket that nobody answers at is replaced; HP_CONFLICT
 * where somebody does, or where something else than a socket lies there. -1 on error. */
int listen_unix(const char *path, struct hp_error *err);

#endif
