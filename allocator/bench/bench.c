#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void print_help(const struct bench_options *o)
{
    printf("Usage: %s", o->program);
    for (const struct bench_arg *a = o->args; a->name; a++)
        printf(" [%s]", a->name);
    printf(" [--json FILE]%s [--help]\n\n%s\n\n",
           o->independent_size ? " [--independent-size]" : "", o->summary);
    for (const struct bench_arg *a = o->args; a->name; a++)
        printf("  %-14s %s (default %" PRIu64 ")\n", a->name, a->help, a->value);
    if (o->independent_size)
        printf("  --independent-size  draw the size from a second seeded stream; without it a\n"
               "                 working set of 1024 or more that is a power of two gives each "
               "slot\n                 one size\n");
    printf("  --json FILE    write the result as one JSON object to FILE\n");
}

static _Noreturn void usage_error(const struct bench_options *o, const char *what, const char *arg)
{
    fprintf(stderr, "%s: %s: '%s'\nHINT: %s --help lists the arguments.\n", o->program, what, arg,
            o->program);
    exit(2);
}

static void parse_number(const struct bench_options *o, struct bench_arg *a, const char *text)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno) {
        fprintf(stderr, "%s: %s must be a whole number, not '%s'\n", o->program, a->name, text);
        exit(2);
    }
    if (value < a->min || value > a->max) {
        fprintf(stderr, "%s: %s must be from %" PRIu64 " to %" PRIu64 ", not %s\n", o->program,
                a->name, a->min, a->max, text);
        exit(2);
    }
    a->value = value;
}

/* Far enough that it never fires; these timers count down by ticks, in user mode and in both. */
static const struct itimerval never = {.it_value = {.tv_sec = 1000000}};
static bool modes_known;

/* Somebody else's timers, a profiler's, are left alone. */
static void watch_modes(void)
{
    static const int timers[] = {ITIMER_VIRTUAL, ITIMER_PROF};
    struct itimerval old;
    for (int i = 0; i < 2; i++)
        if (getitimer(timers[i], &old) != 0 || old.it_value.tv_sec || old.it_value.tv_usec)
            return;
    modes_known =
        setitimer(ITIMER_VIRTUAL, &never, NULL) == 0 && setitimer(ITIMER_PROF, &never, NULL) == 0;
}

void bench_parse(struct bench_options *o, int argc, char **argv)
{
    struct bench_arg *next = o->args;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--help") == 0) {
            print_help(o);
            exit(0);
        } else if (strcmp(arg, "--json") == 0) {
            if (++i == argc)
                usage_error(o, "a file name must follow", arg);
            o->json = argv[i];
        } else if (strcmp(arg, "--independent-size") == 0 && o->independent_size) {
            *o->independent_size = true;
        } else if (arg[0] == '-' && arg[1] != '\0' && (arg[1] < '0' || arg[1] > '9')) {
            usage_error(o, "unknown option", arg);
        } else if (!next->name) {
            usage_error(o, "one argument too many", arg);
        } else {
            parse_number(o, next++, arg);
        }
    }
    if (o->json) /* nobody else is told of them */
        watch_modes();
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* While a timer of the process runs, the kernel answers for the process with a sum of the last
 * tick, unless the thread's own clock, read just before, has brought it up to date. */
static double cpu_seconds(void)
{
    if (modes_known)
        (void)seconds(CLOCK_THREAD_CPUTIME_ID);
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static long long counted_down_us(int timer)
{
    struct itimerval left;
    if (!modes_known || getitimer(timer, &left) != 0)
        return -1;
    return (long long)(never.it_value.tv_sec - left.it_value.tv_sec) * 1000000 -
           left.it_value.tv_usec;
}

/* A tick between the two timers would count on one side only: read until there was none. */
static struct bench_modes modes_now(void)
{
    long long both_us = counted_down_us(ITIMER_PROF), user_us, before_us;
    do {
        before_us = both_us;
        user_us = counted_down_us(ITIMER_VIRTUAL);
        both_us = counted_down_us(ITIMER_PROF);
    } while (both_us != before_us);
    return (struct bench_modes){(double)user_us * 1e-6, (double)(both_us - user_us) * 1e-6};
}

/* The CPU time is taken last here and first at the end: what lies between is the program's alone.
 */
struct bench_time bench_now(void)
{
    struct bench_modes modes = modes_now();
    double wall_s = seconds(CLOCK_MONOTONIC);
    return (struct bench_time){cpu_seconds(), wall_s, modes};
}

struct bench_part bench_since(struct bench_time from, uint64_t operations)
{
    double cpu_s = cpu_seconds() - from.cpu_s;
    double wall_s = seconds(CLOCK_MONOTONIC) - from.wall_s;
    struct bench_modes now = modes_now();
    if (modes_known)
        now = (struct bench_modes){now.user_s - from.modes.user_s,
                                   now.system_s - from.modes.system_s};
    return (struct bench_part){operations, cpu_s, wall_s, now};
}

void *bench_map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        fprintf(stderr, "bench: no memory for a table of %zu bytes\n", size);
        exit(1);
    }
    return p;
}

