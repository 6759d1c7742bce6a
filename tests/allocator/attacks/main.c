#include "attack.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct attack *const tables[] = {double_frees, late_frees, invalid_frees};
enum { TABLES = sizeof tables / sizeof *tables };

static const char *const size_lists[] = {[ONE] = "64",
                                         [SMALL] = "1 24 100 1000",
                                         [EVERY] =
                                             "1 24 100 1000 5000 40000 100000 1500000 3000000"};

void in_thread(void *(*body)(void *), void *arg)
{
    pthread_t t;
    if (pthread_create(&t, NULL, body, arg) != 0)
        exit(2);
    pthread_join(t, NULL);
}

void *free_it(void *p)
{
    free(p);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--list";
    for (int k = 0; k < TABLES; k++)
        for (const struct attack *a = tables[k]; a->name; a++) {
            if (strcmp(name, "--list") == 0) {
                printf("%s %s\n", a->name, size_lists[a->sizes]);
            } else if (strcmp(name, a->name) == 0) {
                a->run(argc > 2 ? strtoull(argv[2], NULL, 10) : 64);
                return 0;
            }
        }
    return strcmp(name, "--list") == 0 ? 0 : 2;
}
