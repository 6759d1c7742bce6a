/* The work that each malloc does besides; the tests plant their changes in this file. */
#define PLANTED_ROUNDS 0

static inline void planted_work(void)
{
    unsigned value = 1;
    for (int i = 0; i < PLANTED_ROUNDS; i++)
        __asm__ volatile("imul $3, %0, %0" : "+r"(value));
}
