/*
 * double_frees.c: a block is freed again soon, by whatever function frees or gives memory.
 */
#include "attack.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void at_once(size_t n)
{
    char *p = malloc(n);
    free(p);
    free(p);
}

static void three_times(size_t n)
{
    char *p = malloc(n), *q = malloc(n);
    free(p);
    free(q);
    free(p);
    free(p);
}

static void other_between(size_t n)
{
    char *a = malloc(n), *b = malloc(n);
    free(a);
    free(b);
    free(a);
}

static void first_of_ten(size_t n)
{
    char *p[10];
    for (int i = 0; i < 10; i++)
        p[i] = malloc(n);
    for (int i = 0; i < 10; i++)
        free(p[i]);
    free(p[0]);
}

static void last_of_ten(size_t n)
{
    char *p[10];
    for (int i = 0; i < 10; i++)
        p[i] = malloc(n);
    for (int i = 0; i < 10; i++)
        free(p[i]);
    free(p[9]);
}

static void backwards(size_t n)
{
    char *p[30];
    for (int i = 0; i < 30; i++)
        p[i] = malloc(n);
    for (int i = 29; i >= 0; i--)
        free(p[i]);
    free(p[17]);
}

static void twice_in_an_array(size_t n)
{
    char *p[20];
    for (int i = 0; i < 20; i++)
        p[i] = malloc(n);
    p[13] = p[4];
    for (int i = 0; i < 20; i++)
        free(p[i]);
}

struct node {
    struct node *next;
    char text[64];
};

/* A list whose last node leads back to its first. */
static void ring_of_nodes(size_t n)
{
    struct node *first = malloc(sizeof *first + n), *last = first;
    for (int i = 0; i < 5; i++) {
        last->next = malloc(sizeof *last + n);
        last = last->next;
    }
    last->next = first;
    for (struct node *p = first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
}

static void of_calloc(size_t n)
{
    char *p = calloc(3, n);
    free(p);
    free(p);
}

static void of_memalign(size_t n)
{
    char *p = memalign(512, n);
    free(p);
    free(p);
}

static void of_posix_memalign(size_t n)
{
    void *p = NULL;
    if (posix_memalign(&p, 65536, n) != 0)
        return;
    free(p);
    free(p);
}

static void of_aligned_alloc(size_t n)
{
    char *p = aligned_alloc(32, (n + 31) / 32 * 32);
    free(p);
    free(p);
}

static void of_valloc(size_t n)
{
    char *p = valloc(n);
    free(p);
    free(p);
}

static void of_strdup(size_t n)
{
    char *text = malloc(n + 1);
    memset(text, 'a', n);
    text[n] = 0;
    char *p = strdup(text);
    free(p);
    free(p);
}

static void of_getline(size_t n)
{
    (void)n;
    char *line = NULL;
    size_t size = 0;
    FILE *f = fopen("/proc/self/status", "r");
    if (f && getline(&line, &size, f) > 0)
        free(line);
    free(line);
}

static void of_asprintf(size_t n)
{
    char *p = NULL;
    if (asprintf(&p, "%*d", (int)n, 1) < 0)
        return;
    free(p);
    free(p);
}

static void of_a_stream(size_t n)
{
    char *p = NULL;
    size_t size;
    FILE *f = open_memstream(&p, &size);
    for (size_t i = 0; i < n; i++)
        fputc('x', f);
    fclose(f);
    free(p);
    free(p);
}

static void of_realpath(size_t n)
{
    (void)n;
    char *p = realpath("/proc/../usr", NULL);
    free(p);
    free(p);
}

static void closed_twice(size_t n)
{
    (void)n;
    DIR *d = opendir("/");
    closedir(d);
    closedir(d);
}

static void freed_and_closed(size_t n)
{
    (void)n;
    FILE *f = fopen("/dev/null", "r");
    free(f);
    free(f);
}

static void grown_and_old_freed(size_t n)
{
    char *p = malloc(n), *fence = malloc(n);
    char *q = realloc(p, n * 20 + 200);
    free(p == q ? NULL : p);
    free(q);
    if (p == q)
        free(q);
    free(fence);
}

static void shrunk_and_old_freed(size_t n)
{
    char *p = malloc(n * 50 + 5000);
    char *q = realloc(p, n);
    free(q);
    free(p);
}

static void by_realloc_of_zero(size_t n)
{
    char *p = malloc(n);
    if (!realloc(p, 0))
        free(p);
}

static void realloc_of_freed(size_t n)
{
    char *p = malloc(n);
    free(p);
    free(realloc(p, n * 3));
}

static void realloc_of_freed_to_less(size_t n)
{
    char *p = malloc(n * 2);
    free(p);
    free(realloc(p, n));
}

static void reallocarray_of_freed(size_t n)
{
    char *p = malloc(n);
    free(p);
    free(reallocarray(p, n, 2));
}

/* The child of a fork frees what its parent freed. */
static void in_a_child(size_t n)
{
    char *p = malloc(n), *q = malloc(n);
    free(p);
    free(q);
    pid_t pid = fork();
    if (pid == 0) {
        free(p);
        _exit(0);
    }
    int status;
    if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
        raise(WTERMSIG(status));
}

static void in_a_thread(size_t n)
{
    char *p = malloc(n);
    free(p);
    in_thread(free_it, p);
}

static void first_in_a_thread(size_t n)
{
    char *p = malloc(n);
    in_thread(free_it, p);
    free(p);
}

static void in_two_threads(size_t n)
{
    char *p = malloc(n), *q = malloc(n);
    in_thread(free_it, p);
    in_thread(free_it, q);
    in_thread(free_it, p);
}

const struct attack double_frees[] = {
    {"df-at-once", at_once, EVERY},
    {"df-three-times", three_times, EVERY},
    {"df-other-between", other_between, EVERY},
    {"df-first-of-ten", first_of_ten, EVERY},
    {"df-last-of-ten", last_of_ten, EVERY},
    {"df-backwards", backwards, EVERY},
    {"df-twice-in-an-array", twice_in_an_array, EVERY},
    {"df-ring-of-nodes", ring_of_nodes, EVERY},
    {"df-of-calloc", of_calloc, EVERY},
    {"df-of-memalign", of_memalign, EVERY},
    {"df-of-posix-memalign", of_posix_memalign, EVERY},
    {"df-of-aligned-alloc", of_aligned_alloc, EVERY},
    {"df-of-valloc", of_valloc, EVERY},
    {"df-of-strdup", of_strdup, EVERY},
    {"df-of-getline", of_getline, ONE},
    {"df-of-asprintf", of_asprintf, EVERY},
    {"df-of-a-stream", of_a_stream, SMALL},
    {"df-of-realpath", of_realpath, ONE},
    {"df-closed-twice", closed_twice, ONE},
    {"df-of-a-file", freed_and_closed, ONE},
    {"df-grown-and-old-freed", grown_and_old_freed, EVERY},
    {"df-shrunk-and-old-freed", shrunk_and_old_freed, EVERY},
    {"df-by-realloc-of-zero", by_realloc_of_zero, EVERY},
    {"df-realloc-of-freed", realloc_of_freed, EVERY},
    {"df-realloc-of-freed-to-less", realloc_of_freed_to_less, EVERY},
    {"df-reallocarray-of-freed", reallocarray_of_freed, EVERY},
    {"df-in-a-child", in_a_child, EVERY},
    {"df-in-a-thread", in_a_thread, EVERY},
    {"df-first-in-a-thread", first_in_a_thread, EVERY},
    {"df-in-two-threads", in_two_threads, EVERY},
    {NULL, NULL, ONE}};
