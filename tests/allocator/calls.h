/*
 * calls.h: bytes as a sequence of calls of the malloc family, with every result checked.
 */
#ifndef TEST_CALLS_H
#define TEST_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* Performs the calls that `data` spells and frees what is left. Ends the process by abort() when a
 * block overlaps, moves without its contents, is misaligned or too small. Never misuses. */
void calls_run(const uint8_t *data, size_t size);

#endif
