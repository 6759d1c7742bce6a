#include "runner/callgrind.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>

void fuzz_callgrind(const uint8_t *data, size_t size)
{
    double ir = rn_callgrind_read((const char *)data, size);
    if (!isnan(ir) && !(ir >= 0))
        abort(); /* a number of instructions, or none */
}
