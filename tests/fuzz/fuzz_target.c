#include "collector/route.h"
#include "common/cleanup.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

void fuzz_target(const uint8_t *data, size_t size)
{
    HP_FREE char *text = malloc(size + 1);
    struct request request = {0};
    struct hp_error err = {0};
    if (!text)
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PROPFIND"};
    bool parsed = request_parse(&request, text, &err);
    if (!parsed && err.code != HP_USAGE)
        abort(); /* a refusal is always the caller's fault */
    for (size_t i = 0; parsed && i < sizeof methods / sizeof methods[0]; i++) {
        char allow[64];
        int64_t number;
        request.method = methods[i];
        if (!route_find(routes, &request, allow, &err) && err.code != HP_NOT_FOUND &&
            err.code != HP_USAGE)
            abort();
        if (request.params > 0 &&
            !request_int(&request, request.param[0].name, -5, 1000, 7, &number, &err) &&
            err.code != HP_USAGE)
            abort();
    }
    request_release(&request);
}
