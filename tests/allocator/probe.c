/*
 * probe.c: what tests do in a fresh process, under an environment of their choice.
 */
#include "support.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} probes[] = {
    {"malloc", probe_malloc},
};

int probe_main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        if (strcmp(argv[0], probes[i].name) == 0)
            return probes[i].run(argc, argv);
    fprintf(stderr, "no probe is called '%s'\n", argv[0]);
    return 2;
}
