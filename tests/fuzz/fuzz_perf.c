#include "common/cleanup.h"
#include "runner/perf_stat.h"
#include "tests/fuzz/fuzz.h"

void fuzz_perf(const uint8_t *data, size_t size)
{
    size_t events = 0, i;
    json_t *row;
    HP_JSON json_t *rows = json_array();
    rn_perf_read((const char *)data, size, "head", rows);
    while (rn_perf_events[events])
        events++;
    if (json_array_size(rows) != events)
        abort(); /* every event has its row, whatever perf wrote */
    json_array_foreach (rows, i, row) {
        if (json_is_null(json_object_get(row, "value")) ==
            json_is_null(json_object_get(row, "missing")))
            abort(); /* a value or the reason why there is none */
    }
}
