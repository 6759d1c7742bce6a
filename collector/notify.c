#include "collector/notify.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@')
        address.sun_path[0] = '\0'; /* an abstract socket */
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    char text[96];
    int length = snprintf(text, sizeof text, "%s\nMONOTONIC_USEC=%lld\n", state,
                          (long long)(hp_monotonic_ns() / 1000));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, text, (size_t)length, 0, (const struct sockaddr *)&address, size) < 0)
        hp_log(HP_LOG_WARNING, "cannot tell systemd: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
}
