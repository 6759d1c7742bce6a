/*
 * What changed together with the speed: candidates for its cause out of what a COMPARISON's
 * workload holds, the likeliest first. They are told as facts beside the change and never as proven
 * causes. And whether the changed code ran at all.
 */
#ifndef HP_COMMON_TELLING_CAUSE_H
#define HP_COMMON_TELLING_CAUSE_H

#include "common/io.h"

#include <jansson.h>

/* The most candidates that a sentence holds. */
#define CAUSE_MOST 4

/*
 * Appends up to `most` candidates, each as a clause ("munmap calls rose from 3 to 74,112"), with
 * commas between them. *told: how many. In this order, which is that of how directly they speak of
 * the program: options that differ; system calls by kind and counters of the library that moved by
 * half or more; the kernel's share from two points; ACE failures by cause; functions whose share of
 * the profile moved by five points; instructions for each operation from one per cent.
 * `elsewhere` are the options that differ in another workload, NULL for none: told where those of
 * this one are not known, because it was too slow for the passes.
 */
bool cause_add(struct hp_buffer *out, const json_t *workload, const json_t *elsewhere, size_t most,
               size_t *told);

/* The metric of resident memory that moved most among those of a workload, from 5 per cent and 256
 * KiB, where the pairs prove that it moved; NULL: none did. *by: how far, as a logarithm. */
const json_t *cause_memory(const json_t *workload, double *by);

/* Appends "retained RSS rose from 4.5 to 18.2 MiB" for what cause_memory returned. */
bool cause_add_memory(struct hp_buffer *out, const json_t *metric);

/* Appends "both changed functions ran", "0 of 3 changed functions ran" and their likes. *known
 * false, and nothing appended, where no function changed or it is not known. */
bool cause_add_coverage(struct hp_buffer *out, const json_t *coverage, bool *known);

/* Whether functions changed and none of them ran. */
bool cause_never_ran(const json_t *coverage);

#endif
