#include "collector/request.h"
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
    if (!request_parse(&request, text, &err) && err.code != HP_USAGE)
        abort(); /* a refusal is always the caller's fault */
    request_release(&request);
}
