/*
 * canary.h: the known slowdown of a canary build (make CANARY=N).
 *
 * A service that watches the library measures such a build now and then, to prove that it would
 * see a loss of about N percent. Every malloc counts down from N; canary builds differ in that one
 * constant, and any other build has nothing of it. A step is about one percent of CPU time of
 * bench_random_mixed with a working set of 8192 on the machine it was calibrated on: 2 cost 2.8 %,
 * 4 cost 4.7 %, 8 cost 7.7 %, 16 cost 13.9 % (medians of 80 interleaved pairs).
 */
#ifndef HAKMEM_CANARY_H
#define HAKMEM_CANARY_H

#ifdef HAKMEM_CANARY
_Static_assert(HAKMEM_CANARY >= 1 && HAKMEM_CANARY <= 30, "CANARY is a percentage from 1 to 30");

static inline void canary(void)
{
    for (unsigned i = HAKMEM_CANARY; i > 0; i--)
        __asm__ volatile("" : "+r"(i));
}
#else
static inline void canary(void) {}
#endif

#endif
