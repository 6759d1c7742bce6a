#include "common/cleanup.h"
#include "runner/syscalls.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

void fuzz_syscalls(const uint8_t *data, size_t size)
{
    const char *name;
    json_t *count;
    HP_JSON json_t *kinds = rn_syscalls_read((const char *)data, size);
    json_object_foreach (kinds, name, count)
        if (json_integer_value(count) < 0 || name[0] < 'a' || name[0] > 'z')
            abort(); /* names of calls, and how many there were */
}
