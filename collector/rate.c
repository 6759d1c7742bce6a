#include "collector/rate.h"

#include <pthread.h>
#include <string.h>

enum { CLIENTS = 1024, PROBES = 8, BURST_S = 5 };

/* What an address has left, as of a time. */
static struct client {
    char address[64];
    double seen, requests, wrong;
} clients[CLIENTS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static double rate; /* with the mutex too */

void rate_set(int64_t per_second)
{
    pthread_mutex_lock(&mutex);
    rate = (double)per_second;
    pthread_mutex_unlock(&mutex);
}

static double refill(double left, double passed, double per_second, double most)
{
    double now = left + passed * per_second;
    return now < most ? now : most;
}

/* The client's row, filled up to now; with the mutex. */
static struct client *find(const struct request *request)
{
    size_t at = 5381;
    for (const char *c = request->address; *c; c++)
        at = at * 33 + (unsigned char)*c;
    struct client *oldest = &clients[at % CLIENTS];
    for (size_t i = 0; i < PROBES; i++) {
        struct client *client = &clients[(at + i) % CLIENTS];
        if (strcmp(client->address, request->address) == 0) {
            double passed = request->arrived - client->seen;
            passed = passed > 0 ? passed : 0;
            client->requests = refill(client->requests, passed, rate, rate * BURST_S);
            client->wrong = refill(client->wrong, passed, 1.0 / RATE_WRONG_S, RATE_WRONG);
            client->seen += passed;
            return client;
        }
        if (client->seen < oldest->seen)
            oldest = client;
    }
    *oldest =
        (struct client){.seen = request->arrived, .requests = rate * BURST_S, .wrong = RATE_WRONG};
    snprintf(oldest->address, sizeof oldest->address, "%s", request->address);
    return oldest;
}

bool rate_take(const struct request *request)
{
    if (request->over_unix)
        return true;
    bool proves = request->authorization || request->cookie ||
                  (request->segments == 1 && strcmp(request->segment[0], "login") == 0);
    pthread_mutex_lock(&mutex);
    struct client *client = find(request);
    bool may = (rate <= 0 || client->requests >= 1) && (!proves || client->wrong >= 1);
    if (may)
        client->requests -= 1;
    pthread_mutex_unlock(&mutex);
    return may;
}

void rate_wrong(const struct request *request)
{
    if (request->over_unix)
        return;
    pthread_mutex_lock(&mutex);
    struct client *client = find(request);
    client->wrong = client->wrong > 1 ? client->wrong - 1 : 0;
    pthread_mutex_unlock(&mutex);
}
