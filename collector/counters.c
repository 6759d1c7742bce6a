#include "collector/counters.h"

#include <stdatomic.h>

enum { ROUTES_ROOM = 96, BUCKETS = 8 };

/* Statuses that are told apart; the last stands for all others. */
static const unsigned statuses[] = {200, 201, 204, 303, 304, 400, 401, 403, 404, 405,
                                    409, 413, 422, 429, 500, 502, 503, 504, 0};
enum { STATUSES = sizeof statuses / sizeof *statuses };

static const double bounds[BUCKETS] = {0.001, 0.005, 0.02, 0.05, 0.2, 1, 5, 30};

/* One row a route, the last for requests that found none. */
static struct {
    atomic_ullong status[STATUSES];
    atomic_ullong bucket[BUCKETS + 1];
    atomic_ullong microseconds;
} requests[ROUTES_ROOM + 1];

static atomic_ullong counted[COUNTERS];

static const struct {
    const char *name, *labels, *text;
} described[COUNTERS] = {
    [COUNT_STORED] = {"results_total", "outcome=\"stored\"", "Result documents by outcome."},
    [COUNT_STORED_BEFORE] = {"results_total", "outcome=\"stored_before\"", NULL},
    [COUNT_REFUSED] = {"results_total", "outcome=\"refused\"", NULL},
    [COUNT_VOIDED] = {"results_total", "outcome=\"voided\"", NULL},
    [COUNT_CLAIMED] = {"claims_total", "", "Jobs that were given to a runner."},
    [COUNT_LOOKS] = {"looks_total", "outcome=\"done\"", "Looks at repositories by outcome."},
    [COUNT_LOOKS_FAILED] = {"looks_total", "outcome=\"failed\"", NULL},
    [COUNT_SENT] = {"messages_total", "outcome=\"sent\"", "Messages of the outbox by outcome."},
    [COUNT_SEND_FAILED] = {"messages_total", "outcome=\"failed\"", NULL},
};

void counters_add(enum counter counter)
{
    atomic_fetch_add_explicit(&counted[counter], 1, memory_order_relaxed);
}

void counters_served(struct service *service, int route, unsigned status, double seconds)
{
    (void)service;
    size_t row = route >= 0 && route < ROUTES_ROOM ? (size_t)route : ROUTES_ROOM;
    size_t s = 0, b = 0;
    while (s + 1 < STATUSES && statuses[s] != status)
        s++;
    while (b < BUCKETS && seconds > bounds[b])
        b++;
    atomic_fetch_add_explicit(&requests[row].status[s], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&requests[row].bucket[b], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&requests[row].microseconds, (unsigned long long)(seconds * 1e6),
                              memory_order_relaxed);
}

/* The names of a route's row: its method and path, "other" for what found none. */
static void route_label(const struct route *table, size_t row, char out[160])
{
    if (row < ROUTES_ROOM)
        snprintf(out, 160, "route=\"%s %s\"", table[row].method, table[row].path);
    else
        snprintf(out, 160, "route=\"other\"");
}

static bool request_counts(struct hp_buffer *out, const struct route *table, size_t row)
{
    char label[160];
    route_label(table, row, label);
    bool ok = true;
    for (size_t s = 0; s < STATUSES; s++) {
        unsigned long long n = atomic_load(&requests[row].status[s]);
        if (n > 0 && statuses[s])
            ok = ok && hp_buffer_printf(out, "hakperf_http_requests_total{%s,status=\"%u\"} %llu\n",
                                        label, statuses[s], n);
        else if (n > 0)
            ok = ok &&
                 hp_buffer_printf(out, "hakperf_http_requests_total{%s,status=\"other\"} %llu\n",
                                  label, n);
    }
    return ok;
}

static bool latencies(struct hp_buffer *out, const struct route *table, size_t row)
{
    static const char *const name = "hakperf_http_request_seconds";
    char label[160];
    route_label(table, row, label);
    unsigned long long sum = 0;
    bool ok = true;
    for (size_t b = 0; b < BUCKETS; b++) {
        sum += atomic_load(&requests[row].bucket[b]);
        ok = ok &&
             hp_buffer_printf(out, "%s_bucket{%s,le=\"%g\"} %llu\n", name, label, bounds[b], sum);
    }
    sum += atomic_load(&requests[row].bucket[BUCKETS]);
    return ok && hp_buffer_printf(
                     out, "%s_bucket{%s,le=\"+Inf\"} %llu\n%s_sum{%s} %.6f\n%s_count{%s} %llu\n",
                     name, label, sum, name, label,
                     (double)atomic_load(&requests[row].microseconds) / 1e6, name, label, sum);
}

static bool was_asked(size_t row)
{
    for (size_t b = 0; b <= BUCKETS; b++)
        if (atomic_load(&requests[row].bucket[b]) > 0)
            return true;
    return false;
}

bool counters_text(struct hp_buffer *out, const struct route *table)
{
    bool ok =
        hp_buffer_printf(out, "# HELP hakperf_http_requests_total Requests by route and status.\n"
                              "# TYPE hakperf_http_requests_total counter\n");
    for (size_t row = 0; row <= ROUTES_ROOM; row++)
        if (was_asked(row))
            ok = ok && request_counts(out, table, row);
    ok = ok &&
         hp_buffer_printf(out, "# HELP hakperf_http_request_seconds Time to answer; long polls "
                               "include their wait.\n"
                               "# TYPE hakperf_http_request_seconds histogram\n");
    for (size_t row = 0; row <= ROUTES_ROOM; row++)
        if (was_asked(row))
            ok = ok && latencies(out, table, row);
    for (size_t i = 0; i < COUNTERS; i++) {
        if (described[i].text)
            ok = ok && hp_buffer_printf(out, "# HELP hakperf_%s %s\n# TYPE hakperf_%s counter\n",
                                        described[i].name, described[i].text, described[i].name);
        bool labels = described[i].labels[0];
        ok = ok &&
             hp_buffer_printf(out, "hakperf_%s%s%s%s %llu\n", described[i].name, labels ? "{" : "",
                              described[i].labels, labels ? "}" : "", atomic_load(&counted[i]));
    }
    return ok;
}
