#include "block.h"

#include <sys/random.h>
#include <time.h>

struct block_secrets block_secrets;

/* Steele, Lea and Flood's finalizer (SplitMix64, 2014): spreads few random bits over a word. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

void block_init(void)
{
    uint64_t seed[2];
    if (getrandom(seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        seed[0] = mix((uint64_t)t.tv_nsec ^ (uintptr_t)&seed);
        seed[1] = mix(seed[0] ^ (uintptr_t)&block_secrets);
    }
    block_secrets.link = seed[0];
    block_secrets.mark = seed[1];
}
