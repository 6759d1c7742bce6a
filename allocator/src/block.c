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

/* Whether words that programs keep in blocks, small numbers, addresses and all bits set, come out
 * of the encoding as no address. */
static bool hides(uintptr_t secret)
{
    uintptr_t high = secret >> BLOCK_ADDRESS_BITS;
    return high != 0 && high != UINTPTR_MAX >> BLOCK_ADDRESS_BITS;
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
    while (!hides(seed[0]))
        seed[0] = mix(seed[0]);
    while (!hides(seed[0] ^ seed[1]))
        seed[1] = mix(seed[1]);
    block_secrets.link = seed[0];
    block_secrets.mark = seed[1];
    block_secrets.both = seed[0] ^ seed[1];
    block_secrets.link_tag = (uint16_t)(block_secrets.link >> BLOCK_ADDRESS_BITS);
    block_secrets.both_tag = (uint16_t)(block_secrets.both >> BLOCK_ADDRESS_BITS);
}

bool chain_has(struct chain chain, const void *ptr)
{
    for (const struct block *b = chain.head; chain.count > 0; chain.count--, b = block_next(b)) {
        if (b == ptr)
            return true;
        if (!b || !block_is_free(b))
            return false;
    }
    return false;
}
