/* The command line of the load generator. */
#include "tests/load/load.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] = "usage: load fault [--seconds N] [--seed N] [--runners N]\n"
                            "       load bench [--seconds N] [--samples N] [--runners N] "
                            "[--documents N] [--connections N] [--keep FOLDER]\n"
                            "A part of which there are 0 is left out.\n";

/* The value of an option, or what it is without. */
static double option(int argc, char **argv, const char *name, double without)
{
    for (int i = 2; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return strtod(argv[i + 1], NULL);
    return without;
}

static const char *option_text(int argc, char **argv, const char *name)
{
    for (int i = 2; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (argc > 1 && argc % 2 == 0 && strcmp(argv[1], "fault") == 0)
        return fault_main(option(argc, argv, "--seconds", 600),
                          (unsigned)option(argc, argv, "--seed", (double)(time(NULL) % 100000)),
                          (int)option(argc, argv, "--runners", 8));
    if (argc > 1 && argc % 2 == 0 && strcmp(argv[1], "bench") == 0) {
        struct bench_options o = {
            .seconds = option(argc, argv, "--seconds", 30),
            .samples = (int64_t)option(argc, argv, "--samples", 100e6),
            .documents = (int)option(argc, argv, "--documents", 500),
            .runners = (int)option(argc, argv, "--runners", 1000),
            .connections = (int)option(argc, argv, "--connections", 1000),
            .keep = option_text(argc, argv, "--keep"),
        };
        return bench_main(&o);
    }
    fputs(usage, stderr);
    return 2;
}
