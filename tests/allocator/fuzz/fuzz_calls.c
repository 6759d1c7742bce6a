/*
 * fuzz_calls.c: the sequences of calls.h, chosen by libFuzzer.
 */
#include "../calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    calls_run(data, size);
    return 0;
}
