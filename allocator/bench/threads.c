#include "threads.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t gate;
static void (*run_body)(unsigned);

static void *run_one(void *index)
{
    pthread_barrier_wait(&gate);
    run_body((unsigned)(uintptr_t)index);
    return NULL;
}

struct bench_part bench_run_threads(unsigned threads, void (*body)(unsigned index))
{
    pthread_t ids[BENCH_MAX_THREADS];
    run_body = body;
    pthread_barrier_init(&gate, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, run_one, (void *)(uintptr_t)i) != 0) {
            fprintf(stderr, "bench: cannot start %u threads\n", threads);
            exit(1);
        }
    struct bench_time start = bench_now();
    pthread_barrier_wait(&gate);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    struct bench_part part = bench_since(start, 0);
    pthread_barrier_destroy(&gate);
    return part;
}

uint64_t bench_voluntary_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_nvcsw;
}

/* The number of the tracepoint, or 0. */
static uint64_t futex_tracepoint(void)
{
    static const char *const files[] = {
        "/sys/kernel/tracing/events/syscalls/sys_enter_futex/id",
        "/sys/kernel/debug/tracing/events/syscalls/sys_enter_futex/id"};
    char text[32];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int fd = open(files[i], O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        if (n > 0) {
            text[n] = '\0';
            return strtoull(text, NULL, 10);
        }
    }
    return 0;
}

int bench_futex_open(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof attr};
    attr.config = futex_tracepoint();
    attr.inherit = 1;
    if (attr.config == 0)
        return -1;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

uint64_t bench_futex_calls(int fd)
{
    uint64_t count = 0;
    if (fd < 0 || read(fd, &count, sizeof count) != (ssize_t)sizeof count)
        return 0;
    return count;
}
