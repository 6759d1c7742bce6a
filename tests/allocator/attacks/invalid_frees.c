/*
 * invalid_frees.c: what is freed was never given out, or is not the beginning of what was.
 */
#include "attack.h"

#include <alloca.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *volatile kept;

static void of_the_stack(size_t n)
{
    char local[256];
    kept = local + n % 8 * 16;
    free(kept);
}

static void of_alloca(size_t n)
{
    kept = alloca(n);
    free(kept);
}

static void of_an_argument(size_t n)
{
    kept = &n;
    free(kept);
}

static void of_a_static(size_t n)
{
    static char data[4096];
    kept = data + n % 8 * 16;
    free(kept);
}

static void of_a_constant(size_t n)
{
    static const char data[64] = "constant";
    (void)n;
    kept = (void *)(uintptr_t)data;
    free(kept);
}

static void of_a_literal(size_t n)
{
    (void)n;
    kept = (void *)(uintptr_t) "literal";
    free(kept);
}

static void of_code(size_t n)
{
    (void)n;
    kept = (void *)(uintptr_t)of_code;
    free(kept);
}

static void of_libc(size_t n)
{
    (void)n;
    kept = stderr;
    free(kept);
}

static void of_the_environment(size_t n)
{
    (void)n;
    free(getenv("PATH"));
}

static void of_thread_storage(size_t n)
{
    static __thread char data[512];
    kept = data + n % 8 * 16;
    free(kept);
}

static void of_a_mapping(size_t n)
{
    char *p = mmap(NULL, n + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(p);
}

static void inside_a_mapping(size_t n)
{
    char *p = mmap(NULL, n + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(p + 4096 + 16);
}

static void of_a_file(size_t n)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    (void)n;
    free(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
}

static void of_the_break(size_t n)
{
    free((char *)sbrk((intptr_t)(n + 64)) + 16);
}

static void small_number(size_t n)
{
    kept = (void *)(uintptr_t)(n | 16);
    free(kept);
}

static void large_number(size_t n)
{
    (void)n;
    kept = (void *)0x4242424242424240;
    free(kept);
}

static void half_a_pointer(size_t n)
{
    kept = (void *)((uintptr_t)malloc(n) & UINT32_MAX);
    free(kept);
}

static void one_in(size_t n)
{
    kept = (char *)malloc(n) + 1;
    free(kept);
}

static void eight_in(size_t n)
{
    kept = (char *)malloc(n + 16) + 8;
    free(kept);
}

static void sixteen_in(size_t n)
{
    kept = (char *)malloc(n + 32) + 16;
    free(kept);
}

static void half_in(size_t n)
{
    kept = (char *)malloc(2 * n + 64) + n + 16;
    free(kept);
}

static void page_in(size_t n)
{
    kept = (char *)malloc(n + 9000) + 4096;
    free(kept);
}

static void at_the_end(size_t n)
{
    char *p = malloc(n);
    kept = p + malloc_usable_size(p);
    free(kept);
}

static void one_before(size_t n)
{
    kept = (char *)malloc(n) - 1;
    free(kept);
}

static void eight_before(size_t n)
{
    kept = (char *)malloc(n + 16) - 8;
    free(kept);
}

static void sixteen_before(size_t n)
{
    kept = (char *)malloc(n + 32) - 16;
    free(kept);
}

static void moved_on(size_t n)
{
    char *text = malloc(n + 32);
    strcpy(text, "a name=value pair");
    for (; *text != '='; text++)
        ;
    free(text);
}

static void inside_of_aligned(size_t n)
{
    kept = (char *)aligned_alloc(4096, (n + 4096) / 4096 * 4096) + 64;
    free(kept);
}

static void inside_of_freed(size_t n)
{
    char *p = malloc(n + 64);
    free(p);
    kept = p + 16;
    free(kept);
}

/* A chunk as glibc would have it, on the stack and inside a block. */
static void chunk_on_the_stack(size_t n)
{
    uint64_t fake[40] __attribute__((aligned(16))) = {0};
    fake[1] = 0x41;
    fake[9] = 0x1234;
    (void)n;
    kept = &fake[2];
    free(kept);
}

static void chunk_in_a_block(size_t n)
{
    uint64_t *block = malloc(n + 512);
    memset(block, 0, n + 512);
    block[1] = 0x81;
    block[17] = 0x81;
    kept = &block[2];
    free(kept);
}

static void chunk_in_a_mapping(size_t n)
{
    uint64_t *p =
        mmap(NULL, (size_t)4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)n;
    p[1] = 0x1002;
    free(p + 2);
}

static void realloc_of_the_stack(size_t n)
{
    char local[256];
    kept = local + 32;
    kept = realloc(kept, n + 1000);
}

static void realloc_of_a_static(size_t n)
{
    static char data[256];
    kept = data + 32;
    kept = realloc(kept, n);
}

static void realloc_inside(size_t n)
{
    kept = (char *)malloc(n + 64) + 16;
    kept = realloc(kept, n + 100);
}

static void realloc_to_zero_inside(size_t n)
{
    kept = (char *)malloc(n + 64) + 16;
    kept = realloc(kept, 0);
}

static void of_another_thread_stack(size_t n)
{
    char local[64];
    (void)n;
    kept = local + 16;
    in_thread(free_it, kept);
}

const struct attack invalid_frees[] = {
    {"if-of-the-stack", of_the_stack, ONE},
    {"if-of-alloca", of_alloca, SMALL},
    {"if-of-an-argument", of_an_argument, ONE},
    {"if-of-a-static", of_a_static, ONE},
    {"if-of-a-constant", of_a_constant, ONE},
    {"if-of-a-literal", of_a_literal, ONE},
    {"if-of-code", of_code, ONE},
    {"if-of-libc", of_libc, ONE},
    {"if-of-the-environment", of_the_environment, ONE},
    {"if-of-thread-storage", of_thread_storage, ONE},
    {"if-of-a-mapping", of_a_mapping, EVERY},
    {"if-inside-a-mapping", inside_a_mapping, EVERY},
    {"if-of-a-file", of_a_file, ONE},
    {"if-of-the-break", of_the_break, ONE},
    {"if-small-number", small_number, EVERY},
    {"if-large-number", large_number, ONE},
    {"if-half-a-pointer", half_a_pointer, EVERY},
    {"if-one-in", one_in, EVERY},
    {"if-eight-in", eight_in, EVERY},
    {"if-sixteen-in", sixteen_in, EVERY},
    {"if-half-in", half_in, EVERY},
    {"if-page-in", page_in, EVERY},
    {"if-at-the-end", at_the_end, EVERY},
    {"if-one-before", one_before, EVERY},
    {"if-eight-before", eight_before, EVERY},
    {"if-sixteen-before", sixteen_before, EVERY},
    {"if-moved-on", moved_on, EVERY},
    {"if-inside-of-aligned", inside_of_aligned, EVERY},
    {"if-inside-of-freed", inside_of_freed, EVERY},
    {"if-chunk-on-the-stack", chunk_on_the_stack, ONE},
    {"if-chunk-in-a-block", chunk_in_a_block, EVERY},
    {"if-chunk-in-a-mapping", chunk_in_a_mapping, ONE},
    {"if-realloc-of-the-stack", realloc_of_the_stack, EVERY},
    {"if-realloc-of-a-static", realloc_of_a_static, EVERY},
    {"if-realloc-inside", realloc_inside, EVERY},
    {"if-realloc-to-zero-inside", realloc_to_zero_inside, EVERY},
    {"if-of-another-threads-stack", of_another_thread_stack, ONE},
    {NULL, NULL, ONE}};
