/*
 * Profiles as folded stacks: reads what `perf script -F comm,pid,tid,event,ip,sym,dso` prints, in
 * the dialects of perf 5.x to 6.x, and writes a line for each different stack, `frame;frame;frame
 * COUNT`, outermost first, kernel frames with the suffix _[k]. Pure.
 */
#ifndef RN_FOLDED_H
#define RN_FOLDED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rn_profile {
    char *folded;      /* malloc'ed, ended by NUL; the most frequent stack first */
    uint64_t samples;  /* in the lines of `folded` */
    uint64_t left_out; /* in stacks that were too rare to find room */
    uint64_t kernel;   /* of all samples, those taken in the kernel */
    bool user_only;    /* the kernel was not watched (event with :u) */
};

/* Samples of processes whose name is `comm` (cut to 15 bytes as the kernel does), in at most `room`
 * bytes of text. False without memory. Samples that cannot be read are skipped. */
bool rn_folded_read(const char *text, size_t size, const char *comm, size_t room,
                    struct rn_profile *out);

void rn_profile_clear(struct rn_profile *profile);
#define RN_PROFILE __attribute__((cleanup(rn_profile_clear)))

#endif