/* A line of /proc/self/status in KiB; 0 when unknown. */
static uint64_t status_kib(const char *field)
{
    char buf[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, buf, sizeof buf - 1);
    close(fd);
    if (n <= 0)
        return 0;
    buf[n] = '\0';
    const char *line = strstr(buf, field);
    return line ? strtoull(line + strlen(field), NULL, 10) : 0;
}

uint64_t bench_peak_rss_kib(void)
{
    return status_kib("VmHWM:");
}

void bench_no_memory(const struct bench_options *o, uint64_t iteration, size_t size)
{
    fprintf(stderr, "%s: malloc returned NULL at iteration %" PRIu64 " for %zu bytes: %s\n",
            o->program, iteration, size, strerror(errno));
    exit(1);
}

static void write_modes(FILE *f, struct bench_modes modes)
{
    if (modes_known)
        fprintf(f, ",\"user_s\":%.6f,\"system_s\":%.6f", modes.user_s, modes.system_s);
}

static void write_part(FILE *f, const char *name, const struct bench_part *p)
{
    if (p->operations == 0) {
        fprintf(f, ",\"%s\":null", name);
        return;
    }
    fprintf(f, ",\"%s\":{\"operations\":%" PRIu64 ",\"cpu_s\":%.9f,\"wall_s\":%.9f", name,
            p->operations, p->cpu_s, p->wall_s);
    write_modes(f, p->modes);
    fputc('}', f);
}

/* A file by name; /dev/fd/N is that descriptor itself, so that what it holds already stays. */
static FILE *open_output(const char *name)
{
    int fd;
    char rest;
    if (sscanf(name, "/dev/fd/%d%c", &fd, &rest) != 1)
        return fopen(name, "w");
    fd = dup(fd);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool has_arg(const struct bench_options *o, const char *name)
{
    for (const struct bench_arg *a = o->args; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return true;
    return false;
}

void bench_write_json(const struct bench_options *o, const struct bench_report *r)
{
    if (!o->json)
        return;
    /* In this order, so that what reading it takes is in both. */
    uint64_t retained = status_kib("VmRSS:"), peak = bench_peak_rss_kib();
    FILE *f = open_output(o->json);
    if (!f) {
        fprintf(stderr, "%s: cannot write '%s': %s\n", o->program, o->json, strerror(errno));
        exit(1);
    }
    fprintf(f, "{\"program\":\"%s\"", o->program);
    for (const struct bench_arg *a = o->args; a->name; a++)
        fprintf(f, ",\"%s\":%" PRIu64, a->name, a->value);
    if (o->independent_size)
        fprintf(f, ",\"independent_size\":%s", *o->independent_size ? "true" : "false");
    if (!has_arg(o, "threads"))
        fprintf(f, ",\"threads\":%u", r->threads);
    fprintf(f, ",\"operations\":%" PRIu64, r->operations);
    fprintf(f, ",\"wall_s\":%.9f,\"cpu_s\":%.9f,\"startup_cpu_s\":%.9f", r->total.wall_s,
            r->total.cpu_s, r->startup_cpu_s);
    write_modes(f, r->total.modes);
    write_part(f, "warm", &r->warm);
    write_part(f, "steady", &r->steady);
    for (const struct bench_field *e = r->fields; e && e->name; e++) {
        if (e->real)
            fprintf(f, ",\"%s\":%.9f", e->name, e->number);
        else
            fprintf(f, ",\"%s\":%" PRIu64, e->name, e->integer);
    }
    fprintf(f, ",\"peak_rss_kib\":%" PRIu64 ",\"retained_rss_kib\":%" PRIu64 "}\n", peak, retained);
    if (fclose(f) != 0) {
        fprintf(stderr, "%s: cannot write '%s': %s\n", o->program, o->json, strerror(errno));
        exit(1);
    }
}
