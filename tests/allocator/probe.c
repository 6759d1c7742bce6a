/*
 * probe.c: what tests do in a fresh process, under an environment of their choice.
 */
#include "hakmem.h"
#include "shadow.h"
#include "support.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* malloc SIZE: one block, written and freed. */
static int probe_malloc(int argc, char **argv)
{
    size_t size = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    char *p = malloc(size);
    if (!p) {
        printf("NULL errno=%d\n", errno);
        return 1;
    }
    memset(p, 1, size);
    free(p);
    puts("ok");
    return 0;
}

/* survive SEED STEPS: a random program that takes NULL for an answer and checks the rest. Prints
 * how many requests were refused. */
static int probe_survive(int argc, char **argv)
{
    enum { SLOTS = 200 };
    static unsigned char *blocks[SLOTS];
    static size_t sizes[SLOTS];
    uint32_t x = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    long steps = argc > 2 ? strtol(argv[2], NULL, 10) : 2000, refused = 0;
    for (long i = 0; i < steps; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        unsigned slot = x % SLOTS;
        size_t size = (x >> 8) % ((size_t)1 << (x >> 3) % 23);
        if (blocks[slot] && i % 3 == 0) {
            unsigned char *moved = realloc(blocks[slot], size + 1);
            if (!moved) {
                refused++;
                continue;
            }
            blocks[slot] = moved;
        } else if (blocks[slot]) {
            if (blocks[slot][0] != (unsigned char)slot)
                return 3;
            free(blocks[slot]);
            blocks[slot] = NULL;
            continue;
        } else if (!(blocks[slot] = i % 5 == 0 ? calloc(1, size + 1) : malloc(size + 1))) {
            if (errno != ENOMEM)
                return 4;
            refused++;
            continue;
        }
        sizes[slot] = size + 1;
        memset(blocks[slot], (int)slot, sizes[slot]);
    }
    printf("refused %ld\n", refused);
    return 0;
}

/* peak MIB SIZE: fills that many MiB with blocks of SIZE (0: mixed; small: 16 to 1024), frees all
 * in random order, and prints resident KiB at the peak and after. */
static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        return -1;
    fclose(f);
    return pages * 4;
}

static int probe_peak(int argc, char **argv)
{
    size_t bytes = (argc > 1 ? strtoull(argv[1], NULL, 10) : 64) << 20;
    size_t size = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, count = 0, total = 0;
    bool small = argc > 2 && strcmp(argv[2], "small") == 0;
    size_t capacity = bytes / (size ? size : 16) + 1;
    char **blocks = mmap(NULL, capacity * sizeof *blocks, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t x = 88172645;
    while (total < bytes && count < capacity) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        size_t n = size ? size : small ? 16 + x % 1009 : (size_t)16 << x % 17;
        blocks[count] = malloc(n);
        if (!blocks[count])
            return 1;
        memset(blocks[count], 1, n);
        total += n;
        count++;
    }
    long peak = resident_kib();
    for (size_t left = count; left > 0; left--) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        size_t i = x % left;
        free(blocks[i]);
        blocks[i] = blocks[left - 1];
    }
    munmap(blocks, capacity * sizeof *blocks);
    long after = resident_kib();
    printf("peak %ld after %ld\n", peak, after);
    return 0;
}

/* pairs SIZE COUNT: malloc and free of one size. */
static int probe_pairs(int argc, char **argv)
{
    size_t size = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 2000;
    for (long i = 0; i < count; i++) {
        char *volatile p = malloc(size);
        if (!p)
            return 1;
        p[0] = p[size - 1] = 1;
        free(p);
    }
    return 0;
}

static bool pairs_of(size_t size)
{
    char said[32];
    int len = snprintf(said, sizeof said, "size %zu\n", size);
    if (write(1, said, (size_t)len) != len)
        return false;
    for (int i = 0; i < 2000; i++) {
        char *volatile p = malloc(size);
        if (!p)
            return false;
        p[0] = p[size - 1] = 1;
        free(p);
    }
    return true;
}

