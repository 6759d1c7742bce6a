#include "common/cleanup.h"
#include "common/json.h"
#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

void fuzz_wire(const uint8_t *data, size_t size)
{
    static const char *const schemas[] = {HP_WIRE_SUITE, HP_WIRE_JOB, HP_WIRE_RESULT,
                                          HP_WIRE_ERROR};
    struct hp_error err = {0};
    HP_JSON json_t *document = hp_json_parse((const char *)data, size, &err);
    HP_JSON json_t *text = hp_json_bytes((const char *)data, size);
    if (!text)
        abort(); /* any bytes can be made a JSON string */
    if (!document)
        return;
    struct hp_error told;
    hp_error_from_json(&told, document); /* as a client takes what a server said */
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        if (hp_wire_check(schemas[i], document, &err))
            continue;
        HP_JSON json_t *body = hp_error_json(&err);
        if (!body || err.code != HP_INVALID)
            abort(); /* a refusal is always the document's fault and always tellable */
    }
}
