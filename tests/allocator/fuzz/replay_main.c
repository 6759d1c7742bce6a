/*
 * replay_main.c: plays the files of a corpus and some random programs, for sanitizers that own the
 * standard names: what they see of the allocator is its stack, its tables and its arithmetic.
 */
#include "../calls.h"
#include "../shadow.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static uint8_t data[1 << 16];
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        size_t n = fread(data, 1, sizeof data, f);
        fclose(f);
        calls_run(data, n);
    }
    for (uint32_t seed = 1; seed <= 10; seed++)
        shadow_run(seed, 100000, 2000, (size_t)1 << (6 + seed));
    printf("replayed %d files and 10 random programs\n", argc - 1);
    return 0;
}
