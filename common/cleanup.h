/*
 * Ownership by scope: a variable declared with one of these releases what it holds when it goes
 * out of scope. Hand ownership on with hp_take(variable), which returns it and leaves NULL.
 */
#ifndef HP_COMMON_CLEANUP_H
#define HP_COMMON_CLEANUP_H

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void hp_cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void hp_cleanup_json(json_t **p)
{
    json_decref(*p);
}

static inline void hp_cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void hp_cleanup_file(FILE **f)
{
    if (*f)
        fclose(*f);
}

static inline void hp_cleanup_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

#define HP_FREE __attribute__((cleanup(hp_cleanup_free)))
#define HP_JSON __attribute__((cleanup(hp_cleanup_json)))
#define HP_FD __attribute__((cleanup(hp_cleanup_fd)))
#define HP_FILE __attribute__((cleanup(hp_cleanup_file)))
#define HP_DIR __attribute__((cleanup(hp_cleanup_dir)))

/* The descriptor, which is then no longer closed at the end of the scope. */
static inline int hp_take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define hp_take(variable)                            \
    __extension__({                                  \
        __typeof__(variable) hp_taken_ = (variable); \
        (variable) = NULL;                           \
        hp_taken_;                                   \
    })

#endif
