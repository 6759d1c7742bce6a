/*
 * tsan_main.c: threads that allocate, free for each other and end, for ThreadSanitizer.
 */
#include "../shadow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 512, ROUNDS = 4, THREADS = 4 };

/* Any thread puts blocks in and takes them out. */
static _Atomic(char *) ring[RING];

/* So many SuperSlabs that ss_map outgrows its table while the other threads look up in it, and
 * that some go back to the kernel. */
static void peak(void)
{
    enum { COUNT = 200 };
    static __thread char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc((size_t)1500 << 10);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
}

static void *work(void *seed)
{
    uint32_t x = (uint32_t)(uintptr_t)seed;
    peak();
    for (int i = 0; i < 30000; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        size_t size = 1 + x % (x % 64 == 0 ? 60000 : 900);
        char *mine = malloc(size);
        memset(mine, 1, size);
        free(atomic_exchange(&ring[x >> 8 & (RING - 1)], mine));
    }
    shadow_run(x, 5000, 200, 20000);
    return NULL;
}

int main(void)
{
    for (uintptr_t round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        for (uintptr_t i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, work, (void *)(round * THREADS + i + 1));
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < RING; i++)
        free(atomic_exchange(&ring[i], NULL));
    puts("tsan: no race");
    return 0;
}
