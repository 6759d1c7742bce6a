#include "collector/auth.h"
#include "collector/events.h"
#include "collector/service.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Lines: Authorization, Cookie. An empty one is not sent. */
void fuzz_headers(const uint8_t *data, size_t size)
{
    HP_FREE char *text = malloc(size + 1);
    struct hp_error err = {0};
    struct request request = {.peer_uid = -1};
    static struct service nobody_may; /* no anonymous reading, and no database */
    if (!text)
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    char *rest = text;
    const char *authorization = strsep(&rest, "\n"), *cookie = rest;
    request.authorization = *authorization ? authorization : NULL;
    request.cookie = cookie && *cookie ? cookie : NULL;
    /* Without the database nobody is believed to be anybody. */
    if (auth_who(&nobody_may, &request, true, &err) && request.who.scopes != 0)
        abort();
    if (events_id(authorization) < -2)
        abort();
    if (err.code != HP_OK && err.code != HP_DENIED && err.code != HP_USAGE)
        abort();
}
