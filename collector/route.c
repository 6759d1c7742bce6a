#include "collector/route.h"

#include "common/wire.h"

#include <stdio.h>
#include <string.h>

/* Matches one segment after the other; fills `arg` on the way. */
static bool path_matches(const char *path, struct request *request)
{
    size_t at = 0, args = 0;
    for (const char *part = path + 1; *part;) {
        size_t length = strcspn(part, "/");
        if (*part == '*')
            return true;
        if (at >= request->segments)
            return false;
        const char *segment = request->segment[at++];
        if (length == 2 && memcmp(part, "{}", 2) == 0) {
            if (args < REQUEST_ARGS)
                request->arg[args++] = segment;
        } else if (strlen(segment) != length || memcmp(part, segment, length) != 0) {
            return false;
        }
        part += length + (part[length] == '/');
    }
    return at == request->segments;
}

static bool method_matches(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

const struct route *route_find(const struct route *table, struct request *request, char allow[64],
                               struct hp_error *err)
{
    *allow = '\0';
    bool api = request->segments > 0 && strcmp(request->segment[0], "api") == 0;
    for (const struct route *route = table; route->method; route++) {
        /* The page's catch-all answers for no endpoint. */
        if (api && route->path[1] == '*')
            continue;
        if (!path_matches(route->path, request))
            continue;
        if (method_matches(route, request->method))
            return route;
        if (route->path[1] == '*' && *allow)
            continue;
        size_t used = strlen(allow);
        snprintf(allow + used, 64 - used, "%s%s", used ? ", " : "", route->method);
    }
    if (*allow)
        hp_fail(err, HP_USAGE, "%.16s is not a method of %.200s", request->method, request->raw);
    else
        hp_fail(err, HP_NOT_FOUND, "there is nothing at %.200s", request->raw);
    return NULL;
}
