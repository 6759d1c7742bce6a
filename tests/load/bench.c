#include "tests/load/bench.h"

#include "common/clock.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int missed;

/* --- times --------------------------------------------------------------------------------------
 */

void bench_time_add(struct bench_times *t, double seconds)
{
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 256;
        t->value = realloc(t->value, t->room * sizeof *t->value);
        if (!t->value)
            die("out of memory");
    }
    t->value[t->n++] = seconds;
}

void bench_times_join(struct bench_times *into, struct bench_times *from)
{
    for (size_t i = 0; i < from->n; i++)
        bench_time_add(into, from->value[i]);
    free(from->value);
    *from = (struct bench_times){0};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_quantile_ms(struct bench_times *t, double q)
{
    if (t->n == 0)
        return NAN;
    qsort(t->value, t->n, sizeof *t->value, compare);
    size_t i = (size_t)ceil(q * (double)t->n);
    return 1000 * t->value[i > 0 ? i - 1 : 0];
}

/* --- the table ----------------------------------------------------------------------------------
 */

void bench_row(const char *what, const char *goal, bool reached, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("| %-46s | %-22s | %-34s | %-6s |\n", what, goal, text, reached ? "yes" : "MISSED");
    missed += !reached;
}

void bench_note(const char *format, ...)
{
    va_list args;
    fputs("  ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

int bench_missed(void)
{
    return missed;
}

/* --- threads ------------------------------------------------------------------------------------
 */

struct thread {
    pthread_t id;
    void (*work)(void *argument, int number);
    void *argument;
    int number;
};

static void *run(void *argument)
{
    struct thread *t = argument;
    t->work(t->argument, t->number);
    return NULL;
}

void bench_threads(int n, void (*work)(void *argument, int number), void *argument)
{
    struct thread *threads = calloc((size_t)n, sizeof *threads);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 512 << 10);
    for (int i = 0; i < n; i++) {
        threads[i] = (struct thread){.work = work, .argument = argument, .number = i};
        if (pthread_create(&threads[i].id, &small, run, &threads[i]) != 0)
            die("cannot start %d threads", n);
    }
    for (int i = 0; i < n; i++)
        pthread_join(threads[i].id, NULL);
    pthread_attr_destroy(&small);
    free(threads);
}

double bench_get(struct hp_http *http, const char *path)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer answer = {0};
    long status = 0;
    double before = hp_monotonic_s();
    if (!hp_http_bytes(http, "GET", path, NULL, NULL, 0, 64 << 20, &answer, &status, &err))
        die("GET %s: %ld %s", path, status, err.message);
    return hp_monotonic_s() - before;
}

int bench_main(const struct bench_options *o)
{
    static struct world world;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    world_make(&world, o->keep, 600);
    world_start_collector(&world, NULL);
    printf("hakperf-collector, %ld processors shared with the database and the load, %s\n",
           sysconf(_SC_NPROCESSORS_ONLN), world_ask(&world, "SHOW server_version"));
    printf("| %-46s | %-22s | %-34s | %-6s |\n", "what", "goal", "measured", "met");
    printf("|%.48s|%.24s|%.36s|%.8s|\n", "------------------------------------------------",
           "------------------------", "------------------------------------", "--------");
    if (o->documents > 0)
        bench_ingest(&world, o);
    if (o->runners > 0)
        bench_runners(&world, o);
    if (o->connections > 0)
        bench_connections(&world, o);
    if (o->samples > 0)
        bench_readers(&world, o);
    world_free(&world);
    printf("%d of the goals missed\n", missed);
    return missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
