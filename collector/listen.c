#include "collector/listen.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static bool split(const char *where, char host[96], char port[8], struct hp_error *err)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : 0;
    const char *begin = where;
    if (length >= 2 && *where == '[' && where[length - 1] == ']') {
        begin++;
        length -= 2;
    }
    if (!colon || length == 0 || length >= 96 || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        colon[1 + strspn(colon + 1, "0123456789")]) {
        hp_fail(err, HP_USAGE, "'%s' is not an address to listen on", where);
        return hp_error_hint(err, "Give HOST:PORT, such as 127.0.0.1:8947; port 0 picks one, "
                                  "and a comma stands before a further address.");
    }
    snprintf(host, 96, "%.*s", (int)length, begin);
    snprintf(port, 8, "%s", colon + 1);
    return true;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static bool bind_tcp(const char *where, const struct addrinfo *info, struct listen_tcp *out,
                     struct hp_error *err)
{
    HP_FD int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return hp_fail_errno(err, "cannot make a TCP socket");
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        bool taken = errno == EADDRINUSE;
        hp_fail_errno(err, "cannot listen on %s", where);
        if (taken) {
            err->code = HP_CONFLICT;
            hp_error_hint(err, "Another program has this port: stop it, or give --listen another "
                               "one (127.0.0.1:0 picks a free one).");
        }
        return false;
    }
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char host[96], port[8];
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        /* cppcheck-suppress resourceLeak; HP_FD closes it */
        return hp_fail(err, HP_SYSTEM, "cannot tell the address of %s", where);
    bool v6 = bound.ss_family == AF_INET6;
    snprintf(out->address, sizeof out->address, "http://%s%s%s:%s", v6 ? "[" : "", host,
             v6 ? "]" : "", port);
    out->loopback = is_loopback((struct sockaddr *)&bound);
    out->fd = hp_take_fd(&fd);
    return true;
}

bool listen_tcp(const char *where, struct listen_tcp *out, struct hp_error *err)
{
    *out = (struct listen_tcp){.fd = -1};
    char host[96], port[8];
    if (!split(where, host, port, err))
        return false;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    int code = getaddrinfo(host, port, &hints, &list);
    if (code != 0)
        return hp_fail(err, HP_USAGE, "cannot listen on %s: %s", where, gai_strerror(code));
    bool ok = bind_tcp(where, list, out, err);
    freeaddrinfo(list);
    return ok;
}

bool listen_tcp_all(const char *list, struct listen_tcp out[LISTEN_MOST], size_t *n,
                    struct hp_error *err)
{
    bool ok = true;
    *n = 0;
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ",");
        HP_FREE char *where = strndup(at, length);
        if (*n == LISTEN_MOST)
            ok = hp_fail(err, HP_LIMIT, "more than %d addresses to listen on", LISTEN_MOST);
        else
            ok =
                where ? listen_tcp(where, &out[*n], err) : hp_fail(err, HP_SYSTEM, "out of memory");
        if (!ok)
            break;
        ++*n;
        at += length;
        if (!*at)
            return true;
    }
    while (*n > 0)
        close(out[--*n].fd);
    return false;
}

/* Whether a server answers at that socket. */
static bool answers(const struct sockaddr_un *address)
{
    HP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
}

static bool make_room(const struct sockaddr_un *address, struct hp_error *err)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT || hp_fail_errno(err, "cannot look at %s", address->sun_path);
    if (!S_ISSOCK(st.st_mode)) {
        hp_fail(err, HP_CONFLICT, "%s is in the way and is no socket", address->sun_path);
        return hp_error_hint(err, "Give --socket another path.");
    }
    if (answers(address)) {
        hp_fail(err, HP_CONFLICT, "a collector already runs at %s", address->sun_path);
        return hp_error_hint(err, "Stop it, or use another --state folder.");
    }
    if (unlink(address->sun_path) != 0)
        return hp_fail_errno(err, "cannot remove %s", address->sun_path);
    return true;
}

int listen_unix(const char *path, struct hp_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        hp_fail(err, HP_LIMIT, "the path of the socket is longer than %zu bytes: %s",
                sizeof address.sun_path - 1, path);
        hp_error_hint(err, "Use a shorter --state folder, or --socket.");
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!make_room(&address, err))
        return -1;
    HP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode of the file that bind makes comes from the socket's own mode: nobody can connect
     * before it is narrowed. */
    if (fd < 0 || fchmod(fd, 0600) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, 0600) != 0 || listen(fd, BACKLOG) != 0) {
        hp_fail_errno(err, "cannot listen on %s", path);
        return -1;
    }
    /* cppcheck-suppress resourceLeak; handed to the caller */
    return hp_take_fd(&fd);
}
