/*
 * shadow.h: a seeded random program that allocates, resizes, frees and checks every byte.
 *
 * The model knows size and fill of each of its blocks. A block is filled completely when it is
 * made and compared completely before it is changed or freed, so overlap, loss and foreign writes
 * show. One model belongs to one thread; several may run at once.
 */
#ifndef TEST_SHADOW_H
#define TEST_SHADOW_H

#include <stddef.h>
#include <stdint.h>

/* Runs `steps` steps from `seed` over `slots` blocks, sizes mostly small and at most `max`.
 * Ends the process by abort() with a message when memory is not as it must be. */
void shadow_run(uint32_t seed, uint64_t steps, size_t slots, size_t max);

#endif
