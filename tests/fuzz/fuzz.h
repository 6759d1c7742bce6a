/*
 * Fuzz targets: each takes bytes from outside and must neither crash, leak nor run for long,
 * whatever they are. `make fuzz FUZZ=NAME SECONDS=600` runs one under libFuzzer with the address
 * and undefined behaviour sanitizers; the test suite replays tests/fuzz/corpus/NAME/ and every
 * prefix of each file in it.
 */
#ifndef HP_TESTS_FUZZ_H
#define HP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* A document as it arrives over the network: parsed, checked against every wire schema. */
void fuzz_wire(const uint8_t *data, size_t size);

/* What perf stat wrote, whole or cut off. */
void fuzz_perf(const uint8_t *data, size_t size);

/* What strace, perf trace and perf stat print of system calls. */
void fuzz_syscalls(const uint8_t *data, size_t size);

/* A file of callgrind. */
void fuzz_callgrind(const uint8_t *data, size_t size);

/* What perf script prints. */
void fuzz_folded(const uint8_t *data, size_t size);

/* What gcov prints. */
void fuzz_gcov(const uint8_t *data, size_t size);

/* A result that obeys its schema: whether it contradicts itself, and what its samples say. */
void fuzz_ingest(const uint8_t *data, size_t size);

/* The headers by which somebody says who he is. */
void fuzz_headers(const uint8_t *data, size_t size);

/* The target of an HTTP request: path, escapes and parameters, and the endpoint it finds. */
void fuzz_target(const uint8_t *data, size_t size);

/* A file that is to be imported, up to the line that ends it. */
void fuzz_archive(const uint8_t *data, size_t size);

#endif