/* sweep: 2,000 pairs of each of many sizes up to 2 MiB: those about the end of every class, and
 * three inside it. Before each size one write of it, for who counts the system calls between. */
static int probe_sweep(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct hak_size_class c;
    for (size_t n = 1, end; n <= (size_t)2 << 20; n = end + 1) {
        if (!hak_size_class(n, &c))
            return 1;
        end = c.block_size;
        for (size_t i = 1; i < 4; i++)
            if (!pairs_of(n + (end - n) * i / 4))
                return 1;
        if (!pairs_of(end) || !pairs_of(n) || (end > 1 && !pairs_of(end - 1)))
            return 1;
    }
    return 0;
}

/* phases COUNT [SIZE]: so many times blocks of 3 MiB in all, then freed, each time of another size
 * of Tiny; or 24 MiB of blocks of SIZE. */
static int probe_phases(int argc, char **argv)
{
    enum { LEAST = 100, MOST = (3 << 20) / LEAST };
    static char *blocks[MOST];
    size_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    size_t size = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    for (size_t i = 0, n = LEAST; i<count; i++, n = n * 2> 1024 ? LEAST + i : n * 2) {
        size_t of = size ? size : n, fit = ((size_t)(size ? 24 : 3) << 20) / of;
        for (size_t k = 0; k < fit && k < MOST; k++)
            blocks[k] = malloc(of);
        for (size_t k = 0; k < fit && k < MOST; k++)
            free(blocks[k]);
    }
    return 0;
}

/* damage SIZE: writes into free blocks, then allocates on. */
static int probe_damage(int argc, char **argv)
{
    size_t size = argc > 1 ? strtoull(argv[1], NULL, 10) : 64;
    char *blocks[40];
    for (int i = 0; i < 40; i++)
        blocks[i] = malloc(size);
    for (int i = 0; i < 20; i++)
        free(blocks[i]);
    memset(launder(blocks[19]), 0x43, 8);
    for (int i = 0; i < 20; i++)
        memset(blocks[i] = malloc(size), i, size);
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < i; k++)
            if (blocks[i] == blocks[k] || blocks[k][size - 1] != k)
                return 3;
    puts("went on");
    return 0;
}

static void allocate_in_handler(int signal)
{
    (void)signal;
    for (size_t n = 1; n < 4u << 20; n *= 2)
        free(malloc(n));
    static const char said[] = "handler done\n";
    _exit(write(1, said, sizeof said - 1) < 0);
}

/* handler SIZE: damage that is found under a lock, in a program whose handler of SIGABRT
 * allocates. */
static int probe_handler(int argc, char **argv)
{
    /* So few that none of their memory goes back to the kernel. */
    enum { COUNT = 200 };
    static char *blocks[COUNT];
    size_t size = argc > 1 ? strtoull(argv[1], NULL, 10) : 64;
    signal(SIGABRT, allocate_in_handler);
    alarm(20);
    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc(size);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    for (int i = 0; i < COUNT; i++)
        memset(launder(blocks[i]), 0x44, 8);
    malloc_trim(0);
    return 4;
}

/* shadow SEED STEPS SLOTS MAX: see shadow.h. */
static int probe_shadow(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    shadow_run((uint32_t)strtoul(argv[1], NULL, 10), strtoull(argv[2], NULL, 10),
               strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    return 0;
}

/* prewarm CLASS COUNT: prints what hak_ss_prewarm_class and _init say. */
static int probe_prewarm(int argc, char **argv)
{
    unsigned class = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    printf("%u %u\n", hak_ss_prewarm_class(class, count), hak_ss_prewarm_init());
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} probes[] = {
    {"malloc", probe_malloc}, {"survive", probe_survive}, {"peak", probe_peak},
    {"pairs", probe_pairs},   {"prewarm", probe_prewarm}, {"damage", probe_damage},
    {"sweep", probe_sweep},   {"shadow", probe_shadow},   {"handler", probe_handler},
    {"phases", probe_phases},
};

int probe_main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        if (strcmp(argv[0], probes[i].name) == 0)
            return probes[i].run(argc, argv);
    fprintf(stderr, "no probe is called '%s'\n", argv[0]);
    return 2;
}
