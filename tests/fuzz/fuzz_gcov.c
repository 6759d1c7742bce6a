#include "common/cleanup.h"
#include "runner/gcov.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

void fuzz_gcov(const uint8_t *data, size_t size)
{
    const char *path;
    json_t *file;
    HP_JSON json_t *files = json_object();
    rn_gcov_read((const char *)data, size, "/home/user", files);
    rn_gcov_place((const char *)data, size, "/home/user", files);
    json_object_foreach (files, path, file)
        if (!json_is_object(json_object_get(file, "lines")))
            abort(); /* every file has its lines, even if none */
}
