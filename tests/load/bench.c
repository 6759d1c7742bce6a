#include "tests/load/load.h"
int bench_main(const struct bench_options *options)
{
    (void)options;
    return 2;
}
